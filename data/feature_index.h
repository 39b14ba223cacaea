// SPDX-License-Identifier: MIT
// index.json of a feature cache: what is in its shards and from which state of the songs' files.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace chorale::data {

/// Size and modification time of a file; a song whose stamp has changed is extracted again.
struct FileStamp {
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  bool operator==(const FileStamp&) const = default;
};
/// Nothing if there is no such regular file.
std::optional<FileStamp> file_stamp(const std::string& path);

/// A song's rows follow one another, from `row` of `shard` on and on at the top of the next shards.
struct IndexedSong {
  std::string audio_path;
  FileStamp stamp;
  int shard = -1;  ///< -1: the file could not be used, `reason` says why
  std::int64_t row = 0, count = 0;
  std::string reason;
};

struct IndexedShard {
  std::int64_t rows = 0;
  std::string hash;  ///< XXH3 of the file, 16 hex digits
  FileStamp stamp;   ///< of the file that has this hash; zeros: not known
};

/// Consecutive rows of a shard.
struct RowRange {
  int shard = 0;
  std::int64_t row = 0, count = 0;
};

struct FeatureIndex {
  std::string settings;
  Shape row_shape;
  std::map<std::string, IndexedSong> songs;  ///< by song id
  std::map<int, IndexedShard> shards;

  /// Nothing if the file is missing, unreadable, damaged or of another version: the cache is made anew then.
  /// `why`, if given, takes the reason; empty if there is no file.
  static std::optional<FeatureIndex> read(const std::string& path, std::string* why = nullptr);
  void write(const std::string& path) const;

  /// Where the rows of a usable song lie, in order; nothing if some are not there.
  std::vector<RowRange> ranges(const IndexedSong& song) const;
};

std::string shard_name(int shard);  ///< "shard_00012.npy"

/// XXH3 of bytes that come piece by piece.
class ContentHash {
 public:
  ContentHash();
  ~ContentHash();
  void add(std::span<const std::byte> bytes);
  std::string text() const;  ///< 16 hex digits

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// 16 hex digits of XXH3 over a file's bytes; InputError if it cannot be read.
std::string file_hash(const std::string& path);
/// The same for a file whose end is in memory already: only what comes before `tail` is read.
std::string file_hash(const std::string& path, std::span<const std::byte> tail);
std::string text_hash(const std::string& text);

}  // namespace chorale::data

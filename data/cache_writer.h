// SPDX-License-Identifier: MIT
// One feature cache on its way to completeness: computes the features of clips and writes them as shards.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/corpus.h"
#include "data/extractor.h"
#include "data/feature_cache.h"
#include "data/feature_index.h"
#include "data/shard_writer.h"
#include "tensor/file.h"
#include "tensor/tensor.h"

namespace chorale::data {

/// Where a clip comes from. The clips of a song are added one after the other, the first and the last marked.
struct ClipOrigin {
  const Song* song = nullptr;
  FileStamp stamp;
  bool first = true, last = true;
};

class CacheWriter {
 public:
  /// Locks the cache and takes it up, without its damaged shards and the songs in them. `verify`: shards are
  /// hashed even if their stamps are those they were written with. InputError naming the process that holds
  /// the lock.
  CacheWriter(const Corpus& corpus, const FeatureSettings& settings, bool verify);

  const std::string& folder() const { return folder_; }
  /// Why the cache that was there is made anew; empty if it was not, or there was none.
  const std::string& rebuilt() const { return rebuilt_; }
  /// Mel bands that stay empty with these settings.
  const std::vector<std::int64_t>& empty_bands() const { return extract_.empty_bands(); }

  /// True if the song has to be extracted; forgets what an older state of its file gave.
  bool needs(const Song& song, const FileStamp& stamp);
  /// Null if the song is not there.
  const IndexedSong* find(const std::string& song_id) const;

  void add_bad(const Song& song, const FileStamp& stamp, const std::string& reason);
  void add(const std::vector<ClipOrigin>& origins, const Tensor& clips,
           const std::vector<std::int64_t>& lengths);

  /// Completes the shard that is open, then writes the index with the songs that are whole now.
  void flush();
  /// Removes shards that no song refers to any more.
  void remove_unused_shards();
  /// Writes skipped.csv, or removes it if there is nothing to list. Returns its path, or "".
  std::string list_skipped(const std::vector<SkippedSong>& skipped) const;

 private:
  using Clock = std::chrono::steady_clock;

  int next_shard() const { return index_.shards.empty() ? 0 : index_.shards.rbegin()->first + 1; }
  void take_up(const FeatureSettings& settings, bool verify);
  void drop_damaged_shards(bool verify);
  void note(const ClipOrigin& origin, std::int64_t row);
  void close_shard();
  void write_index();

  std::string folder_;
  std::optional<RunLock> lock_;
  Extractor extract_;
  FeatureIndex index_;
  std::string rebuilt_;
  std::optional<ShardWriter> shard_;
  IndexedSong open_;                                         ///< the song whose last clip is still to come
  std::vector<std::pair<std::string, IndexedSong>> closed_;  ///< by song id: whole once the shard is
  bool changed_ = false;
  Clock::time_point index_due_{};  ///< not to be written before
};

}  // namespace chorale::data

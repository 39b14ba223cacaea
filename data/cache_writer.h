// SPDX-License-Identifier: MIT
// One feature cache on its way to completeness: computes the features of clips and writes them as shards.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "data/corpus.h"
#include "data/feature_cache.h"
#include "data/feature_index.h"
#include "tensor/tensor.h"

namespace chorale::data {

/// <root>/features/<kind>-<hash of the settings>.
std::string cache_folder(const Corpus& corpus, const FeatureSettings& settings);

/// One kind of feature of a batch of clips.
class Extractor {
 public:
  explicit Extractor(const FeatureSettings& settings);
  /// clips f32 (n, clip length); lengths: samples of each that are not padding.
  Tensor operator()(const Tensor& clips, const std::vector<std::int64_t>& lengths) const;

 private:
  std::string kind_;
  audio::FeatureExtractor features_;
};

/// Where a clip comes from. The clips of a song are added one after the other, the first and the last marked.
struct ClipOrigin {
  const Song* song = nullptr;
  FileStamp stamp;
  bool first = true, last = true;
};

class CacheWriter {
 public:
  /// Takes up the cache that is there, without its damaged shards and the songs in them.
  CacheWriter(const Corpus& corpus, const FeatureSettings& settings);

  /// True if the song has to be extracted; forgets what an older state of its file gave.
  bool needs(const Song& song, const FileStamp& stamp);
  /// Null if the song is not there.
  const IndexedSong* find(const std::string& song_id) const;

  void add_bad(const Song& song, const FileStamp& stamp, const std::string& reason);
  void add(const std::vector<ClipOrigin>& origins, const Tensor& clips,
           const std::vector<std::int64_t>& lengths);

  /// Writes what is pending as a shard, then the index with the songs that are whole now.
  void flush();
  /// Removes shards that no song refers to any more.
  void remove_unused_shards();

 private:
  int next_shard() const { return index_.shards.empty() ? 0 : index_.shards.rbegin()->first + 1; }
  void drop_damaged_shards();

  std::string folder_;
  Extractor extract_;
  FeatureIndex index_;
  std::vector<float> pending_values_;
  std::int64_t pending_rows_ = 0;
  IndexedSong open_;  ///< the song whose last clip is still to come
  std::vector<std::pair<std::string, IndexedSong>>
      closed_;  ///< by song id: whole once what is pending is written
  bool changed_ = false;
};

}  // namespace chorale::data

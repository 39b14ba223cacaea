// SPDX-License-Identifier: MIT
// Reading a feature cache, also beside the extraction that writes it: the index names a state, and every
// shard must be the one that it means.
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <map>
#include <optional>

#include "data/feature_cache.h"
#include "data/feature_index.h"
#include "tensor/file.h"
#include "tensor/npy.h"

namespace chorale::data {
namespace {

constexpr const char* advice = " (allowed: made by extract_audio with the same configuration)";

/// A song's rows and where they go.
struct Source {
  const Song* song;
  RowRange rows;
  std::int64_t target;  ///< row of the set
};

/// One consistent state of the cache: the index as it was read.
struct Listing {
  FeatureIndex index;
  FeatureSet set;                              ///< without its values
  std::map<int, std::vector<Source>> sources;  ///< by shard
  std::int64_t clips = 0;
  std::string damaged;  ///< the shard that cannot be as the index says; nothing else is set then
};

/// The first shard whose file cannot hold the rows that the index claims; empty if there is none. Asked
/// before memory is taken for them.
std::string too_small_shard(const FeatureIndex& index, const Shape& row_shape, const std::string& folder) {
  const auto row_bytes = static_cast<std::uint64_t>(element_count(row_shape)) * dtype_size(DType::f32);
  for (const auto& [number, shard] : index.shards) {
    std::string path = folder + "/" + shard_name(number);
    const std::uint64_t most = file_stamp(path).value_or(FileStamp{}).size / row_bytes;
    if (shard.rows < 0 || static_cast<std::uint64_t>(shard.rows) > most) return path;
  }
  return {};
}

Listing list_features(const Corpus& corpus, const FeatureSettings& settings, const std::string& folder) {
  const std::string index_path = folder + "/index.json";
  Listing listing;
  std::string why;
  auto index = FeatureIndex::read(index_path, &why);
  if (!index)
    throw InputError(index_path + ": no usable feature cache of kind " + settings.kind +
                     (why.empty() ? "" : ": " + why) + advice);
  if (index->settings != settings.text() ||
      (!index->shards.empty() && index->row_shape != feature_shape(settings)))
    throw InputError(index_path + ": of other settings than its folder's" + advice);
  listing.index = std::move(*index);
  FeatureSet& set = listing.set;
  set.row_shape = feature_shape(settings);
  listing.damaged = too_small_shard(listing.index, set.row_shape, folder);
  if (!listing.damaged.empty()) return listing;
  std::int64_t rows_there = 0;
  for (const auto& [number, shard] : listing.index.shards) rows_there += shard.rows;
  for (const Song& song : corpus.songs) {
    const auto found = listing.index.songs.find(song.song_id);
    if (found == listing.index.songs.end())
      throw InputError(index_path + ": song not extracted yet: " + song.song_id + advice);
    if (found->second.shard < 0) continue;
    if (file_stamp(corpus.audio_file(song).string()) != found->second.stamp)
      throw InputError(index_path + ": changed since it was extracted: " + song.audio_path.string() + advice);
    set.song_of_row.insert(set.song_of_row.end(), static_cast<std::size_t>(found->second.count), set.count());
    set.songs.push_back(song);
    for (const RowRange& rows : listing.index.ranges(found->second)) {
      listing.sources[rows.shard].push_back({&song, rows, listing.clips});
      listing.clips += rows.count;
    }
    if (listing.clips > rows_there)
      throw InputError(index_path + ": damaged: songs that share rows: " + song.song_id + advice);
  }
  if (listing.clips == 0) throw InputError(index_path + ": no usable song" + advice);
  return listing;
}

std::int64_t first_non_finite(const float* values, std::int64_t n) {
  return std::find_if_not(values, values + n, [](float x) { return std::isfinite(x); }) - values;
}

/// Copies rows of a shard to their places of the set while it is read, once, in blocks that stay in the
/// cache. Through pread, for a mapped file that another program cuts short would end the process with SIGBUS;
/// both give 2.8 GB/s from the page cache, a read into fresh memory 0.5.
class ShardReader {
 public:
  ShardReader(const IndexedShard& shard, const std::vector<Source>& sources, FeatureSet& set)
      : shard_(shard),
        sources_(sources),
        shape_(set.row_shape),
        row_size_(element_count(set.row_shape)),
        values_(set.values.reshape({-1})),
        target_(static_cast<std::size_t>(shard.rows), -1) {
    shape_.insert(shape_.begin(), shard.rows);
    for (const Source& source : sources)
      for (std::int64_t i = 0; i < source.rows.count; ++i)
        target_[static_cast<std::size_t>(source.rows.row + i)] = source.target + i;
  }

  /// False if the file is not what the index says.
  bool read(const std::string& path) {
    try {
      const InputFile file(path);
      const NpyLayout layout = read_npy_layout(file);
      if (layout.dtype != DType::f32 || layout.shape != shape_) return false;
      std::vector<std::byte> header(layout.data_offset);
      file.read_at(0, header);
      ContentHash hash;
      hash.add(header);
      std::vector<float> block(1 << 18);
      const std::int64_t all = shard_.rows * row_size_;
      for (std::int64_t first = 0; first < all;) {
        const std::int64_t n = std::min<std::int64_t>(all - first, 1 << 18);
        const auto bytes = std::as_writable_bytes(std::span(block).first(static_cast<std::size_t>(n)));
        file.read_at(layout.data_offset + static_cast<std::uint64_t>(first) * sizeof(float), bytes);
        hash.add(bytes);
        place(block.data(), first, first + n);
        first += n;
      }
      return hash.text() == shard_.hash;
    } catch (const InputError&) {
      return false;
    }
  }

  /// The first song whose features are not all finite; null if there is none.
  const Song* non_finite() const { return non_finite_; }

 private:
  std::int64_t target(std::int64_t row) const { return target_[static_cast<std::size_t>(row)]; }

  /// Elements [first, stop) of the shard go to the set, as many rows at once as follow one another there too.
  void place(const float* block, std::int64_t first, std::int64_t stop) {
    for (std::int64_t at = first; at < stop;) {
      const std::int64_t row = at / row_size_;
      std::int64_t next = row + 1;
      while (next * row_size_ < stop && target(row) >= 0 && target(next) == target(next - 1) + 1) ++next;
      const std::int64_t end = std::min(stop, next * row_size_);
      if (target(row) >= 0) {
        const float* part = block + (at - first);
        int bad = 0;
        for (std::int64_t i = 0; i < end - at; ++i) bad |= !(std::fabs(part[i]) <= FLT_MAX);
        if (bad && !non_finite_) non_finite_ = song_of((at + first_non_finite(part, end - at)) / row_size_);
        const std::int64_t to = (target(row) - row) * row_size_ + at;
        values_.slice(0, to, to + (end - at)).upload(part, DType::f32);
      }
      at = end;
    }
  }

  const Song* song_of(std::int64_t row) const {
    for (const Source& source : sources_)
      if (source.rows.row <= row && row < source.rows.row + source.rows.count) return source.song;
    return nullptr;
  }

  const IndexedShard& shard_;
  const std::vector<Source>& sources_;
  Shape shape_;  ///< of the file
  std::int64_t row_size_;
  Tensor values_;
  std::vector<std::int64_t> target_;  ///< row of the set, by row of the shard; -1: not wanted
  const Song* non_finite_ = nullptr;
};

std::string hash_if_there(const std::string& path) {
  return file_stamp(path) ? file_hash(path) : std::string();
}

/// Fills the set from the shards; returns the path of one that is not what the index says, "" if all are.
std::string fill_values(Listing& listing, const std::string& folder) {
  FeatureSet& set = listing.set;
  const std::int64_t row_size = element_count(set.row_shape);
  set.values = Tensor({listing.clips, row_size}, DType::f32);
  for (const auto& [number, parts] : listing.sources) {
    const std::string path = folder + "/" + shard_name(number);
    ShardReader reader(listing.index.shards.at(number), parts, set);
    if (!reader.read(path)) return path;
    if (const Song* song = reader.non_finite())
      throw InputError(path + ": non-finite features of " + song->song_id + advice);
  }
  return {};
}

}  // namespace

FeatureSet load_features(const Corpus& corpus, const FeatureSettings& settings) {
  const std::string folder = cache_folder(corpus, settings), index_path = folder + "/index.json";
  constexpr int attempts = 5;
  for (int attempt = 1;; ++attempt) {
    const std::string state = hash_if_there(index_path);
    Listing listing = list_features(corpus, settings, folder);
    const std::string other = listing.damaged.empty() ? fill_values(listing, folder) : listing.damaged;
    if (other.empty()) return std::move(listing.set);
    // An extraction that replaces shards writes the index before: then there is another one to read.
    if (attempt == attempts || hash_if_there(index_path) == state)
      throw InputError(other + ": damaged or missing (allowed: made again by extract_audio --verify)");
  }
}

}  // namespace chorale::data

// SPDX-License-Identifier: MIT
#include "data/feature_cache.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>

#include "audio/descriptor.h"
#include "data/feature_index.h"
#include "kernels/audio_frames.h"
#include "tensor/npy.h"

namespace chorale::data {
namespace {

std::string exact(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%a", value);
  return text;
}

/// What differs from the defaults among the settings that came after the first caches: those stay valid.
std::string other_settings(const audio::FeatureParams& params) {
  const audio::FeatureParams usual;
  const audio::MelParams &mel = params.mel, &usual_mel = usual.mel;
  std::string text;
  const auto add = [&](const char* name, auto value, auto default_value) {
    if (value != default_value) text += std::string(" ") + name + "=" + exact(static_cast<double>(value));
  };
  add("win_length", mel.win_length == mel.n_fft ? 0 : mel.win_length, usual_mel.win_length);
  add("window_function", static_cast<int>(mel.window), static_cast<int>(usual_mel.window));
  add("center", mel.center, usual_mel.center);
  add("pad_mode", static_cast<int>(mel.pad_mode), static_cast<int>(usual_mel.pad_mode));
  add("htk", mel.htk, usual_mel.htk);
  add("mel_norm", static_cast<int>(mel.norm.kind), static_cast<int>(usual_mel.norm.kind));
  if (mel.norm.kind == audio::BandNorm::Kind::p_norm) add("mel_norm_p", mel.norm.p, 0.0);
  add("reference", params.reference.value_or(-1), -1.0f);
  add("dct_type", params.dct_type, usual.dct_type);
  add("ortho", params.ortho, usual.ortho);
  add("lifter", params.lifter, usual.lifter);
  add("delta_width", params.delta_width, usual.delta_width);
  add("delta_order", params.delta_order, usual.delta_order);
  return text;
}

}  // namespace

ClipPlan FeatureSettings::clips() const {
  const int rate = params.mel.sample_rate;
  ClipPlan plan;
  plan.sample_rate = rate;
  plan.length = std::llround((window > 0 ? window : duration) * rate);
  plan.hop = window > 0 ? std::llround(hop * rate) : ClipPlan::one_clip;
  plan.decode.duration = window > 0 ? audio::whole_file : duration;
  return plan;
}

std::string FeatureSettings::text() const {
  const audio::MelParams& mel = params.mel;
  std::string text = "version=1 kind=" + kind + " sample_rate=" + std::to_string(mel.sample_rate) +
                     " n_fft=" + std::to_string(mel.n_fft) + " hop_length=" + std::to_string(mel.hop_length) +
                     " n_mels=" + std::to_string(mel.n_mels) + " n_mfcc=" + std::to_string(params.n_mfcc);
  for (const auto& [name, value] : {std::pair("fmin", double{mel.fmin}),
                                    {"fmax", double{mel.fmax}},
                                    {"power", double{mel.power}},
                                    {"amin", double{params.amin}},
                                    {"top_db", double{params.top_db}}})
    text += std::string(" ") + name + "=" + exact(value);
  text += window > 0 ? " window=" + exact(window) + " hop=" + exact(hop) : " duration=" + exact(duration);
  return text + other_settings(params);
}

std::string cache_folder(const Corpus& corpus, const FeatureSettings& settings) {
  return (corpus.root / "features" / (settings.kind + "-" + text_hash(settings.text()).substr(0, 8)))
      .string();
}

const std::vector<std::string>& feature_kinds() {
  static const std::vector<std::string> kinds = {"mel_db", "mfcc", "both", "statistics"};
  return kinds;
}

Shape feature_shape(const FeatureSettings& settings) {
  const audio::FeatureParams& params = settings.params;
  if (settings.kind == "statistics") return {audio::descriptor_size(params)};
  const std::int64_t cepstra = (1 + params.delta_order) * params.n_mfcc;
  const std::int64_t rows = settings.kind == "mel_db" ? params.mel.n_mels
                            : settings.kind == "mfcc" ? cepstra
                                                      : params.mel.n_mels + cepstra;
  return {rows, frame_count(params.mel, settings.clips().length)};
}

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

/// The shard if it is the one that the index means. Read through pread, not mapped: a mapped file that
/// another program cuts short meanwhile ends the process with SIGBUS, and reading costs no more, for every
/// byte is hashed and copied once in any case.
std::optional<NpyArray> read_shard(const std::string& path, const IndexedShard& expected,
                                   const Shape& row_shape) {
  try {
    NpyArray shard = read_npy_host(path);
    Shape shape = row_shape;
    shape.insert(shape.begin(), expected.rows);
    const bool same =
        shard.dtype == DType::f32 && shard.shape == shape && file_hash(path, shard.data) == expected.hash;
    return same ? std::optional(std::move(shard)) : std::nullopt;
  } catch (const InputError&) {
    return std::nullopt;
  }
}

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
    const auto shard = read_shard(path, listing.index.shards.at(number), set.row_shape);
    if (!shard) return path;
    const auto values = shard->as<float>();
    for (const auto& [song, rows, target] : parts) {
      const float* begin = values.data() + rows.row * row_size;
      if (!std::all_of(begin, begin + rows.count * row_size, [](float v) { return std::isfinite(v); }))
        throw InputError(path + ": non-finite features of " + song->song_id + advice);
      set.values.slice(0, target, target + rows.count).upload(begin, DType::f32);
    }
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

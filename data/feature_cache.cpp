// SPDX-License-Identifier: MIT
#include "data/feature_cache.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "audio/decode.h"
#include "audio/descriptor.h"
#include "data/decode_pool.h"
#include "data/feature_index.h"
#include "tensor/file.h"
#include "tensor/npy.h"

namespace chorale::data {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t batch_songs = 8;   ///< clips in one launch
constexpr std::int64_t shard_songs = 64;  ///< rows of a shard

std::string cache_folder(const Corpus& corpus, const FeatureSettings& settings) {
  return (corpus.root / "features" / (settings.kind + "-" + text_hash(settings.text()).substr(0, 8)))
      .string();
}

/// (clips, rows, frames) stacked along the rows.
Tensor stack_rows(const Tensor& a, const Tensor& b) {
  Tensor out({a.dim(0), a.dim(1) + b.dim(1), a.dim(2)}, DType::f32);
  for (std::int64_t i = 0; i < a.dim(0); ++i) {
    out[i].slice(0, 0, a.dim(1)).copy_from(a[i]);
    out[i].slice(0, a.dim(1), out.dim(1)).copy_from(b[i]);
  }
  return out;
}

/// One kind of feature of a batch of clips.
class Extractor {
 public:
  explicit Extractor(const FeatureSettings& settings) : settings_(settings), features_(settings.params) {}

  /// clips f32 (n, clip length); lengths: samples of each that are not padding.
  Tensor operator()(const Tensor& clips, const std::vector<std::int64_t>& lengths) const {
    if (settings_.kind == "statistics") return audio::clip_descriptor(features_, clips, lengths);
    const Tensor mel = features_.mel(clips);
    if (settings_.kind == "mel_db") return audio::standardize(features_.mel_db(mel));
    const Tensor mfcc = audio::standardize(features_.mfcc_delta(mel));
    return settings_.kind == "mfcc" ? mfcc : stack_rows(audio::standardize(features_.mel_db(mel)), mfcc);
  }

 private:
  FeatureSettings settings_;
  audio::FeatureExtractor features_;
};

/// One cache on its way to completeness.
class CacheWriter {
 public:
  CacheWriter(const Corpus& corpus, const FeatureSettings& settings)
      : settings_(settings), folder_(cache_folder(corpus, settings)), extract_(settings) {
    create_directories(folder_);
    remove_stale_temporaries(folder_);
    if (auto index = FeatureIndex::read(folder_ + "/index.json"); index && index->settings == settings.text())
      index_ = std::move(*index);
    index_.settings = settings.text();
    drop_damaged_shards();
  }

  /// True if the song has to be extracted; forgets what an older state of its file gave.
  bool needs(const Song& song, const FileStamp& stamp) {
    const auto found = index_.songs.find(song.song_id);
    if (found == index_.songs.end()) return true;
    if (found->second.stamp == stamp && found->second.audio_path == song.audio_path.string()) return false;
    index_.songs.erase(found);
    return true;
  }
  const IndexedSong* find(const std::string& song_id) const {
    const auto found = index_.songs.find(song_id);
    return found == index_.songs.end() ? nullptr : &found->second;
  }

  void add_bad(const Song& song, const FileStamp& stamp, const std::string& reason) {
    index_.songs[song.song_id] = {song.audio_path.string(), stamp, -1, 0, reason};
    changed_ = true;
  }

  struct Member {
    const Song* song;
    FileStamp stamp;
  };
  void add(const std::vector<Member>& members, const Tensor& clips,
           const std::vector<std::int64_t>& lengths) {
    const Tensor rows = extract_(clips, lengths);
    Shape row_shape(rows.shape().begin() + 1, rows.shape().end());
    if (index_.row_shape.empty()) index_.row_shape = row_shape;
    if (index_.row_shape != row_shape) throw ContractError("feature cache: rows of another shape");
    const std::vector<float> values = rows.to_host<float>();
    pending_values_.insert(pending_values_.end(), values.begin(), values.end());
    pending_.insert(pending_.end(), members.begin(), members.end());
    if (static_cast<std::int64_t>(pending_.size()) >= shard_songs) flush();
  }

  /// Writes what is pending as a shard, then the index.
  void flush() {
    if (!pending_.empty()) {
      const int number = index_.shards.empty() ? 0 : index_.shards.rbegin()->first + 1;
      const std::string path = folder_ + "/" + shard_name(number);
      NpyWriter writer(path, DType::f32, index_.row_shape, Durability::fast);
      writer.append(pending_values_);
      writer.commit();
      index_.shards[number] = {static_cast<std::int64_t>(pending_.size()), file_hash(path)};
      for (std::size_t i = 0; i < pending_.size(); ++i)
        index_.songs[pending_[i].song->song_id] = {pending_[i].song->audio_path.string(), pending_[i].stamp,
                                                   number, static_cast<std::int64_t>(i), ""};
      pending_.clear();
      pending_values_.clear();
      changed_ = true;
    }
    if (changed_) index_.write(folder_ + "/index.json");
    changed_ = false;
  }

  /// Removes shards that no song refers to any more.
  void remove_unused_shards() {
    std::erase_if(index_.shards, [&](const auto& shard) {
      const bool used = std::any_of(index_.songs.begin(), index_.songs.end(),
                                    [&](const auto& song) { return song.second.shard == shard.first; });
      changed_ |= !used;
      return !used;
    });
    flush();
    for (const auto& entry : fs::directory_iterator(folder_)) {
      const std::string name = entry.path().filename().string();
      const bool known = std::any_of(index_.shards.begin(), index_.shards.end(),
                                     [&](const auto& shard) { return shard_name(shard.first) == name; });
      std::error_code ignored;
      if (name.starts_with("shard_") && !known) fs::remove(entry.path(), ignored);
    }
  }

 private:
  void drop_damaged_shards() {
    std::erase_if(index_.shards, [&](const auto& shard) {
      const std::string path = folder_ + "/" + shard_name(shard.first);
      if (file_stamp(path) && file_hash(path) == shard.second.hash) return false;
      std::erase_if(index_.songs, [&](const auto& song) { return song.second.shard == shard.first; });
      changed_ = true;
      return true;
    });
    if (index_.shards.empty()) index_.row_shape.clear();
  }

  FeatureSettings settings_;
  std::string folder_;
  Extractor extract_;
  FeatureIndex index_;
  std::vector<Member> pending_;
  std::vector<float> pending_values_;
  bool changed_ = false;
};

/// Peak 1, cut or zero-padded to `length`; returns how many samples are the song's own.
std::int64_t fit_clip(std::vector<float>& samples, std::int64_t length) {
  const std::int64_t own = std::min<std::int64_t>(static_cast<std::int64_t>(samples.size()), length);
  samples.resize(static_cast<std::size_t>(length), 0.0f);
  float peak = 0;
  for (float v : samples) peak = std::max(peak, std::abs(v));
  if (peak > 0)
    for (float& v : samples) v /= peak;
  return own;
}

/// Decoded clips on their way to the device.
struct Batch {
  std::vector<float> samples;
  std::vector<std::int64_t> lengths;
  std::vector<std::size_t> jobs;
};

std::string exact(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%a", value);
  return text;
}

}  // namespace

std::int64_t FeatureSettings::clip_length() const { return std::llround(duration * params.mel.sample_rate); }

std::string FeatureSettings::text() const {
  const MelParams& mel = params.mel;
  std::string text = "version=1 kind=" + kind + " sample_rate=" + std::to_string(mel.sample_rate) +
                     " n_fft=" + std::to_string(mel.n_fft) + " hop_length=" + std::to_string(mel.hop_length) +
                     " n_mels=" + std::to_string(mel.n_mels) + " n_mfcc=" + std::to_string(params.n_mfcc);
  for (const auto& [name, value] : {std::pair("fmin", double{mel.fmin}),
                                    {"fmax", double{mel.fmax}},
                                    {"power", double{mel.power}},
                                    {"amin", double{params.amin}},
                                    {"top_db", double{params.top_db}},
                                    {"duration", duration}})
    text += std::string(" ") + name + "=" + exact(value);
  return text;
}

const std::vector<std::string>& feature_kinds() {
  static const std::vector<std::string> kinds = {"mel_db", "mfcc", "both", "statistics"};
  return kinds;
}

ExtractionSummary extract_features(const Corpus& corpus, const std::vector<FeatureSettings>& kinds,
                                   const ExtractionOptions& options) {
  if (kinds.empty()) throw ContractError("feature cache: no kinds");
  const std::int64_t length = kinds.front().clip_length();
  const int rate = kinds.front().params.mel.sample_rate;
  for (const FeatureSettings& k : kinds)
    if (k.clip_length() != length || k.params.mel.sample_rate != rate)
      throw ContractError("feature cache: kinds that want different clips");
  std::vector<std::unique_ptr<CacheWriter>> writers;
  for (const FeatureSettings& kind : kinds) writers.push_back(std::make_unique<CacheWriter>(corpus, kind));

  struct Job {
    const Song* song;
    FileStamp stamp;
    std::vector<bool> wanted;  ///< by kind
  };
  ExtractionSummary summary;
  std::vector<Job> jobs;
  std::vector<std::string> files;
  for (const Song& song : corpus.songs) {
    const std::string path = corpus.audio_file(song).string();
    Job job{&song, file_stamp(path).value_or(FileStamp{}), {}};
    for (auto& writer : writers) job.wanted.push_back(writer->needs(song, job.stamp));
    if (std::find(job.wanted.begin(), job.wanted.end(), true) == job.wanted.end()) {
      const IndexedSong* entry = writers.front()->find(song.song_id);
      const bool bad = entry != nullptr && entry->shard < 0;
      if (bad && options.strict) throw InputError(entry->reason);
      if (bad) options.warning("skipped " + entry->reason);
      summary.reused += bad ? 0 : 1;
      continue;
    }
    jobs.push_back(std::move(job));
    files.push_back(path);
  }

  audio::DecodeOptions decode;
  decode.duration = kinds.front().duration;
  decode.strict = options.strict;
  DecodePool pool(files, rate, decode, options.workers);
  Batch batch;
  const auto send = [&] {
    if (batch.jobs.empty()) return;
    for (std::size_t k = 0; k < writers.size(); ++k) {
      std::vector<CacheWriter::Member> members;
      std::vector<std::int64_t> lengths;
      std::vector<float> samples;
      for (std::size_t i = 0; i < batch.jobs.size(); ++i) {
        const Job& job = jobs[batch.jobs[i]];
        if (!job.wanted[k]) continue;
        members.push_back({job.song, job.stamp});
        lengths.push_back(batch.lengths[i]);
        const auto begin = batch.samples.begin() + static_cast<std::ptrdiff_t>(i) * length;
        samples.insert(samples.end(), begin, begin + length);
      }
      if (members.empty()) continue;
      writers[k]->add(
          members, Tensor::from_host(samples, {static_cast<std::int64_t>(members.size()), length}), lengths);
    }
    summary.computed += static_cast<std::int64_t>(batch.jobs.size());
    batch = Batch();
  };

  for (std::size_t i = 0; i < jobs.size() && !summary.interrupted; ++i) {
    DecodedFile decoded = pool.next();
    const Job& job = jobs[i];
    if (!decoded.error.empty()) {
      if (options.strict) throw InputError(decoded.error);
      for (auto& writer : writers) writer->add_bad(*job.song, job.stamp, decoded.error);
      options.warning("skipped " + decoded.error);
    } else {
      for (const std::string& warning : decoded.clip.warnings) options.warning(files[i] + ": " + warning);
      summary.audio_seconds += decoded.clip.seconds;
      batch.lengths.push_back(fit_clip(decoded.clip.samples, length));
      batch.samples.insert(batch.samples.end(), decoded.clip.samples.begin(), decoded.clip.samples.end());
      batch.jobs.push_back(i);
      if (static_cast<std::int64_t>(batch.jobs.size()) == batch_songs) send();
    }
    options.progress(static_cast<std::int64_t>(i) + 1, static_cast<std::int64_t>(jobs.size()));
    summary.interrupted = options.interrupted();
  }
  send();
  for (auto& writer : writers) writer->flush();
  if (summary.interrupted) return summary;

  bool usable = false;
  for (const Song& song : corpus.songs)
    if (const IndexedSong* entry = writers.front()->find(song.song_id)) {
      if (entry->shard < 0)
        summary.skipped.push_back({song.song_id, song.audio_path.string(), entry->reason});
      else
        usable = true;
    }
  for (auto& writer : writers) writer->remove_unused_shards();
  if (!usable)
    throw InputError(corpus.root.string() + ": no song could be used: all " +
                     std::to_string(corpus.songs.size()) + " were skipped");
  return summary;
}

FeatureSet load_features(const Corpus& corpus, const FeatureSettings& settings) {
  const std::string folder = cache_folder(corpus, settings), index_path = folder + "/index.json";
  const std::string advice = " (allowed: made by extract_audio with the same configuration)";
  const auto index = FeatureIndex::read(index_path);
  if (!index) throw InputError(index_path + ": no usable feature cache of kind " + settings.kind + advice);
  FeatureSet set;
  set.row_shape = index->row_shape;
  std::vector<const IndexedSong*> entries;
  for (const Song& song : corpus.songs) {
    const auto found = index->songs.find(song.song_id);
    if (found == index->songs.end())
      throw InputError(index_path + ": song not extracted yet: " + song.song_id + advice);
    if (found->second.shard < 0) continue;
    if (file_stamp(corpus.audio_file(song).string()) != found->second.stamp)
      throw InputError(index_path + ": changed since it was extracted: " + song.audio_path.string() + advice);
    set.songs.push_back(song);
    entries.push_back(&found->second);
  }
  if (entries.empty()) throw InputError(index_path + ": no usable song" + advice);

  const std::int64_t row_size = element_count(set.row_shape);
  set.values = Tensor({set.count(), row_size}, DType::f32);
  for (const auto& [number, shard] : index->shards) {
    const std::string path = folder + "/" + shard_name(number);
    if (!file_stamp(path) || file_hash(path) != shard.hash)
      throw InputError(path + ": damaged or missing" + advice);
    const NpyArray rows = read_npy_host(path);
    const auto values = rows.as<float>();
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (entries[i]->shard != number) continue;
      const float* row = values.data() + entries[i]->row * row_size;
      if (!std::all_of(row, row + row_size, [](float v) { return std::isfinite(v); }))
        throw InputError(path + ": non-finite features of " + set.songs[i].song_id + advice);
      set.values[static_cast<std::int64_t>(i)].upload(row, DType::f32);
    }
  }
  return set;
}

}  // namespace chorale::data

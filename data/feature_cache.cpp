// SPDX-License-Identifier: MIT
#include "data/feature_cache.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>

#include "data/cache_writer.h"
#include "data/decode_pool.h"
#include "tensor/npy.h"

namespace chorale::data {
namespace {

constexpr std::int64_t batch_clips = 8;  ///< in one launch

std::string exact(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%a", value);
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
  return text +
         (window > 0 ? " window=" + exact(window) + " hop=" + exact(hop) : " duration=" + exact(duration));
}

const std::vector<std::string>& feature_kinds() {
  static const std::vector<std::string> kinds = {"mel_db", "mfcc", "both", "statistics"};
  return kinds;
}

ExtractionSummary extract_features(const Corpus& corpus, const std::vector<FeatureSettings>& kinds,
                                   const ExtractionOptions& options) {
  if (kinds.empty()) throw ContractError("feature cache: no kinds");
  const ClipPlan plan = kinds.front().clips();
  for (const FeatureSettings& kind : kinds)
    if (const ClipPlan other = kind.clips();
        other.sample_rate != plan.sample_rate || other.length != plan.length || other.hop != plan.hop)
      throw ContractError("feature cache: kinds that want different clips");
  std::vector<std::unique_ptr<CacheWriter>> writers;
  writers.reserve(kinds.size());
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

  ClipPlan reading = plan;
  reading.decode.strict = options.strict;
  DecodePool pool(files, reading, options.workers);
  std::vector<DecodedClip> batch;
  const auto send = [&] {
    for (std::size_t k = 0; k < writers.size(); ++k) {
      std::vector<ClipOrigin> origins;
      std::vector<std::int64_t> lengths;
      std::vector<float> samples;
      for (const DecodedClip& decoded : batch) {
        const Job& job = jobs[decoded.file];
        if (!job.wanted[k]) continue;
        origins.push_back({job.song, job.stamp, decoded.clip.first, decoded.clip.last});
        lengths.push_back(decoded.clip.own);
        samples.insert(samples.end(), decoded.clip.samples.begin(), decoded.clip.samples.end());
      }
      if (origins.empty()) continue;
      writers[k]->add(origins,
                      Tensor::from_host(samples, {static_cast<std::int64_t>(origins.size()), plan.length}),
                      lengths);
    }
    batch.clear();
  };

  for (std::size_t done = 0; done < jobs.size() && !summary.interrupted;) {
    DecodedClip decoded = pool.next();
    const Job& job = jobs[decoded.file];
    const bool last = decoded.clip.last;
    if (!decoded.error.empty()) {
      if (options.strict) throw InputError(decoded.error);
      for (auto& writer : writers) writer->add_bad(*job.song, job.stamp, decoded.error);
      options.warning("skipped " + decoded.error);
    } else {
      for (const std::string& warning : decoded.warnings)
        options.warning(files[decoded.file] + ": " + warning);
      summary.audio_seconds += decoded.seconds;
      summary.computed += last ? 1 : 0;
      batch.push_back(std::move(decoded));
      if (static_cast<std::int64_t>(batch.size()) == batch_clips) send();
    }
    if (last) options.progress(static_cast<std::int64_t>(++done), static_cast<std::int64_t>(jobs.size()));
    summary.interrupted = options.interrupted();
  }
  send();
  for (auto& writer : writers) writer->flush();
  if (summary.interrupted) return summary;

  for (const Song& song : corpus.songs)
    if (const IndexedSong* entry = writers.front()->find(song.song_id)) {
      if (entry->shard < 0)
        summary.skipped.push_back({song.song_id, song.audio_path.string(), entry->reason});
      summary.clips += entry->count;
    }
  for (auto& writer : writers) writer->remove_unused_shards();
  if (summary.clips == 0)
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
  struct Source {
    const Song* song;
    RowRange rows;
    std::int64_t target;  ///< row of the set
  };
  std::map<int, std::vector<Source>> sources;  ///< by shard
  std::int64_t clips = 0;
  for (const Song& song : corpus.songs) {
    const auto found = index->songs.find(song.song_id);
    if (found == index->songs.end())
      throw InputError(index_path + ": song not extracted yet: " + song.song_id + advice);
    if (found->second.shard < 0) continue;
    if (file_stamp(corpus.audio_file(song).string()) != found->second.stamp)
      throw InputError(index_path + ": changed since it was extracted: " + song.audio_path.string() + advice);
    set.song_of_row.insert(set.song_of_row.end(), static_cast<std::size_t>(found->second.count), set.count());
    set.songs.push_back(song);
    for (const RowRange& rows : index->ranges(found->second)) {
      sources[rows.shard].push_back({&song, rows, clips});
      clips += rows.count;
    }
  }
  if (clips == 0) throw InputError(index_path + ": no usable song" + advice);

  const std::int64_t row_size = element_count(set.row_shape);
  set.values = Tensor({clips, row_size}, DType::f32);
  for (const auto& [number, parts] : sources) {
    const std::string path = folder + "/" + shard_name(number);
    if (!file_stamp(path) || file_hash(path) != index->shards.at(number).hash)
      throw InputError(path + ": damaged or missing" + advice);
    const NpyArray shard = read_npy_host(path);
    const auto values = shard.as<float>();
    if (shard.size() != index->shards.at(number).rows * row_size)
      throw InputError(path + ": not the rows that the index names" + advice);
    for (const auto& [song, rows, target] : parts) {
      const float* begin = values.data() + rows.row * row_size;
      if (!std::all_of(begin, begin + rows.count * row_size, [](float v) { return std::isfinite(v); }))
        throw InputError(path + ": non-finite features of " + song->song_id + advice);
      set.values.slice(0, target, target + rows.count).upload(begin, DType::f32);
    }
  }
  return set;
}

}  // namespace chorale::data

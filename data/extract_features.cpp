// SPDX-License-Identifier: MIT
// Files to features: decoding threads (decode_pool.h) run ahead of the device, which computes batches of
// clips, song by song in the order of the corpus, for every kind of feature that wants them.
//
// There are as many decoding threads as processors, and on a CPU as many that compute beside them. Whoever is
// behind gets the processors: decoders stop once they are some clips ahead, and the device waits for clips.
// On two processors 1 to 4 decoding and 1 or 2 computing threads took the same processor time (200 clips of
// 30 s: 1.2 s of WAV, 2.3 s of FLAC, within 10 %). Rows, 1.3 MB a clip of `both`, are hashed and written
// while the next batch is computed (shard_writer.h), by one thread: with very many decoders that is the
// limit.
#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>

#include "data/cache_writer.h"
#include "data/clip_resampler.h"
#include "data/decode_pool.h"
#include "data/feature_cache.h"

namespace chorale::data {
namespace {

constexpr std::int64_t batch_clips = 8;  ///< in one launch

ClipPlan common_plan(const std::vector<FeatureSettings>& kinds) {
  if (kinds.empty()) throw ContractError("feature cache: no kinds");
  const ClipPlan plan = kinds.front().clips();
  for (const FeatureSettings& kind : kinds)
    if (const ClipPlan other = kind.clips();
        other.sample_rate != plan.sample_rate || other.length != plan.length || other.hop != plan.hop)
      throw ContractError("feature cache: kinds that want different clips");
  return plan;
}

class Extraction {
 public:
  Extraction(const Corpus& corpus, const std::vector<FeatureSettings>& kinds,
             const ExtractionOptions& options)
      : corpus_(corpus), options_(options), plan_(common_plan(kinds)), resampler_(plan_.sample_rate) {
    for (const FeatureSettings& kind : kinds) {
      writers_.push_back(std::make_unique<CacheWriter>(corpus, kind, options.verify));
      if (const std::string& why = writers_.back()->rebuilt(); !why.empty())
        options.warning(writers_.back()->folder() + ": made anew: " + why);
    }
    if (const auto& empty = writers_.front()->empty_bands(); !empty.empty())
      options.warning(audio::empty_bands_warning(empty));
  }

  ExtractionSummary run() {
    list_jobs();
    compute();
    for (auto& writer : writers_) writer->flush();
    if (!summary_.interrupted) finish();
    summary_.audio_seconds = progress_.audio_seconds;
    summary_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    return std::move(summary_);
  }

 private:
  struct Job {
    const Song* song;
    FileStamp stamp;
    std::vector<bool> wanted;  ///< by kind
  };

  void list_jobs();
  void compute();
  void take(DecodedClip decoded);
  void send();
  void finish();

  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  const Corpus& corpus_;
  const ExtractionOptions& options_;
  ClipPlan plan_;
  ClipResampler resampler_;
  std::vector<std::unique_ptr<CacheWriter>> writers_;
  std::vector<Job> jobs_;
  std::vector<std::string> files_;  ///< of the jobs
  std::vector<DecodedClip> batch_;
  ExtractionProgress progress_;
  ExtractionSummary summary_;
};

/// The songs of which one kind or another is missing or of an older state of the file.
void Extraction::list_jobs() {
  for (const Song& song : corpus_.songs) {
    const std::string path = corpus_.audio_file(song).string();
    Job job{&song, file_stamp(path).value_or(FileStamp{}), {}};
    for (auto& writer : writers_) job.wanted.push_back(writer->needs(song, job.stamp));
    if (std::find(job.wanted.begin(), job.wanted.end(), true) == job.wanted.end()) {
      const IndexedSong* entry = writers_.front()->find(song.song_id);
      const bool bad = entry != nullptr && entry->shard < 0;
      if (bad && options_.strict) throw InputError(entry->reason);
      if (bad) options_.warning("skipped " + entry->reason);
      summary_.reused += bad ? 0 : 1;
      continue;
    }
    jobs_.push_back(std::move(job));
    files_.push_back(path);
  }
  progress_.total = static_cast<std::int64_t>(jobs_.size());
}

void Extraction::compute() {
  ClipPlan reading = plan_;
  reading.raw = options_.resample_on_device.value_or(current_context().kind() != DeviceKind::cpu);
  reading.decode.strict = options_.strict;
  DecodePool pool(files_, reading, options_.workers);
  options_.progress(progress_);
  while (progress_.done < progress_.total && !summary_.interrupted) {
    take(pool.next());
    summary_.interrupted = options_.interrupted();
  }
  send();
}

void Extraction::take(DecodedClip decoded) {
  const Job& job = jobs_[decoded.file];
  const bool last = decoded.clip.last;
  if (!decoded.error.empty()) {
    if (options_.strict) throw InputError(decoded.error);
    for (auto& writer : writers_) writer->add_bad(*job.song, job.stamp, decoded.error);
    options_.warning("skipped " + decoded.error);
    ++progress_.skipped;
  } else {
    for (const std::string& warning : decoded.warnings)
      options_.warning(files_[decoded.file] + ": " + warning);
    progress_.audio_seconds += decoded.seconds;
    summary_.computed += last ? 1 : 0;
    batch_.push_back(std::move(decoded));
    if (static_cast<std::int64_t>(batch_.size()) == batch_clips) send();
  }
  if (!last) return;
  ++progress_.done;
  options_.progress(progress_);
}

/// Computes the batch, for each kind the clips that it wants.
void Extraction::send() {
  if (batch_.empty()) return;
  const auto size = static_cast<std::int64_t>(batch_.size());
  const Tensor all({size, plan_.length}, DType::f32);
  for (std::int64_t i = 0; i < size; ++i) resampler_.place(batch_[static_cast<std::size_t>(i)].clip, all[i]);
  for (std::size_t k = 0; k < writers_.size(); ++k) {
    std::vector<ClipOrigin> origins;
    std::vector<std::int64_t> lengths, rows;
    for (std::int64_t i = 0; i < size; ++i) {
      const DecodedClip& decoded = batch_[static_cast<std::size_t>(i)];
      const Job& job = jobs_[decoded.file];
      if (!job.wanted[k]) continue;
      origins.push_back({job.song, job.stamp, decoded.clip.first, decoded.clip.last});
      lengths.push_back(decoded.clip.own);
      rows.push_back(i);
    }
    if (!rows.empty())
      writers_[k]->add(origins, rows.size() == batch_.size() ? all : all.gather_rows(rows), lengths);
  }
  batch_.clear();
}

void Extraction::finish() {
  for (const Song& song : corpus_.songs)
    if (const IndexedSong* entry = writers_.front()->find(song.song_id)) {
      if (entry->shard < 0)
        summary_.skipped.push_back({song.song_id, song.audio_path.string(), entry->reason});
      summary_.clips += entry->count;
    }
  for (auto& writer : writers_) {
    writer->remove_unused_shards();
    const std::string listed = writer->list_skipped(summary_.skipped);
    if (summary_.skipped_file.empty()) summary_.skipped_file = listed;
  }
  if (summary_.clips == 0)
    throw InputError(corpus_.root.string() + ": no song could be used: all " +
                     std::to_string(corpus_.songs.size()) + " were skipped" +
                     (summary_.skipped_file.empty() ? "" : ": see " + summary_.skipped_file));
}

}  // namespace

ExtractionSummary extract_features(const Corpus& corpus, const std::vector<FeatureSettings>& kinds,
                                   const ExtractionOptions& options) {
  return Extraction(corpus, kinds, options).run();
}

std::string to_json(const ExtractionSummary& summary) {
  nlohmann::ordered_json skipped = nlohmann::ordered_json::array();
  for (const SkippedSong& song : summary.skipped)
    skipped.push_back({{"song_id", song.song_id}, {"audio_path", song.path}, {"reason", song.reason}});
  const nlohmann::ordered_json json{{"extracted", summary.computed},
                                    {"unchanged", summary.reused},
                                    {"skipped", skipped},
                                    {"clips", summary.clips},
                                    {"audio_seconds", summary.audio_seconds},
                                    {"seconds", summary.seconds}};
  return json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace chorale::data

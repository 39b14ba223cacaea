// SPDX-License-Identifier: MIT
#include <chrono>
#include <cstdio>

#include "kernels/error.h"
#include "tensor/file.h"
#include "tools/common/log.h"
#include "tools/common/progress.h"
#include "tools/common/signals.h"
#include "tools/common/table.h"
#include "tools/pipeline/pipeline.h"

namespace chorale::tools {
namespace {

constexpr std::size_t most_warnings = 20;  ///< in the log
constexpr std::size_t most_listed = 20;    ///< skipped songs in the summary

/// What an extraction says while it runs: a bar on a terminal, elsewhere a line now and then.
class Reporter {
 public:
  explicit Reporter(std::int64_t songs)
      : songs_(songs), bar_("extracting", songs, "songs"), start_(Clock::now()) {}

  void progress(const data::ExtractionProgress& now) {
    const std::int64_t earlier = songs_ - now.total;
    if (now.done == 0) {
      bar_.start_at(earlier);
      start_ = Clock::now();
      return;
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    std::string note = concat(format_number(now.audio_seconds / seconds, 3), "x real time");
    if (now.skipped > 0) note += concat("  ", now.skipped, " skipped");
    bar_.note(note);
    bar_.set(earlier + now.done);
    if (!bar_.visible() && pace_.due(seconds)) log_info("extracting ", bar_.status());
  }

  void warning(const std::string& text) {
    if (++warnings_ <= most_warnings) log_warning(text);
    if (warnings_ == most_warnings)
      log_warning("further warnings are left out; the summary lists the songs that were skipped");
  }

 private:
  using Clock = std::chrono::steady_clock;
  std::int64_t songs_;
  Progress bar_;
  Clock::time_point start_;
  LogPace pace_;
  std::size_t warnings_ = 0;
};

void print_summary(std::int64_t songs, const data::ExtractionSummary& summary) {
  Table table({"songs", "extracted", "unchanged", "skipped", "seconds", "songs/s", "times real time"});
  const auto count = [](std::int64_t n) { return format_count(n); };
  table.add_row({count(songs), count(summary.computed), count(summary.reused),
                 count(static_cast<std::int64_t>(summary.skipped.size())), format_fixed(summary.seconds, 1),
                 format_fixed(static_cast<double>(summary.computed) / summary.seconds, 1),
                 format_fixed(summary.audio_seconds / summary.seconds, 0)});
  std::string text = table.text();
  for (std::size_t i = 0; i < summary.skipped.size(); ++i) {
    if (i == 0) text += concat("\nskipped, listed in ", printable(summary.skipped_file), ":\n");
    if (i == most_listed) {
      text += concat("  and ", count(static_cast<std::int64_t>(summary.skipped.size() - i)), " more\n");
      break;
    }
    text +=
        concat("  ", printable(summary.skipped[i].song_id), ": ", printable(summary.skipped[i].reason), "\n");
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
}

std::vector<data::FeatureSettings> kinds_of(const Config& config, std::vector<std::string> names) {
  if (names.empty()) names = {config.text("features.kind")};
  if (names == std::vector<std::string>{"auto"})
    names = {"statistics", "mel_db"};  // what all models together take
  std::vector<data::FeatureSettings> kinds;
  kinds.reserve(names.size());
  for (const std::string& name : names) kinds.push_back(feature_settings(config, name));
  return kinds;
}

}  // namespace

int run_extraction(Program& program, const ExtractionRequest& request) {
  Config config = program.config();
  if (!request.window.empty()) {
    config.set_from_flag({"features.window", request.window, "--window"});
    config.check();
  }
  if (!request.json.empty()) check_writable(request.json);
  const data::Corpus corpus =
      data::load_corpus(program.common().data, request.manifest, {request.allow_outside});
  const auto songs = static_cast<std::int64_t>(corpus.songs.size());
  const std::vector<data::FeatureSettings> kinds = kinds_of(config, request.kinds);
  data::ExtractionSummary summary;
  {
    Reporter reporter(songs);
    data::ExtractionOptions extraction;
    extraction.workers = request.workers ? request.workers : program.common().threads;
    extraction.strict = request.strict;
    extraction.verify = request.verify;
    extraction.interrupted = [] { return interrupted(); };
    extraction.progress = [&](const data::ExtractionProgress& now) { reporter.progress(now); };
    extraction.warning = [&](const std::string& text) { reporter.warning(text); };
    summary = data::extract_features(corpus, kinds, extraction);
  }
  if (summary.interrupted) {
    log_warning("interrupted; what is done is kept, the next run goes on from there");
    return interrupt_exit_code();
  }
  print_summary(songs, summary);
  if (!request.json.empty()) write_file(request.json, data::to_json(summary));
  if (const data::FeatureSettings& settings = kinds.front(); settings.window > 0)
    log_info("clips: ", format_count(summary.clips), " of ", settings.window, " s, one every ", settings.hop,
             " s");
  if (!summary.skipped.empty() && !request.skip_bad) {
    throw InputError(concat(program.common().data, ": songs that could not be used: ", summary.skipped.size(),
                            " of ", corpus.songs.size(), " (allowed with --skip-bad)"));
  }
  return 0;
}

}  // namespace chorale::tools

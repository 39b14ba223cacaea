// SPDX-License-Identifier: MIT
#include <chrono>

#include "kernels/error.h"

#include "tools/common/log.h"
#include "tools/common/progress.h"
#include "tools/common/signals.h"
#include "tools/common/table.h"
#include "tools/pipeline/pipeline.h"

namespace chorale::tools {

int run_extraction(Program& program, const ExtractionRequest& request) {
  Config config = program.config();
  if (!request.window.empty()) {
    config.set_from_flag({"features.window", request.window, "--window"});
    config.check();
  }
  const data::Corpus corpus =
      data::load_corpus(program.common().data, request.manifest, {request.allow_outside});
  std::vector<std::string> names = request.kinds;
  if (names.empty()) names = {config.text("features.kind")};
  if (names == std::vector<std::string>{"auto"})
    names = {"statistics", "mel_db"};  // what all models together take
  std::vector<data::FeatureSettings> kinds;
  for (const std::string& name : names) kinds.push_back(feature_settings(config, name));
  Progress bar("extracting", static_cast<std::int64_t>(corpus.songs.size()), "songs");
  data::ExtractionOptions extraction;
  extraction.workers = request.workers ? request.workers : program.common().threads;
  extraction.strict = request.strict;
  extraction.interrupted = [] { return interrupted(); };
  extraction.progress = [&](std::int64_t done, std::int64_t total) {
    bar.set(done + static_cast<std::int64_t>(corpus.songs.size()) - total);
  };
  extraction.warning = [](const std::string& text) { log_warning(text); };
  const auto start = std::chrono::steady_clock::now();
  const data::ExtractionSummary summary = data::extract_features(corpus, kinds, extraction);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (summary.interrupted) {
    log_warning("interrupted; what is done is kept, the next run goes on from there");
    return interrupt_exit_code();
  }
  Table table({"songs", "extracted", "unchanged", "skipped", "seconds", "songs/s", "times real time"});
  const auto count = [](std::int64_t n) { return format_count(n); };
  table.add_row({count(static_cast<std::int64_t>(corpus.songs.size())), count(summary.computed),
                 count(summary.reused), count(static_cast<std::int64_t>(summary.skipped.size())),
                 format_fixed(seconds, 1), format_fixed(static_cast<double>(summary.computed) / seconds, 1),
                 format_fixed(summary.audio_seconds / seconds, 0)});
  table.print();
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

// SPDX-License-Identifier: MIT
// Renders the synthetic demo corpus: songs of 45 genres in five languages, whose factors are known exactly.
#include <chrono>

#include "data/audio_writer.h"
#include "data/synth/corpus_writer.h"
#include "tools/common/log.h"
#include "tools/common/program.h"
#include "tools/common/progress.h"
#include "tools/common/table.h"
#include "tools/common/text.h"

namespace {

using namespace chorale;
using namespace chorale::tools;
using data::synth::CorpusSettings;
using data::synth::CorpusSummary;

/// As many lyrics among `tracks` songs as the original has among its 1,120.
int proportional_lyrics(int tracks) { return static_cast<int>((std::int64_t{tracks} * 677 + 560) / 1120); }

void print_summary(const CorpusSummary& summary) {
  Table table({"language", "genres", "tracks", "lyrics", "duration"});
  data::synth::LanguageSummary all{"all", 0, 0, 0, 0.0};
  const auto add_row = [&](const data::synth::LanguageSummary& row) {
    table.add_row({row.language, std::to_string(row.genres), std::to_string(row.tracks),
                   std::to_string(row.lyrics), format_duration(row.seconds)});
  };
  for (const data::synth::LanguageSummary& row : summary.languages) {
    add_row(row);
    all.genres += row.genres;
    all.tracks += row.tracks;
    all.lyrics += row.lyrics;
    all.seconds += row.seconds;
  }
  add_row(all);
  table.print();
}

}  // namespace

int main(int argc, char** argv) {
  CorpusSettings settings;
  std::string output = "data";
  bool force = false;
  const ProgramInfo info{
      .name = "make_corpus",
      .summary = "Renders the demo corpus: songs and lyrics in five languages and 45 genres."};
  const auto declare = [&](Options& options) {
    options.add("--output", &output, "folder that takes audio/, processed_lyrics/ and manifest.csv")
        .placeholder("DIR");
    options.add("--n-tracks", &settings.n_tracks, "songs", {1, 49995});
    options.add("--n-lyrics", &settings.n_lyrics, "songs that have lyrics", {0, 49995})
        .shown_default("in the proportion 677 of 1120");
    options.add("--seconds", &settings.seconds, "length of a song", {0.5, 3600});
    options.add("--sample-rate", &settings.sample_rate, "samples a second", {8000, 192000});
    options.add("--format", &settings.format, "file format", data::audio_formats());
    options.add("--force", &force, "write into a folder that holds a corpus of one's own");
  };
  return run_program(argc, argv, info, declare, [&](Program& program) {
    settings.seed = program.common().seed;
    if (!program.given("--n-lyrics")) settings.n_lyrics = proportional_lyrics(settings.n_tracks);
    const auto start = std::chrono::steady_clock::now();
    CorpusSummary summary;
    {
      Progress bar("rendering", settings.n_tracks, "songs");
      summary = data::synth::write_corpus(output, settings, force, [&](int done, int) { bar.set(done); });
    }
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    print_summary(summary);
    log_info("rendered ", summary.rendered, " songs into ", output, " in ", format_duration(elapsed.count()),
             ", kept ", summary.kept, " that were there", summary.removed > 0 ? ", removed " : "",
             summary.removed > 0 ? std::to_string(summary.removed) + " files of an earlier demo corpus" : "");
    return 0;
  });
}

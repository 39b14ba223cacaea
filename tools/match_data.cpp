// SPDX-License-Identifier: MIT
// Pairs audio with lyrics and writes the manifest.
#include <map>

#include "data/verify.h"
#include "tensor/file.h"
#include "tools/common/log.h"
#include "tools/common/program.h"
#include "tools/common/table.h"
#include "tools/common/text.h"

int main(int argc, char** argv) {
  using namespace chorale;
  using namespace chorale::tools;
  data::CorpusOptions corpus;
  const ProgramInfo info{.name = "match_data",
                         .summary = "Pairs songs with lyrics of the same id and writes manifest.csv.",
                         .uses_data = true};
  const auto declare = [&](Options& options) {
    options.add("--allow-outside", &corpus.allow_outside,
                "accept paths and links that leave the data folder");
  };
  return run_program(argc, argv, info, declare, [&](Program& program) {
    const std::string& root = program.common().data;
    const data::Match match = data::match_corpus(root, corpus);
    for (const data::Problem& problem : match.problems) {
      log_warning(problem.kind, ": ", printable(problem.path.native()), ": ", printable(problem.detail));
    }
    if (match.dropped > 0)
      log_warning(match.dropped, " songs left the manifest, for their audio is gone; it stays as ", root,
                  "/manifest.previous.csv");
    std::map<std::string, std::pair<int, int>> counts;
    std::pair<int, int> all{0, 0};
    for (const data::Song& song : match.corpus.songs) {
      auto& [tracks, pairs] = counts[song.language];
      ++tracks;
      ++all.first;
      pairs += song.has_lyrics() ? 1 : 0;
      all.second += song.has_lyrics() ? 1 : 0;
    }
    Table table({"language", "tracks", "pairs"});
    for (const auto& [language, count] : counts) {
      table.add_row({printable(language), std::to_string(count.first), std::to_string(count.second)});
    }
    table.add_row({"all", std::to_string(all.first), std::to_string(all.second)});
    table.print();
    log_info("wrote ", root, "/manifest.csv: ", all.first, " songs, ", all.second, " with lyrics");
    return 0;
  });
}

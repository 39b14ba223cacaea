// SPDX-License-Identifier: MIT
// Counts the languages, genres and pairs of a corpus and lists what is broken in it.
#include <cstdio>

#include "data/verify.h"
#include "kernels/error.h"
#include "tensor/file.h"
#include "tools/common/log.h"
#include "tools/common/program.h"
#include "tools/common/progress.h"
#include "tools/common/table.h"
#include "tools/common/text.h"

namespace {

using namespace chorale;
using namespace chorale::tools;
using data::DatasetReport;

std::string genres_text(const data::LanguageCount& language) {
  std::vector<std::string> parts;
  for (const auto& [genre, tracks] : language.genres) parts.push_back(concat(genre, " ", tracks));
  return join(parts);
}

void print_report(const DatasetReport& report) {
  Table table({"language", "tracks", "pairs", "genres"});
  for (const auto& [name, language] : report.languages) {
    table.add_row({printable(name), std::to_string(language.tracks), std::to_string(language.pairs),
                   std::to_string(language.genres.size())});
  }
  table.add_row(
      {"all", std::to_string(report.tracks), std::to_string(report.pairs), std::to_string(report.genres)});
  table.print();
  std::string text = "\n";
  for (const auto& [name, language] : report.languages) {
    text += concat(printable(name), ": ", printable(genres_text(language), 4000), "\n");
  }
  text += concat("\n", report.languages.size(), " languages, ", report.genres, " genres, ", report.tracks,
                 " tracks, ", report.pairs, " with lyrics, ", report.problems.size(), " problems\n");
  for (const data::Problem& problem : report.problems) {
    text +=
        concat(problem.kind, ": ", printable(problem.path.native()), ": ", printable(problem.detail), "\n");
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace

int main(int argc, char** argv) {
  data::VerifyOptions verify;
  std::string manifest, json;
  bool strict = false;
  const ProgramInfo info{
      .name = "verify_dataset",
      .summary = "Counts languages, genres and pairs of a corpus and lists what is broken.",
      .uses_data = true};
  const auto declare = [&](Options& options) {
    options.add("--manifest", &manifest, "a CSV of one's own in place of the folder's").placeholder("FILE");
    options.add("--json", &json, "also write the report here").placeholder("FILE");
    options.add("--min-seconds", &verify.min_seconds, "shorter audio is a problem", {0.01, 3600});
    options.add("--allow-outside", &verify.corpus.allow_outside,
                "accept paths and links that leave the data folder");
    options.add("--strict", &strict, "exit with 3 if anything is broken");
  };
  return run_program(argc, argv, info, declare, [&](Program& program) {
    if (!json.empty()) check_writable(json);
    verify.manifest = manifest;
    DatasetReport report;
    {
      Progress bar("checking", 0, "songs");
      report = data::verify_dataset(program.common().data, verify, [&](int done, int) { bar.set(done); });
    }
    print_report(report);
    if (!json.empty()) write_file(json, to_json(report));
    if (report.tracks == 0) {
      throw InputError(report.source + ": no usable song: 0 (" + std::to_string(report.problems.size()) +
                       " problems)");
    }
    if (strict && !report.problems.empty()) {
      log_error(report.source, ": ", report.problems.size(), " problems (allowed none with --strict)");
      return 3;
    }
    return 0;
  });
}

// SPDX-License-Identifier: MIT
// What a corpus holds and what is broken in it; and the pairing of songs with lyrics.
#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "data/corpus.h"

namespace chorale::data {

struct LanguageCount {
  int tracks = 0;
  int pairs = 0;                      ///< tracks with lyrics
  std::map<std::string, int> genres;  ///< tracks of each
};

struct DatasetReport {
  std::map<std::string, LanguageCount> languages;
  int tracks = 0, pairs = 0;
  int genres = 0;                 ///< distinct names over all languages
  std::string source;             ///< the manifest's path, or that of the audio folder
  std::vector<Problem> problems;  ///< in the order of paths
};

struct VerifyOptions {
  CorpusOptions corpus;
  std::filesystem::path
      manifest;              ///< of one's own; empty: <root>/manifest.csv if there is one, else the walk
  double min_seconds = 1.0;  ///< shorter audio is a problem
};

/// Counts a corpus and looks at every file: the first `min_seconds` of each song are decoded, lyrics are
/// read. With <root>/manifest.csv, files that it lists and that are missing, and songs that it does not list,
/// are problems too, of the kinds "missing file" and "not in manifest"; further kinds are those of Problem
/// and "unreadable audio", "short audio", "empty lyrics", "bad lyrics". Runs on the OpenMP threads; the
/// report does not depend on their number. InputError if there is nothing to look at or the manifest is
/// damaged.
DatasetReport verify_dataset(const std::filesystem::path& root, const VerifyOptions& options = {},
                             const std::function<void(int, int)>& progress = {});

/// The report as JSON: {"source", "tracks", "pairs", "genres", "languages": {name: {"tracks", "pairs",
/// "genres": {name: tracks}}}, "problems": [{"kind", "path", "detail"}]}.
std::string to_json(const DatasetReport& report);

struct Match {
  Corpus corpus;                  ///< what the manifest holds now
  std::vector<Problem> problems;  ///< of the walk
  int dropped = 0;                ///< songs of the manifest before whose audio is gone
};

/// Pairs the songs below <root>/audio with the lyrics of the same song id and writes <root>/manifest.csv. Of
/// the manifest before, titles, factor columns and songs that lie elsewhere are kept; if songs leave it, it
/// stays as <root>/manifest.previous.csv. InputError, with the old manifest as it was, if a song id is
/// doubled, no song is found, or the old manifest is damaged.
Match match_corpus(const std::filesystem::path& root, const CorpusOptions& options = {});

}  // namespace chorale::data

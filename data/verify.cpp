// SPDX-License-Identifier: MIT
#include "data/verify.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "audio/decode.h"
#include "data/csv.h"
#include "kernels/error.h"
#include "tensor/file.h"

namespace fs = std::filesystem;

namespace chorale::data {
namespace {

constexpr std::uint64_t max_lyrics_bytes = 1 << 20, max_manifest_bytes = std::uint64_t{1} << 32;

/// Message of an error without the path that the problem names anyway.
std::string without_path(const std::string& message, const std::string& path) {
  const std::string prefix = path + ": ";
  return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
}

void check_audio(const Corpus& corpus, const Song& song, double min_seconds, std::vector<Problem>& problems) {
  const std::string path = corpus.audio_file(song).native();
  std::error_code error;
  if (!fs::exists(path, error)) {
    problems.push_back({"missing file", song.audio_path, "no such file"});
    return;
  }
  try {
    audio::DecodeOptions options;
    options.duration = min_seconds;
    const audio::AudioClip clip = audio::decode(path, options);
    // The last sample may lie before the end of the duration by rounding.
    if (static_cast<double>(clip.samples.size() + 1) < min_seconds * clip.sample_rate) {
      const auto milliseconds = static_cast<std::int64_t>(1000.0 * clip.seconds);
      problems.push_back({"short audio", song.audio_path, std::to_string(milliseconds) + " ms"});
    }
  } catch (const InputError& fault) {
    problems.push_back({"unreadable audio", song.audio_path, without_path(fault.what(), path)});
  }
}

void check_lyrics(const Corpus& corpus, const Song& song, std::vector<Problem>& problems) {
  const std::string path = corpus.lyrics_file(song).native();
  std::error_code error;
  if (!fs::exists(path, error)) {
    problems.push_back({"missing file", song.lyrics_path, "no such file"});
    return;
  }
  try {
    const std::string text = read_file_bounded(path, max_lyrics_bytes);
    if (!valid_utf8(text)) problems.push_back({"bad lyrics", song.lyrics_path, "not UTF-8"});
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
      problems.push_back({"empty lyrics", song.lyrics_path, std::to_string(text.size()) + " bytes"});
    }
  } catch (const InputError& fault) {
    problems.push_back({"bad lyrics", song.lyrics_path, without_path(fault.what(), path)});
  }
}

/// Songs on disk that the manifest does not list, and what else a walk finds.
void compare_with_walk(const fs::path& root, const Corpus& manifest, const CorpusOptions& options,
                       std::vector<Problem>& problems) {
  std::error_code error;
  if (!fs::is_directory(root / "audio", error)) return;
  Scan scan = scan_corpus(root, options);
  std::set<fs::path> listed, lyrics;
  for (const Song& song : manifest.songs) {
    listed.insert(song.audio_path);
    if (song.has_lyrics()) lyrics.insert(song.lyrics_path);
  }
  for (const Song& song : scan.corpus.songs) {
    if (!listed.contains(song.audio_path)) {
      problems.push_back({"not in manifest", song.audio_path, "see match_data"});
    }
    if (song.has_lyrics() && !lyrics.contains(song.lyrics_path)) {
      problems.push_back({"not in manifest", song.lyrics_path, "see match_data"});
    }
  }
  for (Problem& problem : scan.problems) {
    if (problem.kind != "unmatched lyrics" || !lyrics.contains(problem.path)) {
      problems.push_back(std::move(problem));
    }
  }
}

}  // namespace

DatasetReport verify_dataset(const fs::path& root, const VerifyOptions& options,
                             const std::function<void(int, int)>& progress) {
  DatasetReport report;
  Corpus corpus;
  std::error_code error;
  const fs::path own = root / "manifest.csv";
  if (!options.manifest.empty()) {
    corpus = read_manifest(options.manifest, options.corpus);
    report.source = options.manifest.string();
  } else if (fs::exists(own, error)) {
    corpus = read_manifest(own, options.corpus);
    report.source = own.string();
    compare_with_walk(root, corpus, options.corpus, report.problems);
  } else {
    Scan scan = scan_corpus(root, options.corpus);
    corpus = std::move(scan.corpus);
    report.problems = std::move(scan.problems);
    report.source = (root / "audio").string();
    if (corpus.songs.empty() && report.problems.empty()) {
      throw InputError(report.source + ": no audio file: 0 songs (allowed <language>/<genre>/<song>)");
    }
  }

  std::set<std::string> genres;
  for (const Song& song : corpus.songs) {
    LanguageCount& language = report.languages[song.language];
    ++language.tracks;
    ++language.genres[song.genre];
    language.pairs += song.has_lyrics() ? 1 : 0;
    ++report.tracks;
    report.pairs += song.has_lyrics() ? 1 : 0;
    genres.insert(song.genre);
  }
  report.genres = static_cast<int>(genres.size());

  const auto total = static_cast<int>(corpus.songs.size());
  std::vector<std::vector<Problem>> found(corpus.songs.size());
  std::exception_ptr failure;
  std::mutex mutex;
  int done = 0;
#pragma omp parallel for schedule(dynamic)
  for (int i = 0; i < total; ++i) {
    const auto index = static_cast<std::size_t>(i);
    try {
      check_audio(corpus, corpus.songs[index], options.min_seconds, found[index]);
      if (corpus.songs[index].has_lyrics()) check_lyrics(corpus, corpus.songs[index], found[index]);
      const std::lock_guard lock(mutex);
      if (progress) progress(++done, total);
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
  for (std::vector<Problem>& problems : found) {
    report.problems.insert(report.problems.end(), problems.begin(), problems.end());
  }
  std::stable_sort(report.problems.begin(), report.problems.end(),
                   [](const Problem& a, const Problem& b) { return a.path.native() < b.path.native(); });
  return report;
}

std::string to_json(const DatasetReport& report) {
  nlohmann::ordered_json json;
  json["source"] = report.source;
  json["tracks"] = report.tracks;
  json["pairs"] = report.pairs;
  json["genres"] = report.genres;
  json["languages"] = nlohmann::ordered_json::object();
  for (const auto& [name, language] : report.languages) {
    json["languages"][name] = {
        {"tracks", language.tracks}, {"pairs", language.pairs}, {"genres", language.genres}};
  }
  json["problems"] = nlohmann::ordered_json::array();
  for (const Problem& problem : report.problems) {
    json["problems"].push_back(
        {{"kind", problem.kind}, {"path", problem.path.generic_string()}, {"detail", problem.detail}});
  }
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

Match match_corpus(const fs::path& root, const CorpusOptions& options) {
  std::error_code error;
  const fs::path path = root / "manifest.csv";
  Corpus old;
  if (fs::exists(path, error)) old = read_manifest(path, options);
  Scan scan = scan_corpus(root, options);
  for (const Problem& problem : scan.problems) {
    if (problem.kind == "doubled id") {
      throw InputError((root / problem.path).string() + ": doubled song id: " + problem.detail);
    }
  }
  Match match;
  match.corpus = std::move(scan.corpus);
  match.corpus.factor_names = old.factor_names;
  match.problems = std::move(scan.problems);
  std::map<std::string, Song> known;
  for (Song& song : old.songs) known.emplace(song.song_id, std::move(song));
  for (Song& song : match.corpus.songs) {
    song.factors.assign(old.factor_names.size(), "");
    if (const auto before = known.find(song.song_id); before != known.end()) {
      song.factors = before->second.factors;
      song.title = before->second.title;
      known.erase(before);
    }
  }
  for (auto& [id, song] : known) {
    if (fs::exists(root / song.audio_path, error)) {
      match.corpus.songs.push_back(std::move(song));
    } else {
      ++match.dropped;
    }
  }
  if (match.corpus.songs.empty()) {
    throw InputError((root / "audio").string() + ": no usable audio file: 0 songs (" +
                     std::to_string(match.problems.size()) + " files with problems; see verify_dataset)");
  }
  std::sort(match.corpus.songs.begin(), match.corpus.songs.end(),
            [](const Song& a, const Song& b) { return a.audio_path.native() < b.audio_path.native(); });
  if (match.dropped > 0)
    write_file(root / "manifest.previous.csv", read_file_bounded(path, max_manifest_bytes));
  write_manifest(match.corpus, path);
  return match;
}

}  // namespace chorale::data

// SPDX-License-Identifier: MIT
#include "data/corpus.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "data/csv.h"
#include "kernels/error.h"
#include "tensor/file.h"

namespace fs = std::filesystem;

namespace chorale::data {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

/// Length of the song id within a stem.
std::size_t id_length(std::string_view stem) {
  const std::size_t first = stem.find('_');
  if (first == std::string_view::npos) return stem.size();
  return std::min(stem.find('_', first + 1), stem.size());
}

bool is_below(const fs::path& path, const fs::path& root) {
  const auto [end, unused] = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
  return end == root.end() || (*end == fs::path() && std::next(end) == root.end());
}

/// Entries of a folder in the order of their names' bytes; hidden ones are left out.
std::vector<fs::path> sorted_entries(const fs::path& folder, std::vector<Problem>& problems,
                                     const fs::path& root) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().filename().native().front() != '.') entries.push_back(it->path());
  }
  if (error) problems.push_back({"not a file", folder.lexically_relative(root), error.message()});
  std::sort(entries.begin(), entries.end(),
            [](const fs::path& a, const fs::path& b) { return a.native() < b.native(); });
  return entries;
}

class Scanner {
 public:
  Scanner(const fs::path& root, const CorpusOptions& options) : root_(root), options_(options) {}

  Scan run() {
    scan_.corpus.root = root_;
    scan_lyrics();
    for (const fs::path& language : folders(root_ / "audio")) {
      for (const fs::path& genre : folders(language)) {
        for (const fs::path& file : sorted_entries(genre, scan_.problems, root_)) add_song(file);
      }
    }
    for (const auto& [id, path] : lyrics_) {
      scan_.problems.push_back({"unmatched lyrics", path, "no audio file has the song id " + printable(id)});
    }
    std::vector<Song>& songs = scan_.corpus.songs;
    std::sort(songs.begin(), songs.end(),
              [](const Song& a, const Song& b) { return a.audio_path.native() < b.audio_path.native(); });
    std::stable_sort(scan_.problems.begin(), scan_.problems.end(),
                     [](const Problem& a, const Problem& b) { return a.path.native() < b.path.native(); });
    return std::move(scan_);
  }

 private:
  void problem(std::string kind, const fs::path& path, std::string detail) {
    scan_.problems.push_back({std::move(kind), path.lexically_relative(root_), std::move(detail)});
  }

  /// Whether the entry may be used, that is, does not leave the root.
  bool inside(const fs::path& path) {
    try {
      resolve_inside(root_, path, path.string(), options_);
      return true;
    } catch (const InputError& error) {
      problem("outside", path, "leaves the data folder");
      return false;
    }
  }

  std::vector<fs::path> folders(const fs::path& parent) {
    std::vector<fs::path> out;
    if (!inside(parent)) return out;
    for (const fs::path& entry : sorted_entries(parent, scan_.problems, root_)) {
      std::error_code error;
      if (fs::is_directory(entry, error)) {
        if (inside(entry)) out.push_back(entry);
      } else if (is_audio_extension(entry.extension().string())) {
        problem("bad name", entry, "audio file outside a <language>/<genre> folder");
      }
    }
    return out;
  }

  /// A regular file within the root that is named well; everything else is noted.
  bool usable(const fs::path& file, const std::string& id) {
    if (!inside(file)) return false;
    std::error_code error;
    const fs::file_status status = fs::status(file, error);
    if (!fs::is_regular_file(status)) {
      problem("not a file", file, error ? error.message() : "not a regular file");
      return false;
    }
    if (const std::string fault = song_id_fault(id); !fault.empty()) {
      problem("bad name", file, fault);
      return false;
    }
    if (!valid_utf8(file.lexically_relative(root_).native())) {
      problem("bad name", file, "path is not UTF-8");
      return false;
    }
    return true;
  }

  void scan_lyrics() {
    const fs::path base = root_ / "processed_lyrics";
    std::error_code error;
    if (!fs::is_directory(base, error)) return;
    for (const fs::path& language : folders(base)) {
      for (const fs::path& file : sorted_entries(language, scan_.problems, root_)) {
        if (file.extension() != ".txt") continue;
        const std::string id = song_id_of(file.stem().native());
        if (!usable(file, id)) continue;
        const auto [it, added] = lyrics_.emplace(id, file.lexically_relative(root_));
        if (!added) problem("doubled id", file, "lyrics " + id + " also in " + it->second.string());
      }
    }
  }

  void add_song(const fs::path& file) {
    if (!is_audio_extension(file.extension().string())) return;
    const std::string stem = file.stem().native();
    Song song;
    song.song_id = song_id_of(stem);
    if (!usable(file, song.song_id)) return;
    song.title = title_of(stem);
    song.audio_path = file.lexically_relative(root_);
    song.genre = file.parent_path().filename().native();
    song.language = file.parent_path().parent_path().filename().native();
    const auto [first, added] = ids_.emplace(song.song_id, song.audio_path);
    if (!added) {
      problem("doubled id", file, "song id " + song.song_id + " also in " + first->second.string());
      return;
    }
    if (const auto lyrics = lyrics_.find(song.song_id); lyrics != lyrics_.end()) {
      song.lyrics_path = lyrics->second;
      lyrics_.erase(lyrics);
    }
    scan_.corpus.songs.push_back(std::move(song));
  }

  fs::path root_;
  CorpusOptions options_;
  Scan scan_;
  std::map<std::string, fs::path> lyrics_;  // by song id, those not yet matched
  std::map<std::string, fs::path> ids_;
};

}  // namespace

bool is_audio_extension(std::string_view extension) {
  static constexpr std::array<std::string_view, 15> known = {".mp3",  ".wav",  ".flac", ".ogg",  ".oga",
                                                             ".opus", ".aiff", ".aif",  ".aifc", ".au",
                                                             ".snd",  ".w64",  ".rf64", ".m4a",  ".aac"};
  return std::find(known.begin(), known.end(), lower(extension)) != known.end();
}

std::string song_id_of(std::string_view stem) { return std::string(stem.substr(0, id_length(stem))); }

std::string title_of(std::string_view stem) {
  const std::size_t length = id_length(stem);
  if (length + 1 >= stem.size()) return song_id_of(stem);
  std::string title(stem.substr(length + 1));
  std::replace(title.begin(), title.end(), '_', ' ');
  return title;
}

std::string song_id_fault(std::string_view id) {
  constexpr std::size_t limit = 200;
  if (id.empty()) return "empty song id";
  if (id.size() > limit) return "song id too long: " + std::to_string(id.size()) + " bytes (allowed 200)";
  if (id.front() == '-' || id.front() == '.')
    return "song id starts with '" + std::string(1, id.front()) + "'";
  if (!valid_utf8(id)) return "song id is not UTF-8: " + printable(id);
  for (const char c : id) {
    if (c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      return "song id holds a slash or control character: " + printable(id);
    }
  }
  return {};
}

fs::path resolve_inside(const fs::path& root, const fs::path& path, const std::string& name,
                        const CorpusOptions& options) {
  std::error_code error;
  const fs::path base = fs::weakly_canonical(root, error);
  const fs::path full = error ? fs::path() : fs::weakly_canonical(base / path, error);
  if (error) throw InputError(name + ": cannot be resolved: " + error.message());
  if (!options.allow_outside && !is_below(full, base)) {
    throw InputError(name + ": leaves the data folder: " + printable(path.native()) +
                     " (allowed paths below " + base.string() + ", or --allow-outside)");
  }
  return full;
}

Scan scan_corpus(const fs::path& root, const CorpusOptions& options) {
  std::error_code error;
  if (!fs::is_directory(root / "audio", error)) {
    throw InputError((root / "audio").string() +
                     ": no such folder (allowed <data>/audio/<language>/<genre>/, or a " + "manifest)");
  }
  return Scanner(root, options).run();
}

Corpus load_corpus(const fs::path& root, const fs::path& manifest, const CorpusOptions& options) {
  if (!manifest.empty()) return read_manifest(manifest, options);
  std::error_code error;
  if (const fs::path own = root / "manifest.csv"; fs::exists(own, error)) return read_manifest(own, options);
  Scan scan = scan_corpus(root, options);
  for (const Problem& problem : scan.problems) {
    if (problem.kind == "doubled id") {
      throw InputError((root / problem.path).string() + ": doubled song id: " + problem.detail);
    }
  }
  if (scan.corpus.songs.empty()) {
    throw InputError((root / "audio").string() + ": no usable audio file: 0 songs (" +
                     std::to_string(scan.problems.size()) + " files with problems; see verify_dataset)");
  }
  return std::move(scan.corpus);
}

}  // namespace chorale::data

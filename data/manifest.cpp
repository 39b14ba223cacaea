// SPDX-License-Identifier: MIT
// Reading and writing of manifest.csv.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "data/corpus.h"
#include "data/csv.h"
#include "kernels/error.h"
#include "tensor/file.h"

namespace fs = std::filesystem;

namespace chorale::data {
namespace {

constexpr std::array<const char*, 7> columns = {"song_id",    "title",       "language",  "genre",
                                                "audio_path", "lyrics_path", "has_lyrics"};

class ManifestReader {
 public:
  ManifestReader(const CsvTable& table, const fs::path& root, const CorpusOptions& options)
      : table_(table), options_(options) {
    corpus_.root = root;
    song_id_ = table.column("song_id");
    language_ = table.column("language");
    genre_ = table.column("genre");
    audio_path_ = table.column("audio_path");
    title_ = table.find_column("title");
    lyrics_path_ = table.find_column("lyrics_path");
    has_lyrics_ = table.find_column("has_lyrics");
    for (std::size_t i = 0; i < table.header.size(); ++i) {
      if (std::find(columns.begin(), columns.end(), table.header[i]) == columns.end()) {
        factors_.push_back(i);
        corpus_.factor_names.push_back(table.header[i]);
      }
    }
  }

  Corpus run() {
    for (const CsvRow& row : table_.rows) read_row(row);
    if (corpus_.songs.empty()) throw InputError(table_.name + ": no song: 0 rows (allowed 1 or more)");
    std::sort(corpus_.songs.begin(), corpus_.songs.end(),
              [](const Song& a, const Song& b) { return a.audio_path.native() < b.audio_path.native(); });
    return std::move(corpus_);
  }

 private:
  [[noreturn]] void fail(const CsvRow& row, const std::string& what) const {
    throw InputError(table_.name + ":" + std::to_string(row.line) + ": " + what);
  }

  std::string cell(const CsvRow& row, int column) const {
    return column < 0 ? std::string() : row.cells[static_cast<std::size_t>(column)];
  }

  fs::path path_cell(const CsvRow& row, int column) const {
    const std::string text = cell(row, column);
    if (text.empty()) return {};
    const fs::path path = fs::path(text).lexically_normal();
    if (!options_.allow_outside && (path.is_absolute() || *path.begin() == "..")) {
      fail(row, "path leaves the data folder: " + printable(text) +
                    " (allowed relative paths, or --allow-outside)");
    }
    resolve_inside(corpus_.root, path, table_.name + ":" + std::to_string(row.line), options_);
    return path;
  }

  void read_row(const CsvRow& row) {
    Song song;
    song.song_id = cell(row, song_id_);
    if (const std::string fault = song_id_fault(song.song_id); !fault.empty()) fail(row, fault);
    if (const auto [it, added] = ids_.emplace(song.song_id, row.line); !added) {
      fail(row, "doubled song id: " + song.song_id + " (first in line " + std::to_string(it->second) + ")");
    }
    song.language = cell(row, language_);
    song.genre = cell(row, genre_);
    if (song.language.empty()) fail(row, "empty language");
    if (song.genre.empty()) fail(row, "empty genre");
    song.title = cell(row, title_);
    if (song.title.empty()) song.title = song.song_id;
    song.audio_path = path_cell(row, audio_path_);
    if (song.audio_path.empty()) fail(row, "empty audio_path");
    if (const auto [it, added] = audio_.emplace(song.audio_path.native(), row.line); !added) {
      fail(row, "doubled audio_path: " + printable(song.audio_path.native()) + " (first in line " +
                    std::to_string(it->second) + ")");
    }
    song.lyrics_path = path_cell(row, lyrics_path_);
    check_has_lyrics(row, song);
    for (const std::size_t column : factors_) song.factors.push_back(row.cells[column]);
    corpus_.songs.push_back(std::move(song));
  }

  void check_has_lyrics(const CsvRow& row, const Song& song) const {
    if (has_lyrics_ < 0) return;
    const std::string text = cell(row, has_lyrics_);
    const bool yes = text == "true" || text == "1" || text == "True";
    if (!yes && text != "false" && text != "0" && text != "False") {
      fail(row, "bad has_lyrics: " + printable(text) + " (allowed true, false, 1, 0)");
    }
    if (yes != song.has_lyrics()) {
      fail(row, "has_lyrics contradicts lyrics_path: " + text + ", " + printable(song.lyrics_path.native()));
    }
  }

  const CsvTable& table_;
  CorpusOptions options_;
  Corpus corpus_;
  int song_id_, language_, genre_, audio_path_, title_, lyrics_path_, has_lyrics_;
  std::vector<std::size_t> factors_;
  std::map<std::string, std::int64_t> ids_, audio_;
};

}  // namespace

Corpus read_manifest(const fs::path& path, const CorpusOptions& options) {
  const CsvTable table = read_csv(path);
  fs::path root = path.parent_path();
  if (root.empty()) root = ".";
  return ManifestReader(table, root, options).run();
}

void write_manifest(const Corpus& corpus, const fs::path& path) {
  std::vector<std::string> row(columns.begin(), columns.end());
  row.insert(row.end(), corpus.factor_names.begin(), corpus.factor_names.end());
  std::string text = format_csv_row(row);
  for (const Song& song : corpus.songs) {
    if (song.factors.size() != corpus.factor_names.size()) {
      throw ContractError("write_manifest: factors of " + song.song_id + ": " +
                          std::to_string(song.factors.size()) + " (allowed " +
                          std::to_string(corpus.factor_names.size()) + ")");
    }
    row = {song.song_id,
           song.title,
           song.language,
           song.genre,
           song.audio_path.generic_string(),
           song.lyrics_path.generic_string(),
           song.has_lyrics() ? "true" : "false"};
    row.insert(row.end(), song.factors.begin(), song.factors.end());
    text += format_csv_row(row);
  }
  write_file(path.native(), text);
}

}  // namespace chorale::data

// SPDX-License-Identifier: MIT
// The corpus on disk:
//
//   <root>/audio/<language>/<genre>/<ll>_<NNNN>[_<Title>].<ext>
//   <root>/processed_lyrics/<language>/<ll>_<NNNN>.txt
//   <root>/manifest.csv    song_id,title,language,genre,audio_path,lyrics_path,has_lyrics[,factor columns]
//
// The song id is the first two `_` parts of the file's stem.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace chorale::data {

struct Song {
  std::string song_id;  ///< unique in a corpus, safe as a file name
  std::string title;
  std::string language;
  std::string genre;
  std::filesystem::path
      audio_path;  ///< relative to the root; absolute only if it lies outside and that is allowed
  std::filesystem::path lyrics_path;  ///< empty without lyrics
  std::vector<std::string> factors;   ///< one cell per Corpus::factor_names
  bool has_lyrics() const { return !lyrics_path.empty(); }
};

struct Corpus {
  std::filesystem::path root;
  std::vector<std::string> factor_names;  ///< further columns of the manifest
  std::vector<Song> songs;                ///< in the order of their audio paths' bytes

  std::filesystem::path audio_file(const Song& song) const { return root / song.audio_path; }
  std::filesystem::path lyrics_file(const Song& song) const { return root / song.lyrics_path; }
};

struct CorpusOptions {
  bool allow_outside = false;  ///< accept absolute paths, `..` and symbolic links that leave the root
};

/// Something that is wrong with one file of a corpus.
struct Problem {
  std::string kind;            ///< "outside", "not a file", "bad name", "doubled id", "unmatched lyrics"
  std::filesystem::path path;  ///< relative to the root
  std::string detail;
};

struct Scan {
  Corpus corpus;                  ///< the usable songs; of a doubled id, the first
  std::vector<Problem> problems;  ///< in the order of paths
};

/// The audio file types that a scan picks up, with their dot and in lower case.
bool is_audio_extension(std::string_view extension);

/// First two `_` parts of a stem; the whole stem if it has fewer.
std::string song_id_of(std::string_view stem);
/// What follows the song id, with `_` as spaces; the song id if nothing does.
std::string title_of(std::string_view stem);
/// Why `id` cannot name an output file (slash, control character, leading '-' or '.', too long, invalid
/// UTF-8); empty if it can.
std::string song_id_fault(std::string_view id);

/// Walks <root>/audio and <root>/processed_lyrics. InputError if <root>/audio is no folder.
Scan scan_corpus(const std::filesystem::path& root, const CorpusOptions& options = {});

/// Reads a manifest; its paths are relative to the manifest's folder, which becomes the root. InputError
/// `file:line` on everything parse_csv refuses, a missing column, an empty or unusable song id, a doubled
/// song id or audio path, a path that leaves the root, has_lyrics that is not true/false/1/0 or contradicts
/// lyrics_path, or no row at all. Whether the files exist is not looked at.
Corpus read_manifest(const std::filesystem::path& path, const CorpusOptions& options = {});

/// Writes a manifest beside and renames it; paths are written relative to corpus.root with forward slashes.
void write_manifest(const Corpus& corpus, const std::filesystem::path& path);

/// What programs use. `manifest`, else <root>/manifest.csv if there is one, else a walk. InputError if there
/// is no song, or if the walk found one song id twice.
Corpus load_corpus(const std::filesystem::path& root, const std::filesystem::path& manifest = {},
                   const CorpusOptions& options = {});

/// The path without symbolic links; InputError "<name>: leaves ..." unless it is at or below `root` or that
/// is allowed. `path` is relative to `root` or absolute and need not exist.
std::filesystem::path resolve_inside(const std::filesystem::path& root, const std::filesystem::path& path,
                                     const std::string& name, const CorpusOptions& options);

}  // namespace chorale::data

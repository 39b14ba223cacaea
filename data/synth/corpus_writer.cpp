// SPDX-License-Identifier: MIT
#include "data/synth/corpus_writer.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "data/audio_writer.h"
#include "data/corpus.h"
#include "data/synth/lyrics.h"
#include "data/synth/plan.h"
#include "data/synth/renderer.h"
#include "kernels/error.h"
#include "tensor/file.h"
#include "tensor/json.h"

namespace fs = std::filesystem;

namespace chorale::data::synth {
namespace {

fs::path marker_path(const fs::path& root) { return root / "audio" / ".demo_corpus.json"; }

nlohmann::json to_json(const CorpusSettings& settings) {
  return {{"generator", "make_corpus"},    {"version", renderer_version},
          {"n_tracks", settings.n_tracks}, {"n_lyrics", settings.n_lyrics},
          {"seconds", settings.seconds},   {"sample_rate", settings.sample_rate},
          {"format", settings.format},     {"seed", settings.seed}};
}

/// The settings of the demo corpus that lies there; nothing if there is none or its marker is damaged.
std::optional<nlohmann::json> read_marker(const fs::path& root) {
  std::error_code error;
  if (!fs::exists(marker_path(root), error)) return std::nullopt;
  try {
    nlohmann::json marker = parse_json(read_file_bounded(marker_path(root).native(), 1 << 16), "marker");
    if (marker.is_object() && marker.value("generator", "") == "make_corpus") return marker;
  } catch (const InputError&) {
  } catch (const nlohmann::json::exception&) {
  }
  return std::nullopt;
}

/// The first file below `folder` that is part of a corpus; empty if there is none.
fs::path first_content(const fs::path& root) {
  std::error_code error;
  if (fs::exists(root / "manifest.csv", error)) return root / "manifest.csv";
  for (const char* folder : {"audio", "processed_lyrics"}) {
    for (fs::recursive_directory_iterator it(root / folder, error), end; !error && it != end;
         it.increment(error)) {
      const std::string extension = it->path().extension().string();
      if (is_audio_extension(extension) || extension == ".txt") return it->path();
    }
  }
  return {};
}

Song to_song(const PlannedSong& planned, const std::string& format) {
  Song song;
  song.song_id = planned.song_id;
  song.title = title_of(planned.song_id + "_" + planned.title);
  song.language = planned.factors.language;
  song.genre = planned.factors.genre;
  song.audio_path =
      fs::path("audio") / song.language / song.genre / (planned.song_id + "_" + planned.title + "." + format);
  if (planned.has_lyrics)
    song.lyrics_path = fs::path("processed_lyrics") / song.language / (planned.song_id + ".txt");
  song.factors = factor_cells(planned.factors);
  return song;
}

/// Every file that a corpus with these settings has.
std::set<fs::path> files_of(const CorpusSettings& settings) {
  std::set<fs::path> files;
  for (const PlannedSong& planned : plan_corpus(settings.n_tracks, settings.n_lyrics, settings.seed)) {
    const Song song = to_song(planned, settings.format);
    files.insert(song.audio_path);
    if (song.has_lyrics()) files.insert(song.lyrics_path);
  }
  return files;
}

/// Removes the files of the corpus that `marker` describes.
int remove_old(const fs::path& root, const nlohmann::json& marker) {
  CorpusSettings old;
  try {
    old.n_tracks = marker.at("n_tracks").get<int>();
    old.n_lyrics = marker.at("n_lyrics").get<int>();
    old.seed = marker.at("seed").get<std::uint64_t>();
    old.format = marker.at("format").get<std::string>();
  } catch (const nlohmann::json::exception&) {
    throw InputError(marker_path(root).string() + ": damaged (remove the folder to start anew)");
  }
  int removed = 0;
  std::error_code error;
  for (const fs::path& file : files_of(old)) removed += fs::remove(root / file, error) ? 1 : 0;
  return removed;
}

void check(const CorpusSettings& settings) {
  const std::vector<std::string> formats = audio_formats();
  if (std::find(formats.begin(), formats.end(), settings.format) == formats.end()) {
    encode_audio({}, settings.sample_rate, settings.format);  // says what is allowed
  }
  if (!(settings.seconds >= 0.5 && settings.seconds <= 3600.0)) {
    throw UsageError("--seconds: out of range: " + std::to_string(settings.seconds) + " (allowed 0.5..3600)");
  }
}

/// Whether a song was written now.
bool write_song(const fs::path& root, const PlannedSong& planned, const Song& song,
                const CorpusSettings& settings, bool overwrite, Renderer& renderer) {
  std::error_code error;
  if (song.has_lyrics() && (overwrite || !fs::exists(root / song.lyrics_path, error))) {
    write_file((root / song.lyrics_path).native(),
               lyrics_file_text(song.language, song.genre, planned.factors.seed), Durability::fast);
  }
  if (!overwrite && fs::exists(root / song.audio_path, error)) return false;
  write_audio(root / song.audio_path,
              renderer.render(planned.factors, settings.sample_rate, settings.seconds), settings.sample_rate,
              settings.format);
  return true;
}

CorpusSummary summarize(const Corpus& corpus, double seconds) {
  CorpusSummary summary;
  std::set<std::string> genres;
  for (const Song& song : corpus.songs) {
    if (summary.languages.empty() || summary.languages.back().language != song.language) {
      summary.languages.push_back({song.language, 0, 0, 0, 0.0});
    }
    LanguageSummary& row = summary.languages.back();
    row.genres += genres.insert(song.genre).second ? 1 : 0;
    row.tracks += 1;
    row.lyrics += song.has_lyrics() ? 1 : 0;
    row.seconds += seconds;
  }
  return summary;
}

}  // namespace

CorpusSummary write_corpus(const fs::path& root, const CorpusSettings& settings, bool force,
                           const std::function<void(int, int)>& progress) {
  check(settings);
  const std::vector<PlannedSong> plan = plan_corpus(settings.n_tracks, settings.n_lyrics, settings.seed);
  const std::optional<nlohmann::json> marker = read_marker(root);
  if (!marker && !force) {
    if (const fs::path content = first_content(root); !content.empty()) {
      throw InputError(root.string() + ": holds a corpus that make_corpus did not make: " + content.string() +
                       " (allowed an empty folder, or --force)");
    }
  }
  int removed = 0;
  if (marker && *marker != to_json(settings)) removed = remove_old(root, *marker);

  Corpus corpus;
  corpus.root = root;
  corpus.factor_names = factor_names();
  std::set<fs::path> folders = {root / "audio"};
  for (const PlannedSong& planned : plan) {
    corpus.songs.push_back(to_song(planned, settings.format));
    folders.insert((root / corpus.songs.back().audio_path).parent_path());
    if (planned.has_lyrics) folders.insert((root / corpus.songs.back().lyrics_path).parent_path());
  }
  for (const fs::path& folder : folders) chorale::create_directories(folder.native());
  write_file(marker_path(root).native(), to_json(settings).dump(1) + "\n");

  const int total = static_cast<int>(plan.size());
  std::atomic<int> rendered = 0;
  int done = 0;
  std::exception_ptr failure;
  std::mutex mutex;
#pragma omp parallel
  {
    Renderer renderer;
#pragma omp for schedule(dynamic)
    for (int i = 0; i < total; ++i) {
      try {
        {
          const std::lock_guard lock(mutex);
          if (failure) continue;
        }
        const auto index = static_cast<std::size_t>(i);
        if (write_song(root, plan[index], corpus.songs[index], settings, !marker, renderer)) ++rendered;
        const std::lock_guard lock(mutex);
        if (progress) progress(++done, total);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
      }
    }
  }
  if (failure) std::rethrow_exception(failure);
  CorpusSummary summary = summarize(corpus, settings.seconds);
  std::sort(corpus.songs.begin(), corpus.songs.end(),
            [](const Song& a, const Song& b) { return a.audio_path.native() < b.audio_path.native(); });
  write_manifest(corpus, root / "manifest.csv");
  summary.rendered = rendered;
  summary.kept = total - rendered;
  summary.removed = removed;
  return summary;
}

}  // namespace chorale::data::synth

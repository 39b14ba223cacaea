// SPDX-License-Identifier: MIT
#include "data/synth/plan.h"

#include <algorithm>
#include <numeric>

#include "data/synth/lyrics.h"
#include "data/synth/styles.h"
#include "kernels/error.h"
#include "kernels/philox.h"

namespace chorale::data::synth {
namespace {

constexpr int track_shares[5] = {176, 104, 448, 120, 272};
constexpr int lyrics_shares[5] = {46, 13, 431, 66, 121};
constexpr int largest_per_language = 9999;

/// Hands out `total` one by one, each to whoever is furthest below its share and not yet full (the first of
/// several).
std::vector<int> apportion(int total, const int (&shares)[5], const std::vector<int>& floors,
                           const std::vector<int>& limits) {
  std::vector<int> counts = floors;
  for (int given = std::accumulate(floors.begin(), floors.end(), 0); given < total; ++given) {
    int best = -1;
    for (int i = 0; i < 5; ++i) {
      const auto u = static_cast<std::size_t>(i);
      if (counts[u] >= limits[u]) continue;
      // Smallest (count + 1) / share, compared without division.
      if (best < 0 || static_cast<std::int64_t>(counts[u] + 1) * shares[best] <
                          static_cast<std::int64_t>(counts[static_cast<std::size_t>(best)] + 1) * shares[i]) {
        best = i;
      }
    }
    ++counts[static_cast<std::size_t>(best)];
  }
  return counts;
}

std::string id_of(std::string_view code, int number) {
  std::string digits = std::to_string(number);
  digits.insert(0, digits.size() < 4 ? 4 - digits.size() : 0, '0');
  return std::string(code) + "_" + digits;
}

std::uint64_t song_seed(std::uint64_t seed, int language, int number) {
  const philox::Block block =
      philox::block(seed, 7, static_cast<std::uint32_t>(language), static_cast<std::uint64_t>(number));
  return std::uint64_t{block.word[0]} << 32 | block.word[1];
}

}  // namespace

std::vector<int> tracks_per_language(int total) {
  std::vector<int> floors(5, 0);
  for (int left = total, changed = 1;
       left > 0 && changed;) {  // one song a genre, language by language in turn
    changed = 0;
    for (std::size_t i = 0; i < 5 && left > 0; ++i) {
      if (floors[i] < static_cast<int>(styles_of(languages()[i].language).size())) {
        ++floors[i];
        --left;
        changed = 1;
      }
    }
  }
  return apportion(total, track_shares, floors, std::vector<int>(5, largest_per_language));
}

std::vector<int> lyrics_per_language(int total, const std::vector<int>& tracks) {
  return apportion(total, lyrics_shares, std::vector<int>(5, 0), tracks);
}

std::vector<PlannedSong> plan_corpus(int n_tracks, int n_lyrics, std::uint64_t seed) {
  if (n_tracks < 1 || n_tracks > 5 * largest_per_language) {
    throw UsageError("--n-tracks: out of range: " + std::to_string(n_tracks) + " (allowed 1..49995)");
  }
  if (n_lyrics < 0 || n_lyrics > n_tracks) {
    throw UsageError("--n-lyrics: out of range: " + std::to_string(n_lyrics) + " (allowed 0.." +
                     std::to_string(n_tracks) + ", the number of tracks)");
  }
  const std::vector<int> tracks = tracks_per_language(n_tracks);
  const std::vector<int> lyrics = lyrics_per_language(n_lyrics, tracks);
  std::vector<PlannedSong> songs;
  for (std::size_t i = 0; i < 5; ++i) {
    const LanguageStyle& language = languages()[i];
    const std::span<const GenreStyle> styles = styles_of(language.language);
    for (int number = 1; number <= tracks[i]; ++number) {
      const GenreStyle& style = styles[static_cast<std::size_t>(number - 1) % styles.size()];
      PlannedSong song;
      // Spread evenly over the numbers, and so over the genres.
      const std::int64_t n = number;
      song.has_lyrics = n * lyrics[i] / tracks[i] > (n - 1) * lyrics[i] / tracks[i];
      const std::uint64_t own_seed = song_seed(seed, static_cast<int>(i), number);
      song.factors =
          song.has_lyrics ? draw_sung_factors(style.genre, own_seed) : draw_factors(style.genre, own_seed);
      song.song_id = id_of(language.code, number);
      song.title = song_title(language.language, style.genre, song.factors.seed);
      songs.push_back(std::move(song));
    }
  }
  return songs;
}

}  // namespace chorale::data::synth

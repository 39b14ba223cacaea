// SPDX-License-Identifier: MIT
// Which songs a demo corpus has: languages, genres, ids, factors, and who has lyrics.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "data/synth/factors.h"

namespace chorale::data::synth {

struct PlannedSong {
  SongFactors factors;
  std::string song_id, title;  ///< title: ASCII words joined by `_`
  bool has_lyrics = false;
};

/// Songs a language gets of `total`, in the order of languages(): first one a genre, as far as they go, then
/// in the proportion 176 : 104 : 448 : 120 : 272 (Arabic, Bangla, English, Hindi, Spanish; 1,120 in all).
std::vector<int> tracks_per_language(int total);

/// Lyrics a language gets of `total`, in the proportion 46 : 13 : 431 : 66 : 121 (677 in all), at most its
/// tracks.
std::vector<int> lyrics_per_language(int total, const std::vector<int>& tracks);

/// All songs, language by language. A song's genre goes round the genres of its language; ids count from 1 in
/// each language. UsageError unless 1 <= n_tracks <= 49,995 and 0 <= n_lyrics <= n_tracks.
std::vector<PlannedSong> plan_corpus(int n_tracks, int n_lyrics, std::uint64_t seed);

}  // namespace chorale::data::synth

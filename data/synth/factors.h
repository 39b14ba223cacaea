// SPDX-License-Identifier: MIT
// The generative factors of a rendered song: known exactly, so disentanglement can be measured on music.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chorale::data::synth {

struct SongFactors {
  std::string language, genre;
  float tempo_bpm =
      120.0f;               ///< felt beats a minute: quarters in 4/4 and 3/4, dotted quarters in 6/8 and 12/8
  int key = 0;              ///< pitch class of the tonic, 0 = C ... 11 = B
  std::string mode;         ///< name of a scale
  std::string metre;        ///< as written: 4/4, 3/4, 6/8, 7/8, 10/8, 12/8
  float energy = 0.5f;      ///< 0..1: loudness above all; density of notes, weight of the drums, saturation
  float brightness = 0.5f;  ///< 0..1: the spectral centroid, from about 0.7 to 3 kHz
  bool sung = true;         ///< whether somebody sings
  std::string theme;        ///< of the words; empty where nobody sings
  std::uint64_t seed = 0;   ///< of everything else
};

/// Draws a song of a genre. Key and mode, tempo, energy and brightness overlap widely between genres: a song
/// borrows its mode from another genre of its language in one case of eight, and energy and brightness vary
/// within a genre about as much as between genres. Deterministic in (genre, seed). UsageError on an unknown
/// genre.
SongFactors draw_factors(std::string_view genre, std::uint64_t seed);

/// The same with somebody singing, whom a song with lyrics needs.
SongFactors draw_sung_factors(std::string_view genre, std::uint64_t seed);

/// Names of the manifest's factor columns: tempo_bpm, key, mode, metre, energy, brightness, theme, seed.
std::vector<std::string> factor_names();
/// Cells for those columns.
std::vector<std::string> factor_cells(const SongFactors& factors);

}  // namespace chorale::data::synth

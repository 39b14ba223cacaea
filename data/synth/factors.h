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
  float tempo_bpm = 120.0f;  ///< quarter notes a minute; 3-beat bars count their beats
  int key = 0;               ///< pitch class of the tonic, 0 = C ... 11 = B
  std::string mode;          ///< name of a scale
  float energy = 0.5f;       ///< 0..1: density of notes, weight of the drums, saturation, loudness
  float brightness = 0.5f;   ///< 0..1: spectra of the instruments and tilt of the mix
  std::uint64_t seed = 0;    ///< of everything else
};

/// Draws a song of a genre. Key and mode, tempo, energy and brightness overlap widely between genres: a song
/// borrows its mode from another genre of its language in one case of six, and energy and brightness vary
/// more within a genre than most genres differ. Deterministic in (genre, seed). UsageError on an unknown
/// genre.
SongFactors draw_factors(std::string_view genre, std::uint64_t seed);

/// Names of the manifest's factor columns: tempo_bpm, key, mode, energy, brightness, seed.
std::vector<std::string> factor_names();
/// Cells for those columns.
std::vector<std::string> factor_cells(const SongFactors& factors);

}  // namespace chorale::data::synth

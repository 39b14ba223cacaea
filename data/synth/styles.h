// SPDX-License-Identifier: MIT
// What each genre sounds like, as text: one row per genre, drawn from by the arrangement.
//
// Lists are `name:weight` separated by blanks (weight 1 if left out). Grids have one character a step of the
// bar:
//   drums   X accent, x stroke, o ghost, . nothing; `row:grid` joined by `;`, alternatives by `|`
//   bass    1..8 degree of the chord's scale (1 = its root, 8 = the octave), - goes on, . rests
//   chords  X full, x light, a next note of an arpeggio, - goes on, . rests
// Progressions are scale degrees, one a bar, 0 a drone of tonic and fifth; alternatives are separated by `|`.
#pragma once
#include <span>
#include <string_view>

namespace chorale::data::synth {

struct GenreStyle {
  std::string_view genre, language;
  float tempo_low, tempo_high;      ///< beats per minute
  int beats;                        ///< in a bar
  float energy, brightness, swing;  ///< means of the factors, 0..1; share by which off-steps are late, 0..0.3
  std::string_view scales, progressions, drums;
  std::string_view bass, bass_instruments;  ///< grids separated by `|`
  std::string_view chords, chord_instruments;
  std::string_view lead_instruments;
  float density, ornament;  ///< onsets a beat of the melody; chance of an ornament
};

/// What songs in one language have in common.
struct LanguageStyle {
  std::string_view language, code;  ///< code: the `ll` of a song id
  std::string_view leads;           ///< instruments
  std::string_view percussion;      ///< `row:grid` for 16 and for 12 steps, separated by `|`
  float reverb, reverb_s;           ///< share and decay of the room
  float presence_hz, presence;      ///< band and decibels of the mix's colour
  float vibrato, formant, ornament_cents;
  std::string_view vowels;  ///< aeiou with repeats, drawn from
};

std::span<const GenreStyle> arabic_styles();
std::span<const GenreStyle> bangla_styles();
std::span<const GenreStyle> english_styles();
std::span<const GenreStyle> hindi_styles();
std::span<const GenreStyle> spanish_styles();

/// The five languages in the order of their names.
std::span<const LanguageStyle> languages();
/// UsageError on an unknown name.
const LanguageStyle& find_language(std::string_view language);
std::span<const GenreStyle> styles_of(std::string_view language);
/// UsageError on an unknown name.
const GenreStyle& find_style(std::string_view genre);

}  // namespace chorale::data::synth

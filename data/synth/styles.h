// SPDX-License-Identifier: MIT
// What each genre sounds like, as text: one row per genre, drawn from by the arrangement.
//
// Lists are `name:weight` separated by blanks (weight 1 if left out; `-` is none). Grids have one character a
// step of the bar, alternatives separated by `|`:
//   drums   X accent, x stroke, o ghost, r two strokes, t three, . nothing; `row:grid` joined by `;`
//   bass    1..8 degree above the chord's root (1 the root, 8 the octave), - goes on, . rests
//   chords  X full, x light, m damped, a next note of an arpeggio, b root and f fifth an octave lower, - goes
//   on,
//           . rests
//   riffs   1..9 degree above the chord's root, - goes on, . rests
// Progressions: one chord a bar, or two joined by a comma; see harmony.h.
#pragma once
#include <span>
#include <string_view>

namespace chorale::data::synth {

/// One way in which a genre moves.
struct Groove {
  std::string_view metre;
  float beats;                  ///< felt beats in a bar
  float tempo_low, tempo_high;  ///< felt beats a minute
  std::string_view drums, bass, chords, riffs;
};

/// Room and recording.
struct Mix {
  float tone[5] = {};                  ///< decibels below 150 Hz, to 500, to 1,600, to 5,000, above
  float room = 0.12f, room_s = 0.9f;   ///< share and decay
  float low_hz = 30, high_hz = 11000;  ///< band that the recording keeps
  float drive = 0.0f;                  ///< saturation of the whole
  float hiss = 0.0f;                   ///< tape or shellac
  float pump = 0.0f;                   ///< how far the kick ducks the rest
  float echo = 0.0f;                   ///< of the melody, a beat and a half later
};

struct GenreStyle {
  std::string_view genre, language;
  float energy, brightness;  ///< means of the factors, 0..1
  float swing = 0.0f;        ///< share of a step by which off-steps are late, 0..0.3
  float loose_s = 0.004f;    ///< how late players may be
  std::string_view scales, progressions;
  std::span<const Groove> grooves;
  std::string_view fills = "";                                                        ///< drums
  std::string_view basses = "-", chords = "-", pads = "-", riffs = "-", leads = "-";  ///< instruments
  std::string_view doubles = "-";                                                     ///< follow the voice
  std::string_view drones = "-";
  std::string_view manners;  ///< of singing
  float sung = 0.85f;        ///< share of songs that somebody sings
  float density = 1.4f;      ///< onsets a beat of instrumental melodies
  float ornament = 0.2f;     ///< chance of an ornament
  float syncopation = 0.3f;  ///< weight of off-beats in melodies
  float backing = 0.2f;      ///< chance of a second voice in refrains
  std::string_view form;     ///< v verse, r refrain, s solo, b break; repeated
  std::string_view intros;   ///< lead, band, drums, chords, riff, free
  Mix mix;
};

/// What songs in one language have in common, whatever the genre.
struct LanguageStyle {
  std::string_view language, code;  ///< code: the `ll` of a song id
  float vibrato;                    ///< factor
  float ornament_cents;             ///< how far ornaments reach
  float melisma;                    ///< share of long syllables sung on several notes
  float evenness;                   ///< of syllables in time: 1 all alike (Spanish), 0 by stress (English)
  float formant;                    ///< factor of the formants
};

/// A manner of singing. Everything but the name is relative to the singer.
struct Manner {
  std::string_view name;
  float rolloff, breath, vibrato, ring, glide_s, ornament;
  float semitones;  ///< added to the register
  float rate;       ///< syllables a second
  int voices = 1;
  bool spoken = false;
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
/// UsageError on an unknown name.
const Manner& find_manner(std::string_view name);

}  // namespace chorale::data::synth

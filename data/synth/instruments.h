// SPDX-License-Identifier: MIT
// Pitched instruments as rows of a table. Three ways to make a note:
//   harmonic              two single-cycle tables, bright and dull, the first fading into the second, through
//   an
//                         attack-decay-sustain-release envelope: winds, bows, reeds, organs, synthesisers
//   frequency_modulation  Chowning 1973: one modulator whose index decays: electric pianos, bells, bars
//   plucked               Karplus and Strong 1983: a delay line that loses its highs
#pragma once
#include <cstdint>
#include <string_view>

namespace chorale::data::synth {

enum class Synthesis : std::uint8_t { harmonic, frequency_modulation, plucked };

struct Instrument {
  std::string_view name;
  Synthesis synthesis = Synthesis::harmonic;
  int register_shift = 0;  ///< octaves added to the part's register
  float rolloff = 1.0f;    ///< harmonic h has amplitude h^-rolloff; plucked: darkness of the excitation
  float even = 1.0f;       ///< weight of the even harmonics
  float attack_s = 0.01f;
  float decay_s = 0.3f;  ///< time to -60 dB towards the sustain level; plucked: of the string at 220 Hz
  float sustain = 0.6f;
  float release_s = 0.06f;
  float fade_s = 0.0f;  ///< bright to dull table; 0: no fading
  float vibrato_cents = 0.0f;
  float breath = 0.0f;               ///< share of noise
  float detune_cents = 0.0f;         ///< of a second oscillator or string
  float ratio = 1.0f, index = 0.0f;  ///< frequency modulation
  float damping = 0.3f;              ///< plucked: how fast the string loses its highs, 0..0.5
  float pick = 0.0f;                 ///< plucked: place of the plectrum, share of the string; 0: no comb
  float buzz = 0.0f;                 ///< plucked: a flat bridge, as of a sitar
  float drive = 0.0f;                ///< saturation
  float resonance_hz = 0.0f, resonance2_hz = 0.0f;  ///< of the body, about +10 dB
  float glide_s = 0.0f;                             ///< from one note of a line to the next
  float tremolo_hz = 0.0f;                          ///< strokes a second on long notes of a line

  /// Held as long as the player likes: its lines are rendered as one voice that glides.
  bool sustained() const { return synthesis == Synthesis::harmonic && sustain >= 0.5f; }
};

int find_instrument(std::string_view name);  ///< UsageError on an unknown name
const Instrument& instrument(int index);

/// What happens to a note's pitch. Reach: how far, by language.
enum class Ornament : std::uint8_t {
  none,
  slide_up,
  slide_down,
  trill,
  shake,    ///< a slow wide vibrato (gamak, andolan)
  turn,     ///< up, down and back (mordent, murki)
  fall_off  ///< down at the end
};

/// How one song's instruments differ from the table.
struct Tone {
  float brightness = 0.5f;     ///< 0..1; 0.5 leaves the spectra as they are
  float vibrato = 1.0f;        ///< factor
  float ornament_cents = 200;  ///< how far ornaments reach
};

/// Cents by which an ornament bends a note of `length_s` seconds at `seconds` after its start.
double ornament_cents_at(Ornament ornament, double reach, double seconds, double length_s);

}  // namespace chorale::data::synth

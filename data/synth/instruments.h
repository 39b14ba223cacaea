// SPDX-License-Identifier: MIT
// Melodic instruments. Four ways to make a note:
//   harmonic  two single-cycle tables, bright and dull, the first fading into the second;
//   attack-decay-sustain-release voice     the same with the formants of a vowel frequency modulation
//   (Chowning 1973): one modulator, its index decaying plucked   Karplus and Strong (1983) with a fractional
//   delay line
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <tuple>
#include <vector>

namespace chorale::data::synth {

enum class Synthesis : std::uint8_t { harmonic, voice, frequency_modulation, plucked };

struct Instrument {
  std::string_view name;
  Synthesis synthesis = Synthesis::harmonic;
  int register_shift = 0;  ///< octaves added to the part's register
  float rolloff = 1.0f;    ///< harmonic h has amplitude h^-rolloff; plucked: of the excitation
  float even = 1.0f;       ///< weight of the even harmonics
  float attack_s = 0.01f;
  float decay_s = 0.3f;  ///< time to -60 dB towards the sustain level; plucked: of the string at 220 Hz
  float sustain = 0.6f;
  float release_s = 0.06f;
  float fade_s = 0.0f;  ///< bright to dull table; 0: no fading
  float vibrato_cents = 0.0f;
  float breath = 0.0f;               ///< share of noise
  float detune_cents = 0.0f;         ///< of a second oscillator
  float ratio = 1.0f, index = 0.0f;  ///< frequency modulation
  float drive = 0.0f;                ///< saturation
  float resonance_hz = 0.0f;         ///< of the body, +10 dB
};

int find_instrument(std::string_view name);  ///< UsageError on an unknown name
const Instrument& instrument(int index);

enum class Ornament : std::uint8_t { none, slide_up, slide_down, trill, shake };

/// What makes a note's samples; equal notes are rendered once for a song.
struct Note {
  int instrument = 0;
  int cents = 6900;  ///< 100 x MIDI pitch: 6900 is 440 Hz
  int samples = 0;   ///< until the release
  Ornament ornament = Ornament::none;
  int vowel = 0;  ///< voice only, 0..4: a e i o u
  auto operator<=>(const Note&) const = default;
};

/// How one song's instruments differ from the table.
struct Tone {
  float brightness = 0.5f;     ///< 0..1; 0.5 leaves the spectra as they are
  float vibrato = 1.0f;        ///< factor
  float formant = 1.0f;        ///< factor of the formant frequencies
  float ornament_cents = 200;  ///< how far ornaments reach
};

/// Renders and keeps the notes of one song.
class NoteBank {
 public:
  NoteBank(double sample_rate, const Tone& tone, std::uint64_t seed)
      : sample_rate_(sample_rate), tone_(tone), seed_(seed) {}
  /// Samples with a peak of 1, release included. The span lives as long as the bank.
  std::span<const float> note(const Note& note);

 private:
  using Table = std::vector<float>;
  const Table& wave_table(const Note& note, double hz, bool dull);
  std::vector<float> render(const Note& note);
  void render_harmonic(const Note& note, std::vector<float>& out);
  void render_modulated(const Note& note, std::vector<float>& out);
  void render_plucked(const Note& note, std::vector<float>& out);

  double sample_rate_;
  Tone tone_;
  std::uint64_t seed_;
  std::map<Note, std::vector<float>> notes_;
  std::map<std::tuple<int, int, int, bool>, Table> tables_;  // instrument, semitone, vowel, dull
};

}  // namespace chorale::data::synth

// SPDX-License-Identifier: MIT
// From factors to notes: which patterns, instruments and melodies a song has, and where they sound.
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "data/synth/factors.h"
#include "data/synth/instruments.h"
#include "data/synth/portable_math.h"
#include "data/synth/scales.h"
#include "data/synth/styles.h"

namespace chorale::data::synth {

class Arrangement {
 public:
  Arrangement(const SongFactors& factors, double sample_rate);
  /// Adds the song's drums and its pitched parts to two buffers of the same length.
  void mix(std::span<float> drums, std::span<float> music);

 private:
  struct DrumRow {
    std::string grid;
    std::vector<float> hits[2];  ///< two takes of the sound
    float gain;
  };
  struct MelodyNote {
    int step, length;  ///< within a phrase of two bars
    int degree;
    Ornament ornament;
    int vowel;
    float gain;
  };
  /// What sounds in a bar.
  struct Section {
    bool drums = true, bass = true, chords = true, lead = true;
    float lift = 1.0f;  ///< of chords and lead
    bool opening = false;
  };

  void choose_styles();
  void choose_drums();
  std::string mutated(std::string_view grid);
  void choose_parts();
  void compose_melody();
  std::vector<MelodyNote> compose_phrase(Random& random);
  std::vector<Section> plan_sections(int bars);

  void mix_drums(std::span<float> out, int bar, const Section& section);
  void mix_bass(std::span<float> out, int bar);
  void mix_chords(std::span<float> out, int bar, const Section& section);
  void mix_lead(std::span<float> out, int bar, const Section& section);

  /// Sample at which a step of a bar starts, swing and a little human lateness included.
  long start_of(int bar, int step);
  /// Samples of `steps` steps.
  int length_of(double steps) const { return static_cast<int>(steps * step_samples_); }
  int chord_degree(int bar) const;
  bool is_drone(int bar) const;
  std::vector<int> chord_cents(int bar) const;
  int cents_of(int degree, int octave_base) const;
  int steps_per_beat() const { return steps_ / style_.beats; }

  SongFactors factors_;
  double sample_rate_;
  const GenreStyle& style_;
  const LanguageStyle& language_;
  const Scale& scale_;
  const GenreStyle* drum_style_;
  const GenreStyle* harmony_style_;
  const GenreStyle* palette_style_;
  int steps_ = 16;  ///< in a bar
  double step_samples_ = 0.0;
  float swing_ = 0.0f;
  Random timing_;
  NoteBank bank_;
  std::vector<DrumRow> drum_rows_;
  std::vector<int> progression_;
  std::string bass_grid_, chord_grid_;
  int bass_ = 0, chords_ = 0, lead_ = 0;
  float bass_gain_ = 0, chords_gain_ = 0, lead_gain_ = 0, drums_gain_ = 0;
  int arpeggio_ = 0;                    ///< 0 up, 1 down, 2 up and down
  std::vector<MelodyNote> phrases_[3];  ///< A, A', B
};

}  // namespace chorale::data::synth

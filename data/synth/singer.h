// SPDX-License-Identifier: MIT
// A singing voice by formants (Klatt 1980, parallel form): a glottal cycle read at the melody's pitch, four
// resonators that move from vowel to vowel, and noise for breath and consonants.
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "data/synth/lines.h"
#include "data/synth/phonetics.h"
#include "data/synth/waveforms.h"

namespace chorale::data::synth {

/// A singer and how they sing. Times in seconds, pitches in cents.
struct Voice {
  float formant = 1.0f;   ///< factor of the formants: 1 a man, about 1.17 a woman
  float rolloff = 1.35f;  ///< of the glottal spectrum: 1 pressed, 1.8 soft
  float breath = 0.03f;
  float vibrato_cents = 30.0f, vibrato_hz = 5.5f;
  float glide_s = 0.05f;
  float ring = 0.35f;  ///< gain of the fourth formant, the singer's
  float ornament_cents = 200.0f;
  float detune_cents = 0.0f;
  float consonants = 1.0f;  ///< gain of their noise
};

class Singer {
 public:
  Singer(const Voice& voice, double sample_rate, std::uint32_t place);
  /// Adds the melody to `out`. Notes in the order of their starts; a note's syllable indexes `syllables`. A
  /// syllable's vowel starts on its note, the consonants before it sound ahead of that.
  void sing(std::span<float> out, std::span<const LineNote> notes, std::span<const Syllable> syllables,
            float gain);

 private:
  struct Segment {
    long start, end;
    int phone;  ///< -1: silence
  };
  std::vector<Segment> segments_of(std::span<const LineNote> notes,
                                   std::span<const Syllable> syllables) const;
  double cents_at(std::span<const LineNote> notes, std::size_t& current, long sample);
  const Waveform& glottis(double cents);

  Voice voice_;
  double rate_;
  std::uint32_t place_;
  float glide_;            ///< share of the way that is left after each step of control
  double distance_ = 0.0;  ///< cents still to glide
  std::map<int, Waveform> glottis_;
};

}  // namespace chorale::data::synth

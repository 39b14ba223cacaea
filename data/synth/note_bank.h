// SPDX-License-Identifier: MIT
// Single notes of any instrument, rendered once for a song however often they sound.
#pragma once
#include <map>
#include <span>
#include <vector>

#include "data/synth/instruments.h"
#include "data/synth/waveforms.h"

namespace chorale::data::synth {

/// What makes a note's samples.
struct Note {
  int instrument = 0;
  int cents = 6900;  ///< 100 x MIDI pitch: 6900 is 440 Hz
  int samples = 0;   ///< until the release
  Ornament ornament = Ornament::none;
  auto operator<=>(const Note&) const = default;
};

class NoteBank {
 public:
  NoteBank(double sample_rate, const Tone& tone)
      : sample_rate_(sample_rate), tone_(tone), waveforms_(sample_rate, tone.brightness) {}
  /// Samples with a peak of at most 1, release included. The span lives as long as the bank.
  std::span<const float> note(const Note& note);
  WaveformBank& waveforms() { return waveforms_; }
  const Tone& tone() const { return tone_; }
  double sample_rate() const { return sample_rate_; }

 private:
  std::vector<float> render(const Note& note);
  void render_harmonic(const Note& note, std::vector<float>& out);
  void render_modulated(const Note& note, std::vector<float>& out);
  void render_plucked(const Note& note, std::vector<float>& out);
  /// Adds one string of the given pitch.
  void add_string(const Note& note, double hz, std::uint32_t place, std::vector<float>& out);

  double sample_rate_;
  Tone tone_;
  WaveformBank waveforms_;
  std::map<Note, std::vector<float>> notes_;
};

/// Attack, decay to the sustain level, release, sample by sample.
class Envelope {
 public:
  Envelope(const Instrument& it, int samples, double rate);
  float next() {
    const int i = position_++;
    if (i < attack_) return level_ = static_cast<float>(i + 1) / static_cast<float>(attack_);
    if (i < hold_) return level_ = sustain_ + (level_ - sustain_) * fall_;
    return level_ *= release_;
  }

 private:
  int attack_, hold_, position_ = 0;
  float sustain_, fall_, release_, level_ = 0.0f;
};

}  // namespace chorale::data::synth

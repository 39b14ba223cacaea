// SPDX-License-Identifier: MIT
// What goes on under the melody: bass, chords, pads, riffs and drones.
#pragma once
#include <span>
#include <string_view>

#include "data/synth/harmony.h"
#include "data/synth/lines.h"
#include "data/synth/note_bank.h"
#include "data/synth/timeline.h"

namespace chorale::data::synth {

/// One accompanying part; instrument -1: silent.
struct Part {
  int instrument = -1;
  std::string_view grid;
  float gain = 0.0f;
  int arpeggio = 0;  ///< 0 up, 1 down, 2 up and over
};

class Accompaniment {
 public:
  /// tonic_cents: of the tonic between C3 (4800) and B3.
  Accompaniment(const Timeline& timeline, const Harmony& harmony, NoteBank& bank, int tonic_cents,
                std::uint64_t seed);
  void play_bass(std::span<float> out, const Part& part, const Section& section);
  void play_chords(std::span<float> out, const Part& part, const Section& section);
  /// Chords held as long as they last.
  void play_pad(std::span<float> out, const Part& part, const Section& section);
  void play_riff(std::span<float> out, const Part& part, const Section& section);
  /// Fifth, tonic, tonic and the octave below, as a tanpura is plucked; a held tone by instruments that hold.
  void play_drone(std::span<float> out, const Part& part, const Section& section);

 private:
  /// Notes of a chord around the middle of the keyboard, in rising order.
  std::vector<int> voicing(const Chord& chord, int instrument) const;
  void stroke(std::span<float> out, const Part& part, const std::vector<int>& notes, long start, int samples,
              float gain, bool upwards);
  void sound(std::span<float> out, int instrument, int cents, long start, int samples, float gain);
  const Chord& chord_at(int bar, int step) const {
    return harmony_.at(bar, static_cast<double>(step) / timeline_.steps);
  }

  const Timeline& timeline_;
  const Harmony& harmony_;
  NoteBank& bank_;
  int tonic_;
  Random timing_;
};

}  // namespace chorale::data::synth

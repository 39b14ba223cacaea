// SPDX-License-Identifier: MIT
// Melodic lines of sustained instruments: one oscillator that glides from note to note, as a bow or a breath
// does.
#pragma once
#include <cstdint>
#include <span>

#include "data/synth/instruments.h"
#include "data/synth/note_bank.h"

namespace chorale::data::synth {

/// One note of a line or of a singer.
struct LineNote {
  long start = 0;   ///< sample
  int length = 0;   ///< samples
  float cents = 0;  ///< 100 x MIDI pitch
  float gain = 1.0f;
  Ornament ornament = Ornament::none;
  bool slurred = false;  ///< tied to the note before: no new attack
  int syllable = -1;     ///< singers: which is sung; -1 where the one before goes on
};

/// Adds the line to `out`; peak about `gain`. Notes in the order of their starts.
void add_line(std::span<float> out, std::span<const LineNote> notes, int instrument, NoteBank& bank,
              float gain, std::uint32_t place);

/// The same for instruments that cannot glide: each note from the bank, long ones as a tremolo where the
/// instrument plays one.
void add_notes(std::span<float> out, std::span<const LineNote> notes, int instrument, NoteBank& bank,
               float gain);

/// Adds gain * samples at `start`; what lies outside is left out.
void add(std::span<float> out, long start, std::span<const float> samples, float gain);

}  // namespace chorale::data::synth

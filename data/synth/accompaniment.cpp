// SPDX-License-Identifier: MIT
#include "data/synth/accompaniment.h"

#include <algorithm>

#include "data/synth/purposes.h"

namespace chorale::data::synth {
namespace {

/// Steps that the character at `step` goes on for.
int held_steps(std::string_view grid, int step) {
  int held = 1;
  while (step + held < static_cast<int>(grid.size()) && grid[static_cast<std::size_t>(step + held)] == '-')
    ++held;
  return held;
}

/// Brings a pitch into the octave below `top`.
int folded(int cents, int top) {
  while (cents >= top) cents -= 1200;
  while (cents < top - 1200) cents += 1200;
  return cents;
}

}  // namespace

Accompaniment::Accompaniment(const Timeline& timeline, const Harmony& harmony, NoteBank& bank,
                             int tonic_cents, std::uint64_t seed)
    : timeline_(timeline),
      harmony_(harmony),
      bank_(bank),
      tonic_(tonic_cents),
      timing_(seed, timing_draw + 1) {}

void Accompaniment::sound(std::span<float> out, int index, int cents, long start, int samples, float gain) {
  Note note;
  note.instrument = index;
  note.cents = cents;
  note.samples = std::max(64, samples);
  add(out, start, bank_.note(note), gain);
}

void Accompaniment::play_bass(std::span<float> out, const Part& part, const Section& section) {
  if (part.instrument < 0 || !section.bass) return;
  const bool plucked = instrument(part.instrument).synthesis == Synthesis::plucked;
  for (int bar = section.first_bar; bar < section.first_bar + section.bars; ++bar) {
    for (int step = 0; step < timeline_.steps; ++step) {
      const char c = part.grid[static_cast<std::size_t>(step)];
      const long start = timeline_.played(bar, step, timing_);
      const float gain = part.gain * timing_.uniform(0.88f, 1.08f);
      if (c < '1' || c > '8') continue;
      const Chord& chord = chord_at(bar, step);
      const int root = folded(tonic_ - 1200 + chord.root, 4300);
      const int length = timeline_.length_of(held_steps(part.grid, step) - (plucked ? 0.05 : 0.15));
      sound(out, part.instrument, root + harmony_.cents_over(chord, c - '0'), start, length, gain);
    }
  }
}

std::vector<int> Accompaniment::voicing(const Chord& chord, int index) const {
  const int shift = 1200 * instrument(index).register_shift;
  std::vector<int> cents;
  for (const int note : chord.notes) cents.push_back(folded(tonic_ + chord.root + note, 6700) + shift);
  if (chord.drone) cents = {folded(tonic_, 6100) + shift, folded(tonic_, 6100) + chord.notes[1] + shift};
  std::sort(cents.begin(), cents.end());
  cents.erase(std::unique(cents.begin(), cents.end()), cents.end());
  return cents;
}

void Accompaniment::stroke(std::span<float> out, const Part& part, const std::vector<int>& notes, long start,
                           int samples, float gain, bool upwards) {
  const bool strummed = instrument(part.instrument).synthesis == Synthesis::plucked;
  const long gap = strummed ? static_cast<long>(0.009 * timeline_.sample_rate) : 0;
  for (std::size_t i = 0; i < notes.size(); ++i) {
    const std::size_t order = upwards ? notes.size() - 1 - i : i;
    sound(out, part.instrument, notes[order], start + gap * static_cast<long>(i), samples, gain);
  }
}

void Accompaniment::play_chords(std::span<float> out, const Part& part, const Section& section) {
  if (part.instrument < 0 || !section.chords) return;
  const bool plucked = instrument(part.instrument).synthesis == Synthesis::plucked;
  int count = 0;
  for (int bar = section.first_bar; bar < section.first_bar + section.bars; ++bar) {
    for (int step = 0; step < timeline_.steps; ++step) {
      const char c = part.grid[static_cast<std::size_t>(step)];
      if (c == '.' || c == '-') continue;
      const Chord& chord = chord_at(bar, step);
      const std::vector<int> notes = voicing(chord, part.instrument);
      const long start = timeline_.played(bar, step, timing_);
      const float gain = part.gain * section.lift * timing_.uniform(0.88f, 1.08f);
      const int samples = timeline_.length_of(held_steps(part.grid, step) - 0.08 + (plucked ? 1.0 : 0.0));
      if (c == 'a') {
        const int size = static_cast<int>(notes.size()), turn = count++ % (2 * size), up = turn % size;
        const int place = part.arpeggio == 1                   ? size - 1 - up
                          : part.arpeggio == 2 && turn >= size ? size - 1 - up
                                                               : up;
        const int octave = part.arpeggio == 2 && turn == size ? 1200 : 0;
        sound(out, part.instrument, notes[static_cast<std::size_t>(place)] + octave, start, samples,
              1.7f * gain);
      } else if (c == 'b' || c == 'f') {
        const int low = notes.front() - 1200 < 4000 ? notes.front() : notes.front() - 1200;
        sound(out, part.instrument, c == 'b' ? low : low + harmony_.cents_over(chord, 5) - 1200, start,
              samples, 1.6f * gain);
      } else if (c == 'm') {
        stroke(out, part, notes, start, timeline_.length_of(0.35), 0.8f * gain, false);
      } else {
        stroke(out, part, notes, start, samples, c == 'X' ? gain : 0.65f * gain, c == 'x' && plucked);
      }
    }
  }
}

void Accompaniment::play_pad(std::span<float> out, const Part& part, const Section& section) {
  if (part.instrument < 0 || !section.pad) return;
  for (int bar = section.first_bar; bar < section.first_bar + section.bars; ++bar) {
    const Chord* before = nullptr;
    for (int half = 0; half < 2; ++half) {
      const Chord* chord = &harmony_.at(bar, 0.5 * half);
      if (chord == before) continue;
      before = chord;
      const bool whole = half == 0 && chord == &harmony_.at(bar, 0.5);
      const std::vector<int> notes = voicing(*chord, part.instrument);
      stroke(out, part, notes, timeline_.at(bar, 0.5 * half * timeline_.steps),
             timeline_.length_of((whole ? 1.0 : 0.5) * timeline_.steps), part.gain, false);
    }
  }
}

void Accompaniment::play_riff(std::span<float> out, const Part& part, const Section& section) {
  if (part.instrument < 0 || !section.riff || part.grid.empty()) return;
  const int bars = static_cast<int>(part.grid.size()) / timeline_.steps;  // a riff may be several bars long
  const int shift = 1200 * instrument(part.instrument).register_shift;
  for (int bar = section.first_bar; bar < section.first_bar + section.bars; ++bar) {
    const std::string_view grid =
        part.grid.substr(static_cast<std::size_t>(bar % std::max(1, bars) * timeline_.steps),
                         static_cast<std::size_t>(timeline_.steps));
    for (int step = 0; step < timeline_.steps; ++step) {
      const char c = grid[static_cast<std::size_t>(step)];
      const long start = timeline_.played(bar, step, timing_);
      const float gain = part.gain * section.lift * timing_.uniform(0.88f, 1.08f);
      if (c < '1' || c > '9') continue;
      const Chord& chord = chord_at(bar, step);
      const int root = folded(tonic_ + 1200 + chord.root, 6800) + shift;
      sound(out, part.instrument, root + harmony_.cents_over(chord, c - '0'), start,
            timeline_.length_of(held_steps(grid, step) - 0.1), gain);
    }
  }
}

void Accompaniment::play_drone(std::span<float> out, const Part& part, const Section& section) {
  if (part.instrument < 0) return;
  const bool holds = instrument(part.instrument).sustained();
  const Chord& chord = harmony_.at(0, 0.0);
  const int fifth = chord.drone ? chord.notes[1] : 700, low = folded(tonic_, 5300);
  const int pattern[4] = {low + fifth - 1200, low, low, low - 1200};
  for (int bar = section.first_bar; bar < section.first_bar + section.bars; ++bar) {
    if (holds) {
      sound(out, part.instrument, low, timeline_.at(bar, 0), timeline_.length_of(timeline_.steps),
            0.7f * part.gain);
      continue;
    }
    for (int i = 0; i < 4; ++i) {
      sound(out, part.instrument, pattern[i], timeline_.at(bar, 0.25 * i * timeline_.steps),
            timeline_.length_of(0.75 * timeline_.steps), part.gain);
    }
  }
}

}  // namespace chorale::data::synth

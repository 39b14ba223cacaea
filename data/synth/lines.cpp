// SPDX-License-Identifier: MIT
#include "data/synth/lines.h"

#include <algorithm>
#include <vector>

#include "data/synth/portable_math.h"

namespace chorale::data::synth {
namespace {

constexpr int control = 32;  ///< samples between changes of pitch

/// Samples for which a note is held: up to the next one's start, so that lines stay monophonic.
int held(std::span<const LineNote> notes, std::size_t i) {
  if (i + 1 == notes.size()) return notes[i].length;
  const long gap = notes[i + 1].start - notes[i].start;
  const bool tied = notes[i + 1].slurred;
  return static_cast<int>(
      std::clamp<long>(tied ? gap : std::min<long>(notes[i].length, gap), 1, gap > 0 ? gap : 1));
}

}  // namespace

void add(std::span<float> out, long start, std::span<const float> samples, float gain) {
  if (start < 0 || start >= static_cast<long>(out.size())) return;
  const std::size_t count = std::min(samples.size(), out.size() - static_cast<std::size_t>(start));
  float* target = out.data() + start;
  for (std::size_t i = 0; i < count; ++i) target[i] += gain * samples[i];
}

void add_line(std::span<float> out, std::span<const LineNote> notes, int index, NoteBank& bank, float gain,
              std::uint32_t place) {
  const Instrument& it = instrument(index);
  const Tone& tone = bank.tone();
  const double rate = bank.sample_rate(), second = exp2(it.detune_cents / 1200.0);
  const NoiseTable& noise = noise_table();
  const bool doubled = it.detune_cents > 0.0f;
  const float attack = 1.0f - decay_per_step(2.0 * it.attack_s * rate),
              release = decay_per_step(it.release_s * rate);
  const float drive = it.drive, level = drive > 0.0f ? 0.6f / saturate(1.0f + drive) : doubled ? 0.4f : 0.6f;
  const float breath_soft = one_pole(3000.0, rate);
  Oscillator one, two(0.37);
  float amplitude = 0.0f, breath = 0.0f;
  double from = notes.empty() ? 0.0 : notes[0].cents;
  for (std::size_t k = 0; k < notes.size(); ++k) {
    const LineNote& note = notes[k];
    if (note.start >= static_cast<long>(out.size())) break;
    const int hold = held(notes, k);
    const long gap =
        k + 1 < notes.size() ? notes[k + 1].start - note.start : static_cast<long>(out.size()) - note.start;
    const int tail = static_cast<int>(it.release_s * rate),
              total = static_cast<int>(std::min<long>(hold + tail, gap));
    const Waveform& wave = bank.waveforms().at(index, note.cents, note.gain < 0.7f);
    if (!note.slurred) amplitude *= 0.2f;
    std::uint32_t step = 0, step2 = 0;
    const double glide = it.glide_s > 0.0f ? decay_per_step(2.5 * it.glide_s * rate / control) : 0.0;
    double distance = from - note.cents;
    if (distance > 700.0 || distance < -700.0) distance = 0.0;  // a leap is played anew
    const float target = note.gain;
    for (int i = 0; i < total && note.start + i < static_cast<long>(out.size()); ++i) {
      if (i % control == 0) {
        const double seconds = i / rate;
        double cents = note.cents + distance +
                       ornament_cents_at(note.ornament, tone.ornament_cents, seconds, hold / rate);
        cents += it.vibrato_cents * tone.vibrato * std::clamp((seconds - 0.12) / 0.4, 0.0, 1.0) *
                 sine_of_turns(5.5 * seconds);
        distance *= glide;
        const double hz = hertz(cents);
        step = Oscillator::step_of(hz, rate);
        step2 = Oscillator::step_of(hz * second, rate);
      }
      if (i < hold)
        amplitude += attack * (target - amplitude);
      else
        amplitude *= release;
      float x = one(wave);
      if (doubled) x += two(wave);
      if (it.breath > 0.0f) {
        breath += breath_soft * (noise[place + static_cast<std::uint32_t>(note.start + i)] - breath);
        x = (1.0f - it.breath) * x + 2.0f * it.breath * breath;
      }
      if (drive > 0.0f) x = saturate((1.0f + drive) * x);
      one.advance(step);
      two.advance(step2);
      if (note.start + i >= 0) out[static_cast<std::size_t>(note.start + i)] += gain * level * amplitude * x;
    }
    from = note.cents;
  }
}

void add_notes(std::span<float> out, std::span<const LineNote> notes, int index, NoteBank& bank, float gain) {
  const Instrument& it = instrument(index);
  const double rate = bank.sample_rate();
  const int stroke = it.tremolo_hz > 0.0f ? static_cast<int>(rate / it.tremolo_hz) : 0;
  const int grain = static_cast<int>(rate / 16.0);  // lengths are rounded up, so that fewer notes differ
  for (std::size_t k = 0; k < notes.size(); ++k) {
    const LineNote& line = notes[k];
    Note note{index, static_cast<int>(line.cents + 0.5f), (held(notes, k) / grain + 1) * grain,
              line.ornament};
    if (stroke == 0 || note.samples < 4 * stroke) {
      add(out, line.start, bank.note(note), gain * line.gain);
      continue;
    }
    const int strokes = note.samples / stroke;
    for (int i = 0; i < strokes; ++i) {
      Note one = note;
      one.samples = stroke + stroke / 2;
      if (i > 0) one.ornament = Ornament::none;
      add(out, line.start + static_cast<long>(i) * stroke, bank.note(one),
          gain * line.gain * (i == 0 ? 1.0f : 0.6f));
    }
  }
}

}  // namespace chorale::data::synth

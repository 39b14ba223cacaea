// SPDX-License-Identifier: MIT
#include "data/synth/note_bank.h"

#include <algorithm>
#include <cmath>

#include "data/synth/portable_math.h"

namespace chorale::data::synth {
namespace {

constexpr int control = 32;  ///< samples between changes of pitch

double cents_at(const Instrument& it, const Note& note, const Tone& tone, double seconds, double length_s) {
  double cents = ornament_cents_at(note.ornament, tone.ornament_cents, seconds, length_s);
  if (it.vibrato_cents > 0.0f) {
    cents += it.vibrato_cents * tone.vibrato * std::min(1.0, seconds / 0.35) * sine_of_turns(5.4 * seconds);
  }
  return cents;
}

/// Breath or bow: noise between the note and its sixth harmonic.
void add_breath(std::vector<float>& out, float share, double hz, double rate, std::uint32_t place) {
  const NoiseTable& noise = noise_table();
  const float low = one_pole(std::min(hz, 0.4 * rate), rate),
              high = one_pole(std::min(6.0 * hz, 0.45 * rate), rate);
  float a = 0.0f, b = 0.0f;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const float x = noise[place + static_cast<std::uint32_t>(i)];
    a += low * (x - a);
    b += high * (x - b);
    out[i] = (1.0f - share) * out[i] + 2.5f * share * (b - a);
  }
}

/// Reads what was rendered at a steady pitch faster and slower, which bends it.
void bend(std::vector<float>& samples, Ornament ornament, double reach, double rate) {
  const double length_s = static_cast<double>(samples.size()) / rate;
  std::vector<float> out(samples.size(), 0.0f);
  double place = 0.0, step = 1.0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i % control == 0)
      step = exp2(ornament_cents_at(ornament, reach, static_cast<double>(i) / rate, length_s) / 1200.0);
    const auto index = static_cast<std::size_t>(place);
    if (index + 1 >= samples.size()) break;
    const auto part = static_cast<float>(place - static_cast<double>(index));
    out[i] = samples[index] + part * (samples[index + 1] - samples[index]);
    place += step;
  }
  samples.swap(out);
}

/// What a guitar amplifier's loudspeaker leaves of a distorted string.
void cabinet(std::vector<float>& samples, double rate) {
  const float c = one_pole(std::min(3600.0, 0.4 * rate), rate), d = one_pole(90.0, rate);
  float low = 0.0f, lower = 0.0f, rumble = 0.0f;
  for (float& x : samples) {
    low += c * (x - low);
    lower += c * (low - lower);
    rumble += d * (lower - rumble);
    x = 1.3f * (lower - rumble);
  }
}

}  // namespace

Envelope::Envelope(const Instrument& it, int samples, double rate)
    : attack_(std::max(1, std::min(samples, static_cast<int>(it.attack_s * rate)))),
      hold_(samples),
      sustain_(it.sustain),
      fall_(decay_per_step(it.decay_s * rate)),
      release_(decay_per_step(it.release_s * rate)) {}

void NoteBank::render_harmonic(const Note& note, std::vector<float>& out) {
  const Instrument& it = instrument(note.instrument);
  const double hz = hertz(note.cents), length_s = static_cast<double>(out.size()) / sample_rate_;
  const Waveform& bright = waveforms_.at(note.instrument, note.cents, false);
  const Waveform& dull = it.fade_s > 0.0f ? waveforms_.at(note.instrument, note.cents, true) : bright;
  Envelope envelope(it, note.samples, sample_rate_);
  const float fade = it.fade_s > 0.0f ? decay_per_step(3.0 * it.fade_s * sample_rate_) : 1.0f;
  const double second = exp2(it.detune_cents / 1200.0);
  const bool doubled = it.detune_cents > 0.0f, fading = it.fade_s > 0.0f;
  const bool steady = it.vibrato_cents == 0.0f && note.ornament == Ornament::none;
  Oscillator one, two(0.37);
  std::uint32_t step = Oscillator::step_of(hz, sample_rate_),
                step2 = Oscillator::step_of(hz * second, sample_rate_);
  float share = 1.0f;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!steady && i % control == 0) {
      const double bent =
          hz * exp2(cents_at(it, note, tone_, static_cast<double>(i) / sample_rate_, length_s) / 1200.0);
      step = Oscillator::step_of(bent, sample_rate_);
      step2 = Oscillator::step_of(bent * second, sample_rate_);
    }
    float x = one(bright);
    if (doubled) x += two(bright);
    if (fading) {
      float y = one(dull);
      if (doubled) y += two(dull);
      x = y + share * (x - y);
      share *= fade;
    }
    one.advance(step);
    two.advance(step2);
    out[i] = x * envelope.next();
  }
}

void NoteBank::render_modulated(const Note& note, std::vector<float>& out) {
  const Instrument& it = instrument(note.instrument);
  const SineTable& sine = sine_table();
  const double carrier = hertz(note.cents) / sample_rate_, modulator = carrier * it.ratio;
  Envelope envelope(it, note.samples, sample_rate_);
  float depth = static_cast<float>(it.index * exp2(1.5 * (tone_.brightness - 0.5)) / 6.283185307179586);
  const float fade = decay_per_step(1.5 * it.decay_s * sample_rate_);
  double a = 0.0, b = 0.0;
  for (float& sample : out) {
    double turns = a + depth * sine(b);
    turns -= std::floor(turns);
    sample = envelope.next() * sine(turns);
    a += carrier;
    b += modulator;
    a -= static_cast<int>(a);
    b -= static_cast<int>(b);
    depth *= fade;
  }
}

std::vector<float> NoteBank::render(const Note& note) {
  const Instrument& it = instrument(note.instrument);
  std::vector<float> out(static_cast<std::size_t>(note.samples) +
                         static_cast<std::size_t>(it.release_s * sample_rate_));
  switch (it.synthesis) {
    case Synthesis::harmonic:
      render_harmonic(note, out);
      break;
    case Synthesis::frequency_modulation:
      render_modulated(note, out);
      break;
    case Synthesis::plucked:
      render_plucked(note, out);
      break;
  }
  if (it.synthesis != Synthesis::harmonic && note.ornament != Ornament::none) {
    bend(out, note.ornament, tone_.ornament_cents, sample_rate_);
  }
  if (it.breath > 0.0f) {
    add_breath(out, it.breath, hertz(note.cents), sample_rate_, static_cast<std::uint32_t>(note.cents) * 31u);
    Envelope envelope(it, note.samples, sample_rate_);
    for (float& sample : out) sample *= envelope.next();
  }
  float peak = 1e-6f;
  for (const float sample : out) peak = std::max(peak, std::abs(sample));
  const float scale = 1.0f / peak;
  // A distorted note is loud all along: at the same peak it would cover the others.
  const float drive = it.drive, loud = drive > 4.0f ? 0.6f : 1.0f;
  const float level = drive > 0.0f ? loud / saturate(1.0f + drive) : 1.0f;
  for (float& sample : out) {
    sample *= scale;
    if (drive > 0.0f) sample = level * saturate((1.0f + drive) * sample);
  }
  if (it.synthesis == Synthesis::plucked && drive > 4.0f) cabinet(out, sample_rate_);
  return out;
}

std::span<const float> NoteBank::note(const Note& note) {
  const auto found = notes_.find(note);
  if (found != notes_.end()) return found->second;
  return notes_.emplace(note, render(note)).first->second;
}

}  // namespace chorale::data::synth

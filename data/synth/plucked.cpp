// SPDX-License-Identifier: MIT
// Plucked strings. The delay line is the output itself:
//
//   y[n] = g (c0 y[n - L] + c1 y[n - L - 1] + c2 y[n - L - 2])
//
// where c is the product of a two-point low-pass (1 - d, d), which takes away the highs, and of a linear
// interpolation for the fraction of the period, and g makes the fundamental fall by 60 dB within the decay
// time. The first period is noise, low-passed by the softness of the finger and combed by the place of the
// plectrum. Nothing in a block of L samples depends on the block itself.
#include <algorithm>
#include <cmath>

#include "data/synth/note_bank.h"
#include "data/synth/portable_math.h"

namespace chorale::data::synth {
namespace {

/// The first period: noise as soft as the pluck, without its mean.
void excite(std::vector<float>& line, double corner, double rate, float pick, std::uint32_t place) {
  const NoiseTable& noise = noise_table();
  const float soft = one_pole(std::min(corner, 0.45 * rate), rate);
  float state = 0.0f, mean = 0.0f;
  for (std::size_t i = 0; i < line.size(); ++i) {
    state += soft * (noise[place + static_cast<std::uint32_t>(i)] - state);
    line[i] = state;
    mean += state;
  }
  mean /= static_cast<float>(line.size());
  for (float& x : line) x -= mean;
  const auto shift = static_cast<std::size_t>(pick * static_cast<float>(line.size()));
  if (shift == 0) return;
  const std::vector<float> plain = line;
  for (std::size_t i = 0; i < line.size(); ++i)
    line[i] -= 0.9f * plain[(i + line.size() - shift) % line.size()];
}

/// Adds band-passes around the body's resonances.
void add_body(std::vector<float>& out, float hz, float amount, double rate) {
  const float c = one_pole(hz, rate), d = one_pole(std::min(2.0 * hz, 0.45 * rate), rate);
  float low = 0.0f, high = 0.0f;
  for (float& sample : out) {
    low += c * (sample - low);
    high += d * (sample - high);
    sample = 0.7f * sample + amount * (high - low);
  }
}

}  // namespace

void NoteBank::add_string(const Note& note, double hz, std::uint32_t place, std::vector<float>& out) {
  const Instrument& it = instrument(note.instrument);
  const float damping =
      std::clamp(it.damping * static_cast<float>(exp2(0.8 * (0.5 - tone_.brightness))), 0.02f, 0.5f);
  const double delay = std::max(3.0, sample_rate_ / hz - damping);
  const auto length = static_cast<std::size_t>(delay);
  const auto part = static_cast<float>(delay - static_cast<double>(length));
  // Bass strings keep longer, treble strings shorter.
  const double decay_s = it.decay_s * exp2(-0.4 * log2(hz / 220.0)) * exp2(0.6 * (tone_.brightness - 0.5));
  const float loss = decay_per_step(decay_s * hz);
  const float c0 = loss * (1.0f - damping) * (1.0f - part),
              c1 = loss * ((1.0f - damping) * part + damping * (1.0f - part)), c2 = loss * damping * part;
  std::vector<float> line(length + 2 + out.size());
  std::vector<float> first(length + 2);
  excite(first, 9000.0 * exp2(-1.6 * it.rolloff + 2.0 * (tone_.brightness - 0.5)), sample_rate_, it.pick,
         place);
  std::copy(first.begin(), first.end(), line.begin());
  for (std::size_t start = length + 2; start < line.size(); start += length) {
    const std::size_t count = std::min(length, line.size() - start);
    float* target = line.data() + start;
    const float* late = target - length;
#pragma omp simd
    for (std::size_t i = 0; i < count; ++i) target[i] = c0 * late[i] + c1 * late[i - 1] + c2 * late[i - 2];
  }
  const float* played = line.data() + length + 2;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] += played[i];
}

void NoteBank::render_plucked(const Note& note, std::vector<float>& out) {
  const Instrument& it = instrument(note.instrument);
  const double hz = hertz(note.cents);
  const auto place = static_cast<std::uint32_t>(note.instrument * 16384 + note.cents);
  add_string(note, hz, place, out);
  if (it.detune_cents > 0.0f) add_string(note, hz * exp2(it.detune_cents / 1200.0), place + 5000u, out);
  if (it.buzz > 0.0f) {  // the string rattles on a flat bridge: bright while it swings wide
    float peak = 1e-6f;
    for (const float x : out) peak = std::max(peak, std::abs(x));
    const float scale = 3.0f / peak, share = 0.35f * it.buzz;
    for (float& x : out) x += share * peak * saturate(scale * x * std::abs(scale * x));
  }
  const float release = decay_per_step(it.release_s * sample_rate_);
  float gain = 1.0f;
  for (std::size_t i = static_cast<std::size_t>(note.samples); i < out.size(); ++i) out[i] *= gain *= release;
  if (it.resonance_hz > 0.0f) add_body(out, it.resonance_hz, 1.3f, sample_rate_);
  if (it.resonance2_hz > 0.0f) add_body(out, it.resonance2_hz, 0.9f, sample_rate_);
}

}  // namespace chorale::data::synth

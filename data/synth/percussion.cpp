// SPDX-License-Identifier: MIT
#include "data/synth/percussion.h"

#include <algorithm>
#include <span>

#include "data/synth/portable_math.h"

namespace chorale::data::synth {
namespace {

/// Partials above the lowest, and how much faster than it they die.
std::span<const double> partials(Body body) {
  static constexpr double pure[] = {1.0}, membrane[] = {1.0, 1.59, 2.14, 2.65},
                          loaded[] = {1.0, 2.0, 3.01, 4.03}, metal[] = {1.0, 1.34, 1.52, 1.81, 2.09, 2.63},
                          bar[] = {1.0, 2.76, 5.40};
  switch (body) {
    case Body::pure:
      return pure;
    case Body::membrane:
      return membrane;
    case Body::loaded:
      return loaded;
    case Body::metal:
      return metal;
    case Body::bar:
      return bar;
  }
  return pure;
}

/// Adds a sine whose frequency glides from `start` to `end` and whose amplitude decays.
void add_tone(std::vector<float>& out, double start, double end, double sweep, double decay, float gain,
              double sample_rate) {
  const float fall = decay_per_step(decay * sample_rate);
  const double glide = exp2(-1.0 / (0.3 * sweep * sample_rate));
  const SineTable& sine = sine_table();
  double offset = start - end, phase = 0.0;
  float amplitude = gain;
  for (float& sample : out) {
    sample += amplitude * sine(phase);
    phase += (end + offset) / sample_rate;
    phase -= static_cast<int>(phase);
    offset *= glide;
    amplitude *= fall;
    if (amplitude < 2e-4f) return;
  }
}

void add_noise(std::vector<float>& out, const Drum& drum, const DrumTuning& tuning, double decay_s,
               double sample_rate, std::uint32_t take) {
  const double nyquist = 0.47 * sample_rate, tilt = exp2(1.2 * (tuning.brightness - 0.5));
  const float low = one_pole(std::min(drum.low_hz * tilt, nyquist), sample_rate);
  const float high = one_pole(std::min(drum.high_hz * tilt, nyquist), sample_rate);
  const float fall = decay_per_step(decay_s * sample_rate);
  const auto burst = static_cast<std::size_t>(0.011 * sample_rate);
  const NoiseTable& noise = noise_table();
  const std::uint32_t place = take * 7919u;
  float below_low = 0.0f, below_low2 = 0.0f, below_high = 0.0f, amplitude = drum.noise_gain;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i > 0 && burst > 0 && i % burst == 0 && i / burst < static_cast<std::size_t>(drum.bursts)) {
      amplitude = drum.noise_gain;
    }
    below_high += high * (noise[place + static_cast<std::uint32_t>(i)] - below_high);
    below_low += low * (below_high - below_low);
    const float once = below_high - below_low;
    below_low2 += low * (once - below_low2);
    out[i] += 1.6f * amplitude * (once - below_low2);
    amplitude *= fall;
  }
}

}  // namespace

std::vector<float> render_drum(int index, const DrumTuning& tuning, double sample_rate, std::uint32_t take) {
  const Drum& it = drum(index);
  const double tone_s = it.tone_s * tuning.length, noise_s = it.noise_s * tuning.length;
  const double audible = std::max(it.tone_gain > 0.0f ? tone_s : 0.0, noise_s + 0.011 * it.bursts);
  std::vector<float> out(static_cast<std::size_t>(std::min(1.5, audible) * sample_rate) + 1, 0.0f);
  if (it.tone_gain > 0.0f) {
    const std::span<const double> ratios = partials(it.body);
    for (std::size_t i = 0; i < ratios.size(); ++i) {
      const double ratio = ratios[i] * tuning.pitch, order = static_cast<double>(i);
      const float share =
          i == 0 ? 1.0f : it.overtone / static_cast<float>(it.body == Body::metal ? 1.0 : order + 1.0);
      if (share > 0.0f && it.start_hz * ratio < 0.47 * sample_rate) {
        add_tone(out, it.start_hz * ratio, it.end_hz * ratio, it.sweep_s, tone_s / (1.0 + 0.4 * order),
                 it.tone_gain * share, sample_rate);
      }
    }
  }
  add_noise(out, it, tuning, noise_s, sample_rate, take);
  float peak = 1e-6f;
  for (const float sample : out) peak = std::max(peak, sample < 0 ? -sample : sample);
  for (float& sample : out) sample /= peak;
  return out;
}

}  // namespace chorale::data::synth

// SPDX-License-Identifier: MIT
#include "data/synth/effects.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "data/synth/portable_math.h"

namespace chorale::data::synth {
namespace {

constexpr std::uint32_t floor_purpose = 90;

float peak_of(std::span<const float> signal) {
  float peak = 0.0f;
  for (const float x : signal) peak = std::max(peak, std::abs(x));
  return peak;
}

/// y[n] = x[n] + g y[n - d], added to `out`; its output is delayed by d, as a comb of a room is.
void add_comb(std::span<float> out, std::span<const float> send, std::size_t delay, float feedback,
              float gain) {
  std::vector<float> line(delay, 0.0f);
  for (std::size_t start = 0; start < out.size(); start += delay) {
    const std::size_t count = std::min(delay, out.size() - start);
    for (std::size_t i = 0; i < count; ++i) {  // no sample depends on another of its block
      const float late = line[i];
      out[start + i] += gain * late;
      line[i] = send[start + i] + feedback * late;
    }
  }
}

void all_pass(std::span<float> signal, std::size_t delay, float g) {
  std::vector<float> line(delay, 0.0f);
  for (std::size_t start = 0; start < signal.size(); start += delay) {
    const std::size_t count = std::min(delay, signal.size() - start);
    for (std::size_t i = 0; i < count; ++i) {
      const float late = line[i];
      const float in = signal[start + i] + g * late;
      line[i] = in;
      signal[start + i] = late - g * in;
    }
  }
}

}  // namespace

void add_reverb(std::span<float> signal, std::span<const float> send, float wet, float decay_s,
                double sample_rate) {
  constexpr double comb_s[4] = {0.0297, 0.0371, 0.0411, 0.0437};
  std::vector<float> room(signal.size(), 0.0f);
  for (const double seconds : comb_s) {
    const auto delay = static_cast<std::size_t>(seconds * sample_rate);
    const float feedback = decay_per_step(decay_s / seconds);
    add_comb(room, send, delay, feedback, 0.35f);
  }
  all_pass(room, static_cast<std::size_t>(0.0050 * sample_rate), 0.7f);
  all_pass(room, static_cast<std::size_t>(0.0017 * sample_rate), 0.7f);
  for (std::size_t i = 0; i < signal.size(); ++i) signal[i] += wet * room[i];
}

void tilt(std::span<float> signal, float brightness, double sample_rate) {
  const double octaves = 2.7 * (brightness - 0.5);
  const float low = static_cast<float>(exp2(-octaves)), high = static_cast<float>(exp2(octaves));
  const float c = one_pole(1200.0, sample_rate);
  float state = 0.0f;
  for (float& x : signal) {
    state += c * (x - state);
    x = low * state + high * (x - state);
  }
}

void add_presence(std::span<float> signal, float hz, float decibels, double sample_rate) {
  const float gain = static_cast<float>(exp2(decibels * 0.16609640474436813)) - 1.0f;  // log2(10) / 20
  const float c = one_pole(0.7 * hz, sample_rate), d = one_pole(1.4 * hz, sample_rate);
  float low = 0.0f, high = 0.0f;
  for (float& x : signal) {  // the difference of two low-passes peaks at about 1 / 3 around hz
    low += c * (x - low);
    high += d * (x - high);
    x += 3.0f * gain * (high - low);
  }
}

void saturate(std::span<float> signal, float amount) {
  const float peak = peak_of(signal);
  if (peak <= 0.0f) return;
  const float scale = (1.0f + amount) / peak;
  for (float& x : signal) {
    const float y = std::clamp(scale * x, -3.0f, 3.0f);
    x = y * (27.0f + y * y) / (27.0f + 9.0f * y * y);
  }
}

void add_noise_floor(std::span<float> signal, float peak, std::uint64_t seed) {
  std::vector<float> noise(signal.size());
  fill_noise(noise, seed, floor_purpose);
  for (std::size_t i = 0; i < signal.size(); ++i) signal[i] += peak * noise[i];
}

void set_level(std::span<float> signal, float decibels) {
  double sum = 0.0, squares = 0.0;
  for (const float x : signal) {
    sum += x;
    squares += static_cast<double>(x) * x;
  }
  const auto count = static_cast<double>(std::max<std::size_t>(signal.size(), 1));
  const auto mean = static_cast<float>(sum / count);
  const double rms = std::sqrt(std::max(0.0, squares / count - static_cast<double>(mean) * mean));
  if (rms <= 0.0) return;
  for (float& x : signal) x -= mean;
  const float wanted = static_cast<float>(exp2(decibels * 0.16609640474436813) / rms);  // log2(10) / 20
  const float scale = std::min(wanted, 0.95f / peak_of(signal));
  for (float& x : signal) x *= scale;
}

}  // namespace chorale::data::synth

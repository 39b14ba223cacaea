// SPDX-License-Identifier: MIT
#include "data/synth/effects.h"

#include <algorithm>
#include <cmath>

#include "data/synth/portable_math.h"

namespace chorale::data::synth {
namespace {

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

void add_reverb(std::span<float> signal, std::span<const float> send, std::span<float> room, float wet,
                float decay_s, double sample_rate) {
  constexpr double comb_s[4] = {0.0297, 0.0371, 0.0411, 0.0437};
  std::fill(room.begin(), room.end(), 0.0f);
  for (const double seconds : comb_s) {
    const auto delay = static_cast<std::size_t>(seconds * sample_rate);
    const float feedback = decay_per_step(decay_s / seconds);
    add_comb(room, send, delay, feedback, 0.35f);
  }
  all_pass(room, static_cast<std::size_t>(0.0050 * sample_rate), 0.7f);
  all_pass(room, static_cast<std::size_t>(0.0017 * sample_rate), 0.7f);
  for (std::size_t i = 0; i < signal.size(); ++i) signal[i] += wet * room[i];
}

void add_echo(std::span<float> signal, std::size_t delay, float feedback) {
  if (delay == 0) return;
  for (std::size_t start = delay; start < signal.size(); start += delay) {
    const std::size_t count = std::min(delay, signal.size() - start);
    for (std::size_t i = 0; i < count; ++i) signal[start + i] += feedback * signal[start + i - delay];
  }
}

void duck(std::span<float> signal, const std::vector<long>& pulses, float depth, double recovery_s,
          double sample_rate) {
  const auto length = static_cast<long>(recovery_s * sample_rate), end = static_cast<long>(signal.size());
  long done = 0;
  for (const long pulse : pulses) {
    for (long i = std::max(done, std::max(0L, pulse)); i < std::min(end, pulse + length); ++i) {
      const float place = static_cast<float>(i - pulse) / static_cast<float>(length);
      signal[static_cast<std::size_t>(i)] *= 1.0f - depth * (1.0f - place) * (1.0f - place);
    }
    done = std::max(done, pulse + length);
  }
}

void keep_band(std::span<float> signal, double low_hz, double high_hz, double sample_rate) {
  const float c = one_pole(low_hz, sample_rate),
              d = one_pole(std::min(high_hz, 0.49 * sample_rate), sample_rate);
  float rumble = 0.0f, once = 0.0f, twice = 0.0f;
  for (float& x : signal) {
    once += d * (x - once);
    twice += d * (once - twice);
    rumble += c * (twice - rumble);
    x = twice - rumble;
  }
}

void equalize(std::span<float> signal, const float (&decibels)[5], double sample_rate) {
  constexpr double crossover_hz[4] = {150.0, 500.0, 1600.0, 5000.0};
  // With the low-passes l of the crossovers the sum of the bands is g4 x + sum of (gk - gk+1) lk.
  float coefficient[4], weight[4], low[4] = {};
  const float top = static_cast<float>(decibels_to_gain(decibels[4]));
  for (int k = 0; k < 4; ++k) {
    coefficient[k] = one_pole(std::min(crossover_hz[k], 0.4 * sample_rate), sample_rate);
    weight[k] = static_cast<float>(decibels_to_gain(decibels[k]) - decibels_to_gain(decibels[k + 1]));
  }
  for (float& x : signal) {
    for (int k = 0; k < 4; ++k) low[k] += coefficient[k] * (x - low[k]);
    x = top * x + ((weight[0] * low[0] + weight[1] * low[1]) + (weight[2] * low[2] + weight[3] * low[3]));
  }
}

void drive(std::span<float> signal, float amount) {
  float peak = 0.0f;
  for (const float x : signal) peak = std::max(peak, std::abs(x));
  if (peak <= 0.0f) return;
  const float scale = (1.0f + amount) / peak;
  for (float& x : signal) x = saturate(scale * x);
}

void add_hiss(std::span<float> signal, float peak, std::uint32_t place) {
  const NoiseTable& noise = noise_table();
  for (std::size_t i = 0; i < signal.size(); ++i)
    signal[i] += peak * noise[place + static_cast<std::uint32_t>(i)];
}

}  // namespace chorale::data::synth

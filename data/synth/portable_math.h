// SPDX-License-Identifier: MIT
// Elementary functions from additions, multiplications, ldexp and frexp only, so that a rendered song is the
// same on every machine and C library; and the random numbers of the renderer.
#pragma once
#include <cmath>
#include <cstdint>
#include <span>

#include "kernels/philox.h"

namespace chorale::data::synth {

/// 2^x, relative error below 1e-14.
inline double exp2(double x) {
  const double whole = std::floor(x + 0.5);
  const double y = (x - whole) * 0.69314718055994530942;
  double term = 1.0, sum = 1.0;
  for (int i = 1; i < 15; ++i) {
    term *= y / i;
    sum += term;
  }
  return std::ldexp(sum, static_cast<int>(whole));
}

/// log2(x) for x > 0, absolute error below 1e-13.
inline double log2(double x) {
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent);
  if (mantissa < 0.70710678118654752440) {
    mantissa *= 2.0;
    --exponent;
  }
  const double y = (mantissa - 1.0) / (mantissa + 1.0);
  double power = y, sum = 0.0;
  for (int i = 1; i < 28; i += 2) {
    sum += power / i;
    power *= y * y;
  }
  return exponent + 2.0 * sum * 1.44269504088896340736;
}

/// sin(2 pi x), absolute error below 1e-13.
inline double sine_of_turns(double x) {
  x -= std::floor(x + 0.5);
  if (x > 0.25) x = 0.5 - x;
  if (x < -0.25) x = -0.5 - x;
  const double y = x * 6.28318530717958647692;
  double term = y, sum = y;
  for (int i = 3; i < 20; i += 2) {
    term *= -y * y / (i * (i - 1));
    sum += term;
  }
  return sum;
}

/// sin(2 pi x) for x in [0, 1) by linear interpolation in a table; error below 3e-7.
class SineTable {
 public:
  static constexpr int size = 4096;
  SineTable() {
    for (int i = 0; i < size + 2; ++i)
      value_[i] = static_cast<float>(sine_of_turns(static_cast<double>(i) / size));
  }
  float operator()(double turns) const {
    const float position = static_cast<float>(turns * size);
    const int index = static_cast<int>(position);
    return value_[index] + (position - static_cast<float>(index)) * (value_[index + 1] - value_[index]);
  }
  float at(int index) const { return value_[index]; }

 private:
  float value_[size + 2];  // x just below 1 rounds up to `size`, whose right neighbour is looked at, too
};

inline const SineTable& sine_table() {
  static const SineTable table;
  return table;
}

/// Factor by which a quantity shrinks in each step when it falls to 1/1000 (-60 dB) within `steps`.
inline float decay_per_step(double steps) { return static_cast<float>(exp2(-9.965784284662087 / steps)); }

/// Frequency of a pitch in cents: 100 x MIDI pitch, 6900 is 440 Hz.
inline double hertz(double cents) { return 440.0 * exp2((cents - 6900.0) / 1200.0); }

inline double decibels_to_gain(double decibels) {
  return exp2(decibels * 0.16609640474436813);
}  // log2(10) / 20

/// Saturation, odd and monotonic, within [-1, 1]: a Pade form of tanh.
inline float saturate(float x) {
  x = x < -3.0f ? -3.0f : x > 3.0f ? 3.0f : x;
  return x * (27.0f + x * x) / (27.0f + 9.0f * x * x);
}

/// Coefficient of the one-pole low-pass y += c (x - y) with its corner at `hz`.
inline float one_pole(double hz, double sample_rate) {
  return static_cast<float>(1.0 - exp2(-9.064720283654388 * hz / sample_rate));  // 2 pi / ln 2
}

/// A stream of random numbers: Philox counters under (seed, purpose). Streams of different purposes are
/// independent, so a change in one part of the renderer leaves the others' numbers alone.
class Random {
 public:
  Random(std::uint64_t seed, std::uint32_t purpose) : seed_(seed), purpose_(purpose) {}

  std::uint32_t word() {
    if (used_ == 4) {
      block_ = philox::block(seed_, 0, purpose_, index_++);
      used_ = 0;
    }
    return block_.word[used_++];
  }
  float uniform() { return philox::uniform(word()); }  ///< [0, 1)
  float uniform(float low, float high) { return low + (high - low) * uniform(); }
  bool chance(float probability) { return uniform() < probability; }
  int below(int count) {
    return static_cast<int>((std::uint64_t{word()} * static_cast<std::uint64_t>(count)) >> 32);
  }
  /// About normal: the sum of four uniforms, mean 0, standard deviation 1, never beyond 3.5.
  float normal() { return (uniform() + uniform() + uniform() + uniform() - 2.0f) * 1.7320508f; }

 private:
  std::uint64_t seed_;
  std::uint32_t purpose_;
  std::uint64_t index_ = 0;
  philox::Block block_{};
  int used_ = 4;
};

/// White noise, uniform in [-1, 1): one table that everything noisy reads from a place of its own, about 3 s
/// long at the corpus's rate.
class NoiseTable {
 public:
  static constexpr std::uint32_t size = 1u << 16;
  NoiseTable() {
    for (std::uint32_t i = 0; i < size; i += 4) {
      const philox::Block block = philox::block(1, 1, 0, i / 4);
      for (std::uint32_t k = 0; k < 4; ++k) value_[i + k] = 2.0f * philox::uniform(block.word[k]) - 1.0f;
    }
  }
  float operator[](std::uint32_t index) const { return value_[index % size]; }

 private:
  float value_[size];
};

inline const NoiseTable& noise_table() {
  static const NoiseTable table;
  return table;
}

}  // namespace chorale::data::synth

// SPDX-License-Identifier: MIT
// The input signals of the golden files: the formulas of tests/golden/audio.py.
#pragma once
#include <cmath>
#include <cstdint>
#include <numbers>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace chorale::testing {

inline std::vector<float> noise(std::int64_t n) {
  std::vector<float> x;
  std::uint32_t state = 12345;
  for (std::int64_t i = 0; i < n; ++i) {
    state = state * 1664525u + 1013904223u;
    x.push_back(static_cast<float>((state >> 8) / 8388608.0 - 1.0));
  }
  return x;
}

inline std::vector<float> signal(const std::string& kind, int rate, std::int64_t n) {
  if (kind == "noise") return noise(n);
  std::vector<float> x(static_cast<std::size_t>(n), 0.0f);
  if (kind == "silence") return x;
  const std::vector<float> hiss = noise(n);
  constexpr double turn = 2 * std::numbers::pi;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double t = static_cast<double>(i) / rate, h = static_cast<double>(hiss[i]);
    double value = 0;
    if (kind == "tone") {
      value = 0.4 * std::sin(turn * 440 * t) + 0.2 * std::sin(turn * 3000 * t + 1) + 0.01 * h;
    } else if (kind == "sweep") {
      value = 0.7 * std::sin(turn * (100 * t + 1500 * t * t));
    } else if (kind == "chord") {  // 30 cents above equal temperament
      value = 0.005 * h;
      for (const auto& [semitones, amplitude] : {std::pair(0, 0.3), {4, 0.25}, {7, 0.2}})
        value += amplitude * std::sin(turn * 440 * std::pow(2, (semitones + 0.3) / 12) * t);
    } else if (kind == "clicks") {  // 100 a minute
      value = 0.8 * std::exp(-60 * (t - 0.6 * std::floor(t / 0.6))) * h;
    } else {
      throw std::invalid_argument("unknown signal " + kind);
    }
    x[i] = static_cast<float>(value);
  }
  return x;
}

}  // namespace chorale::testing

// SPDX-License-Identifier: MIT
// The input signals of the golden files: the formulas of tests/golden/audio.py.
#pragma once
#include <cmath>
#include <cstdint>
#include <numbers>
#include <stdexcept>
#include <string>
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
  if (kind != "tone" && kind != "sweep") throw std::invalid_argument("unknown signal " + kind);
  const std::vector<float> hiss = noise(n);
  constexpr double turn = 2 * std::numbers::pi;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double t = static_cast<double>(i) / rate;
    x[i] = static_cast<float>(kind == "tone"
                                  ? 0.4 * std::sin(turn * 440 * t) + 0.2 * std::sin(turn * 3000 * t + 1) +
                                        0.01 * static_cast<double>(hiss[i])
                                  : 0.7 * std::sin(turn * (100 * t + 1500 * t * t)));
  }
  return x;
}

}  // namespace chorale::testing

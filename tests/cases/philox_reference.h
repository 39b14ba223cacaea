// SPDX-License-Identifier: MIT
// The random stream in f64, from the block function that tests/kernels/philox_test.cpp holds against
// published vectors.
#pragma once
#include <cmath>
#include <numbers>

#include "kernels/params.h"
#include "kernels/philox.h"

namespace chorale::harness {

inline std::uint32_t random_word(const StepState& state, std::uint32_t stream, std::int64_t i) {
  const auto index = static_cast<std::uint64_t>(i);
  return philox::block(state.seed, state.rng_offset, stream, index / 4).word[index % 4];
}

inline double reference_uniform(const StepState& state, std::uint32_t stream, std::int64_t i) {
  return std::ldexp(static_cast<double>(random_word(state, stream, i) >> 8), -24);
}

/// Box-Muller: elements 4 q + 2 p and 4 q + 2 p + 1 share a radius and an angle.
inline double reference_normal(const StepState& state, std::uint32_t stream, std::int64_t i) {
  const std::int64_t first = i / 2 * 2;
  const double u = std::ldexp(static_cast<double>(random_word(state, stream, first) >> 8) + 1, -24);
  const double angle = 2 * std::numbers::pi * reference_uniform(state, stream, first + 1);
  return std::sqrt(-2 * std::log(u)) * (i % 2 == 0 ? std::cos(angle) : std::sin(angle));
}

}  // namespace chorale::harness

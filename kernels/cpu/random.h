// SPDX-License-Identifier: MIT
// Runs of the Philox stream, for kernels that draw while they compute.
#pragma once
#include <cstdint>

#include "kernels/params.h"
#include "kernels/philox.h"

namespace chorale::cpu {

/// Elements [first, first + count) of the stream's uniforms.
inline void uniforms(const StepState& state, std::uint32_t stream, std::int64_t first, std::int64_t count,
                     float* out) {
  for (std::int64_t i = 0; i < count;) {
    const auto index = static_cast<std::uint64_t>(first + i);
    const philox::Block block = philox::block(state.seed, state.rng_offset, stream, index / 4);
    for (std::uint64_t word = index % 4; word < 4 && i < count; ++word)
      out[i++] = philox::uniform(block.word[word]);
  }
}

/// Elements [first, first + count) of the stream's standard normals.
inline void normals(const StepState& state, std::uint32_t stream, std::int64_t first, std::int64_t count,
                    float* out) {
  for (std::int64_t i = 0; i < count;) {
    const auto index = static_cast<std::uint64_t>(first + i);
    float values[4];
    philox::normals(philox::block(state.seed, state.rng_offset, stream, index / 4), values);
    for (std::uint64_t word = index % 4; word < 4 && i < count; ++word) out[i++] = values[word];
  }
}

}  // namespace chorale::cpu

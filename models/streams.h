// SPDX-License-Identifier: MIT
// Philox streams of a training step: one for each random operation, fixed so that a twin can draw the same
// numbers.
#pragma once
#include <cstdint>

namespace chorale::models::stream {

constexpr std::uint32_t latent = 1;
constexpr std::uint32_t crop = 2;
constexpr std::uint32_t permutation = 3;
constexpr std::uint32_t masks = 4;
constexpr std::uint32_t augmentation = 5;  ///< what is drawn for each clip; its noise is the next one
constexpr std::uint32_t encoder = 16;      ///< + index of the block
constexpr std::uint32_t decoder = 32;

}  // namespace chorale::models::stream

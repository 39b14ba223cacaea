// SPDX-License-Identifier: MIT
// What the two halves of an EM iteration on Gaussian mixtures share on the CPU: the chunk of rows whose
// responsibilities stay in the cache between them.
#pragma once
#include "kernels/cpu/cluster_tile.h"
#include "kernels/cpu/kernels.h"

namespace chorale::cpu::gmm {

/// Rows of a chunk: a number that depends on nothing but the problem, so that sums do not either. Squares
/// read all of a chunk for every component, from the cache's second level; products have enough to do with
/// each row, and the more rows they add up at a time, the less often a sum is loaded and stored.
inline std::int64_t chunk_rows(std::int64_t d, bool products) {
  return products ? 8192 : std::clamp<std::int64_t>(131072 / d / 256 * 256, 512, 8192);
}

/// Consecutive rows of x and their responsibilities [k][stride], rows along the lanes.
struct Chunk {
  const float* x;
  std::int64_t rows, d, k;
  const float* responsibilities;
  std::int64_t stride;
};

/// Adds a chunk to the sums of gmm_step; `second` may be no view.
void add_moments(const Chunk& chunk, const float* centers, View counts, View first, View second);

}  // namespace chorale::cpu::gmm

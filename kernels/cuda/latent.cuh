// SPDX-License-Identifier: MIT
// What the kernels of Gaussian latents share: their noise and the clamped log-variances.
#pragma once
#include "kernels/cuda/launch.cuh"
#include "kernels/philox.h"

namespace chorale::cuda {

/// The normals of elements first, first + 1, first + 2, first + 3; they share a Philox block if 4 divides
/// `first`.
__device__ inline void four_normals(const StepState* state, std::uint32_t stream, std::int64_t first,
                                    float out[4]) {
  const std::uint64_t index = static_cast<std::uint64_t>(first);
  float here[4], next[4] = {0, 0, 0, 0};
  philox::normals(philox::block(state->seed, state->rng_offset, stream, index / 4), here);
  const int offset = static_cast<int>(index % 4);
  if (offset) philox::normals(philox::block(state->seed, state->rng_offset, stream, index / 4 + 1), next);
  // Every index below is a constant after unrolling, which keeps the arrays in registers.
  UNROLL
  for (int j = 0; j < 4; ++j) {
    UNROLL
    for (int o = 0; o < 4; ++o)
      if (o == offset) out[j] = j + o < 4 ? here[(j + o) % 4] : next[(j + o) % 4];
  }
}

__device__ inline float clamped(const GaussianLatentParams& p, float log_variance) {
  return log_variance < p.log_variance_min   ? p.log_variance_min
         : log_variance > p.log_variance_max ? p.log_variance_max
                                             : log_variance;
}

/// Where the gradient of a log-variance is zero.
__device__ inline bool outside(const GaussianLatentParams& p, float log_variance) {
  return log_variance < p.log_variance_min || log_variance > p.log_variance_max;
}

}  // namespace chorale::cuda

// SPDX-License-Identifier: MIT
// What the parts of an EM iteration on Gaussian mixtures share on CUDA: the chunk of rows whose
// responsibilities stay in the cache between them, and the flag that ends it without asking the host.
#pragma once
#include "kernels/cuda/launch.cuh"
#include "kernels/params.h"
#include "kernels/view.h"

namespace chorale::cuda::gmm {

/// Rows of a chunk: a fixed number, so that sums depend on nothing else.
constexpr std::int64_t chunk_rows = 65536;

/// Consecutive rows of x and their responsibilities [k][chunk_rows].
struct Chunk {
  const float* x;
  std::int64_t rows, d, k;
  const float* responsibilities;
  const double* state;  // may be null
};

/// True if the fit has converged or failed: nothing is left to do.
__device__ inline bool finished(const double* state) {
  return state && (state[gmm_converged] != 0 || state[gmm_failed] != 0);
}

/// Sets (first chunk) or adds to the sums of gmm_step; `second` may be no view.
void add_moments(Context& context, const Chunk& chunk, bool first_chunk, const float* centers, View counts,
                 View first, View second);

}  // namespace chorale::cuda::gmm

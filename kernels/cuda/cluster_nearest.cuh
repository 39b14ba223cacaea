// SPDX-License-Identifier: MIT
// The nearest of many columns: the smallest value, the lowest column of equals. Any grouping gives the same.
#pragma once
#include "kernels/cuda/launch.cuh"

namespace chorale::cuda {

constexpr std::int32_t no_column = 0x7fffffff;

struct NearestColumn {
  float value = INFINITY;
  std::int32_t column = no_column;
};

__device__ inline void see(NearestColumn& a, float value, std::int32_t column) {
  if (value < a.value || (value == a.value && column < a.column)) {
    a.value = value;
    a.column = column;
  }
}

/// Joins groups of `width` neighbouring threads, a power of two; every thread gets the result.
template <int width>
__device__ inline void join_lanes(NearestColumn& a) {
  for (int distance = width / 2; distance; distance /= 2) {
    const float value = __shfl_xor_sync(all_lanes, a.value, distance);
    const std::int32_t column = __shfl_xor_sync(all_lanes, a.column, distance);
    see(a, value, column);
  }
}

/// Joins the `threads` of the block; every thread gets the result, all must call.
template <int threads>
__device__ inline void join_block(NearestColumn& a) {
  SHARED(NearestColumn, parts, [threads / warp_size]);
  join_lanes<warp_size>(a);
  if (threadIdx.x % warp_size == 0) parts[threadIdx.x / warp_size] = a;
  __syncthreads();
  for (int warp = 0; warp < threads / warp_size; ++warp) see(a, parts[warp].value, parts[warp].column);
  __syncthreads();
}

}  // namespace chorale::cuda

// SPDX-License-Identifier: MIT
// Reductions within a warp and a block, in an order that depends on nothing but the block's size.
#pragma once
#include "kernels/cuda/launch.cuh"

namespace chorale::cuda {

struct Sum {
  template <class T>
  __device__ static T identity() {
    return T(0);
  }
  template <class T>
  __device__ static T combine(T a, T b) {
    return a + b;
  }
};

struct Max {  // NaN if any is
  template <class T>
  __device__ static T identity() {
    return -static_cast<T>(INFINITY);
  }
  template <class T>
  __device__ static T combine(T a, T b) {
    return a > b || a != a ? a : b;
  }
};

/// Every lane gets the result; all lanes of the warp must call.
template <class Op, class T>
__device__ inline T warp_reduce(T value) {
  for (int distance = warp_size / 2; distance; distance /= 2)
    value = Op::combine(value, __shfl_xor_sync(all_lanes, value, distance));
  return value;
}

/// Every thread gets the result; all `threads` of the (one-dimensional) block must call.
template <class Op, int threads, class T>
__device__ inline T block_reduce(T value) {
  SHARED(T, parts, [threads / warp_size]);
  value = warp_reduce<Op>(value);
  if (threadIdx.x % warp_size == 0) parts[threadIdx.x / warp_size] = value;
  __syncthreads();
  T total = parts[0];
  for (int warp = 1; warp < threads / warp_size; ++warp) total = Op::combine(total, parts[warp]);
  __syncthreads();  // the next call writes `parts` again
  return total;
}

/// Reduces over groups of threads that work on one row each: a warp or the whole block.
template <class Op, int group, class T>
__device__ inline T group_reduce(T value) {
  if constexpr (group == warp_size) {
    return warp_reduce<Op>(value);
  } else {
    return block_reduce<Op, group>(value);
  }
}

}  // namespace chorale::cuda

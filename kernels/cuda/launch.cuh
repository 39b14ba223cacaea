// SPDX-License-Identifier: MIT
// What every kernel source includes first. The same source is compiled by nvcc and, with CHORALE_SIMT naming
// the emulator's header, by the host compiler; these macros are all that differs:
//
//   LAUNCH((kernel<T>), grid, block, shared_bytes, stream, arguments...)   the name in parentheses
//   SHARED(T, name, [N][M])    an array in shared memory
//   DYN_SHARED(T, name)        the dynamic shared memory of the launch,
//                              aligned to 16 bytes
#pragma once
#include <cstdint>

#include "kernels/context.h"
#include "kernels/cuda/kernels.h"

#if defined(CHORALE_SIMT)
#include CHORALE_SIMT
#define UNROLL
#else
#include <cuda_runtime.h>
#define UNROLL _Pragma("unroll")
#define CHORALE_UNPARENTHESIZE(...) __VA_ARGS__
#define LAUNCH(kernel, grid, block, shared_bytes, stream, ...) \
  CHORALE_UNPARENTHESIZE kernel<<<grid, block, shared_bytes, static_cast<cudaStream_t>(stream)>>>(__VA_ARGS__)
#define SHARED(T, name, dims) __shared__ T name dims
#define DYN_SHARED(T, name)                                               \
  extern __shared__ __align__(16) unsigned char chorale_dynamic_shared[]; \
  T* name = reinterpret_cast<T*>(chorale_dynamic_shared)
#endif

namespace chorale::cuda {

constexpr int warp_size = 32;
constexpr unsigned all_lanes = 0xffffffffu;

/// Streaming multiprocessors of the context's device; a small number on the emulator.
int multiprocessors(const Context& context);

/// Blocks for a grid-stride loop over `items`, `per_block` of them at a time: enough to fill the device, no
/// more.
inline unsigned stride_grid(const Context& context, std::int64_t items, std::int64_t per_block,
                            int blocks_per_multiprocessor = 8) {
  const std::int64_t needed = (items + per_block - 1) / per_block;
  const std::int64_t most = static_cast<std::int64_t>(multiprocessors(context)) * blocks_per_multiprocessor;
  const std::int64_t blocks = needed < most ? needed : most;
  return static_cast<unsigned>(blocks > 0 ? blocks : 1);
}

inline std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// This thread's number in a one-dimensional grid, and how many there are.
__device__ inline std::int64_t global_thread() {
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ inline std::int64_t global_threads() { return static_cast<std::int64_t>(gridDim.x) * blockDim.x; }

}  // namespace chorale::cuda

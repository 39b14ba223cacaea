// SPDX-License-Identifier: MIT
// Kernels with one fault each, and their sound twins. Only the LAUNCH macro tells that they are emulated.
#pragma once
#include "kernels/cuda/launch.cuh"

namespace broken {

__global__ inline void barrier_in_branches() {
  if (threadIdx.x < 16) {
    __syncthreads();
  } else {
    __syncthreads();
  }
}

__global__ inline void early_return(int n) {
  if (static_cast<int>(threadIdx.x) >= n) return;
  __syncthreads();
}

__global__ inline void different_number_of_barriers() {
  for (unsigned i = 0; i < threadIdx.x % 2 + 1; ++i) __syncthreads();
}

__global__ inline void shuffle_in_branches() {
  if (threadIdx.x & 1) {
    __shfl_xor_sync(0xffffffffu, 1, 1);
  } else {
    __shfl_xor_sync(0xffffffffu, 2, 1);
  }
}

__global__ inline void different_masks() {
  __shfl_xor_sync(threadIdx.x < 16 ? 0xffffffffu : 0xffff0000u, 1, 0);
}

__global__ inline void caller_not_in_mask() { __shfl_xor_sync(0x0000ffffu, 1, 1); }

__global__ inline void source_not_in_mask() {
  if (threadIdx.x < 16) __shfl_down_sync(0x0000ffffu, 1, 8, 32);
}

__global__ inline void lane_gone() {
  if (threadIdx.x == 3) return;
  __ballot_sync(0xffffffffu, 1);
}

__global__ inline void unwritten_shared(float* out) {
  SHARED(float, s, [64]);
  if (threadIdx.x < 63) s[threadIdx.x] = 1;
  __syncthreads();
  float sum = 0;
  for (int i = 0; i < 64; ++i) sum += s[i];
  out[threadIdx.x] = sum;
}

__global__ inline void unwritten_dynamic_shared(float* out) {
  DYN_SHARED(float, s);
  out[threadIdx.x] = s[threadIdx.x];
}

/// Block 0 writes, block 1 reads what block 0 left behind.
__global__ inline void shared_outlives_block(float* out) {
  SHARED(float, s, [32]);
  if (blockIdx.x == 0) s[threadIdx.x] = 1;
  __syncthreads();
  out[blockIdx.x * 32 + threadIdx.x] = s[threadIdx.x];
}

__global__ inline void missing_barrier(float* out) {
  SHARED(float, s, [64]);
  s[threadIdx.x] = static_cast<float>(threadIdx.x);
  out[threadIdx.x] = s[63 - threadIdx.x];
}

__global__ inline void missing_second_barrier(float* out) {
  SHARED(float, s, [64]);
  float sum = 0;
  for (int k = 0; k < 4; ++k) {
    s[threadIdx.x] = static_cast<float>(k * 100 + static_cast<int>(threadIdx.x));
    __syncthreads();
    sum += s[(threadIdx.x + 33) % 64];
  }
  out[threadIdx.x] = sum;
}

__global__ inline void missing_syncwarp(float* out) {
  SHARED(float, s, [64]);
  s[threadIdx.x] = static_cast<float>(threadIdx.x);
  __syncthreads();
  if (threadIdx.x < 32)
    for (int k = 16; k; k >>= 1) s[threadIdx.x] += s[threadIdx.x + static_cast<unsigned>(k)];
  if (threadIdx.x == 0) *out = s[0];
}

__global__ inline void too_much_shared() {
  SHARED(float, s, [64][256]);
  s[0][threadIdx.x] = 0;
}

__global__ inline void shared_out_of_bounds() {
  SHARED(float, s, [64]);
  s[threadIdx.x + 1] = 0;
}

__global__ inline void dynamic_shared_out_of_bounds() {
  DYN_SHARED(float, s);
  s[threadIdx.x] = 0;
}

__global__ inline void global_out_of_bounds(float* p, int n) {
  const int i = static_cast<int>(threadIdx.x);
  if (i <= n) p[i] = 0;
}

__global__ inline void throws(int thread) {
  if (static_cast<int>(threadIdx.x) == thread) throw 7;
  __syncthreads();
}

}  // namespace broken

namespace sound {

__global__ inline void barrier_sum(float* out) {  // missing_second_barrier with it
  SHARED(float, s, [64]);
  float sum = 0;
  for (int k = 0; k < 4; ++k) {
    s[threadIdx.x] = static_cast<float>(k * 100 + static_cast<int>(threadIdx.x));
    __syncthreads();
    sum += s[(threadIdx.x + 33) % 64];
    __syncthreads();
  }
  out[threadIdx.x] = sum;
}

__global__ inline void warp_sum_in_shared(float* out) {
  SHARED(float, s, [64]);
  s[threadIdx.x] = static_cast<float>(threadIdx.x);
  __syncthreads();
  if (threadIdx.x < 32)
    for (unsigned k = 16; k; k >>= 1) {
      const float value = s[threadIdx.x + k];
      __syncwarp();
      s[threadIdx.x] += value;
      __syncwarp();
    }
  if (threadIdx.x == 0) *out = s[0];
}

/// Each block's votes: [count, and, or] of "is my thread's number below n".
__global__ inline void votes(int n, int* out) {
  const int mine = static_cast<int>(threadIdx.x) < n;
  const int count = __syncthreads_count(mine), all = __syncthreads_and(mine), any = __syncthreads_or(mine);
  if (threadIdx.x == 0) {
    out[blockIdx.x * 3] = count;
    out[blockIdx.x * 3 + 1] = all;
    out[blockIdx.x * 3 + 2] = any;
  }
}

/// All shuffles of lane numbers, and the ballot of the odd lanes; `width` splits the warp.
__global__ inline void shuffles(int width, int* out) {
  const int lane = static_cast<int>(threadIdx.x);
  out[lane * 5] = __shfl_sync(0xffffffffu, lane, 3, width);
  out[lane * 5 + 1] = __shfl_up_sync(0xffffffffu, lane, 2, width);
  out[lane * 5 + 2] = __shfl_down_sync(0xffffffffu, lane, 2, width);
  out[lane * 5 + 3] = __shfl_xor_sync(0xffffffffu, lane, 1, width);
  out[lane * 5 + 4] = static_cast<int>(__ballot_sync(0xffffffffu, lane & 1));
}

__global__ inline void indices(unsigned* out) {
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  out[block * blockDim.x * blockDim.y * blockDim.z + thread] += 1 + block * 1000 + thread;
}

__global__ inline void atomics(int* counter, unsigned long long* sum, int* highest, int* lowest,
                               int* swapped) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  atomicAdd(counter, 1);
  atomicAdd(sum, static_cast<unsigned long long>(i));
  atomicMax(highest, i);
  atomicMin(lowest, i);
  atomicCAS(swapped, 0, i + 1);
}

/// The order in which the threads of a block first run.
__global__ inline void start_order(int* next, int* order) {
  order[atomicAdd(next, 1)] = static_cast<int>(threadIdx.x);
}

}  // namespace sound

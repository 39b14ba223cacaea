// SPDX-License-Identifier: MIT
// The tempogram of an onset envelope, averaged over its frames (the formula stands in
// kernels/cpu/audio_tempogram.cpp).
//
// A block takes 64 frames of a clip, one after the other: the windowed stretch of the envelope goes to shared
// memory, every thread sums the autocorrelation at the lags that are its own, in f32 over ascending i, and
// adds it, divided by that at lag 0, to its f64 sums; a second kernel adds the blocks in order. w^2 / 2
// products a frame against 4 bytes read: the bound is arithmetic out of shared memory.
#include <cfloat>

#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/launch.cuh"

namespace chorale::cuda {
namespace {

constexpr int threads = 256;
constexpr std::int64_t block_frames = 64;
constexpr std::int64_t widest = 6144;

/// Element i of the envelope e [frames], continued to both sides.
__device__ inline float continued(const float* e, std::int64_t frames, std::int64_t ramp, std::int64_t i) {
  if (i >= 0 && i < frames) return e[i];
  const std::int64_t left = i < 0 ? ramp + i : ramp - (i - frames + 1);  // steps above 0
  return left < 0 ? 0.0f : e[i < 0 ? 0 : frames - 1] * (static_cast<float>(left) / static_cast<float>(ramp));
}

__global__ void __launch_bounds__(threads)
    frames_kernel(const float* onset, const float* window, std::int64_t frames, std::int64_t w,
                  std::int64_t blocks, std::int64_t all, double* partial) {
  DYN_SHARED(float, z);
  SHARED(float, scale, [1]);
  for (std::int64_t item = blockIdx.x; item < all; item += gridDim.x) {
    const std::int64_t clip = item / blocks, begin = item % blocks * block_frames;
    const std::int64_t end = begin + block_frames < frames ? begin + block_frames : frames;
    double* sum = partial + item * w;
    for (std::int64_t lag = threadIdx.x; lag < w; lag += threads) sum[lag] = 0;
    for (std::int64_t t = begin; t < end; ++t) {
      for (std::int64_t i = threadIdx.x; i < w; i += threads)
        z[i] = window[i] * continued(onset + clip * frames, frames, w / 2, t - w / 2 + i);
      __syncthreads();
      for (std::int64_t first = 0; first < w; first += threads) {  // so that all threads meet at the barrier
        const std::int64_t lag = first + threadIdx.x;
        float value = 0;
        for (std::int64_t i = 0; i + lag < w; ++i) value += z[i] * z[i + lag];
        if (lag == 0) scale[0] = value <= FLT_MIN ? 1.0f : 1.0f / value;
        if (first == 0) __syncthreads();
        if (lag < w) sum[lag] += static_cast<double>(value * scale[0]);
      }
      __syncthreads();
    }
  }
}

__global__ void __launch_bounds__(threads)
    mean_kernel(const double* partial, std::int64_t blocks, std::int64_t frames, std::int64_t w,
                std::int64_t all, float* y) {
  for (std::int64_t item = global_thread(); item < all; item += global_threads()) {
    const double* sums = partial + item / w * blocks * w + item % w;
    double total = 0;
    for (std::int64_t block = 0; block < blocks; ++block) total += sums[block * w];
    y[item] = static_cast<float>(total / static_cast<double>(frames));
  }
}

}  // namespace

void tempogram_mean(Context& context, ConstView onset, ConstView window, View y) {
  constexpr const char* op = "tempogram_mean";
  require_dtype(onset, DType::f32, op, "onset");
  require_dtype(window, DType::f32, op, "window");
  require_dtype(y, DType::f32, op, "y");
  require(onset.rank == 2 && onset.shape[1] > 0, op, "onset [n, frames] is wanted");
  const std::int64_t n = onset.shape[0], frames = onset.shape[1], w = window.size();
  require(w > 0 && w <= widest, op, "the window must have 1 to 6144 values");
  require_size(y, n * w, op, "y");
  if (n == 0) return;
  const std::int64_t blocks = ceil_div(frames, block_frames);
  const Scratch partial(context, static_cast<std::size_t>(n * blocks * w) * sizeof(double));
  LAUNCH((frames_kernel), stride_grid(context, n * blocks, 1), threads,
         static_cast<std::size_t>(w) * sizeof(float), context.stream, onset.as<float>(), window.as<float>(),
         frames, w, blocks, n * blocks, partial.as<double>());
  LAUNCH((mean_kernel), stride_grid(context, n * w, threads), threads, 0, context.stream,
         partial.as<double>(), blocks, frames, w, n * w, y.as<float>());
}

}  // namespace chorale::cuda

// SPDX-License-Identifier: MIT
// The parts of a clip's fixed-length descriptor: moments of every row over the frames, spectral flux, and the
// autocorrelation of an envelope at chosen lags (the formulas stand in kernels/cpu/audio_descriptor.cpp).
//
// A warp per row for the moments, a thread per frame for the flux, a block per (clip, lag) for the
// autocorrelation, whose envelope of a few KB stays in the first-level cache. Sums over frames are f64 in a
// fixed order.
#include <cmath>

#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/reduction.cuh"

namespace chorale::cuda {
namespace {

constexpr int threads = 256;

__device__ inline std::int64_t count_of(const std::int64_t* counts, std::int64_t clip, std::int64_t frames) {
  const std::int64_t count = counts[clip];
  return count < 1 ? 1 : count > frames ? frames : count;
}

__global__ void __launch_bounds__(threads)
    moments_kernel(const float* x, const std::int64_t* counts, std::int64_t rows, std::int64_t frames,
                   std::int64_t all, float* moments) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * (threads / warp_size);
  for (std::int64_t item =
           static_cast<std::int64_t>(blockIdx.x) * (threads / warp_size) + threadIdx.x / warp_size;
       item < all; item += step) {
    const std::int64_t clip = item / rows, row = item % rows, count = count_of(counts, clip, frames);
    const float* in = x + item * frames;
    double sum = 0, square = 0;
    for (std::int64_t t = lane; t < count; t += warp_size) sum += static_cast<double>(in[t]);
    const double mean = warp_reduce<Sum>(sum) / static_cast<double>(count);
    for (std::int64_t t = lane; t < count; t += warp_size) {
      const double d = static_cast<double>(in[t]) - mean;
      square += d * d;
    }
    square = warp_reduce<Sum>(square);
    if (lane == 0) {
      moments[clip * 2 * rows + row] = static_cast<float>(mean);
      moments[clip * 2 * rows + rows + row] = static_cast<float>(sqrt(square / static_cast<double>(count)));
    }
  }
}

__global__ void __launch_bounds__(threads)
    onset_kernel(const float* db, std::int64_t bands, std::int64_t frames, std::int64_t lag,
                 std::int64_t max_size, std::int64_t delay, std::int64_t all, float* onset) {
  for (std::int64_t item = global_thread(); item < all; item += global_threads()) {
    const std::int64_t clip = item / frames, t = item % frames - delay;
    const float* in = db + clip * bands * frames + t;
    float sum = 0;
    for (std::int64_t b = 0; t >= lag && b < bands; ++b) {
      const std::int64_t low = b < max_size / 2 ? 0 : b - max_size / 2;
      const std::int64_t high = b + (max_size - 1) / 2 < bands ? b + (max_size - 1) / 2 : bands - 1;
      float before = in[b * frames - lag];
      for (std::int64_t other = low; other <= high; ++other)
        before = Max::combine(in[other * frames - lag], before);
      const float rise = in[b * frames] - before;
      sum += rise < 0 ? 0.0f : rise;
    }
    onset[item] = sum / static_cast<float>(bands);
  }
}

__global__ void __launch_bounds__(threads)
    autocorrelation_kernel(const float* x, const std::int64_t* counts, const float* lags, std::int64_t number,
                           std::int64_t frames, std::int64_t all, float* y) {
  for (std::int64_t item = blockIdx.x; item < all; item += gridDim.x) {
    const std::int64_t clip = item / number, count = count_of(counts, clip, frames);
    const float lag = lags[item % number];
    const std::int64_t whole = static_cast<std::int64_t>(lag);
    const float* in = x + clip * frames;
    double mean = 0;
    for (std::int64_t t = threadIdx.x; t < count; t += threads) mean += static_cast<double>(in[t]);
    mean = block_reduce<Sum, threads>(mean) / static_cast<double>(count);
    double energy = 0, near = 0, far = 0;
    const bool inside = lag >= 0 && lag <= static_cast<float>(count - 2);
    for (std::int64_t t = threadIdx.x; inside && t < count; t += threads) {
      const double value = static_cast<double>(in[t]) - mean;
      energy += value * value;
      if (t + whole < count) near += value * (static_cast<double>(in[t + whole]) - mean);
      if (t + whole + 1 < count) far += value * (static_cast<double>(in[t + whole + 1]) - mean);
    }
    energy = block_reduce<Sum, threads>(energy);
    near = block_reduce<Sum, threads>(near);
    far = block_reduce<Sum, threads>(far);
    const double part = static_cast<double>(lag) - static_cast<double>(whole);
    if (threadIdx.x == 0)
      y[item] = inside && energy > 0 ? static_cast<float>(((1 - part) * near + part * far) / energy) : 0.0f;
  }
}

}  // namespace

void frame_moments(Context& context, ConstView x, ConstView counts, View moments) {
  constexpr const char* op = "frame_moments";
  require_dtype(x, DType::f32, op, "x");
  require_dtype(counts, DType::i64, op, "counts");
  require_dtype(moments, DType::f32, op, "moments");
  require(x.rank == 3 && x.shape[2] > 0, op, "x [n, rows, frames] is wanted");
  const std::int64_t n = x.shape[0], rows = x.shape[1];
  require_size(counts, n, op, "counts");
  require_size(moments, n * 2 * rows, op, "moments");
  if (n * rows == 0) return;
  LAUNCH((moments_kernel), stride_grid(context, n * rows, threads / warp_size), threads, 0, context.stream,
         x.as<float>(), counts.as<std::int64_t>(), rows, x.shape[2], n * rows, moments.as<float>());
}

void onset_strength(Context& context, ConstView db, std::int64_t lag, std::int64_t max_size,
                    std::int64_t delay, View onset) {
  constexpr const char* op = "onset_strength";
  require_dtype(db, DType::f32, op, "db");
  require_dtype(onset, DType::f32, op, "onset");
  require(db.rank == 3 && db.shape[1] > 0, op, "db [n, bands, frames] is wanted");
  require(lag > 0 && max_size > 0 && delay >= 0, op, "lag and max_size must be positive, delay not negative");
  const std::int64_t all = db.shape[0] * db.shape[2];
  require_size(onset, all, op, "onset");
  if (all == 0) return;
  LAUNCH((onset_kernel), stride_grid(context, all, threads), threads, 0, context.stream, db.as<float>(),
         db.shape[1], db.shape[2], lag, max_size, delay, all, onset.as<float>());
}

void autocorrelation(Context& context, ConstView x, ConstView counts, ConstView lags, View y) {
  constexpr const char* op = "autocorrelation";
  require_dtype(x, DType::f32, op, "x");
  require_dtype(counts, DType::i64, op, "counts");
  require_dtype(lags, DType::f32, op, "lags");
  require_dtype(y, DType::f32, op, "y");
  require(x.rank == 2 && x.shape[1] > 0, op, "x [n, frames] is wanted");
  const std::int64_t all = x.shape[0] * lags.size();
  require_size(counts, x.shape[0], op, "counts");
  require_size(y, all, op, "y");
  if (all == 0) return;
  LAUNCH((autocorrelation_kernel), stride_grid(context, all, 1), threads, 0, context.stream, x.as<float>(),
         counts.as<std::int64_t>(), lags.as<float>(), lags.size(), x.shape[1], all, y.as<float>());
}

}  // namespace chorale::cuda

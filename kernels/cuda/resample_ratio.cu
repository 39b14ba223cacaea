// SPDX-License-Identifier: MIT
// Resampling by any real ratio, another one for each clip (the formula stands in
// kernels/cpu/resample_ratio.cpp).
//
// The clips' tables are made first, a thread a value, 263 KB a clip up to step 1: they stay in the caches. A
// warp takes an output: its lanes walk over the taps of two neighbouring rows and the samples below them,
// which lie side by side, and add up by shuffles. f32 in a fixed order, places f64. 4 bytes are read an input
// sample, 4 written an output sample; what binds is the first-level cache, 1.5 KB of it an output.
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/reduction.cuh"
#include "kernels/windowed_sinc.h"

namespace chorale::cuda {
namespace {

constexpr int threads = 256;
constexpr std::int64_t rows = windowed_sinc::phases + 1;

__device__ inline double step_of(const double* steps, std::int64_t clip, double max_step) {
  const double step = steps[clip];
  return step > 0 && step <= max_step ? step : max_step;
}

/// table [n, rows, stride]: only the taps that a clip's own step needs are written.
__global__ void __launch_bounds__(threads)
    table_kernel(const double* steps, double max_step, std::int64_t stride, std::int64_t all, float* table) {
  for (std::int64_t item = global_thread(); item < all; item += global_threads()) {
    const std::int64_t m = item % stride, row = item / stride % rows, clip = item / stride / rows;
    const double step = step_of(steps, clip, max_step);
    const std::int64_t reach = windowed_sinc::reach(step);
    if (m >= 2 * reach || step == 1) continue;
    const double first = static_cast<double>(1 - reach) -
                         static_cast<double>(row) / static_cast<double>(windowed_sinc::phases);
    table[item] = windowed_sinc::value(first + static_cast<double>(m), step);
  }
}

__global__ void __launch_bounds__(threads)
    resample_kernel(const float* samples, const double* steps, double max_step, const float* table,
                    std::int64_t stride, std::int64_t length, std::int64_t out_length, std::int64_t all,
                    float* out) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const std::int64_t warps = global_threads() / warp_size;
  for (std::int64_t item = global_thread() / warp_size; item < all; item += warps) {
    const std::int64_t clip = item / out_length, j = item % out_length;
    const float* x = samples + clip * length;
    const double step = step_of(steps, clip, max_step);
    if (step == 1) {
      if (lane == 0) out[item] = j < length ? x[j] : 0.0f;
      continue;
    }
    const windowed_sinc::Place place = windowed_sinc::place(j, step);
    const std::int64_t reach = windowed_sinc::reach(step), first = place.sample - (reach - 1);
    const float* row = table + (clip * rows + place.phase) * stride;
    float low = 0, high = 0;
    for (std::int64_t m = lane; m < 2 * reach; m += warp_size) {
      const float value = first + m >= 0 && first + m < length ? x[first + m] : 0.0f;
      low += value * row[m];
      high += value * row[stride + m];
    }
    const float sum = warp_reduce<Sum>(low + (high - low) * place.part);
    if (lane == 0) out[item] = sum;
  }
}

}  // namespace

void resample_ratio(Context& context, ConstView samples, ConstView steps, double max_step, View out) {
  constexpr const char* op = "resample_ratio";
  require_dtype(samples, DType::f32, op, "samples");
  require_dtype(steps, DType::f64, op, "steps");
  require_dtype(out, DType::f32, op, "out");
  require(samples.rank == 2 && out.rank == 2 && samples.shape[0] == out.shape[0], op,
          "samples [n, length] and out [n, out length] are wanted");
  require(max_step > 0 && max_step <= 64, op, "max_step must be above 0, up to 64");
  require_size(steps, out.shape[0], op, "steps");
  if (out.size() == 0) return;
  const std::int64_t n = out.shape[0], stride = ceil_div(2 * windowed_sinc::reach(max_step), 32) * 32;
  const std::int64_t entries = n * rows * stride;
  const Scratch table(context, static_cast<std::size_t>(entries) * sizeof(float));
  LAUNCH((table_kernel), stride_grid(context, entries, threads), threads, 0, context.stream,
         steps.as<double>(), max_step, stride, entries, table.as<float>());
  LAUNCH((resample_kernel), stride_grid(context, out.size(), threads / warp_size), threads, 0, context.stream,
         samples.as<float>(), steps.as<double>(), max_step, table.as<float>(), stride, samples.shape[1],
         out.shape[1], out.size(), out.as<float>());
}

}  // namespace chorale::cuda

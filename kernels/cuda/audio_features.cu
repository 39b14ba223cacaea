// SPDX-License-Identifier: MIT
// What follows the mel spectrogram: decibels, the DCT of every frame, derivatives along them, standardised
// clips.
//
// Frames are the last dimension, so neighbouring threads take neighbouring frames. A clip's maximum, mean and
// variance come from a fixed number of parts that every block then combines in the same order (no atomics);
// means and variances are f64. Bytes of memory that a frame must move, at 128 bands and 40 coefficients:
// decibels 512 + 512 (the maximum, read first, another 512 unless the clip, 0.7 MB for 30 s, is still in the
// second-level cache), DCT 512 + 160, each derivative 160 + 160. From samples to MFCC with two derivatives
// that is, with the mel kernel's 2.5 KB, 4.9 KB a frame, 5.4 KB when the cache holds nothing: 1.3 ns at
// the 4.3 TB/s that an H200 copies.
#include <cmath>

#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/reduction.cuh"

namespace chorale::cuda {
namespace {

constexpr int threads = 256;
constexpr int parts = 64;  // of one clip

/// Combines term(x[i]) over part blockIdx.x of clip blockIdx.y into partial[clip * parts + part].
template <class Op, class T, class Term>
__device__ void reduce_part(std::int64_t size, T* partial, const Term& term) {
  T value = Op::template identity<T>();
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * threads + threadIdx.x; i < size;
       i += static_cast<std::int64_t>(parts) * threads)
    value = Op::combine(value, term(i));
  value = block_reduce<Op, threads>(value);
  if (threadIdx.x == 0) partial[blockIdx.y * parts + blockIdx.x] = value;
}

/// The parts of this block's clip, combined in order.
template <class Op, class T>
__device__ T combine_parts(const T* partial) {
  T value = partial[blockIdx.y * parts];
  for (int part = 1; part < parts; ++part) value = Op::combine(value, partial[blockIdx.y * parts + part]);
  return value;
}

__global__ void __launch_bounds__(threads) maximum_kernel(const float* x, std::int64_t size, float* partial) {
  const float* clip = x + blockIdx.y * size;
  reduce_part<Max>(size, partial, [&](std::int64_t i) { return clip[i]; });
}

__global__ void __launch_bounds__(threads) sum_kernel(const float* x, std::int64_t size, double* partial) {
  const float* clip = x + blockIdx.y * size;
  reduce_part<Sum>(size, partial, [&](std::int64_t i) { return static_cast<double>(clip[i]); });
}

__global__ void __launch_bounds__(threads)
    deviation_kernel(const float* x, std::int64_t size, const double* sums, double* partial) {
  const double mean = combine_parts<Sum>(sums) / static_cast<double>(size);
  const float* clip = x + blockIdx.y * size;
  reduce_part<Sum>(size, partial, [&](std::int64_t i) {
    const double d = static_cast<double>(clip[i]) - mean;
    return d * d;
  });
}

/// 10 log10(max(amin, x)), or the natural logarithm; NaN stays NaN.
__device__ inline float decibels(float x, float amin, bool natural = false) {
  if (x != x) return x;
  const float value = x > amin ? x : amin;
  return natural ? logf(value) : 10.0f * log10f(value);
}

__global__ void __launch_bounds__(threads)
    decibel_kernel(const float* x, std::int64_t size, const float* maxima /*optional*/, DecibelParams params,
                   float* y) {
  float reference = 0, floor = -INFINITY;
  if (maxima) {
    const float loudest = combine_parts<Max>(maxima);
    reference = decibels(params.reference > 0 ? params.reference : loudest, params.amin);
    if (params.top_db >= 0) floor = decibels(loudest, params.amin) - reference - params.top_db;
  } else if (!params.natural) {
    reference = decibels(params.reference, params.amin);
  }
  const std::int64_t clip = blockIdx.y * size;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * threads + threadIdx.x; i < size;
       i += static_cast<std::int64_t>(gridDim.x) * threads) {
    const float value = decibels(x[clip + i], params.amin, params.natural) - reference;
    y[clip + i] = value < floor ? floor : value;
  }
}

__global__ void __launch_bounds__(threads)
    standardize_kernel(const float* x, std::int64_t size, const double* sums, const double* squares,
                       float epsilon, float* y) {
  const double mean = combine_parts<Sum>(sums) / static_cast<double>(size);
  const double deviation = sqrt(combine_parts<Sum>(squares) / static_cast<double>(size));
  const float centre = static_cast<float>(mean);
  const float scale = static_cast<float>(
      1.0 / (deviation > static_cast<double>(epsilon) ? deviation : static_cast<double>(epsilon)));
  const std::int64_t clip = blockIdx.y * size;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * threads + threadIdx.x; i < size;
       i += static_cast<std::int64_t>(gridDim.x) * threads)
    y[clip + i] = (x[clip + i] - centre) * scale;
}

constexpr int tile_rows = 8;              // coefficients of one thread
constexpr std::int64_t partial_sum = 32;  // bands; one long f32 sum would lose the third decimal

__global__ void __launch_bounds__(threads)
    transform_kernel(const float* x, const float* basis, std::int64_t bands, std::int64_t frames,
                     std::int64_t tiles, std::int64_t coefficients, std::int64_t first_row, std::int64_t rows,
                     std::int64_t count, float* y) {
  for (std::int64_t item = global_thread(); item < count; item += global_threads()) {
    const std::int64_t frame = item % frames, tile = item / frames % tiles, clip = item / frames / tiles;
    const std::int64_t row = tile * tile_rows;
    const int some = static_cast<int>(coefficients - row < tile_rows ? coefficients - row : tile_rows);
    const float* in = x + clip * bands * frames + frame;
    float total[tile_rows] = {};
    for (std::int64_t first = 0; first < bands; first += partial_sum) {
      const std::int64_t end = first + partial_sum < bands ? first + partial_sum : bands;
      float sum[tile_rows] = {};
      for (std::int64_t b = first; b < end; ++b) {
        const float value = in[b * frames];
        for (int r = 0; r < tile_rows; ++r)
          if (r < some) sum[r] += basis[(row + r) * bands + b] * value;
      }
      for (int r = 0; r < tile_rows; ++r) total[r] += sum[r];
    }
    float* out = y + (clip * rows + first_row + row) * frames + frame;
    for (int r = 0; r < tile_rows; ++r)
      if (r < some) out[r * frames] = total[r];
  }
}

__global__ void __launch_bounds__(threads)
    filter_kernel(const float* x, const float* filter, std::int64_t width, std::int64_t frames,
                  std::int64_t source_rows, std::int64_t source_row, std::int64_t target_rows,
                  std::int64_t target_row, std::int64_t rows, std::int64_t count, float* y) {
  const std::int64_t half = width / 2, last = frames - 1 - half;
  for (std::int64_t item = global_thread(); item < count; item += global_threads()) {
    const std::int64_t frame = item % frames, row = item / frames % rows, clip = item / frames / rows;
    const std::int64_t centre = frame < half ? half : frame > last ? last : frame;
    const float* in = x + (clip * source_rows + source_row + row) * frames + centre - half;
    float sum = 0;
    for (std::int64_t j = 0; j < width; ++j) sum += in[j] * filter[j];
    y[(clip * target_rows + target_row + row) * frames + frame] = sum;
  }
}

dim3 clip_grid(std::int64_t blocks, std::int64_t clips) {
  return dim3(static_cast<unsigned>(blocks), static_cast<unsigned>(clips));
}

/// Clips are the grid's second dimension, of which a launch holds 65,535: calls run(first, count) for slices.
template <class Run>
void for_clips(std::int64_t n, const Run& run) {
  constexpr std::int64_t most = 32768;
  for (std::int64_t first = 0; first < n; first += most) run(first, n - first < most ? n - first : most);
}

}  // namespace

void power_to_db(Context& context, ConstView power, DecibelParams params, View db) {
  constexpr const char* op = "power_to_db";
  require_dtype(power, DType::f32, op, "power");
  require_dtype(db, DType::f32, op, "db");
  require_size(db, power.size(), op, "db");
  require(power.rank >= 1 && params.amin > 0, op, "a batch of clips and a positive amin are wanted");
  if (power.size() == 0) return;
  const std::int64_t size = power.size() / power.shape[0];
  const bool with_maximum = !params.natural && (params.reference <= 0 || params.top_db >= 0);
  for_clips(power.shape[0], [&](std::int64_t first, std::int64_t clips) {
    const Scratch maxima(context, with_maximum ? static_cast<std::size_t>(clips) * parts * sizeof(float) : 0);
    const float* x = power.as<float>() + first * size;
    if (with_maximum)
      LAUNCH((maximum_kernel), clip_grid(parts, clips), threads, 0, context.stream, x, size,
             maxima.as<float>());
    LAUNCH((decibel_kernel), clip_grid(parts, clips), threads, 0, context.stream, x, size, maxima.as<float>(),
           params, db.as<float>() + first * size);
  });
}

void standardize_clips(Context& context, ConstView x, float epsilon, View y) {
  constexpr const char* op = "standardize_clips";
  require_dtype(x, DType::f32, op, "x");
  require_dtype(y, DType::f32, op, "y");
  require_size(y, x.size(), op, "y");
  require(x.rank >= 1 && epsilon > 0, op, "a batch of clips and a positive epsilon are wanted");
  if (x.size() == 0) return;
  const std::int64_t size = x.size() / x.shape[0];
  for_clips(x.shape[0], [&](std::int64_t first, std::int64_t clips) {
    const Scratch partial(context, static_cast<std::size_t>(clips) * parts * 2 * sizeof(double));
    double* sums = partial.as<double>();
    double* squares = sums + clips * parts;
    const float* in = x.as<float>() + first * size;
    LAUNCH((sum_kernel), clip_grid(parts, clips), threads, 0, context.stream, in, size, sums);
    LAUNCH((deviation_kernel), clip_grid(parts, clips), threads, 0, context.stream, in, size, sums, squares);
    LAUNCH((standardize_kernel), clip_grid(parts, clips), threads, 0, context.stream, in, size, sums, squares,
           epsilon, y.as<float>() + first * size);
  });
}

void frame_transform(Context& context, ConstView x, ConstView basis, std::int64_t first_row, View y) {
  constexpr const char* op = "frame_transform";
  require_dtype(x, DType::f32, op, "x");
  require_dtype(basis, DType::f32, op, "basis");
  require_dtype(y, DType::f32, op, "y");
  const std::int64_t n = x.shape[0], bands = x.shape[1], frames = x.shape[2], coefficients = basis.shape[0];
  require(x.rank == 3 && y.rank == 3 && basis.rank == 2 && y.shape[0] == n && y.shape[2] == frames &&
              basis.shape[1] == bands && first_row >= 0 && y.shape[1] >= first_row + coefficients,
          op, "x [n, bands, frames], basis [coefficients, bands] and y [n, rows, frames] are wanted");
  const std::int64_t tiles = ceil_div(coefficients, tile_rows), count = n * tiles * frames;
  if (count == 0) return;
  LAUNCH((transform_kernel), stride_grid(context, count, threads), threads, 0, context.stream, x.as<float>(),
         basis.as<float>(), bands, frames, tiles, coefficients, first_row, y.shape[1], count, y.as<float>());
}

void frame_filter(Context& context, ConstView x, ConstView filter, std::int64_t source_row,
                  std::int64_t target_row, std::int64_t rows, View y) {
  constexpr const char* op = "frame_filter";
  require_dtype(x, DType::f32, op, "x");
  require_dtype(filter, DType::f32, op, "filter");
  require_dtype(y, DType::f32, op, "y");
  const std::int64_t n = x.shape[0], frames = x.shape[2], width = filter.size();
  require(x.rank == 3 && y.rank == 3 && y.shape[0] == n && y.shape[2] == frames && source_row >= 0 &&
              target_row >= 0 && rows >= 0 && source_row + rows <= x.shape[1] &&
              target_row + rows <= y.shape[1],
          op, "x and y [n, rows, frames] must hold the rows asked for");
  require(width % 2 == 1 && frames >= width, op,
          "the filter's width must be odd and at most the number of frames");
  const std::int64_t count = n * rows * frames;
  if (count == 0) return;
  LAUNCH((filter_kernel), stride_grid(context, count, threads), threads, 0, context.stream, x.as<float>(),
         filter.as<float>(), width, frames, x.shape[1], source_row, y.shape[1], target_row, rows, count,
         y.as<float>());
}

}  // namespace chorale::cuda

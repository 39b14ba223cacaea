// SPDX-License-Identifier: MIT
// Reductions over the middle of x [outer, middle, inner], and their backward.
//
//   reduce_sum         y[o, i] = sum_m x[o, m, i]
//   reduce_max         y[o, i] = max_m x[o, m, i]; NaN if any is; -inf if there are none
//   broadcast_middle   y[o, m, i] = factor x[o, i]
//   square_sum         out += sum x^2
//   accumulate_metrics sums[i] += weight values[i], sums[k] += weight
//
// Contiguous rows (inner = 1) are added in f32 per chunk of 1,024, chunks in f64; columns as
// kernels/cpu/columns.h says. Blocks have fixed sizes and are combined in order. Bytes moved: x once, y once.
#include <cmath>
#include <limits>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/columns.h"
#include "kernels/cpu/kernels.h"

namespace chorale::cpu {
namespace {

void check(const char* kernel, const ConstView& full, const ConstView& reduced) {
  require_storage(kernel, full, reduced);
  require(full.rank == 3 && reduced.rank == 2 && full.shape[0] == reduced.shape[0] &&
              full.shape[2] == reduced.shape[1],
          kernel, "shapes must be [outer, middle, inner] and [outer, inner]", full, reduced);
}

/// out[r] (f64) = sum over rows of `columns` contiguous elements of what `part` returns for a chunk.
template <class Part>
void row_sums(Context& context, const ConstView& x, std::int64_t rows, std::int64_t columns, double* out,
              const Part& part) {
  const std::int64_t blocks = std::max<std::int64_t>(1, block_count(columns, block_size));
  const Scratch scratch(context, blocks > 1 ? static_cast<std::size_t>(rows * blocks) * sizeof(double) : 0);
  double* partial = blocks > 1 ? scratch.as<double>() : out;
  // Short rows: several to a task.
  const std::int64_t step = std::max<std::int64_t>(1, block_size / std::max<std::int64_t>(1, columns));
  parallel_tasks(block_count(rows * blocks, step), rows * columns, [&](std::int64_t task) {
    alignas(64) float buffer[chunk];
    for (std::int64_t job = task * step; job < std::min(rows * blocks, (task + 1) * step); ++job) {
      const std::int64_t row = job / blocks, begin = job % blocks * block_size;
      const std::int64_t end = std::min(columns, begin + block_size);
      double sum = 0;
      for (std::int64_t c = begin; c < end; c += chunk) {
        const std::int64_t count = std::min(chunk, end - c);
        sum += static_cast<double>(part(load(x, row * columns + c, count, buffer), count));
      }
      partial[job] = sum;
    }
  });
  if (blocks == 1) return;
  for (std::int64_t row = 0; row < rows; ++row) {
    out[row] = 0;
    for (std::int64_t block = 0; block < blocks; ++block) out[row] += partial[row * blocks + block];
  }
}

float sum(const float* x, std::int64_t count) {
  float s = 0;
#pragma omp simd reduction(+ : s)
  for (std::int64_t i = 0; i < count; ++i) s += x[i];
  return s;
}

float sum_of_squares(const float* x, std::int64_t count) {
  float s = 0;
#pragma omp simd reduction(+ : s)
  for (std::int64_t i = 0; i < count; ++i) s += x[i] * x[i];
  return s;
}

}  // namespace

void reduce_sum(Context& context, ConstView x, View y) {
  check("reduce_sum", x, y);
  const std::int64_t outer = x.shape[0], middle = x.shape[1], inner = x.shape[2];
  if (y.size() == 0) return;
  const Scratch scratch(context, static_cast<std::size_t>(outer * inner) * sizeof(double));
  auto* sums = scratch.as<double>();
  if (inner == 1)
    row_sums(context, x, outer, middle, sums, sum);
  else
    column_sums<1>(context, outer, middle, inner, sums,
                   [&](std::int64_t group, std::int64_t row, std::int64_t rows, std::int64_t column,
                       std::int64_t count, float(*acc)[chunk]) {
                     alignas(64) float buffer[chunk];
                     const float* xs = load(x, (group * middle + row) * inner + column, rows * count, buffer);
                     for (std::int64_t r = 0; r < rows; ++r)
#pragma omp simd
                       for (std::int64_t i = 0; i < count; ++i) acc[0][i] += xs[r * count + i];
                   });
  parallel_blocks(outer * inner, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) store_one(y, i, static_cast<float>(sums[i]));
  });
}

void reduce_max(Context&, ConstView x, View y) {
  check("reduce_max", x, y);
  const std::int64_t outer = x.shape[0], middle = x.shape[1], inner = x.shape[2];
  const std::int64_t tile = std::min(inner, chunk),
                     tiles = block_count(inner, std::max<std::int64_t>(1, tile));
  parallel_tasks(outer * tiles, x.size(), [&](std::int64_t task) {
    const std::int64_t group = task / tiles, column = task % tiles * tile,
                       count = std::min(tile, inner - column);
    alignas(64) float best[chunk], buffer[chunk];
    std::fill_n(best, count, -std::numeric_limits<float>::infinity());
    if (inner == 1) {
      for (std::int64_t c = 0; c < middle; c += chunk) {
        const std::int64_t n = std::min(chunk, middle - c);
        const float* xs = load(x, group * middle + c, n, buffer);
        float m = -std::numeric_limits<float>::infinity();
        int nan = 0;
#pragma omp simd reduction(max : m) reduction(| : nan)
        for (std::int64_t i = 0; i < n; ++i) {
          m = m > xs[i] ? m : xs[i];
          nan |= xs[i] != xs[i];
        }
        if (nan)
          best[0] = std::numeric_limits<float>::quiet_NaN();
        else if (m > best[0])
          best[0] = m;
      }
    } else {
      for (std::int64_t row = 0; row < middle; ++row) {
        const float* xs = load(x, (group * middle + row) * inner + column, count, buffer);
#pragma omp simd
        for (std::int64_t i = 0; i < count; ++i)
          best[i] = xs[i] > best[i] || xs[i] != xs[i] ? xs[i] : best[i];
      }
    }
    if (y.dtype == DType::f32) std::copy_n(best, count, y.as<float>() + group * inner + column);
    store(best, y, group * inner + column, count);
  });
}

void broadcast_middle(Context&, ConstView x, float factor, View y) {
  check("broadcast_middle", y, x);
  const std::int64_t outer = y.shape[0], middle = y.shape[1], inner = y.shape[2];
  if (inner == 1) {
    parallel_tasks(outer, y.size(), [&](std::int64_t group) {
      alignas(64) float buffer[chunk];
      const float value = factor * load_one(x, group);
      for (std::int64_t c = 0; c < middle; c += chunk) {
        const std::int64_t count = std::min(chunk, middle - c);
        float* ys = target(y, group * middle + c, buffer);
        std::fill_n(ys, count, value);
        store(ys, y, group * middle + c, count);
      }
    });
    return;
  }
  for (std::int64_t group = 0; group < outer; ++group)
    for_pieces(middle, inner,
               [&](std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t count) {
                 alignas(64) float x_buffer[chunk], y_buffer[chunk];
                 const float* xs = load(x, group * inner + column, count, x_buffer);
                 const std::int64_t offset = (group * middle + row) * inner + column;
                 float* ys = target(y, offset, y_buffer);
                 for (std::int64_t r = 0; r < rows; ++r)
#pragma omp simd
                   for (std::int64_t i = 0; i < count; ++i) ys[r * count + i] = factor * xs[i];
                 store(ys, y, offset, rows * count);
               });
}

void square_sum(Context& context, ConstView x, View out) {
  require_storage("square_sum", x);
  require(out.data && out.dtype == DType::f64 && out.size() == 1, "square_sum", "out must be one f64", out);
  double total = 0;
  row_sums(context, x, 1, x.size(), &total, sum_of_squares);
  *out.as<double>() += total;
}

void accumulate_metrics(Context&, ConstView values, double weight, View sums) {
  require(values.data && values.dtype == DType::f32 && sums.data && sums.dtype == DType::f64 &&
              sums.size() == values.size() + 1,
          "accumulate_metrics", "values must be f32 [k] and sums f64 [k + 1]", values, sums);
  const std::int64_t k = values.size();
  for (std::int64_t i = 0; i < k; ++i) {
    const double value = static_cast<double>(values.as<float>()[i]);
    if (std::isfinite(value)) sums.as<double>()[i] += weight * value;
  }
  sums.as<double>()[k] += weight;
}

}  // namespace chorale::cpu

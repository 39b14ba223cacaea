// SPDX-License-Identifier: MIT
// Sums over the rows of row-major matrices: the reduction under reduce_sum, batch norm and the KL divergence.
// Accumulators are f32 for 64 rows, then f64. The cut into row blocks and column tiles depends on the shape
// alone.
#pragma once
#include <cstring>

#include "kernels/context.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/storage.h"

namespace chorale::cpu {

/// How many whole rows of `columns` values one chunk holds; 1 for long rows, which are cut into tiles
/// instead.
inline std::int64_t rows_per_chunk(std::int64_t columns) {
  return columns >= chunk ? 1 : chunk / std::max<std::int64_t>(1, columns);
}

/// Calls body(first_row, rows, column, columns) for pieces of a [rows, columns] matrix of at most `chunk`
/// elements; a piece is contiguous in memory.
template <class Body>
void for_pieces(std::int64_t rows, std::int64_t columns, const Body& body) {
  const std::int64_t tile = std::min(columns, chunk),
                     tiles = block_count(columns, std::max<std::int64_t>(1, tile));
  const std::int64_t step = rows_per_chunk(columns);
  const std::int64_t task_rows =
      std::max<std::int64_t>(1, block_size / std::max<std::int64_t>(1, tile * step)) * step;
  parallel_tasks(block_count(rows, task_rows) * tiles, rows * columns, [&](std::int64_t task) {
    const std::int64_t column = task % tiles * tile, end = std::min(rows, (task / tiles + 1) * task_rows);
    for (std::int64_t row = task / tiles * task_rows; row < end; row += step)
      body(row, std::min(step, end - row), column, std::min(tile, columns - column));
  });
}

/// sums[k][group][column] = sum over rows of what `term` adds. term(group, first_row, rows, column, columns,
/// acc) adds its piece (contiguous, at most `chunk` elements) to acc[k][0 .. columns).
template <int K, class Term>
void column_sums(Context& context, std::int64_t groups, std::int64_t rows, std::int64_t columns, double* sums,
                 const Term& term) {
  constexpr std::int64_t f32_rows = 64;
  const std::int64_t tile = std::min(columns, chunk),
                     tiles = block_count(columns, std::max<std::int64_t>(1, tile));
  const std::int64_t step = std::min(rows_per_chunk(columns), f32_rows);
  const std::int64_t row_block =
      block_count(std::max(f32_rows, 4 * block_size / std::max<std::int64_t>(1, columns)), f32_rows) *
      f32_rows;
  const std::int64_t row_blocks = std::max<std::int64_t>(1, block_count(rows, row_block));
  const std::int64_t width = groups * columns;
  const Scratch scratch(
      context, row_blocks > 1 ? static_cast<std::size_t>(row_blocks * K * width) * sizeof(double) : 0);
  double* partial = row_blocks > 1 ? scratch.as<double>() : sums;
  parallel_tasks(groups * row_blocks * tiles, width * rows, [&](std::int64_t task) {
    const std::int64_t column = task % tiles * tile, count = std::min(tile, columns - column);
    const std::int64_t block = task / tiles % row_blocks, group = task / tiles / row_blocks;
    const std::int64_t first = block * row_block, last = std::min(rows, first + row_block);
    alignas(64) float acc[K][chunk];
    double* out[K];
    for (int k = 0; k < K; ++k) {
      out[k] = partial + (block * K + k) * width + group * columns + column;
      std::memset(out[k], 0, static_cast<std::size_t>(count) * sizeof(double));
    }
    for (std::int64_t base = first; base < last; base += f32_rows) {
      for (int k = 0; k < K; ++k) std::memset(acc[k], 0, static_cast<std::size_t>(count) * sizeof(float));
      const std::int64_t end = std::min(last, base + f32_rows);
      for (std::int64_t row = base; row < end; row += step)
        term(group, row, std::min(step, end - row), column, count, acc);
      for (int k = 0; k < K; ++k)
#pragma omp simd
        for (std::int64_t i = 0; i < count; ++i) out[k][i] += static_cast<double>(acc[k][i]);
    }
  });
  if (row_blocks == 1) return;
  parallel_blocks(K * width, [&](std::int64_t begin, std::int64_t end) {
    std::memcpy(sums + begin, partial + begin, static_cast<std::size_t>(end - begin) * sizeof(double));
    for (std::int64_t block = 1; block < row_blocks; ++block) {
      const double* more = partial + block * K * width;
#pragma omp simd
      for (std::int64_t i = begin; i < end; ++i) sums[i] += more[i];
    }
  });
}

}  // namespace chorale::cpu

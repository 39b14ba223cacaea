// SPDX-License-Identifier: MIT
// Walking `groups` matrices of [rows, columns] by column: normalisation and modulation have arguments for
// each channel and need sums over pixels. A pixel of 32 channels is two vector registers, too short a loop,
// so `repeat` rows are joined to a line of up to 256 elements; per-column arguments are repeated as often
// (fill_line) and sums over a line's copies of a column are added at the end (LineSums). A longer row is a
// line of its own; beyond 1,024 columns it is cut into tiles, whose pieces of memory lie apart.
//
// A block is about 65,536 elements of one group and one tile, small enough to stay in the cache for a second
// look. The cut depends on the shape alone, blocks are combined in order.
#pragma once
#include <cstring>

#include "kernels/context.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/storage.h"

namespace chorale::cpu {

/// Room for a line of f32. Lines lie side by side on the stack; 4 KB apart, a load would wait for the store
/// to the same place of another line, so each begins 448 bytes further on.
using Line = float[1024 + 112];

struct Lines {
  static constexpr std::int64_t usual = 256, longest = 1024;  ///< elements of a line
  static constexpr std::int64_t block_elements = 65536;

  Lines(std::int64_t groups, std::int64_t rows, std::int64_t columns)
      : groups(groups), rows(rows), columns(columns) {
    repeat = std::max<std::int64_t>(1, std::min(rows, usual / std::max<std::int64_t>(1, columns)));
    tile = std::max<std::int64_t>(1, std::min(repeat * columns, longest));
    tiles = block_count(repeat * columns, tile);
    lines = block_count(rows, repeat);
    block_lines = block_elements / tile;
    blocks = std::max<std::int64_t>(1, block_count(lines, block_lines));
  }
  std::int64_t groups, rows, columns;
  std::int64_t repeat;               ///< rows to a line; the last line of a group may hold fewer
  std::int64_t tile, tiles;          ///< elements of a line walked at once; tiles > 1 only if repeat is 1
  std::int64_t lines;                ///< of a group
  std::int64_t block_lines, blocks;  ///< lines to a block, blocks to a group and tile
};

/// Lines [first, last) of a group, columns [column, column + columns) of each.
struct Block {
  std::int64_t group, index, first, last, column, columns;
};

/// Calls body(block) for every block, in parallel.
template <class Body>
void for_blocks(const Lines& l, const Body& body) {
  parallel_tasks(l.groups * l.blocks * l.tiles, l.groups * l.rows * l.columns, [&](std::int64_t task) {
    const std::int64_t column = task % l.tiles * l.tile, index = task / l.tiles % l.blocks;
    const std::int64_t columns = std::min(l.tile, l.columns - column), first = index * l.block_lines;
    body(Block{task / l.tiles / l.blocks, index, first, std::min(l.lines, first + l.block_lines), column,
               columns});
  });
}

/// Calls body(offset, count) for the block's lines: `count` contiguous elements from `offset` on.
template <class Body>
void for_lines(const Lines& l, const Block& b, const Body& body) {
  for (std::int64_t line = b.first; line < b.last; ++line) {
    const std::int64_t row = line * l.repeat;
    body((b.group * l.rows + row) * l.columns + b.column, std::min(l.repeat, l.rows - row) * b.columns);
  }
}

/// line[i] = value(column of the line's element i).
template <class Value>
const float* fill_line(const Lines& l, const Block& b, float* line, const Value& value) {
  for (std::int64_t c = 0; c < b.columns; ++c) line[c] = value(b.column + c);
  for (std::int64_t r = 1; r < l.repeat; ++r) std::copy_n(line, b.columns, line + r * b.columns);
  return line;
}

/// K sums for each column of a block: f32 over 64 lines, then f64.
template <int K>
class LineSums {
 public:
  explicit LineSums(const Lines& l, const Block& b)
      : repeat_(l.repeat), columns_(b.columns), count_(l.repeat * b.columns) {
    for (int k = 0; k < K; ++k) {
      std::fill_n(part_[k], count_, 0.0f);
      std::fill_n(sum_[k], count_, 0.0);
    }
  }
  /// Accumulators for the elements of one more line.
  Line* next() {
    if (lines_++ == f32_lines) flush();
    return part_;
  }
  /// to[k * stride + c] = sum k of the block's column c.
  void finish(double* to, std::int64_t stride) {
    flush();
    for (int k = 0; k < K; ++k) {
      std::copy_n(sum_[k], columns_, to + k * stride);
      for (std::int64_t r = 1; r < repeat_; ++r)
        for (std::int64_t c = 0; c < columns_; ++c) to[k * stride + c] += sum_[k][r * columns_ + c];
    }
  }

 private:
  static constexpr int f32_lines = 64;
  void flush() {
    lines_ = 1;
    for (int k = 0; k < K; ++k)
#pragma omp simd
      for (std::int64_t i = 0; i < count_; ++i) {
        sum_[k][i] += static_cast<double>(part_[k][i]);
        part_[k][i] = 0.0f;
      }
  }
  std::int64_t repeat_, columns_, count_;
  int lines_ = 0;
  alignas(64) Line part_[K];
  alignas(64) double sum_[K][Lines::longest];
};

/// sums [groups, K, columns] of what `term` adds: term(block, line_sums) calls next() for each of its lines.
template <int K, class Term>
void line_sums(Context& context, const Lines& l, double* sums, const Term& term) {
  const std::int64_t width = K * l.columns;
  const Scratch scratch(
      context, l.blocks > 1 ? static_cast<std::size_t>(l.groups * l.blocks * width) * sizeof(double) : 0);
  double* partial = l.blocks > 1 ? scratch.as<double>() : sums;
  for_blocks(l, [&](const Block& b) {
    LineSums<K> total(l, b);
    term(b, total);
    total.finish(partial + (b.group * l.blocks + b.index) * width + b.column, l.columns);
  });
  if (l.blocks == 1) return;
  for (std::int64_t group = 0; group < l.groups; ++group)
    for (std::int64_t i = 0; i < width; ++i) {
      const double* from = partial + group * l.blocks * width + i;
      double sum = 0;
      for (std::int64_t block = 0; block < l.blocks; ++block) sum += from[block * width];
      sums[group * width + i] = sum;
    }
}

/// moments [groups, 2, columns]: mean of each column of x and the sum of its squared deviations from it.
/// Reads x once.
void column_moments(Context& context, const ConstView& x, const Lines& lines, double* moments);

}  // namespace chorale::cpu

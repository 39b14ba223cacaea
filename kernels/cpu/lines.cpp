// SPDX-License-Identifier: MIT
// Mean and squared deviations of every column in one pass over memory, without the cancellation of
// sum x^2 - (sum x)^2 / n. A block takes its pivot p from the mean of its first lines, sums d = x - p and d^2
// (f32 over 64 lines, then f64), and
//
//   mean = p + sum d / m     squares = sum d^2 - (sum d)^2 / m          (m rows of the block)
//
// where what cancels is small since p lies near the block's own mean. Blocks are joined in order (Chan, Golub
// and LeVeque 1979):  mean += delta m / (n + m),  squares += squares' + delta^2 n m / (n + m).  Bytes moved:
// x.
#include "kernels/cpu/lines.h"

namespace chorale::cpu {
namespace {

constexpr std::int64_t pivot_lines = 8;

std::int64_t row_count(const Lines& l, const Block& b) {
  return std::min(l.rows, b.last * l.repeat) - b.first * l.repeat;
}

/// The mean of the block's first lines, as a line.
void find_pivot(const ConstView& x, const Lines& l, const Block& b, float* pivot) {
  alignas(64) Line buffer;
  Block head = b;
  head.last = std::min(b.last, b.first + pivot_lines);
  LineSums<1> total(l, head);
  for_lines(l, head, [&](std::int64_t offset, std::int64_t count) {
    const float* xs = load(x, offset, count, buffer);
    float* sum = total.next()[0];
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) sum[i] += xs[i];
  });
  double sums[Lines::longest];
  total.finish(sums, 0);
  const double n = static_cast<double>(row_count(l, head));
  fill_line(l, b, pivot, [&](std::int64_t c) { return static_cast<float>(sums[c - b.column] / n); });
}

/// Mean and squared deviations of the block's columns, `stride` apart.
void block_moments(const ConstView& x, const Lines& l, const Block& b, double* to, std::int64_t stride) {
  alignas(64) Line pivot, buffer;
  find_pivot(x, l, b, pivot);
  LineSums<2> total(l, b);
  for_lines(l, b, [&](std::int64_t offset, std::int64_t count) {
    const float* xs = load(x, offset, count, buffer);
    Line* sums = total.next();
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) {
      const float d = xs[i] - pivot[i];
      sums[0][i] += d;
      sums[1][i] += d * d;
    }
  });
  total.finish(to, stride);
  const double m = static_cast<double>(row_count(l, b));
  for (std::int64_t c = 0; c < b.columns; ++c) {
    const double shift = to[c] / m, squares = to[stride + c] - to[c] * shift;
    to[c] = static_cast<double>(pivot[c]) + shift;
    to[stride + c] = squares < 0 ? 0 : squares;
  }
}

}  // namespace

void column_moments(Context& context, const ConstView& x, const Lines& l, double* moments) {
  const std::int64_t width = 2 * l.columns;
  const Scratch scratch(
      context, l.blocks > 1 ? static_cast<std::size_t>(l.groups * l.blocks * width) * sizeof(double) : 0);
  double* partial = l.blocks > 1 ? scratch.as<double>() : moments;
  for_blocks(l, [&](const Block& b) {
    block_moments(x, l, b, partial + (b.group * l.blocks + b.index) * width + b.column, l.columns);
  });
  if (l.blocks == 1) return;
  for (std::int64_t group = 0; group < l.groups; ++group)
    for (std::int64_t c = 0; c < l.columns; ++c) {
      const double* from = partial + group * l.blocks * width + c;
      double mean = from[0], squares = from[l.columns];
      double n = static_cast<double>(std::min(l.rows, l.block_lines * l.repeat));
      for (std::int64_t block = 1; block < l.blocks; ++block) {
        const std::int64_t first = block * l.block_lines * l.repeat;
        const double m = static_cast<double>(std::min(l.rows - first, l.block_lines * l.repeat));
        const double delta = from[block * width] - mean;
        mean += delta * m / (n + m);
        squares += from[block * width + l.columns] + delta * delta * n * m / (n + m);
        n += m;
      }
      moments[group * width + c] = mean;
      moments[group * width + l.columns + c] = squares;
    }
}

}  // namespace chorale::cpu

// SPDX-License-Identifier: MIT
// Softmax over the last dimension.
//
//   softmax        y = exp(x - m) / s,          m = max x, s = sum exp(x - m)      dx = y (dy - sum y dy)
//   log_softmax    y = x - m - log s                                              dx = dy - exp(y) sum dy
//
// Rows of x.columns() values in fixed blocks. Rows of at most 1,024 values are converted to f32 once, several
// rows to a loop; longer ones are summed in f32 per chunk of 1,024, chunks in f64. A row of -inf gives NaN,
// as in PyTorch. Bytes moved: forward x + y, backward dy + y + dx; a row stays in the cache between its
// passes.
#include <cmath>
#include <limits>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/columns.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/storage.h"
#include "kernels/cpu/vector_math.h"

namespace chorale::cpu {
namespace {

/// Calls body(row) for every row, in fixed blocks of rows.
template <class Body>
void for_rows(std::int64_t rows, std::int64_t columns, const Body& body) {
  const std::int64_t step = std::max<std::int64_t>(1, block_size / std::max<std::int64_t>(1, columns));
  parallel_tasks(block_count(rows, step), rows * columns, [&](std::int64_t block) {
    for (std::int64_t row = block * step; row < std::min(rows, (block + 1) * step); ++row)
      body(row * columns);
  });
}

/// Calls body(offset, count) for the chunks of one row.
template <class Body>
void for_chunks(std::int64_t columns, const Body& body) {
  for (std::int64_t c = 0; c < columns; c += chunk) body(c, std::min(chunk, columns - c));
}

/// Forward for rows that fit a chunk: exponentials of many rows in one loop, so that short rows fill the
/// vectors too.
void forward_short(const ConstView& x, const View& y, std::int64_t first, std::int64_t rows,
                   std::int64_t columns, bool logarithm) {
  alignas(64) float x_buffer[chunk], y_buffer[chunk], shifted[chunk], exponential[chunk];
  const std::int64_t count = rows * columns;
  const float* xs = load(x, first * columns, count, x_buffer);
  for (std::int64_t r = 0; r < rows; ++r) {
    float m = -std::numeric_limits<float>::infinity();
#pragma omp simd reduction(max : m)
    for (std::int64_t i = r * columns; i < (r + 1) * columns; ++i) m = m > xs[i] ? m : xs[i];
#pragma omp simd
    for (std::int64_t i = r * columns; i < (r + 1) * columns; ++i) shifted[i] = xs[i] - m;
  }
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) exponential[i] = ::expf(shifted[i]);
  float* ys = target(y, first * columns, y_buffer);
  for (std::int64_t r = 0; r < rows; ++r) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = r * columns; i < (r + 1) * columns; ++i) sum += exponential[i];
    const float scale = 1.0f / sum, log_sum = ::logf(sum);
    if (logarithm) {
#pragma omp simd
      for (std::int64_t i = r * columns; i < (r + 1) * columns; ++i) ys[i] = shifted[i] - log_sum;
    } else {
#pragma omp simd
      for (std::int64_t i = r * columns; i < (r + 1) * columns; ++i) ys[i] = exponential[i] * scale;
    }
  }
  store(ys, y, first * columns, count);
}

/// Short rows in pieces of whole rows; true if that was done.
bool forward_if_short(const ConstView& x, const View& y, bool logarithm) {
  const std::int64_t rows = x.rows(), columns = x.columns();
  if (columns > chunk || columns == 0) return columns == 0;
  for_pieces(rows, columns, [&](std::int64_t row, std::int64_t count, std::int64_t, std::int64_t) {
    forward_short(x, y, row, count, columns, logarithm);
  });
  return true;
}

struct Normaliser {
  float maximum;
  double sum;
};

Normaliser normaliser(const ConstView& x, std::int64_t row, std::int64_t columns) {
  alignas(64) float buffer[chunk];
  float maximum = -std::numeric_limits<float>::infinity();
  for_chunks(columns, [&](std::int64_t c, std::int64_t count) {
    const float* xs = load(x, row + c, count, buffer);
    float m = maximum;
#pragma omp simd reduction(max : m)
    for (std::int64_t i = 0; i < count; ++i) m = m > xs[i] ? m : xs[i];
    maximum = m;
  });
  double sum = 0;
  for_chunks(columns, [&](std::int64_t c, std::int64_t count) {
    const float* xs = load(x, row + c, count, buffer);
    float part = 0;
#pragma omp simd reduction(+ : part)
    for (std::int64_t i = 0; i < count; ++i) part += ::expf(xs[i] - maximum);
    sum += static_cast<double>(part);
  });
  return {maximum, sum};
}

void check(const char* kernel, const ConstView& a, const ConstView& b) {
  require_storage(kernel, a, b);
  require(same_shape(a, b), kernel, "all views must have one shape", a, b);
}

}  // namespace

void softmax_forward(Context&, ConstView x, View y) {
  check("softmax_forward", x, y);
  if (forward_if_short(x, y, false)) return;
  for_rows(x.rows(), x.columns(), [&](std::int64_t row) {
    const Normaliser n = normaliser(x, row, x.columns());
    const float scale = static_cast<float>(1.0 / n.sum);
    for_chunks(x.columns(), [&](std::int64_t c, std::int64_t count) {
      alignas(64) float x_buffer[chunk], y_buffer[chunk];
      const float* xs = load(x, row + c, count, x_buffer);
      float* ys = target(y, row + c, y_buffer);
#pragma omp simd
      for (std::int64_t i = 0; i < count; ++i) ys[i] = ::expf(xs[i] - n.maximum) * scale;
      store(ys, y, row + c, count);
    });
  });
}

void log_softmax_forward(Context&, ConstView x, View y) {
  check("log_softmax_forward", x, y);
  if (forward_if_short(x, y, true)) return;
  for_rows(x.rows(), x.columns(), [&](std::int64_t row) {
    const Normaliser n = normaliser(x, row, x.columns());
    const float log_sum = static_cast<float>(std::log(n.sum));
    for_chunks(x.columns(), [&](std::int64_t c, std::int64_t count) {
      alignas(64) float x_buffer[chunk], y_buffer[chunk];
      const float* xs = load(x, row + c, count, x_buffer);
      float* ys = target(y, row + c, y_buffer);
#pragma omp simd
      for (std::int64_t i = 0; i < count; ++i) ys[i] = xs[i] - n.maximum - log_sum;
      store(ys, y, row + c, count);
    });
  });
}

void softmax_backward(Context&, ConstView dy, ConstView y, View dx) {
  check("softmax_backward", dy, y);
  check("softmax_backward", y, dx);
  for_rows(y.rows(), y.columns(), [&](std::int64_t row) {
    alignas(64) float dy_buffer[chunk], y_buffer[chunk], dx_buffer[chunk];
    double dot = 0;
    for_chunks(y.columns(), [&](std::int64_t c, std::int64_t count) {
      const float* dys = load(dy, row + c, count, dy_buffer);
      const float* ys = load(y, row + c, count, y_buffer);
      float part = 0;
#pragma omp simd reduction(+ : part)
      for (std::int64_t i = 0; i < count; ++i) part += dys[i] * ys[i];
      dot += static_cast<double>(part);
    });
    const float mean = static_cast<float>(dot);
    for_chunks(y.columns(), [&](std::int64_t c, std::int64_t count) {
      const float* dys = load(dy, row + c, count, dy_buffer);
      const float* ys = load(y, row + c, count, y_buffer);
      float* dxs = target(dx, row + c, dx_buffer);
#pragma omp simd
      for (std::int64_t i = 0; i < count; ++i) dxs[i] = ys[i] * (dys[i] - mean);
      store(dxs, dx, row + c, count);
    });
  });
}

void log_softmax_backward(Context&, ConstView dy, ConstView y, View dx) {
  check("log_softmax_backward", dy, y);
  check("log_softmax_backward", y, dx);
  for_rows(y.rows(), y.columns(), [&](std::int64_t row) {
    alignas(64) float dy_buffer[chunk], y_buffer[chunk], dx_buffer[chunk];
    double sum = 0;
    for_chunks(y.columns(), [&](std::int64_t c, std::int64_t count) {
      const float* dys = load(dy, row + c, count, dy_buffer);
      float part = 0;
#pragma omp simd reduction(+ : part)
      for (std::int64_t i = 0; i < count; ++i) part += dys[i];
      sum += static_cast<double>(part);
    });
    const float total = static_cast<float>(sum);
    for_chunks(y.columns(), [&](std::int64_t c, std::int64_t count) {
      const float* dys = load(dy, row + c, count, dy_buffer);
      const float* ys = load(y, row + c, count, y_buffer);
      float* dxs = target(dx, row + c, dx_buffer);
#pragma omp simd
      for (std::int64_t i = 0; i < count; ++i) dxs[i] = dys[i] - ::expf(ys[i]) * total;
      store(dxs, dx, row + c, count);
    });
  });
}

}  // namespace chorale::cpu

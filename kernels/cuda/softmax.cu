// SPDX-License-Identifier: MIT
// Softmax over the last dimension.
//
//   softmax        y = exp(x - m) / s,     m = max x, s = sum exp(x - m)      dx = y (dy - sum y dy)
//   log_softmax    y = x - m - log s                                         dx = dy - exp(y) sum dy
//
// Rows of c values; a warp per row up to 1,024 columns, a block of 256 beyond. f32 inside. m and s come from
// one pass (Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018); the second pass finds
// the row in the cache. Bytes: forward x + y, backward dy + y + dx. A row of -inf gives NaN, as in PyTorch.
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/reduction.cuh"
#include "kernels/dtype.h"

namespace chorale::cuda {
namespace {

constexpr int block_threads = 256;

template <class T, int group, bool logarithm>
__global__ void __launch_bounds__(block_threads)
    forward_kernel(const T* x, T* y, std::int64_t rows, std::int64_t columns) {
  constexpr int rows_per_block = block_threads / group;
  const int rank = static_cast<int>(threadIdx.x) % group;
  for (std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * rows_per_block; first < rows;
       first += static_cast<std::int64_t>(gridDim.x) * rows_per_block) {
    const std::int64_t row = first + threadIdx.x / group;
    const bool active = row < rows;
    const T* from = x + row * columns;
    float maximum = -INFINITY, sum = 0;
    for (std::int64_t c = rank; active && c < columns; c += group) {
      const float value = to_float(from[c]);
      if (value > maximum) {
        sum *= expf(maximum - value);
        maximum = value;
      }
      sum += value == -INFINITY && maximum == -INFINITY ? 0.0f : expf(value - maximum);
    }
    const float row_maximum = group_reduce<Max, group>(maximum);
    // A thread without a finite value brings nothing; all of them: 0 / 0.
    const float row_sum =
        group_reduce<Sum, group>(maximum == -INFINITY ? sum : sum * expf(maximum - row_maximum));
    const float scale = logarithm ? logf(row_sum) : 1.0f / row_sum;
    for (std::int64_t c = rank; active && c < columns; c += group) {
      const float shifted = to_float(from[c]) - row_maximum;
      y[row * columns + c] = from_float<T>(logarithm ? shifted - scale : expf(shifted) * scale);
    }
  }
}

template <class T, int group, bool logarithm>
__global__ void __launch_bounds__(block_threads)
    backward_kernel(const T* dy, const T* y, T* dx, std::int64_t rows, std::int64_t columns) {
  constexpr int rows_per_block = block_threads / group;
  const int rank = static_cast<int>(threadIdx.x) % group;
  for (std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * rows_per_block; first < rows;
       first += static_cast<std::int64_t>(gridDim.x) * rows_per_block) {
    const std::int64_t row = first + threadIdx.x / group;
    const bool active = row < rows;
    float sum = 0;
    for (std::int64_t c = rank; active && c < columns; c += group) {
      const float gradient = to_float(dy[row * columns + c]);
      sum += logarithm ? gradient : gradient * to_float(y[row * columns + c]);
    }
    sum = group_reduce<Sum, group>(sum);
    for (std::int64_t c = rank; active && c < columns; c += group) {
      const std::int64_t i = row * columns + c;
      const float gradient = to_float(dy[i]), value = to_float(y[i]);
      dx[i] = from_float<T>(logarithm ? gradient - expf(value) * sum : value * (gradient - sum));
    }
  }
}

template <bool logarithm>
void forward(Context& context, const char* op, const ConstView& x, const View& y) {
  require_dtype(y, x.dtype, op, "y");
  require_size(y, x.size(), op, "y");
  if (x.size() == 0) return;
  const std::int64_t rows = x.rows(), columns = x.columns();
  dispatch_floating(op, x.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    if (columns <= 1024) {
      LAUNCH((forward_kernel<T, warp_size, logarithm>), stride_grid(context, rows, block_threads / warp_size),
             block_threads, 0, context.stream, x.as<T>(), y.as<T>(), rows, columns);
    } else {
      LAUNCH((forward_kernel<T, block_threads, logarithm>), stride_grid(context, rows, 1), block_threads, 0,
             context.stream, x.as<T>(), y.as<T>(), rows, columns);
    }
  });
}

template <bool logarithm>
void backward(Context& context, const char* op, const ConstView& dy, const ConstView& y, const View& dx) {
  require_dtype(y, dy.dtype, op, "y");
  require_dtype(dx, dy.dtype, op, "dx");
  require_size(y, dy.size(), op, "y");
  require_size(dx, dy.size(), op, "dx");
  if (dy.size() == 0) return;
  const std::int64_t rows = y.rows(), columns = y.columns();
  dispatch_floating(op, dy.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    if (columns <= 1024) {
      LAUNCH((backward_kernel<T, warp_size, logarithm>),
             stride_grid(context, rows, block_threads / warp_size), block_threads, 0, context.stream,
             dy.as<T>(), y.as<T>(), dx.as<T>(), rows, columns);
    } else {
      LAUNCH((backward_kernel<T, block_threads, logarithm>), stride_grid(context, rows, 1), block_threads, 0,
             context.stream, dy.as<T>(), y.as<T>(), dx.as<T>(), rows, columns);
    }
  });
}

}  // namespace

void softmax_forward(Context& context, ConstView x, View y) {
  forward<false>(context, "softmax_forward", x, y);
}
void log_softmax_forward(Context& context, ConstView x, View y) {
  forward<true>(context, "log_softmax_forward", x, y);
}
void softmax_backward(Context& context, ConstView dy, ConstView y, View dx) {
  backward<false>(context, "softmax_backward", dy, y, dx);
}
void log_softmax_backward(Context& context, ConstView dy, ConstView y, View dx) {
  backward<true>(context, "log_softmax_backward", dy, y, dx);
}

}  // namespace chorale::cuda

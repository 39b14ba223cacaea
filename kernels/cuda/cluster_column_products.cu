// SPDX-License-Identifier: MIT
// products [d, d] = x^T x of x f32 [n, d], in f64: of columns whose variances lie a factor 10^7 apart, f32
// sums leave nothing of the smaller ones.
//
// A block computes a tile of 32 x 32 products on or above the diagonal over a chunk of 4,096 rows, 2 x 2
// products a thread, from 32 rows at a time in shared memory, where columns are converted to f64; a second
// launch adds the chunks up in order and mirrors the tile. n d^2 flops; x is read d / 32 times, from the
// second-level cache but for the first.
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/launch.cuh"

namespace chorale::cuda {
namespace {

constexpr int side = 32, rows_at_once = 32, square = 16, threads = square * square;
constexpr std::int64_t chunk_rows = 4096;

__global__ void __launch_bounds__(threads)
    multiply_columns(const float* x, std::int64_t n, std::int64_t d, double* sums) {
  if (blockIdx.y < blockIdx.x) return;  // below the diagonal
  SHARED(double, left, [rows_at_once][side + 1]);
  SHARED(double, right, [rows_at_once][side + 1]);
  const int at_row = static_cast<int>(threadIdx.x) / square,
            at_column = static_cast<int>(threadIdx.x) % square;
  const std::int64_t begin = static_cast<std::int64_t>(blockIdx.z) * chunk_rows;
  const std::int64_t end = begin + chunk_rows < n ? begin + chunk_rows : n;
  const auto value = [&](std::int64_t row, unsigned panel, int column) {
    const std::int64_t at = static_cast<std::int64_t>(panel) * side + column;
    return row < end && at < d ? static_cast<double>(x[row * d + at]) : 0.0;
  };
  double sum[2][2] = {};
  for (std::int64_t first = begin; first < end; first += rows_at_once) {
    __syncthreads();
    for (int e = static_cast<int>(threadIdx.x); e < rows_at_once * side; e += threads) {
      left[e / side][e % side] = value(first + e / side, blockIdx.x, e % side);
      right[e / side][e % side] = value(first + e / side, blockIdx.y, e % side);
    }
    __syncthreads();
    for (int r = 0; r < rows_at_once; ++r)
      for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 2; ++j)
          sum[i][j] += left[r][at_row + square * i] * right[r][at_column + square * j];
  }
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 2; ++j) {
      const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * side + at_row + square * i;
      const std::int64_t column = static_cast<std::int64_t>(blockIdx.y) * side + at_column + square * j;
      if (row < d && column < d) sums[(blockIdx.z * d + row) * d + column] = sum[i][j];
    }
}

__global__ void add_chunks(const double* sums, std::int64_t chunks, std::int64_t d, double* products) {
  for (std::int64_t item = global_thread(); item < d * d; item += global_threads()) {
    const std::int64_t i = item / d, j = item % d;
    if (i / side > j / side) continue;
    double sum = 0;
    for (std::int64_t c = 0; c < chunks; ++c) sum += sums[c * d * d + item];
    products[i * d + j] = sum;
    if (i / side != j / side) products[j * d + i] = sum;
  }
}

}  // namespace

void column_products(Context& context, ConstView x, View products) {
  constexpr const char* op = "column_products";
  require(x.rank == 2 && x.size() > 0, op, "x must be [n, d] and not empty");
  require_dtype(x, DType::f32, op, "x");
  require_dtype(products, DType::f64, op, "products");
  require_size(products, x.shape[1] * x.shape[1], op, "products");
  const std::int64_t n = x.shape[0], d = x.shape[1], chunks = ceil_div(n, chunk_rows);
  const unsigned panels = static_cast<unsigned>(ceil_div(d, side));
  const Scratch sums(context, static_cast<std::size_t>(chunks * d * d) * sizeof(double));
  LAUNCH((multiply_columns), dim3(panels, panels, static_cast<unsigned>(chunks)), threads, 0, context.stream,
         x.as<float>(), n, d, sums.as<double>());
  LAUNCH((add_chunks), stride_grid(context, d * d, threads), threads, 0, context.stream, sums.as<double>(),
         chunks, d, products.as<double>());
}

}  // namespace chorale::cuda

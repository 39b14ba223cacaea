// SPDX-License-Identifier: MIT
// Passes over the rows of a matrix that clustering needs besides products: column means, centring, scaling to
// length 1, and squared distances to each row's own center.
//
// Blocks of kmeans_block rows leave f64 partial sums, which a second launch adds up in block order: the
// result does not depend on the device's size. Means: a thread a column, loads coalesced across columns.
// Rows: a warp a row. Each pass reads n d floats once (normalize_rows again from cache); subtract_mean and
// normalize_rows also write them.
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/reduction.cuh"

namespace chorale::cuda {
namespace {

constexpr int column_threads = 128;
constexpr int row_threads = 256, row_warps = row_threads / warp_size;
constexpr std::int64_t none = 0x7fffffffffffffff;

__global__ void sum_columns(const float* x, std::int64_t n, std::int64_t d, double* sums, std::int64_t* bad) {
  const std::int64_t column = static_cast<std::int64_t>(blockIdx.y) * column_threads + threadIdx.x;
  if (column >= d) return;
  const std::int64_t begin = static_cast<std::int64_t>(blockIdx.x) * kmeans_block;
  const std::int64_t end = begin + kmeans_block < n ? begin + kmeans_block : n;
  double sum = 0;
  std::int64_t found = none;
  for (std::int64_t i = begin; i < end; ++i) {
    const float value = x[i * d + column];
    sum += static_cast<double>(value);
    if (!(value * 0.0f == 0.0f) && found == none) found = i * d + column;
  }
  sums[blockIdx.x * d + column] = sum;
  bad[blockIdx.x * d + column] = found;
}

__global__ void finish_columns(const double* sums, std::int64_t* bad, std::int64_t blocks, std::int64_t n,
                               std::int64_t d, double* mean) {
  for (std::int64_t column = global_thread(); column < d; column += global_threads()) {
    double sum = 0;
    std::int64_t lowest = none;
    for (std::int64_t b = 0; b < blocks; ++b) {
      sum += sums[b * d + column];
      lowest = bad[b * d + column] < lowest ? bad[b * d + column] : lowest;
    }
    mean[column] = sum / static_cast<double>(n);
    bad[column] = lowest;
  }
}

// One warp: the lowest of the columns' first bad elements.
__global__ void lowest_bad(const std::int64_t* bad, std::int64_t d, std::int64_t* result) {
  std::int64_t lowest = none;
  for (std::int64_t column = threadIdx.x; column < d; column += warp_size)
    lowest = bad[column] < lowest ? bad[column] : lowest;
  for (int distance = warp_size / 2; distance; distance /= 2) {
    const std::int64_t other = __shfl_xor_sync(all_lanes, lowest, distance);
    lowest = other < lowest ? other : lowest;
  }
  if (threadIdx.x == 0) *result = lowest == none ? -1 : lowest;
}

struct Centering {
  const float* x;
  const double* mean;
  float* y;
  std::int64_t d;
  __device__ double element(std::int64_t row, std::int64_t j) const {
    const float value = static_cast<float>(static_cast<double>(x[row * d + j]) - mean[j]);
    y[row * d + j] = value;
    return static_cast<double>(value);
  }
};

struct ToCenter {
  const float* x;
  const float* centers;
  const std::int32_t* labels;
  std::int64_t d;
  __device__ double element(std::int64_t row, std::int64_t j) const {
    return static_cast<double>(x[row * d + j]) - static_cast<double>(centers[labels[row] * d + j]);
  }
};

// squares[row] = sum over j of element(row, j)^2; partial[block] their sum over the block's rows.
template <class Elements>
__global__ void __launch_bounds__(row_threads)
    row_squares(Elements elements, std::int64_t n, float* squares, double* partial) {
  SHARED(double, sums, [row_warps]);
  const int lane = static_cast<int>(threadIdx.x) % warp_size,
            warp = static_cast<int>(threadIdx.x) / warp_size;
  const std::int64_t begin = static_cast<std::int64_t>(blockIdx.x) * kmeans_block;
  const std::int64_t end = begin + kmeans_block < n ? begin + kmeans_block : n;
  double total = 0;
  for (std::int64_t row = begin + warp; row < end; row += row_warps) {
    double square = 0;
    for (std::int64_t j = lane; j < elements.d; j += warp_size) {
      const double value = elements.element(row, j);
      square += value * value;
    }
    square = warp_reduce<Sum>(square);
    if (lane == 0) squares[row] = static_cast<float>(square);
    total += square;
  }
  if (lane == 0) sums[warp] = total;
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (int w = 1; w < row_warps; ++w) total += sums[w];
  partial[blockIdx.x] = total;
}

__global__ void add_partial(const double* partial, std::int64_t blocks, double* total) {
  double sum = 0;
  for (std::int64_t b = threadIdx.x; b < blocks; b += warp_size) sum += partial[b];
  sum = warp_reduce<Sum>(sum);
  if (threadIdx.x == 0) *total = sum;
}

template <class Elements>
void squares(Context& context, Elements elements, std::int64_t n, float* each, double* total) {
  const std::int64_t blocks = ceil_div(n, kmeans_block);
  const Scratch partial(context, static_cast<std::size_t>(blocks) * sizeof(double));
  LAUNCH((row_squares<Elements>), static_cast<unsigned>(blocks), row_threads, 0, context.stream, elements, n,
         each, partial.as<double>());
  LAUNCH((add_partial), 1, warp_size, 0, context.stream, partial.as<double>(), blocks, total);
}

// Norms of the rows as rounded; of rows of zeros, 0.
__global__ void __launch_bounds__(row_threads)
    scale_rows(const float* x, std::int64_t n, std::int64_t d, float* y, float* norms) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * row_warps + threadIdx.x / warp_size;
  if (row >= n) return;
  double square = 0;
  for (std::int64_t j = lane; j < d; j += warp_size) {
    const double value = static_cast<double>(x[row * d + j]);
    square += value * value;
  }
  square = warp_reduce<Sum>(square);
  const double scale = square > 0 ? 1.0 / sqrt(square) : 0.0;
  double norm = 0;
  for (std::int64_t j = lane; j < d; j += warp_size) {
    const float value = static_cast<float>(static_cast<double>(x[row * d + j]) * scale);
    y[row * d + j] = value;
    norm += static_cast<double>(value) * static_cast<double>(value);
  }
  norm = warp_reduce<Sum>(norm);
  if (lane == 0) norms[row] = static_cast<float>(norm);
}

// One block: the first row whose norm is 0.
__global__ void __launch_bounds__(row_threads)
    first_zero(const float* norms, std::int64_t n, std::int64_t* result) {
  SHARED(std::int64_t, lowest, [row_threads]);
  std::int64_t found = none;
  for (std::int64_t row = threadIdx.x; row < n && found == none; row += row_threads)
    if (norms[row] == 0.0f) found = row;
  lowest[threadIdx.x] = found;
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (int t = 1; t < row_threads; ++t) found = lowest[t] < found ? lowest[t] : found;
  *result = found == none ? -1 : found;
}

}  // namespace

void column_mean(Context& context, ConstView x, View mean, View bad) {
  require(x.rank == 2 && x.size() > 0, "column_mean", "x must be [n, d] and not empty");
  require_dtype(x, DType::f32, "column_mean", "x");
  require_dtype(mean, DType::f64, "column_mean", "mean");
  require_size(mean, x.shape[1], "column_mean", "mean");
  const std::int64_t n = x.shape[0], d = x.shape[1], blocks = ceil_div(n, kmeans_block);
  const Scratch sums(context, static_cast<std::size_t>(blocks * d) * sizeof(double));
  const Scratch found(context, static_cast<std::size_t>(blocks * d) * sizeof(std::int64_t));
  LAUNCH((sum_columns),
         dim3(static_cast<unsigned>(blocks), static_cast<unsigned>(ceil_div(d, column_threads))),
         column_threads, 0, context.stream, x.as<float>(), n, d, sums.as<double>(), found.as<std::int64_t>());
  LAUNCH((finish_columns), stride_grid(context, d, column_threads), column_threads, 0, context.stream,
         sums.as<double>(), found.as<std::int64_t>(), blocks, n, d, mean.as<double>());
  LAUNCH((lowest_bad), 1, warp_size, 0, context.stream, found.as<std::int64_t>(), d, bad.as<std::int64_t>());
}

void subtract_mean(Context& context, ConstView x, ConstView mean, View y, View norms, View total) {
  require(x.rank == 2 && x.size() > 0, "subtract_mean", "x must be [n, d] and not empty");
  require_dtype(x, DType::f32, "subtract_mean", "x");
  require_dtype(mean, DType::f64, "subtract_mean", "mean");
  require_size(y, x.size(), "subtract_mean", "y");
  require_size(norms, x.shape[0], "subtract_mean", "norms");
  squares(context, Centering{x.as<float>(), mean.as<double>(), y.as<float>(), x.shape[1]}, x.shape[0],
          norms.as<float>(), total.as<double>());
}

void normalize_rows(Context& context, ConstView x, View y, View norms, View zero) {
  require(x.rank == 2 && x.size() > 0, "normalize_rows", "x must be [n, d] and not empty");
  require_dtype(x, DType::f32, "normalize_rows", "x");
  require_dtype(zero, DType::i64, "normalize_rows", "zero");
  require_size(y, x.size(), "normalize_rows", "y");
  require_size(norms, x.shape[0], "normalize_rows", "norms");
  const std::int64_t n = x.shape[0];
  LAUNCH((scale_rows), static_cast<unsigned>(ceil_div(n, row_warps)), row_threads, 0, context.stream,
         x.as<float>(), n, x.shape[1], y.as<float>(), norms.as<float>());
  LAUNCH((first_zero), 1, row_threads, 0, context.stream, norms.as<float>(), n, zero.as<std::int64_t>());
}

void kmeans_distances(Context& context, ConstView x, ConstView centers, ConstView labels, View distances,
                      View inertia) {
  require(x.rank == 2 && x.size() > 0 && centers.rank == 2 && centers.shape[1] == x.shape[1],
          "kmeans_distances", "x must be [n, d] and centers [k, d]");
  require_dtype(x, DType::f32, "kmeans_distances", "x");
  require_dtype(labels, DType::i32, "kmeans_distances", "labels");
  require_size(labels, x.shape[0], "kmeans_distances", "labels");
  require_size(distances, x.shape[0], "kmeans_distances", "distances");
  squares(context, ToCenter{x.as<float>(), centers.as<float>(), labels.as<std::int32_t>(), x.shape[1]},
          x.shape[0], distances.as<float>(), inertia.as<double>());
}

}  // namespace chorale::cuda

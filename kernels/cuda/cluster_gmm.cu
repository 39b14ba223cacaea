// SPDX-License-Identifier: MIT
// Gaussian mixtures: log-likelihood and responsibilities of rows, and one EM iteration's pass over the data.
//
//   y = P_c^T (x - mu_c)     log p_c = constant_c - |y|^2 / 2
//   log p(x) = log sum_c exp log p_c     r_c = exp(log p_c - log p(x))
//
// Full: a block multiplies 128 rows with the matrix of one component, 64 columns at a time, 8 x 4 products a
// thread, down to the diagonal only (P is upper triangular), squares them and keeps one sum a row. Tied: the
// same product once, stored for the chunk, then distances to P^T mu_c as for diagonal covariances, 64 rows x
// 64 components a block. Squared lengths [k][chunk_rows] stay in the second-level cache, where a thread a row
// turns them into responsibilities and cluster_gmm_moments.cu reads them.
//
// f32, log p(x) and its sum in f64, over blocks in order. A chunk takes 4 to 9 launches and no look by the
// host. Moves n d floats k times through that cache; n k d^2 flops (full), n d^2 + 4 n k d (tied), 4 n k d
// (diagonal).
#include "kernels/cuda/cluster_gmm.cuh"

#include <optional>

#include "kernels/cuda/cluster_tile.cuh"
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/reduction.cuh"
#include "kernels/cuda/vector.cuh"

namespace chorale::cuda {
namespace {

using gmm::chunk_rows;
using gmm::finished;

constexpr int product_rows = 128, product_columns = 64, rows_each = 8, columns_each = 4;
constexpr int row_threads = 256;

struct ProductStorage {
  alignas(16) float rows[tile_depth][product_rows + 4];
  alignas(16) float columns[tile_depth][product_columns + 4];
};

// y = P^T (x - center), matrix blockIdx.y: squares [matrix][chunk_rows] = |y|^2 or, without centers, products
// [rows, d] = y.
__global__ void __launch_bounds__(cluster_threads)
    triangular_product(const float* x, std::int64_t rows, std::int64_t d, const float* centers,
                       const float* factors, const double* state, float* squares, float* products) {
  if (finished(state)) return;
  SHARED(ProductStorage, storage, [1]);
  ProductStorage& s = storage[0];
  const int thread = static_cast<int>(threadIdx.x), at_column = thread % tile_square * columns_each,
            at_row = thread / tile_square * rows_each;
  const std::int64_t first_row = static_cast<std::int64_t>(blockIdx.x) * product_rows;
  const float* p = factors + blockIdx.y * d * d;
  const float* center = centers ? centers + blockIdx.y * d : nullptr;
  float square[rows_each] = {};
  for (std::int64_t first = 0; first < d; first += product_columns) {
    float y[rows_each][columns_each] = {};
    const std::int64_t end = first + product_columns < d ? first + product_columns : d;
    for (std::int64_t depth = 0; depth < end; depth += tile_depth) {
      UNROLL
      for (int e = thread; e < product_rows * tile_depth; e += cluster_threads) {
        const std::int64_t row = first_row + e / tile_depth, i = depth + e % tile_depth;
        s.rows[e % tile_depth][e / tile_depth] =
            row < rows && i < d ? x[row * d + i] - (center ? center[i] : 0.0f) : 0.0f;
      }
      UNROLL
      for (int e = thread; e < product_columns * tile_depth; e += cluster_threads) {
        const std::int64_t i = depth + e / product_columns, j = first + e % product_columns;
        s.columns[e / product_columns][e % product_columns] = i <= j && j < d ? p[i * d + j] : 0.0f;
      }
      __syncthreads();
      UNROLL
      for (int i = 0; i < tile_depth; ++i) {
        const auto low = load_pack<4>(&s.rows[i][at_row], 0), high = load_pack<4>(&s.rows[i][at_row], 1),
                   column = load_pack<4>(&s.columns[i][at_column], 0);
        UNROLL
        for (int r = 0; r < rows_each; ++r) UNROLL
        for (int c = 0; c < columns_each; ++c)
          y[r][c] += (r < 4 ? low.value[r % 4] : high.value[r % 4]) * column.value[c];
      }
      __syncthreads();
    }
    UNROLL
    for (int r = 0; r < rows_each; ++r) UNROLL
    for (int c = 0; c < columns_each; ++c) {
      square[r] += y[r][c] * y[r][c];
      const std::int64_t row = first_row + at_row + r, column = first + at_column + c;
      if (products && row < rows && column < d) products[row * d + column] = y[r][c];
    }
  }
  if (!squares) return;
  UNROLL
  for (int r = 0; r < rows_each; ++r) {
    for (int distance = tile_square / 2; distance; distance /= 2)
      square[r] += __shfl_xor_sync(all_lanes, square[r], distance);
    const std::int64_t row = first_row + at_row + r;
    if (at_column == 0 && row < rows) squares[blockIdx.y * chunk_rows + row] = square[r];
  }
}

// moved [k, d] = P^T center.
__global__ void move_centers(const float* centers, const float* factor, std::int64_t k, std::int64_t d,
                             float* moved) {
  for (std::int64_t at = global_thread(); at < k * d; at += global_threads()) {
    const std::int64_t c = at / d, j = at % d;
    double sum = 0;
    for (std::int64_t i = 0; i <= j; ++i)
      sum += static_cast<double>(factor[i * d + j]) * static_cast<double>(centers[c * d + i]);
    moved[at] = static_cast<float>(sum);
  }
}

struct DistanceStorage {
  float rows[tile_depth][tile_side + 4];
  float scales[tile_depth][tile_side + 4];
  float shifts[tile_depth][tile_side + 4];
};

// squares [k][chunk_rows] = sum_j (x_j s_cj - center_cj s_cj)^2; without scales s is 1.
__global__ void __launch_bounds__(cluster_threads)
    scaled_distances(const float* x, std::int64_t rows, std::int64_t d, std::int64_t k, const float* centers,
                     const float* scales, const double* state, float* squares) {
  if (finished(state)) return;
  SHARED(DistanceStorage, storage, [1]);
  DistanceStorage& s = storage[0];
  const int thread = static_cast<int>(threadIdx.x), at_row = thread % tile_square,
            at_column = thread / tile_square;
  const std::int64_t first_row = static_cast<std::int64_t>(blockIdx.x) * tile_side,
                     first_column = static_cast<std::int64_t>(blockIdx.y) * tile_side;
  float square[tile_each][tile_each] = {};
  for (std::int64_t depth = 0; depth < d; depth += tile_depth) {
    for (int e = thread; e < tile_side * tile_depth; e += cluster_threads) {
      const int vector = e / tile_depth, element = e % tile_depth;
      const std::int64_t row = first_row + vector, c = first_column + vector, j = depth + element;
      const float scale = j < d && c < k ? (scales ? scales[c * d + j] : 1.0f) : 0.0f;
      s.rows[element][vector] = j < d && row < rows ? x[row * d + j] : 0.0f;
      s.scales[element][vector] = scale;
      s.shifts[element][vector] = j < d && c < k ? centers[c * d + j] * scale : 0.0f;
    }
    __syncthreads();
    UNROLL
    for (int j = 0; j < tile_depth; ++j) {
      float row[tile_each], scale[tile_each], shift[tile_each];
      for (int i = 0; i < tile_each; ++i) row[i] = s.rows[j][at_row + tile_square * i];
      for (int i = 0; i < tile_each; ++i) scale[i] = s.scales[j][at_column + tile_square * i];
      for (int i = 0; i < tile_each; ++i) shift[i] = s.shifts[j][at_column + tile_square * i];
      UNROLL
      for (int r = 0; r < tile_each; ++r) UNROLL
      for (int c = 0; c < tile_each; ++c) {
        const float z = row[r] * scale[c] - shift[c];
        square[r][c] += z * z;
      }
    }
    __syncthreads();
  }
  for (int r = 0; r < tile_each; ++r)
    for (int c = 0; c < tile_each; ++c) {
      const std::int64_t row = first_row + at_row + tile_square * r,
                         column = first_column + at_column + tile_square * c;
      if (row < rows && column < k) squares[column * chunk_rows + row] = square[r][c];
    }
}

/// Where a chunk's results go; any may be null.
struct Outputs {
  float* log_likelihood;
  float* responsibilities;  // [rows, k]
  std::int32_t* labels;
  double* block_sums;  // of log-likelihoods
};

// squares become responsibilities, a thread a row.
__global__ void __launch_bounds__(row_threads)
    normalise(std::int64_t rows, std::int64_t k, const double* constants, const double* state, float* squares,
              Outputs to) {
  if (finished(state)) return;
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * row_threads + threadIdx.x;
  double offset = constants[0], log_p = 0;
  for (std::int64_t c = 1; c < k; ++c) offset = constants[c] > offset ? constants[c] : offset;
  if (row < rows) {
    float* r = squares + row;
    float highest = -INFINITY, sum = 0.0f;
    std::int32_t best = 0;
    for (std::int64_t c = 0; c < k; ++c) {
      const float density = static_cast<float>(constants[c] - offset) - 0.5f * r[c * chunk_rows];
      r[c * chunk_rows] = density;
      if (!(density > highest)) continue;
      highest = density;
      best = static_cast<std::int32_t>(c);
    }
    for (std::int64_t c = 0; c < k; ++c) sum += r[c * chunk_rows] = expf(r[c * chunk_rows] - highest);
    log_p = offset + static_cast<double>(highest) + static_cast<double>(logf(sum));
    const float scale = 1.0f / sum;
    for (std::int64_t c = 0; c < k; ++c) {
      const float value = r[c * chunk_rows] * scale;
      r[c * chunk_rows] = value;
      if (to.responsibilities) to.responsibilities[row * k + c] = value;
    }
    if (to.log_likelihood) to.log_likelihood[row] = static_cast<float>(log_p);
    if (to.labels) to.labels[row] = best;
  }
  if (!to.block_sums) return;
  const double total = block_reduce<Sum, row_threads>(log_p);
  if (threadIdx.x == 0) to.block_sums[blockIdx.x] = total;
}

// One warp.
__global__ void mean_of(const double* block_sums, std::int64_t blocks, std::int64_t n, const double* state,
                        double* mean) {
  if (finished(state)) return;
  double sum = 0;
  for (std::int64_t b = threadIdx.x; b < blocks; b += warp_size) sum += block_sums[b];
  sum = warp_reduce<Sum>(sum);
  if (threadIdx.x == 0) *mean = sum / static_cast<double>(n);
}

// What is given instead of the mixture's own responsibilities: labels, or values [rows, k].
__global__ void copy_given(const std::int32_t* labels, const float* values, std::int64_t rows, std::int64_t k,
                           float* responsibilities) {
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * row_threads + threadIdx.x;
  if (row >= rows) return;
  for (std::int64_t c = 0; c < k; ++c)
    responsibilities[c * chunk_rows + row] = labels ? (labels[row] == c ? 1.0f : 0.0f) : values[row * k + c];
}

/// A mixture's scratch memory and its expectation of chunks of rows.
class Expectation {
 public:
  Expectation(Context& context, std::int64_t n, ConstView centers, ConstView factors, ConstView constants,
              const double* state)
      : context_(context),
        k_(centers.shape[0]),
        d_(centers.shape[1]),
        full_(factors.rank == 3 && factors.shape[0] == k_),
        tied_(factors.rank == 3 && !full_),
        centers_(centers.as<float>()),
        factors_(factors.as<float>()),
        constants_(constants.as<double>()),
        state_(state),
        moved_(context, tied_ ? static_cast<std::size_t>(k_ * d_) * sizeof(float) : 0),
        products_(
            context,
            tied_ ? static_cast<std::size_t>((n < chunk_rows ? n : chunk_rows) * d_) * sizeof(float) : 0) {
    if (tied_)
      LAUNCH((move_centers), stride_grid(context, k_ * d_, row_threads), row_threads, 0, context.stream,
             centers_, factors_, k_, d_, moved_.as<float>());
  }

  void operator()(const float* x, std::int64_t rows, float* squares, const Outputs& to) const {
    float* none = nullptr;
    const float* no_centers = nullptr;
    const auto row_blocks = static_cast<unsigned>(ceil_div(rows, product_rows));
    if (full_) {
      LAUNCH((triangular_product), dim3(row_blocks, static_cast<unsigned>(k_)), cluster_threads, 0,
             context_.stream, x, rows, d_, centers_, factors_, state_, squares, none);
    } else {
      if (tied_)
        LAUNCH((triangular_product), row_blocks, cluster_threads, 0, context_.stream, x, rows, d_, no_centers,
               factors_, state_, none, products_.as<float>());
      const dim3 grid(static_cast<unsigned>(ceil_div(rows, tile_side)),
                      static_cast<unsigned>(ceil_div(k_, tile_side)));
      const float* at = tied_ ? products_.as<float>() : x;
      const float* centers = tied_ ? moved_.as<float>() : centers_;
      const float* scales = tied_ ? nullptr : factors_;
      LAUNCH((scaled_distances), grid, cluster_threads, 0, context_.stream, at, rows, d_, k_, centers, scales,
             state_, squares);
    }
    LAUNCH((normalise), static_cast<unsigned>(ceil_div(rows, row_threads)), row_threads, 0, context_.stream,
           rows, k_, constants_, state_, squares, to);
  }

 private:
  Context& context_;
  std::int64_t k_, d_;
  bool full_, tied_;
  const float* centers_;
  const float* factors_;
  const double* constants_;
  const double* state_;
  Scratch moved_, products_;
};

void check_arguments(const char* op, ConstView x, ConstView centers, ConstView factors, ConstView constants) {
  require(x.rank == 2 && centers.rank == 2 && centers.shape[1] == x.shape[1], op,
          "x must be [n, d] and centers [k, d]");
  require_dtype(x, DType::f32, op, "x");
  require_dtype(centers, DType::f32, op, "centers");
  if (!factors) return;
  const std::int64_t k = centers.shape[0], d = x.shape[1];
  require_dtype(factors, DType::f32, op, "factors");
  require_dtype(constants, DType::f64, op, "constants");
  require_size(constants, k, op, "constants");
  require(factors.rank == 2 ? factors.size() == k * d
                            : factors.size() == factors.shape[0] * d * d &&
                                  (factors.shape[0] == k || factors.shape[0] == 1),
          op, "factors must be [k, d, d], [1, d, d] or [k, d]");
}

}  // namespace

void gmm_expect(Context& context, ConstView x, ConstView centers, ConstView factors, ConstView constants,
                View log_likelihood, View responsibilities, View labels) {
  check_arguments("gmm_expect", x, centers, factors, constants);
  require_size(log_likelihood, x.shape[0], "gmm_expect", "log_likelihood");
  const std::int64_t n = x.shape[0], d = x.shape[1], k = centers.shape[0];
  const Expectation expect(context, n, centers, factors, constants, nullptr);
  const Scratch squares(context, static_cast<std::size_t>(k * chunk_rows) * sizeof(float));
  for (std::int64_t begin = 0; begin < n; begin += chunk_rows)
    expect(x.as<float>() + begin * d, n - begin < chunk_rows ? n - begin : chunk_rows, squares.as<float>(),
           {log_likelihood.as<float>() + begin,
            responsibilities ? responsibilities.as<float>() + begin * k : nullptr,
            labels ? labels.as<std::int32_t>() + begin : nullptr, nullptr});
}

void gmm_step(Context& context, ConstView x, ConstView given, ConstView centers, ConstView factors,
              ConstView constants, ConstView state, View bound, View counts, View first, View second) {
  check_arguments("gmm_step", x, centers, given ? ConstView() : factors, constants);
  require(given || factors, "gmm_step", "either responsibilities must be given or a mixture");
  require_dtype(counts, DType::f64, "gmm_step", "counts");
  require_dtype(first, DType::f64, "gmm_step", "first");
  require_size(first, centers.size(), "gmm_step", "first");
  const std::int64_t n = x.shape[0], d = x.shape[1], k = centers.shape[0], blocks = ceil_div(n, row_threads);
  const Scratch responsibilities(context, static_cast<std::size_t>(k * chunk_rows) * sizeof(float));
  const Scratch block_sums(context, static_cast<std::size_t>(blocks) * sizeof(double));
  float* r = responsibilities.as<float>();
  const double* status = given ? nullptr : state.as<double>();
  std::optional<Expectation> expect;
  if (!given) expect.emplace(context, n, centers, factors, constants, status);
  for (std::int64_t begin = 0; begin < n; begin += chunk_rows) {
    const std::int64_t rows = n - begin < chunk_rows ? n - begin : chunk_rows;
    const float* chunk = x.as<float>() + begin * d;
    if (expect) {
      (*expect)(chunk, rows, r, {nullptr, nullptr, nullptr, block_sums.as<double>() + begin / row_threads});
    } else {
      const std::int32_t* labels = given.dtype == DType::i32 ? given.as<std::int32_t>() + begin : nullptr;
      const float* values = labels ? nullptr : given.as<float>() + begin * k;
      LAUNCH((copy_given), static_cast<unsigned>(ceil_div(rows, row_threads)), row_threads, 0, context.stream,
             labels, values, rows, k, r);
    }
    gmm::add_moments(context, {chunk, rows, d, k, r, status}, begin == 0, centers.as<float>(), counts, first,
                     second);
  }
  if (bound)
    LAUNCH((mean_of), 1, warp_size, 0, context.stream, block_sums.as<double>(), blocks, n, status,
           bound.as<double>());
}

}  // namespace chorale::cuda

// SPDX-License-Identifier: MIT
// How far rows lie from the centroids of their clusters, and those from each other, for r weightings of the
// rows at once (the resamples of a bootstrap), w = 1 if there is none:
//
//   N_c = sum w      centroid_c = sum w x / N_c      spread_c = sum w |x - centroid_c|^2, sum w |x -
//   centroid_c| scatter = sum N_c |centroid_c - mean|^2          worst_c = max (s_c + s_e) / |centroid_c -
//   centroid_e|
//
// Rows are sorted by cluster; a thread block leaves f64 sums of the pieces (sorted_rows.h) of one block of
// rows, which further launches add up in the order of the blocks: no sum depends on the device. Centroids: 32
// columns by 8 warps, each every eighth row. Spread: a warp a row. Up to 8 weightings share what is read, so
// x is read 2 r / 8 times (twice without weights, 8 n d bytes), coalesced. Pairs of centroids: tiles of
// 32 x 32 in shared memory, 3 k^2 d flops, f64.
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/reduction.cuh"
#include "kernels/sorted_rows.h"

namespace chorale::cuda {
namespace {

constexpr int dispersion_threads = 256, dispersion_warps = dispersion_threads / warp_size;
constexpr int most_weightings = 8;  // of a thread block
constexpr int side = 32, square_side = 16, each = side / square_side, depth = 16;
static_assert(square_side * square_side == dispersion_threads);

struct WeightedRows {
  SortedRows rows;
  const float* x;
  const std::int32_t* weights;  // [r, n] or null
  std::int64_t d, resamples;

  __device__ double weight(std::int64_t r, std::int64_t row) const {
    if (!weights) return 1.0;
    return r < resamples ? static_cast<double>(weights[r * rows.n + row]) : 0.0;
  }
};

// sums [piece, r, d + 1]: of the columns, and of the weights as of one more column of ones.
template <int W>
__global__ void __launch_bounds__(dispersion_threads) sum_rows(WeightedRows w, double* sums) {
  SHARED(double, parts, [dispersion_warps][W][warp_size]);
  const int lane = static_cast<int>(threadIdx.x) % warp_size,
            warp = static_cast<int>(threadIdx.x) / warp_size;
  const std::int64_t column = static_cast<std::int64_t>(blockIdx.y) * warp_size + lane;
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.z) * W;
  for (Piece p = w.rows.first_piece(blockIdx.x); p.first < p.last; p = w.rows.after(p)) {
    double sum[W] = {};
    for (std::int64_t row = p.first + warp; row < p.last; row += dispersion_warps) {
      const double value = column < w.d ? static_cast<double>(w.x[row * w.d + column]) : 1.0;
      UNROLL
      for (int i = 0; i < W; ++i) sum[i] += w.weight(first + i, row) * value;
    }
    for (int i = 0; i < W; ++i) parts[warp][i][lane] = sum[i];
    __syncthreads();
    for (int i = warp; i < W && first + i < w.resamples && column <= w.d; i += dispersion_warps) {
      double total = parts[0][i][lane];
      for (int other = 1; other < dispersion_warps; ++other) total += parts[other][i][lane];
      sums[(p.number * w.resamples + first + i) * (w.d + 1) + column] = total;
    }
    __syncthreads();
  }
}

// spread [piece, r, 2]: of squared distances and of distances to the centroids [r, k, d].
template <int W>
__global__ void __launch_bounds__(dispersion_threads)
    measure_rows(WeightedRows w, const double* centroids, double* spread) {
  SHARED(double, parts, [dispersion_warps][2 * W]);
  const int lane = static_cast<int>(threadIdx.x) % warp_size,
            warp = static_cast<int>(threadIdx.x) / warp_size;
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.y) * W;
  for (Piece p = w.rows.first_piece(blockIdx.x); p.first < p.last; p = w.rows.after(p)) {
    const double* centroid[W];
    for (int i = 0; i < W; ++i) {
      const std::int64_t r = first + i < w.resamples ? first + i : w.resamples - 1;
      centroid[i] = centroids + (r * w.rows.k + p.cluster) * w.d;
    }
    double squares[W] = {}, distances[W] = {};
    for (std::int64_t row = p.first + warp; row < p.last; row += dispersion_warps) {
      double square[W] = {};
      for (std::int64_t j = lane; j < w.d; j += warp_size) {
        const double value = static_cast<double>(w.x[row * w.d + j]);
        UNROLL
        for (int i = 0; i < W; ++i) {
          const double difference = value - centroid[i][j];
          square[i] += difference * difference;
        }
      }
      UNROLL
      for (int i = 0; i < W; ++i) {
        const double whole = warp_reduce<Sum>(square[i]), weight = w.weight(first + i, row);
        squares[i] += weight * whole;
        distances[i] += weight * sqrt(whole);
      }
    }
    for (int i = 0; i < W && lane == 0; ++i) {
      parts[warp][2 * i] = squares[i];
      parts[warp][2 * i + 1] = distances[i];
    }
    __syncthreads();
    const int value = static_cast<int>(threadIdx.x);
    if (value < 2 * W && first + value / 2 < w.resamples) {
      double total = parts[0][value];
      for (int other = 1; other < dispersion_warps; ++other) total += parts[other][value];
      spread[(p.number * w.resamples + first) * 2 + value] = total;
    }
    __syncthreads();
  }
}

// totals [r, k, columns] from partial [piece, r, columns].
__global__ void add_pieces(SortedRows rows, const double* partial, std::int64_t resamples,
                           std::int64_t columns, double* totals) {
  for (std::int64_t item = global_thread(); item < resamples * rows.k * columns; item += global_threads()) {
    const std::int64_t column = item % columns, c = item / columns % rows.k, r = item / columns / rows.k;
    const std::int64_t end = rows.end_number(c);
    double total = 0;
    for (std::int64_t p = rows.first_number(c); p < end; ++p)
      total += partial[(p * resamples + r) * columns + column];
    totals[item] = total;
  }
}

// From sums [r k, d + 1] to counts [r k] and centroids [r k, d].
__global__ void divide_sums(const double* sums, std::int64_t clusters, std::int64_t d, double* counts,
                            double* centroids) {
  for (std::int64_t item = global_thread(); item < clusters * (d + 1); item += global_threads()) {
    const std::int64_t cluster = item / (d + 1), column = item % (d + 1);
    const double count = sums[cluster * (d + 1) + d];
    if (column == d) {
      counts[cluster] = count;
    } else {
      centroids[cluster * d + column] = count > 0 ? sums[item] / count : 0.0;
    }
  }
}

// A block for each resample: a thread follows every 256th column down the centroids, to their mean and back.
__global__ void __launch_bounds__(dispersion_threads)
    scatter_of(const double* counts, const double* centroids, std::int64_t k, std::int64_t d,
               double* scatter) {
  const double* count = counts + blockIdx.x * k;
  const double* centroid = centroids + blockIdx.x * k * d;
  double sum = 0;
  for (std::int64_t j = threadIdx.x; j < d; j += dispersion_threads) {
    double mean = 0, n = 0;
    for (std::int64_t c = 0; c < k; ++c) {
      mean += count[c] * centroid[c * d + j];
      n += count[c];
    }
    if (n > 0) mean /= n;
    for (std::int64_t c = 0; c < k; ++c) {
      const double difference = centroid[c * d + j] - mean;
      sum += count[c] * difference * difference;
    }
  }
  sum = block_reduce<Sum, dispersion_threads>(sum);
  if (threadIdx.x == 0) scatter[blockIdx.x] = sum;
}

// A block for 32 clusters of a resample, against all of them in tiles; a thread has 2 x 2 pairs of a tile.
__global__ void __launch_bounds__(dispersion_threads)
    worst_ratios(const double* counts, const double* centroids, const double* spread, std::int64_t k,
                 std::int64_t d, double* worst) {
  SHARED(double, own, [side][depth + 1]);
  SHARED(double, others, [side][depth + 1]);
  SHARED(double, largest, [side][square_side]);
  const int at_column = static_cast<int>(threadIdx.x) % square_side,
            at_row = static_cast<int>(threadIdx.x) / square_side;
  const std::int64_t resample = static_cast<std::int64_t>(blockIdx.y) * k;
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * side;
  const auto element = [&](std::int64_t c, std::int64_t j) {
    return c < k && j < d ? centroids[(resample + c) * d + j] : 0.0;
  };
  const auto mean_distance = [&](std::int64_t c) {
    return spread[2 * (resample + c) + 1] / counts[resample + c];
  };
  double most[each] = {};
  for (std::int64_t second = 0; second < k; second += side) {
    double square[each][each] = {};
    for (std::int64_t pass = 0; pass < d; pass += depth) {
      for (int e = static_cast<int>(threadIdx.x); e < side * depth; e += dispersion_threads) {
        own[e / depth][e % depth] = element(first + e / depth, pass + e % depth);
        others[e / depth][e % depth] = element(second + e / depth, pass + e % depth);
      }
      __syncthreads();
      UNROLL
      for (int j = 0; j < depth; ++j)
        for (int a = 0; a < each; ++a)
          for (int b = 0; b < each; ++b) {
            const double difference =
                own[at_row + a * square_side][j] - others[at_column + b * square_side][j];
            square[a][b] += difference * difference;
          }
      __syncthreads();
    }
    for (int a = 0; a < each; ++a)
      for (int b = 0; b < each; ++b) {
        const std::int64_t left = first + at_row + a * square_side,
                           right = second + at_column + b * square_side;
        if (left >= k || right >= k || left == right || !(square[a][b] > 0)) continue;
        if (!(counts[resample + left] > 0 && counts[resample + right] > 0)) continue;
        most[a] = fmax(most[a], (mean_distance(left) + mean_distance(right)) / sqrt(square[a][b]));
      }
  }
  for (int a = 0; a < each; ++a) largest[at_row + a * square_side][at_column] = most[a];
  __syncthreads();
  const int row = static_cast<int>(threadIdx.x);
  if (row >= side || first + row >= k) return;
  double result = 0;
  for (int i = 0; i < square_side; ++i) result = fmax(result, largest[row][i]);
  worst[resample + first + row] = result;
}

template <int W>
void disperse(Context& context, const WeightedRows& w, double* counts, double* centroids, double* spread) {
  const std::int64_t clusters = w.resamples * w.rows.k, columns = w.d + 1;
  const auto blocks = static_cast<unsigned>(w.rows.blocks()),
             groups = static_cast<unsigned>(ceil_div(w.resamples, W));
  const Scratch partial(context,
                        static_cast<std::size_t>(w.rows.pieces() * w.resamples * columns) * sizeof(double));
  const Scratch sums(context, static_cast<std::size_t>(clusters * columns) * sizeof(double));
  const auto add = [&](std::int64_t each_columns, double* totals) {
    LAUNCH((add_pieces), stride_grid(context, clusters * each_columns, dispersion_threads),
           dispersion_threads, 0, context.stream, w.rows, partial.as<double>(), w.resamples, each_columns,
           totals);
  };
  LAUNCH((sum_rows<W>), dim3(blocks, static_cast<unsigned>(ceil_div(columns, warp_size)), groups),
         dispersion_threads, 0, context.stream, w, partial.as<double>());
  add(columns, sums.as<double>());
  LAUNCH((divide_sums), stride_grid(context, clusters * columns, dispersion_threads), dispersion_threads, 0,
         context.stream, sums.as<double>(), clusters, w.d, counts, centroids);
  LAUNCH((measure_rows<W>), dim3(blocks, groups), dispersion_threads, 0, context.stream, w, centroids,
         partial.as<double>());
  add(2, spread);
}

}  // namespace

void cluster_dispersion(Context& context, ConstView x, ConstView offsets, ConstView weights, View counts,
                        View centroids, View spread) {
  require(x.rank == 2 && x.size() > 0 && centroids.rank == 3 && centroids.shape[2] == x.shape[1] &&
              (weights || centroids.shape[0] == 1),
          "cluster_dispersion", "x must be [n, d] and not empty, centroids [r, k, d]");
  require_dtype(x, DType::f32, "cluster_dispersion", "x");
  require_dtype(offsets, DType::i64, "cluster_dispersion", "offsets");
  require_dtype(centroids, DType::f64, "cluster_dispersion", "centroids");
  require_size(offsets, centroids.shape[1] + 1, "cluster_dispersion", "offsets");
  require_size(counts, centroids.rows(), "cluster_dispersion", "counts");
  require_size(spread, 2 * centroids.rows(), "cluster_dispersion", "spread");
  const WeightedRows w{{offsets.as<std::int64_t>(), x.shape[0], centroids.shape[1]},
                       x.as<float>(),
                       weights.as<std::int32_t>(),
                       x.shape[1],
                       centroids.shape[0]};
  if (weights) {
    require_dtype(weights, DType::i32, "cluster_dispersion", "weights");
    require_size(weights, w.resamples * w.rows.n, "cluster_dispersion", "weights");
    disperse<most_weightings>(context, w, counts.as<double>(), centroids.as<double>(), spread.as<double>());
  } else {
    disperse<1>(context, w, counts.as<double>(), centroids.as<double>(), spread.as<double>());
  }
}

void centroid_separation(Context& context, ConstView counts, ConstView centroids, ConstView spread,
                         View scatter, View worst) {
  require(centroids.rank == 3 && centroids.size() > 0, "centroid_separation",
          "centroids must be [r, k, d] and not empty");
  require_dtype(centroids, DType::f64, "centroid_separation", "centroids");
  const std::int64_t resamples = centroids.shape[0], k = centroids.shape[1], d = centroids.shape[2];
  require_size(counts, resamples * k, "centroid_separation", "counts");
  require_size(spread, 2 * resamples * k, "centroid_separation", "spread");
  require_size(scatter, resamples, "centroid_separation", "scatter");
  require_size(worst, resamples * k, "centroid_separation", "worst");
  LAUNCH((scatter_of), static_cast<unsigned>(resamples), dispersion_threads, 0, context.stream,
         counts.as<double>(), centroids.as<double>(), k, d, scatter.as<double>());
  LAUNCH((worst_ratios), dim3(static_cast<unsigned>(ceil_div(k, side)), static_cast<unsigned>(resamples)),
         dispersion_threads, 0, context.stream, counts.as<double>(), centroids.as<double>(),
         spread.as<double>(), k, d, worst.as<double>());
}

}  // namespace chorale::cuda

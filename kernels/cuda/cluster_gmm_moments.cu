// SPDX-License-Identifier: MIT
// Moments of the rows about the centers of a Gaussian mixture, weighted with responsibilities r:
//
//   N_c = sum r     first_c = sum r z     second_c = sum r z^2, or sum r z z^T     z = x - mu_c
//
// The rows of a chunk are cut into slices. A block takes one component, one slice and some columns: it lists
// the rows whose responsibility counts (few, where components lie apart), 1,024 at a time and in order, and
// goes through the list. Squares: 64 columns by 4 rows of the list. Products: 64 x 64 of the upper triangle,
// 16 rows of the list at a time in shared memory, 4 x 4 sums a thread. A last launch adds up the slices in
// order.
//
// f64 throughout. r > 0 for all rows costs n k d^2 flops; x is read once for each component of a row and 64
// columns; each slice leaves k d^2 (or 2 k d) doubles.
#include "kernels/cuda/cluster_gmm.cuh"
#include "kernels/cuda/cluster_tile.cuh"
#include "kernels/cuda/reduction.cuh"

namespace chorale::cuda {
namespace {

using gmm::Chunk;
using gmm::chunk_rows;
using gmm::finished;

constexpr int list_rows = 1024, row_lanes = cluster_threads / tile_side;

struct List {
  int rows[list_rows];
  float weights[list_rows];
  int warp_counts[cluster_threads / warp_size];
};

// Lists the rows of [begin, end), at most list_rows of them, that count; returns how many. All threads must
// call.
__device__ inline int list_weighted(const float* r, std::int64_t begin, std::int64_t end, List& list) {
  const int thread = static_cast<int>(threadIdx.x), lane = thread % warp_size, warp = thread / warp_size;
  int count = 0;
  for (int first = 0; first < list_rows; first += cluster_threads) {
    const std::int64_t row = begin + first + thread;
    const float weight = row < end ? r[row] : 0.0f;
    const unsigned ballot = __ballot_sync(all_lanes, weight > gmm_negligible);
    if (lane == 0) list.warp_counts[warp] = __popc(ballot);
    __syncthreads();
    int before = count + __popc(ballot & ((1u << lane) - 1));
    for (int w = 0; w < cluster_threads / warp_size; ++w) {
      if (w < warp) before += list.warp_counts[w];
      count += list.warp_counts[w];
    }
    if (weight > gmm_negligible) {
      list.rows[before] = first + thread;
      list.weights[before] = weight;
    }
    __syncthreads();
  }
  return count;
}

struct Slices {
  std::int64_t rows;  // of a slice
  double* counts;     // [slice][k]
  double* first;      // [slice][k][d]
  double* second;     // [slice][k][d] or [slice][k][d][d]; may be null
};

// Grid: slices, components, 64 columns each.
__global__ void __launch_bounds__(cluster_threads)
    sum_squares(Chunk p, const float* centers, bool squares, Slices to) {
  if (finished(p.state)) return;
  SHARED(List, lists, [1]);
  SHARED(double, parts, [2][row_lanes][tile_side]);
  const int thread = static_cast<int>(threadIdx.x), column = thread % tile_side, lane = thread / tile_side;
  const std::int64_t c = blockIdx.y, j = static_cast<std::int64_t>(blockIdx.z) * tile_side + column,
                     begin = blockIdx.x * to.rows, end = begin + to.rows < p.rows ? begin + to.rows : p.rows;
  const float* r = p.responsibilities + c * chunk_rows;
  const double center = j < p.d ? static_cast<double>(centers[c * p.d + j]) : 0;
  double sum = 0, square = 0, weights = 0;
  for (std::int64_t batch = begin; batch < end; batch += list_rows) {
    const int count = list_weighted(r, batch, end, lists[0]);
    if (j < p.d)
      for (int i = lane; i < count; i += row_lanes) {
        const double z = static_cast<double>(p.x[(batch + lists[0].rows[i]) * p.d + j]) - center;
        const double weighted = static_cast<double>(lists[0].weights[i]) * z;
        sum += weighted;
        square += weighted * z;
      }
    __syncthreads();
  }
  parts[0][lane][column] = sum;
  parts[1][lane][column] = square;
  __syncthreads();
  const std::int64_t at = (blockIdx.x * p.k + c) * p.d + j;
  if (lane == 0 && j < p.d) {
    for (int l = 1; l < row_lanes; ++l) sum += parts[0][l][column];
    to.first[at] = sum;
  }
  if (lane == 1 && j < p.d && squares) {
    square = parts[1][0][column];
    for (int l = 1; l < row_lanes; ++l) square += parts[1][l][column];
    to.second[at] = square;
  }
  if (blockIdx.z != 0) return;
  for (std::int64_t row = begin + thread; row < end; row += cluster_threads)
    weights += static_cast<double>(r[row]);
  weights = block_reduce<Sum, cluster_threads>(weights);
  if (thread == 0) to.counts[blockIdx.x * p.k + c] = weights;
}

struct ProductTiles {
  double weighted[tile_depth][tile_side + 1];
  double plain[tile_depth][tile_side + 1];
};

// Grid: tiles of the upper triangle, components, slices.
__global__ void __launch_bounds__(cluster_threads) sum_products(Chunk p, const float* centers, Slices to) {
  if (finished(p.state)) return;
  SHARED(List, lists, [1]);
  SHARED(ProductTiles, tiles, [1]);
  List& list = lists[0];
  ProductTiles& s = tiles[0];
  const int thread = static_cast<int>(threadIdx.x), at_column = thread % tile_square,
            at_row = thread / tile_square;
  std::int64_t column_tile = 0, before = 0;  // tiles in columns before this one
  while (before + column_tile < static_cast<std::int64_t>(blockIdx.x)) before += ++column_tile;
  const std::int64_t c = blockIdx.y, first_row = (blockIdx.x - before) * tile_side,
                     first_column = column_tile * tile_side, begin = blockIdx.z * to.rows,
                     end = begin + to.rows < p.rows ? begin + to.rows : p.rows;
  const float* center = centers + c * p.d;
  double sum[tile_each][tile_each] = {};
  for (std::int64_t batch = begin; batch < end; batch += list_rows) {
    const int count = list_weighted(p.responsibilities + c * chunk_rows, batch, end, list);
    for (int first = 0; first < count; first += tile_depth) {
      for (int e = thread; e < tile_side * tile_depth; e += cluster_threads) {
        const int i = e / tile_side, column = e % tile_side;
        const bool inside = first + i < count;
        const float* x = p.x + (batch + (inside ? list.rows[first + i] : 0)) * p.d;
        const std::int64_t a = first_row + column, b = first_column + column;
        s.weighted[i][column] = inside && a < p.d
                                    ? static_cast<double>(list.weights[first + i]) *
                                          (static_cast<double>(x[a]) - static_cast<double>(center[a]))
                                    : 0.0;
        s.plain[i][column] =
            inside && b < p.d ? static_cast<double>(x[b]) - static_cast<double>(center[b]) : 0.0;
      }
      __syncthreads();
      UNROLL
      for (int i = 0; i < tile_depth; ++i) {
        double a[tile_each], b[tile_each];
        for (int e = 0; e < tile_each; ++e) a[e] = s.weighted[i][at_row + tile_square * e];
        for (int e = 0; e < tile_each; ++e) b[e] = s.plain[i][at_column + tile_square * e];
        for (int u = 0; u < tile_each; ++u)
          for (int v = 0; v < tile_each; ++v) sum[u][v] += a[u] * b[v];
      }
      __syncthreads();
    }
  }
  double* target = to.second + (blockIdx.z * p.k + c) * p.d * p.d;
  for (int u = 0; u < tile_each; ++u)
    for (int v = 0; v < tile_each; ++v) {
      const std::int64_t row = first_row + at_row + tile_square * u,
                         column = first_column + at_column + tile_square * v;
      if (row < p.d && column < p.d) target[row * p.d + column] = sum[u][v];
    }
}

// target [size] = (add: +=) the sum of `parts` arrays, in order; of the upper triangle of matrices [d, d] if
// `side` is d.
__global__ void add_parts(const double* source, std::int64_t parts, std::int64_t size, std::int64_t side,
                          bool add, const double* state, double* target) {
  if (finished(state)) return;
  for (std::int64_t e = global_thread(); e < size; e += global_threads()) {
    if (side && e / side % side > e % side) continue;
    double sum = add ? target[e] : 0;
    for (std::int64_t part = 0; part < parts; ++part) sum += source[part * size + e];
    target[e] = sum;
  }
}

/// As many slices as keep a device busy with `blocks` blocks in each.
std::int64_t slice_count(std::int64_t blocks, std::int64_t most) {
  const std::int64_t slices = ceil_div(1024, blocks);
  return slices < most ? slices : most;
}

std::int64_t slice_rows(std::int64_t rows, std::int64_t slices) {
  return ceil_div(ceil_div(rows, slices), list_rows) * list_rows;
}

}  // namespace

namespace gmm {

void add_moments(Context& context, const Chunk& chunk, bool first_chunk, const float* centers, View counts,
                 View first, View second) {
  const std::int64_t d = chunk.d, k = chunk.k, panels = ceil_div(d, tile_side),
                     tiles = panels * (panels + 1) / 2;
  const bool products = second.rank == 3, squares = second && !products;
  const auto finish = [&](const double* parts, std::int64_t count, std::int64_t side, View target) {
    LAUNCH((add_parts), stride_grid(context, target.size(), cluster_threads), cluster_threads, 0,
           context.stream, parts, count, target.size(), side, !first_chunk, chunk.state, target.as<double>());
  };
  {
    const std::int64_t rows = slice_rows(chunk.rows, slice_count(k * panels, 64)),
                       slices = ceil_div(chunk.rows, rows);
    const Scratch parts(context, static_cast<std::size_t>(slices * k * (1 + 2 * d)) * sizeof(double));
    double* sums = parts.as<double>() + slices * k;
    double* second_sums = sums + slices * k * d;
    const Slices to{rows, parts.as<double>(), sums, second_sums};
    LAUNCH((sum_squares),
           dim3(static_cast<unsigned>(slices), static_cast<unsigned>(k), static_cast<unsigned>(panels)),
           cluster_threads, 0, context.stream, chunk, centers, squares, to);
    finish(to.counts, slices, 0, counts);
    finish(to.first, slices, 0, first);
    if (squares) finish(to.second, slices, 0, second);
  }
  if (!products) return;
  const std::int64_t rows = slice_rows(chunk.rows, slice_count(k * tiles, 16)),
                     slices = ceil_div(chunk.rows, rows);
  const Scratch parts(context, static_cast<std::size_t>(slices * k * d * d) * sizeof(double));
  const Slices to{rows, nullptr, nullptr, parts.as<double>()};
  LAUNCH((sum_products),
         dim3(static_cast<unsigned>(tiles), static_cast<unsigned>(k), static_cast<unsigned>(slices)),
         cluster_threads, 0, context.stream, chunk, centers, to);
  finish(to.second, second.shape[0] < k ? slices * k : slices, d, second);
}

}  // namespace gmm
}  // namespace chorale::cuda

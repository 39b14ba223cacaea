// SPDX-License-Identifier: MIT
// Silhouette (Rousseeuw 1987) of points sorted by cluster: s = (b - a) / max(a, b), a the mean distance to
// the other points of the own cluster, b the smallest mean distance to another one.
//
// A block takes 64 rows and passes the columns cluster by cluster in 64 x 64 tiles; distances are summed in
// f64 per thread, over the 16 threads that share a row at the end of each cluster, and forgotten. Memory
// O(n). A tile is |x|^2 + |y|^2 - 2 x.y of the centred rows in f32, with an error of about
// 3 2^-24 (|x|^2 + |y|^2) where chains of multiply-adds have 128 links. Where that is too much for any of its
// pairs, the tile is computed again from differences of the rows as they were given, |x - y|^2, in which
// nothing cancels; so are the rest of the cluster's tiles, at once, and matrices of few columns as a whole.
// 2 n^2 d flops by products, 3 n^2 d by differences; rows are read once for every 64 rows.
#include "kernels/cuda/cluster_tile.cuh"
#include "kernels/cuda/dispatch.h"

namespace chorale::cuda {
namespace {

/// Longest chain of multiply-adds; sums of more elements are made of pieces.
constexpr std::int64_t chain = 128;
/// Below this share of |x|^2 + |y|^2 a squared distance has lost too many digits. At this share the standard
/// error of the distance is 3 2^-24 / (2 * 0.2) = 4.5e-7 of itself: hardly one in a million is off by 2e-6.
constexpr float cancellation = 0.2f;
/// With so few columns differences cost no more than products and what has to be done again.
constexpr std::int64_t few_columns = 16;

/// Where a block's tile lies, and this thread's place in it.
struct Tile {
  std::int64_t first_row, rows, first_column, columns;  // the first one, and where they end
  int at_row, at_column;
  __device__ std::int64_t row(int i) const { return first_row + at_row + tile_square * i; }
  __device__ std::int64_t column(int j) const { return first_column + at_column + tile_square * j; }
  __device__ bool inside(int i, int j) const { return row(i) < rows && column(j) < columns; }
};

/// sums = term over the elements of rows of x [n, d], in pieces.
template <class Term>
__device__ inline void add_pieces(const float* x, std::int64_t d, const Tile& at, TileStorage& storage,
                                  const Term& term, float (&sums)[tile_each][tile_each]) {
  for (int i = 0; i < tile_each; ++i)
    for (int j = 0; j < tile_each; ++j) sums[i][j] = 0.0f;
  for (std::int64_t first = 0; first < d; first += chain) {
    const float* from = x + first;
    float part[tile_each][tile_each];
    tile_sums(
        [&](int r) { return at.first_row + r < at.rows ? from + (at.first_row + r) * d : nullptr; },
        [&](int c) { return at.first_column + c < at.columns ? from + (at.first_column + c) * d : nullptr; },
        d - first < chain ? d - first : chain, at.at_row, at.at_column, storage, term, part);
    for (int i = 0; i < tile_each; ++i)
      for (int j = 0; j < tile_each; ++j) sums[i][j] += part[i][j];
  }
}

/// Products become squared distances; true if one of this thread's has lost too many digits.
__device__ inline bool products_to_squares(const float* norms, const Tile& at,
                                           float (&values)[tile_each][tile_each]) {
  bool lost = false;
  for (int i = 0; i < tile_each; ++i)
    for (int j = 0; j < tile_each; ++j) {
      if (!at.inside(i, j)) continue;
      const float scale = norms[at.row(i)] + norms[at.column(j)];
      const bool same = at.row(i) == at.column(j);
      values[i][j] = same ? 0.0f : scale - 2.0f * values[i][j];
      lost = lost || (!same && !(values[i][j] > cancellation * scale));
    }
  return lost;
}

__global__ void __launch_bounds__(cluster_threads)
    silhouette(const float* x, const float* centered, const float* norms, const std::int64_t* offsets,
               std::int64_t n, std::int64_t d, std::int64_t k, float* samples) {
  SHARED(TileStorage, storage, [1]);
  Tile at;
  at.at_column = static_cast<int>(threadIdx.x) % tile_square;
  at.at_row = static_cast<int>(threadIdx.x) / tile_square;
  at.first_row = static_cast<std::int64_t>(blockIdx.x) * tile_side;
  at.rows = n;
  double own[tile_each], nearest[tile_each];
  bool alone[tile_each];
  for (int i = 0; i < tile_each; ++i) {
    own[i] = 0;
    nearest[i] = INFINITY;
    alone[i] = false;
  }
  for (std::int64_t cluster = 0; cluster < k; ++cluster) {
    const std::int64_t begin = offsets[cluster], end = offsets[cluster + 1];
    if (begin == end) continue;
    double sums[tile_each] = {};
    bool direct = d <= few_columns;
    at.columns = end;
    for (at.first_column = begin; at.first_column < end; at.first_column += tile_side) {
      float squares[tile_each][tile_each];
      if (!direct) {
        add_pieces(centered, d, at, storage[0], ProductTerm(), squares);
        direct = __syncthreads_or(products_to_squares(norms, at, squares));
      }
      if (direct) add_pieces(x, d, at, storage[0], SquareTerm(), squares);
      for (int i = 0; i < tile_each; ++i)
        for (int j = 0; j < tile_each; ++j)
          if (at.inside(i, j)) sums[i] += static_cast<double>(sqrtf(squares[i][j]));
    }
    for (int i = 0; i < tile_each; ++i) {
      for (int distance = tile_square / 2; distance; distance /= 2)
        sums[i] += __shfl_xor_sync(all_lanes, sums[i], distance);
      if (at.row(i) >= begin && at.row(i) < end) {
        alone[i] = end - begin == 1;
        own[i] = alone[i] ? 0 : sums[i] / static_cast<double>(end - begin - 1);
      } else {
        const double mean = sums[i] / static_cast<double>(end - begin);
        nearest[i] = mean < nearest[i] ? mean : nearest[i];
      }
    }
  }
  for (int i = 0; i < tile_each; ++i) {
    if (at.at_column != 0 || at.row(i) >= n) continue;
    const double larger = own[i] > nearest[i] ? own[i] : nearest[i];
    const bool defined = !alone[i] && larger > 0 && larger < static_cast<double>(INFINITY);
    samples[at.row(i)] = defined ? static_cast<float>((nearest[i] - own[i]) / larger) : 0.0f;
  }
}

}  // namespace

void silhouette_samples(Context& context, ConstView x, ConstView centered, ConstView norms, ConstView offsets,
                        View samples) {
  require(x.rank == 2, "silhouette_samples", "x must be [n, d]");
  require_dtype(x, DType::f32, "silhouette_samples", "x");
  require_dtype(centered, DType::f32, "silhouette_samples", "centered");
  require_dtype(offsets, DType::i64, "silhouette_samples", "offsets");
  require_size(centered, x.size(), "silhouette_samples", "centered");
  require_size(norms, x.shape[0], "silhouette_samples", "norms");
  require_size(samples, x.shape[0], "silhouette_samples", "samples");
  const std::int64_t n = x.shape[0];
  if (n == 0) return;
  LAUNCH((silhouette), static_cast<unsigned>(ceil_div(n, tile_side)), cluster_threads, 0, context.stream,
         x.as<float>(), centered.as<float>(), norms.as<float>(), offsets.as<std::int64_t>(), n, x.shape[1],
         offsets.size() - 1, samples.as<float>());
}

}  // namespace chorale::cuda

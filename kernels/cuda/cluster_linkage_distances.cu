// SPDX-License-Identifier: MIT
// The distance matrix of agglomerative clustering: |x_i - x_j|^2 or its root for all pairs of rows, infinite
// on the diagonal and in the columns that pad a row.
//
// A block computes one 64 x 64 tile on or right of the diagonal and writes it twice: as it is, and transposed
// through shared memory, so that both are written in whole lines and the matrix is symmetric to the bit. f32,
// one chain of multiply-adds a distance. 1.5 n^2 d flops; writes 4 n^2 bytes.
#include "kernels/cuda/cluster_tile.cuh"
#include "kernels/cuda/dispatch.h"

namespace chorale::cuda {
namespace {

__global__ void __launch_bounds__(cluster_threads)
    distance_tiles(const float* x, std::int64_t n, std::int64_t d, bool root, float* distances,
                   std::int64_t stride) {
  SHARED(TileStorage, storage, [1]);
  SHARED(float, tile, [tile_side][tile_side + 1]);
  if (blockIdx.x < blockIdx.y) return;
  const std::int64_t first_row = static_cast<std::int64_t>(blockIdx.y) * tile_side,
                     first_column = static_cast<std::int64_t>(blockIdx.x) * tile_side;
  const int thread = static_cast<int>(threadIdx.x), at_column = thread % tile_square,
            at_row = thread / tile_square;
  float squares[tile_each][tile_each];
  tile_sums([&](int r) { return first_row + r < n ? x + (first_row + r) * d : nullptr; },
            [&](int c) { return first_column + c < n ? x + (first_column + c) * d : nullptr; }, d, at_row,
            at_column, storage[0], SquareTerm(), squares);
  for (int i = 0; i < tile_each; ++i)
    for (int j = 0; j < tile_each; ++j) {
      const int r = at_row + tile_square * i, c = at_column + tile_square * j;
      const std::int64_t row = first_row + r, column = first_column + c;
      const float value = root ? sqrtf(squares[i][j]) : squares[i][j];
      tile[r][c] = row == column || column >= n || row >= n ? INFINITY : value;
    }
  __syncthreads();
  for (int e = thread; e < tile_side * tile_side; e += cluster_threads) {
    const int r = e / tile_side, c = e % tile_side;
    if (first_row + r < n && first_column + c < stride)
      distances[(first_row + r) * stride + first_column + c] = tile[r][c];
    if (blockIdx.x > blockIdx.y && first_column + r < n && first_row + c < stride)
      distances[(first_column + r) * stride + first_row + c] = tile[c][r];
  }
}

}  // namespace

void linkage_distances(Context& context, ConstView x, bool root, View distances) {
  require(x.rank == 2 && distances.rank == 2 && distances.shape[0] == x.shape[0] &&
              distances.shape[1] >= x.shape[0] && distances.shape[1] % point_block == 0,
          "linkage_distances", "x must be [n, d] and distances [n, n or more, a multiple of 32]");
  require_dtype(x, DType::f32, "linkage_distances", "x");
  require_dtype(distances, DType::f32, "linkage_distances", "distances");
  const std::int64_t n = x.shape[0], stride = distances.shape[1];
  const auto tiles = static_cast<unsigned>(ceil_div(stride, tile_side));
  LAUNCH((distance_tiles), dim3(tiles, tiles), cluster_threads, 0, context.stream, x.as<float>(), n,
         x.shape[1], root, distances.as<float>(), stride);
}

}  // namespace chorale::cuda

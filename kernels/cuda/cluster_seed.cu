// SPDX-License-Identifier: MIT
// Distances of k-means++: min(closest, weight (|x|^2 + |c|^2 - 2 x.c)) of every point to the candidates of
// all restarts, at least 0, exactly 0 at the candidate itself; and their f64 sums over blocks of kmeans_block
// points.
//
// A block takes kmeans_block points and 64 candidates in 64 x 64 tiles; 16 threads that are neighbours hold
// 16 consecutive points, so distances are written in pieces of 64 bytes. Sums are joined over threads in a
// fixed order. Reads x once per 64 candidates, closest once, writes 4 n bytes a candidate.
#include "kernels/cuda/cluster_tile.cuh"
#include "kernels/cuda/dispatch.h"

namespace chorale::cuda {
namespace {

__global__ void __launch_bounds__(cluster_threads)
    seed(const float* x, const float* norms, const float* weights, const std::int32_t* candidates,
         const float* closest, std::int64_t n, std::int64_t d, std::int64_t columns, std::int64_t trials,
         float* distances, double* block_sums) {
  SHARED(TileStorage, storage, [1]);
  const int at_row = static_cast<int>(threadIdx.x) % tile_square,
            at_column = static_cast<int>(threadIdx.x) / tile_square;
  const std::int64_t first_column = static_cast<std::int64_t>(blockIdx.y) * tile_side;
  const std::int64_t block = blockIdx.x, begin = block * kmeans_block;
  double sums[tile_each] = {};
  for (std::int64_t first = begin; first < begin + kmeans_block && first < n; first += tile_side) {
    float product[tile_each][tile_each];
    tile_product(
        [&](int r) { return first + r < n ? x + (first + r) * d : nullptr; },
        [&](int c) { return first_column + c < columns ? x + candidates[first_column + c] * d : nullptr; }, d,
        at_row, at_column, storage[0], product);
    for (int j = 0; j < tile_each; ++j) {
      const std::int64_t c = first_column + at_column + tile_square * j;
      if (c >= columns) continue;
      const std::int64_t candidate = candidates[c];
      for (int i = 0; i < tile_each; ++i) {
        const std::int64_t point = first + at_row + tile_square * i;
        if (point >= n) continue;
        float value = fmaxf(0.0f, norms[point] + norms[candidate] - 2.0f * product[i][j]);
        if (weights) value *= weights[point];
        if (closest) value = fminf(value, closest[c / trials * n + point]);
        if (point == candidate) value = 0.0f;
        distances[c * n + point] = value;
        sums[j] += static_cast<double>(value);
      }
    }
  }
  const std::int64_t blocks = (n + kmeans_block - 1) / kmeans_block;
  for (int j = 0; j < tile_each; ++j) {
    for (int distance = tile_square / 2; distance; distance /= 2)
      sums[j] += __shfl_xor_sync(all_lanes, sums[j], distance);
    const std::int64_t c = first_column + at_column + tile_square * j;
    if (at_row == 0 && c < columns) block_sums[c * blocks + block] = sums[j];
  }
}

}  // namespace

void kmeans_seed(Context& context, ConstView x, ConstView norms, ConstView weights, ConstView candidates,
                 ConstView closest, View distances, View block_sums) {
  require(x.rank == 2, "kmeans_seed", "x must be [n, d]");
  require_dtype(x, DType::f32, "kmeans_seed", "x");
  require_dtype(candidates, DType::i32, "kmeans_seed", "candidates");
  require_size(distances, candidates.size() * x.shape[0], "kmeans_seed", "distances");
  const std::int64_t n = x.shape[0], columns = candidates.size();
  if (n == 0 || columns == 0) return;
  LAUNCH((seed),
         dim3(static_cast<unsigned>(ceil_div(n, kmeans_block)),
              static_cast<unsigned>(ceil_div(columns, tile_side))),
         cluster_threads, 0, context.stream, x.as<float>(), norms.as<float>(), weights.as<float>(),
         candidates.as<std::int32_t>(), closest.as<float>(), n, x.shape[1], columns,
         closest ? columns / closest.shape[0] : 1, distances.as<float>(), block_sums.as<double>());
}

}  // namespace chorale::cuda

// SPDX-License-Identifier: MIT
// Silhouette (Rousseeuw 1987) of points sorted by cluster: s = (b - a) / max(a, b), a the mean distance to
// the other points of the own cluster, b the smallest mean distance to another one.
//
// A block takes 64 rows and passes the columns cluster by cluster in 64 x 64 tiles; distances are summed in
// f64 per thread, over the 16 threads that share a row at the end of each cluster, and forgotten. Memory
// O(n). |x - y|^2 = |x|^2 + |y|^2 - 2 x.y in f32; where that cancels the difference is formed directly. 2 n^2
// d flops; x is read once for every 64 rows.
#include "kernels/cuda/cluster_tile.cuh"
#include "kernels/cuda/dispatch.h"

namespace chorale::cuda {
namespace {

/// Below this share of |x|^2 + |y|^2 a squared distance has lost too many digits.
constexpr float cancellation = 0x1p-12f;

__device__ inline float distance_of(const float* x, std::int64_t a, std::int64_t b, std::int64_t d,
                                    float scale, float product) {
  float square = scale - 2.0f * product;
  if (square < cancellation * scale) {
    square = 0.0f;
    for (std::int64_t j = 0; j < d; ++j) {
      const float difference = x[a * d + j] - x[b * d + j];
      square += difference * difference;
    }
  }
  return sqrtf(fmaxf(square, 0.0f));
}

__global__ void __launch_bounds__(cluster_threads)
    silhouette(const float* x, const float* norms, const std::int64_t* offsets, std::int64_t n,
               std::int64_t d, std::int64_t k, float* samples) {
  SHARED(TileStorage, storage, [1]);
  const int at_column = static_cast<int>(threadIdx.x) % tile_square,
            at_row = static_cast<int>(threadIdx.x) / tile_square;
  const std::int64_t first_row = static_cast<std::int64_t>(blockIdx.x) * tile_side;
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
    for (std::int64_t first = begin; first < end; first += tile_side) {
      float product[tile_each][tile_each];
      tile_product([&](int r) { return first_row + r < n ? x + (first_row + r) * d : nullptr; },
                   [&](int c) { return first + c < end ? x + (first + c) * d : nullptr; }, d, at_row,
                   at_column, storage[0], product);
      for (int i = 0; i < tile_each; ++i) {
        const std::int64_t row = first_row + at_row + tile_square * i;
        for (int j = 0; j < tile_each; ++j) {
          const std::int64_t column = first + at_column + tile_square * j;
          if (row < n && column < end)
            sums[i] += static_cast<double>(
                distance_of(x, row, column, d, norms[row] + norms[column], product[i][j]));
        }
      }
    }
    for (int i = 0; i < tile_each; ++i) {
      for (int distance = tile_square / 2; distance; distance /= 2)
        sums[i] += __shfl_xor_sync(all_lanes, sums[i], distance);
      const std::int64_t row = first_row + at_row + tile_square * i;
      if (row >= begin && row < end) {
        alone[i] = end - begin == 1;
        own[i] = alone[i] ? 0 : sums[i] / static_cast<double>(end - begin - 1);
      } else {
        const double mean = sums[i] / static_cast<double>(end - begin);
        nearest[i] = mean < nearest[i] ? mean : nearest[i];
      }
    }
  }
  for (int i = 0; i < tile_each; ++i) {
    const std::int64_t row = first_row + at_row + tile_square * i;
    if (at_column != 0 || row >= n) continue;
    const double larger = own[i] > nearest[i] ? own[i] : nearest[i];
    const bool defined = !alone[i] && larger > 0 && larger < static_cast<double>(INFINITY);
    samples[row] = defined ? static_cast<float>((nearest[i] - own[i]) / larger) : 0.0f;
  }
}

}  // namespace

void silhouette_samples(Context& context, ConstView x, ConstView norms, ConstView offsets, View samples) {
  require(x.rank == 2, "silhouette_samples", "x must be [n, d]");
  require_dtype(x, DType::f32, "silhouette_samples", "x");
  require_dtype(offsets, DType::i64, "silhouette_samples", "offsets");
  require_size(norms, x.shape[0], "silhouette_samples", "norms");
  require_size(samples, x.shape[0], "silhouette_samples", "samples");
  const std::int64_t n = x.shape[0];
  if (n == 0) return;
  LAUNCH((silhouette), static_cast<unsigned>(ceil_div(n, tile_side)), cluster_threads, 0, context.stream,
         x.as<float>(), norms.as<float>(), offsets.as<std::int64_t>(), n, x.shape[1], offsets.size() - 1,
         samples.as<float>());
}

}  // namespace chorale::cuda

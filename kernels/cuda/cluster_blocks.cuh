// SPDX-License-Identifier: MIT
// Pairs of near points on CUDA, as kernels/cpu/cluster_blocks.h has them: points in an order in which
// neighbours stand together, blocks of neighbour_block places, one block by another a 64 x 64 tile of
// products that only exclude; what they do not exclude is decided on f64 sums of squared differences of the
// rows as they were given.
#pragma once
#include "kernels/cuda/cluster_tile.cuh"
#include "kernels/cuda/dispatch.h"

namespace chorale::cuda {

static_assert(neighbour_block == tile_side);

struct NearPoints {
  const float* x;
  const float* centered;
  const float* norms;
  const std::int32_t* ids;
  const float* low;
  const float* high;
  std::int64_t n, d, count, directions;
  float share;  // of |a|^2 + |b|^2 that rounding may have added to a squared distance

  /// Places of a block.
  __device__ int size(std::int64_t block) const {
    const std::int64_t begin = block * tile_side;
    return static_cast<int>(n - begin < tile_side ? n - begin : tile_side);
  }
};

inline NearPoints near_points(const char* kernel, ConstView x, ConstView centered, ConstView norms,
                              ConstView ids, ConstView low, ConstView high) {
  require(x.rank == 2, kernel, "x must be [n, d]");
  require_dtype(x, DType::f32, kernel, "x");
  require_dtype(ids, DType::i32, kernel, "ids");
  const std::int64_t n = x.shape[0], d = x.shape[1], count = ceil_div(n, neighbour_block);
  require_size(centered, n * d, kernel, "centered");
  require_size(norms, n, kernel, "norms");
  require_size(ids, n, kernel, "ids");
  require_size(low, count * low.columns(), kernel, "low");
  require_size(high, low.size(), kernel, "high");
  return {x.as<float>(),
          centered.as<float>(),
          norms.as<float>(),
          ids.as<std::int32_t>(),
          low.as<float>(),
          high.as<float>(),
          n,
          d,
          count,
          low.columns(),
          static_cast<float>(d + 16) * 0x1.02p-24f};
}

/// No two points of blocks a and b are nearer than this squared distance.
__device__ inline float block_gap(const NearPoints& p, std::int64_t a, std::int64_t b) {
  float sum = 0.0f;
  for (std::int64_t j = 0; j < p.directions; ++j) {
    const float apart = fmaxf(0.0f, fmaxf(p.low[a * p.directions + j] - p.high[b * p.directions + j],
                                          p.low[b * p.directions + j] - p.high[a * p.directions + j]));
    sum += apart * apart;
  }
  return sum * (1.0f - 0x1p-16f);
}

/// sum (a - b)^2 of the points at two places, in f64 and in the order of the elements.
__device__ inline double square_distance(const NearPoints& p, std::int64_t a, std::int64_t b) {
  const float *u = p.x + p.ids[a] * p.d, *v = p.x + p.ids[b] * p.d;
  double sum = 0;
  for (std::int64_t j = 0; j < p.d; ++j) {
    const double difference = static_cast<double>(u[j]) - static_cast<double>(v[j]);
    sum += difference * difference;
  }
  return sum;
}

/// Products of the places of block a (rows) and block b (columns); 0 beyond the last place.
__device__ inline void block_products(const NearPoints& p, std::int64_t a, std::int64_t b, int at_row,
                                      int at_column, TileStorage& storage,
                                      float (&product)[tile_each][tile_each]) {
  const std::int64_t rows = a * tile_side, columns = b * tile_side;
  tile_product([&](int r) { return rows + r < p.n ? p.centered + (rows + r) * p.d : nullptr; },
               [&](int c) { return columns + c < p.n ? p.centered + (columns + c) * p.d : nullptr; }, p.d,
               at_row, at_column, storage, product);
}

/// A lower bound of the squared distance of two points, from their squared lengths and product.
__device__ inline float least_square(const NearPoints& p, float norm_a, float norm_b, float product) {
  return (1.0f - p.share) * (norm_a + norm_b) - 2.0f * product;
}

/// A squared distance as f32, rounded up.
__host__ __device__ inline float above(double square) {
  return static_cast<float>(square) * (1.0f + 0x1p-20f);
}

}  // namespace chorale::cuda

// SPDX-License-Identifier: MIT
// Ward's distances between clusters in f64, from their centers: what decides between neighbours that f32 does
// not tell apart.
//
// A block goes through the columns once more; for each that may be the nearest, the warp that has found it
// computes the distance, every lane each 32nd element. Lanes and warps join in a fixed order.
#pragma once
#include "kernels/cuda/cluster_nearest.cuh"
#include "kernels/cuda/reduction.cuh"

namespace chorale::cuda {

/// Clusters by column: column c has row rows[c] of the centers [n, d], and sizes[c] points.
struct WardCenters {
  const double* centers;
  const std::int32_t* rows;
  const float* sizes;
  std::int64_t d;
};

struct ExactNearest {
  double square = static_cast<double>(INFINITY);
  std::int32_t column = no_column;
};

__device__ inline void see(ExactNearest& a, double square, std::int32_t column) {
  if (square < a.square || (square == a.square && column < a.column)) {
    a.square = square;
    a.column = column;
  }
}

/// 2 a b / (a + b) |x_a - x_b|^2 for the sizes a, b of two columns, by one warp: the same bits in every lane,
/// and for (second, first).
__device__ inline double warp_ward_distance(const WardCenters& c, std::int64_t first, std::int64_t second,
                                            int lane) {
  const double *u = c.centers + c.rows[first] * c.d, *v = c.centers + c.rows[second] * c.d;
  double square = 0;
  for (std::int64_t k = lane; k < c.d; k += warp_size) square += (u[k] - v[k]) * (u[k] - v[k]);
  const double a = c.sizes[first], b = c.sizes[second];
  return 2 * a * b / (a + b) * warp_reduce<Sum>(square);
}

/// Of the columns below m with candidate(column) the nearest to `own`, the lowest of equals. All `threads` of
/// the block must call, and get the result. Of copies of one point the first one ends a warp's search.
template <int threads, class Candidate>
__device__ inline ExactNearest nearest_of(const WardCenters& c, std::int64_t own, std::int64_t m,
                                          const Candidate& candidate) {
  SHARED(ExactNearest, parts, [threads / warp_size]);
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  ExactNearest nearest;
  for (std::int64_t first = threadIdx.x - lane; first < m && nearest.square > 0; first += threads) {
    const bool inside = first + lane < m && candidate(first + lane);
    for (unsigned hits = __ballot_sync(all_lanes, inside); hits; hits &= hits - 1) {
      const std::int64_t column = first + __ffs(static_cast<int>(hits)) - 1;
      see(nearest, warp_ward_distance(c, own, column, lane), static_cast<std::int32_t>(column));
    }
  }
  if (lane == 0) parts[threadIdx.x / warp_size] = nearest;
  __syncthreads();
  for (int warp = 0; warp < threads / warp_size; ++warp) see(nearest, parts[warp].square, parts[warp].column);
  __syncthreads();
  return nearest;
}

}  // namespace chorale::cuda

// SPDX-License-Identifier: MIT
// k-means assignment: label[i] = argmin_c |c|^2 / 2 - x_i . c, the lowest index of equals.
//
// A block takes 256 points of one restart, lists those whose label the drift of the centers may have changed
// (cluster_drift.cu), in point order, and multiplies them with the restart's centers in 64 x 64 tiles.
// Nearest and second nearest stay in registers and are joined over the 16 threads that share a row. f32; the
// margin is that of kernels/cpu/cluster_assign.cpp, so drift never changes a label. Reads the open rows of x
// once per 64 centers, 9 n r bytes of labels and margins.
#include "kernels/cuda/cluster_tile.cuh"
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/reduction.cuh"

#include <cfloat>

namespace chorale::cuda {
namespace {

constexpr float above = 1.0f + 0x1p-21f, below = 1.0f - 0x1p-21f;

// One warp a restart: the largest |c|^2.
__global__ void find_largest_norm(const std::int32_t* restarts, const float* half_norms, std::int64_t k,
                                  float* largest) {
  const float* norms = half_norms + restarts[blockIdx.x] * k;
  float norm = 0;
  for (std::int64_t c = threadIdx.x; c < k; c += warp_size) norm = fmaxf(norm, 2.0f * norms[c]);
  norm = warp_reduce<Max>(norm);
  if (threadIdx.x == 0) largest[blockIdx.x] = norm;
}

struct Nearest {
  float best, second;
  int label;
};

__device__ inline void see(Nearest& a, float best, float second, int label) {
  const bool closer = best < a.best || (best == a.best && label < a.label);
  a.second = closer ? fminf(a.best, second) : fminf(a.second, best);
  if (closer) {
    a.best = best;
    a.label = label;
  }
}

struct Assignment {
  const float* x;
  const float* norms;
  const std::int32_t* restarts;
  const float* centers;
  const float* half_norms;
  const float* drift;  // [r, places, k]
  const float* largest_norms;
  std::int32_t* labels;
  float* margins;
  std::uint8_t* stamps;
  std::int64_t n, d, k, places;
  std::uint8_t place;
  float relative_error;
};

/// True if the margin of point i does not prove its label.
__device__ inline bool is_open(const Assignment& p, std::int64_t restart, std::int64_t i) {
  if (!p.drift) return true;
  const std::int64_t at = restart * p.n + i;
  return !(p.margins[at] > p.drift[(restart * p.places + p.stamps[at]) * p.k + p.labels[at]]);
}

/// By how much more than rounding the second nearest center is farther than the nearest one.
__device__ inline float margin(const Assignment& p, const Nearest& nearest, float norm, float largest_norm) {
  const float error = p.relative_error * (norm + largest_norm);
  const float u = sqrtf(fmaxf(norm + 2.0f * nearest.best + error, error)) * above,
              l = sqrtf(fmaxf(norm + 2.0f * nearest.second - error, 0.0f)) * below;
  const float decided = 2.1f * p.relative_error * (norm + 2.0f * largest_norm);
  return (l - u) * below - fminf(decided / (2.0f * fmaxf(u, FLT_MIN)), sqrtf(decided)) * above;
}

__global__ void __launch_bounds__(cluster_threads) assign(Assignment p) {
  SHARED(TileStorage, storage, [1]);
  SHARED(int, points, [cluster_threads]);
  SHARED(int, warp_counts, [cluster_threads / warp_size]);
  const int thread = static_cast<int>(threadIdx.x), lane = thread % warp_size, warp = thread / warp_size;
  const std::int64_t restart = p.restarts[blockIdx.y],
                     begin = static_cast<std::int64_t>(blockIdx.x) * cluster_threads;
  const bool open = begin + thread < p.n && is_open(p, restart, begin + thread);
  const unsigned ballot = __ballot_sync(all_lanes, open);
  if (lane == 0) warp_counts[warp] = __popc(ballot);
  __syncthreads();
  int before = __popc(ballot & ((1u << lane) - 1)), count = 0;
  for (int w = 0; w < cluster_threads / warp_size; ++w) {
    if (w < warp) before += warp_counts[w];
    count += warp_counts[w];
  }
  if (open) points[before] = thread;
  __syncthreads();

  const int at_column = thread % tile_square, at_row = thread / tile_square;
  const float* centers = p.centers + restart * p.k * p.d;
  for (int first = 0; first < count; first += tile_side) {
    Nearest nearest[tile_each];
    for (Nearest& row : nearest) row = {INFINITY, INFINITY, 0x7fffffff};
    for (std::int64_t cluster = 0; cluster < p.k; cluster += tile_side) {
      float product[tile_each][tile_each];
      tile_product(
          [&](int r) { return first + r < count ? p.x + (begin + points[first + r]) * p.d : nullptr; },
          [&](int c) { return cluster + c < p.k ? centers + (cluster + c) * p.d : nullptr; }, p.d, at_row,
          at_column, storage[0], product);
      for (int j = 0; j < tile_each; ++j) {
        const std::int64_t c = cluster + at_column + tile_square * j;
        if (c >= p.k) continue;
        const float half_norm = p.half_norms[restart * p.k + c];
        for (int i = 0; i < tile_each; ++i)
          see(nearest[i], half_norm - product[i][j], INFINITY, static_cast<int>(c));
      }
    }
    for (int i = 0; i < tile_each; ++i) {
      for (int distance = tile_square / 2; distance; distance /= 2) {
        const float best = __shfl_xor_sync(all_lanes, nearest[i].best, distance);
        const float second = __shfl_xor_sync(all_lanes, nearest[i].second, distance);
        const int label = __shfl_xor_sync(all_lanes, nearest[i].label, distance);
        see(nearest[i], best, second, label);
      }
      const int row = first + at_row + tile_square * i;
      if (at_column != 0 || row >= count) continue;
      const std::int64_t point = begin + points[row], at = restart * p.n + point;
      p.labels[at] = nearest[i].label;
      if (!p.margins) continue;
      p.margins[at] = margin(p, nearest[i], p.norms[point], p.largest_norms[blockIdx.y]);
      p.stamps[at] = p.place;
    }
  }
}

}  // namespace

void kmeans_assign(Context& context, ConstView x, ConstView norms, ConstView restarts, ConstView centers,
                   ConstView half_norms, ConstView drift, std::int64_t place, View labels, View margins,
                   View stamps) {
  require(x.rank == 2 && centers.rank == 3 && centers.shape[2] == x.shape[1] && (!drift || margins),
          "kmeans_assign", "x must be [n, d] and centers [r, k, d], drift needs margins");
  require_dtype(x, DType::f32, "kmeans_assign", "x");
  require_dtype(labels, DType::i32, "kmeans_assign", "labels");
  require_size(labels, centers.shape[0] * x.shape[0], "kmeans_assign", "labels");
  if (margins) {
    require_dtype(stamps, DType::u8, "kmeans_assign", "stamps");
    require_size(margins, labels.size(), "kmeans_assign", "margins");
    require_size(stamps, labels.size(), "kmeans_assign", "stamps");
  }
  const std::int64_t n = x.shape[0], d = x.shape[1], k = centers.shape[1], active = restarts.size();
  if (n == 0 || active == 0) return;
  const Scratch largest_norms(context, static_cast<std::size_t>(active) * sizeof(float));
  const std::int32_t* list = restarts.as<std::int32_t>();
  LAUNCH((find_largest_norm), static_cast<unsigned>(active), warp_size, 0, context.stream, list,
         half_norms.as<float>(), k, largest_norms.as<float>());
  const Assignment p{x.as<float>(),
                     norms.as<float>(),
                     list,
                     centers.as<float>(),
                     half_norms.as<float>(),
                     drift.as<float>(),
                     largest_norms.as<float>(),
                     labels.as<std::int32_t>(),
                     margins.as<float>(),
                     stamps.as<std::uint8_t>(),
                     n,
                     d,
                     k,
                     drift ? drift.shape[1] : 0,
                     static_cast<std::uint8_t>(place),
                     static_cast<float>(d + 8) * 0x1.02p-24f};
  LAUNCH((assign), dim3(static_cast<unsigned>(ceil_div(n, cluster_threads)), static_cast<unsigned>(active)),
         cluster_threads, 0, context.stream, p);
}

}  // namespace chorale::cuda

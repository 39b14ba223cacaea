// SPDX-License-Identifier: MIT
// k-means assignment: label[i] = argmin_c |c|^2 / 2 - x_i . c, the lowest index of equals.
//
// A block takes 256 points of one restart, moves their bounds by what the centers moved, lists the points
// whose label is open (in point order), and multiplies those with the restart's centers in 64 x 64 tiles.
// Nearest and second nearest stay in registers and are joined over the 16 threads that share a row. f32; the
// error bound is that of kernels/cpu/cluster_assign.cpp, so bounds never change a label. Reads the open rows
// of x once per 64 centers, 12 n r bytes of labels and bounds.
#include "kernels/cuda/cluster_tile.cuh"
#include "kernels/cuda/dispatch.h"

namespace chorale::cuda {
namespace {

constexpr float above = 1.0f + 0x1p-21f, below = 1.0f - 0x1p-21f;

/// What the bounds need to know of one restart's centers.
struct Summary {
  float largest_norm;  // max |c|^2
  float first_shift, second_shift;
  int first_shift_cluster;
};

__device__ inline void join(Summary& a, const Summary& b) {
  a.largest_norm = a.largest_norm > b.largest_norm ? a.largest_norm : b.largest_norm;
  const bool other = b.first_shift > a.first_shift ||
                     (b.first_shift == a.first_shift && b.first_shift_cluster < a.first_shift_cluster);
  const float loser = other ? a.first_shift : b.first_shift;
  if (other) {
    a.first_shift = b.first_shift;
    a.first_shift_cluster = b.first_shift_cluster;
  }
  a.second_shift = fmaxf(loser, fmaxf(a.second_shift, b.second_shift));
}

// One warp a restart.
__global__ void summarize(const std::int32_t* restarts, const float* half_norms, const float* shift,
                          std::int64_t k, Summary* summaries) {
  const std::int64_t first = restarts[blockIdx.x] * k;
  const int lane = static_cast<int>(threadIdx.x);
  Summary s{0, 0, 0, 0x7fffffff};
  for (std::int64_t c = lane; c < k; c += warp_size)
    join(s, Summary{2.0f * half_norms[first + c], shift ? shift[first + c] : 0.0f, 0, static_cast<int>(c)});
  for (int distance = warp_size / 2; distance; distance /= 2) {
    const Summary other{__shfl_xor_sync(all_lanes, s.largest_norm, distance),
                        __shfl_xor_sync(all_lanes, s.first_shift, distance),
                        __shfl_xor_sync(all_lanes, s.second_shift, distance),
                        __shfl_xor_sync(all_lanes, s.first_shift_cluster, distance)};
    join(s, other);
  }
  if (lane == 0) summaries[blockIdx.x] = s;
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
  const float* shift;
  const Summary* summaries;
  std::int32_t* labels;
  float* upper;
  float* lower;
  std::int64_t n, d, k;
  float relative_error;
};

/// Moves the bounds of point i; true if they do not prove its label.
__device__ inline bool is_open(const Assignment& p, std::int64_t restart, std::int64_t i, const Summary& s) {
  if (!p.shift) return true;
  const std::int64_t at = restart * p.n + i;
  const int label = p.labels[at];
  const float u = (p.upper[at] + p.shift[restart * p.k + label]) * above;
  const float l =
      fmaxf(0.0f, (p.lower[at] - (label == s.first_shift_cluster ? s.second_shift : s.first_shift)) * below);
  p.upper[at] = u;
  p.lower[at] = l;
  const float error = 2.1f * p.relative_error * (p.norms[i] + s.largest_norm);
  return !((u * u + error) * above < l * l);
}

__global__ void __launch_bounds__(cluster_threads) assign(Assignment p) {
  SHARED(TileStorage, storage, [1]);
  SHARED(int, points, [cluster_threads]);
  SHARED(int, warp_counts, [cluster_threads / warp_size]);
  const int thread = static_cast<int>(threadIdx.x), lane = thread % warp_size, warp = thread / warp_size;
  const std::int64_t restart = p.restarts[blockIdx.y],
                     begin = static_cast<std::int64_t>(blockIdx.x) * cluster_threads;
  const Summary summary = p.summaries[blockIdx.y];
  const bool open = begin + thread < p.n && is_open(p, restart, begin + thread, summary);
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
      const float norm = p.norms[point], error = p.relative_error * (norm + summary.largest_norm);
      p.labels[at] = nearest[i].label;
      p.upper[at] = sqrtf(fmaxf(norm + 2.0f * nearest[i].best + error, error)) * above;
      p.lower[at] = sqrtf(fmaxf(norm + 2.0f * nearest[i].second - error, 0.0f)) * below;
    }
  }
}

}  // namespace

void kmeans_assign(Context& context, ConstView x, ConstView norms, ConstView restarts, ConstView centers,
                   ConstView half_norms, ConstView shift, View labels, View upper, View lower) {
  require(x.rank == 2 && centers.rank == 3 && centers.shape[2] == x.shape[1], "kmeans_assign",
          "x must be [n, d] and centers [r, k, d]");
  require_dtype(x, DType::f32, "kmeans_assign", "x");
  require_dtype(labels, DType::i32, "kmeans_assign", "labels");
  require_size(labels, centers.shape[0] * x.shape[0], "kmeans_assign", "labels");
  const std::int64_t n = x.shape[0], d = x.shape[1], k = centers.shape[1], active = restarts.size();
  if (n == 0 || active == 0) return;
  const Scratch summaries(context, static_cast<std::size_t>(active) * sizeof(Summary));
  const std::int32_t* list = restarts.as<std::int32_t>();
  LAUNCH((summarize), static_cast<unsigned>(active), warp_size, 0, context.stream, list,
         half_norms.as<float>(), shift.as<float>(), k, summaries.as<Summary>());
  const Assignment p{x.as<float>(),
                     norms.as<float>(),
                     list,
                     centers.as<float>(),
                     half_norms.as<float>(),
                     shift.as<float>(),
                     summaries.as<Summary>(),
                     labels.as<std::int32_t>(),
                     upper.as<float>(),
                     lower.as<float>(),
                     n,
                     d,
                     k,
                     static_cast<float>(d + 8) * 0x1.02p-24f};
  LAUNCH((assign), dim3(static_cast<unsigned>(ceil_div(n, cluster_threads)), static_cast<unsigned>(active)),
         cluster_threads, 0, context.stream, p);
}

}  // namespace chorale::cuda

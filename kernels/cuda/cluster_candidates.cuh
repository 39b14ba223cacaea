// SPDX-License-Identifier: MIT
// Lists of candidate points of each row of a block: gathered by threads in any order, then ordered by
// (square, id), which is the same for any order of gathering. A list lies in scratch memory and is handled by
// one warp.
#pragma once
#include "kernels/cuda/cluster_blocks.cuh"

namespace chorale::cuda {

/// Warps of a block, which share out its 64 rows.
constexpr int row_warps = cluster_threads / warp_size;

struct Candidate {
  double square;
  std::int32_t id, place;
};

__device__ inline bool nearer(const Candidate& a, const Candidate& b) {
  return a.square != b.square ? a.square < b.square : a.id < b.id;
}

/// The squared distance of two places by one warp, each lane every 32nd element; the same in every lane.
__device__ inline double warp_square_distance(const NearPoints& p, std::int64_t a, std::int64_t b, int lane) {
  const float *u = p.x + p.ids[a] * p.d, *v = p.x + p.ids[b] * p.d;
  double sum = 0;
  for (std::int64_t j = lane; j < p.d; j += warp_size) {
    const double difference = static_cast<double>(u[j]) - static_cast<double>(v[j]);
    sum += difference * difference;
  }
  for (int distance = warp_size / 2; distance; distance /= 2)
    sum += __shfl_xor_sync(all_lanes, sum, distance);
  return sum;
}

/// Candidates of the 64 rows of a block of places, room for `capacity` of each row.
struct CandidateLists {
  Candidate* first;
  int capacity;

  /// This thread block's, where every block of the grid has its own.
  __device__ static CandidateLists own(Candidate* scratch, int capacity) {
    return {scratch + static_cast<std::int64_t>(blockIdx.x) * tile_side * capacity, capacity};
  }
  __device__ Candidate* row(int r) const { return first + static_cast<std::int64_t>(r) * capacity; }
  /// To row r, which has counts[r]; by any thread.
  __device__ void add(int* counts, int r, const Candidate& candidate) const {
    row(r)[atomicAdd(&counts[r], 1)] = candidate;
  }
};

/// What a thread works on: 4 x 4 products of a tile from its place in it, or as a lane of a warp a row.
struct TileThread {
  int number, lane, warp, at_column, at_row;
};
__device__ inline TileThread tile_thread() {
  const int number = static_cast<int>(threadIdx.x);
  return {number, number % warp_size, number / warp_size, number % tile_square, number / tile_square};
}

/// Sorts `count` candidates, nearest first, by one warp: a bitonic network over the next power of two, whose
/// end must be within the list's capacity.
__device__ inline void warp_sort(Candidate* list, int count, int lane) {
  int size = 2;
  while (size < count) size *= 2;
  for (int e = count + lane; e < size; e += warp_size)
    list[e] = {static_cast<double>(INFINITY), 0x7fffffff, -1};
  __syncwarp();
  for (int run = 2; run <= size; run *= 2)
    for (int step = run / 2; step > 0; step /= 2) {
      for (int e = lane; e < size / 2; e += warp_size) {
        const int at = 2 * step * (e / step) + e % step;
        const Candidate a = list[at], b = list[at + step];
        if ((at & run) == 0 ? nearer(b, a) : nearer(a, b)) {
          list[at] = b;
          list[at + step] = a;
        }
      }
      __syncwarp();
    }
}

}  // namespace chorale::cuda

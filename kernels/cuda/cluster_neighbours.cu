// SPDX-License-Identifier: MIT
// Exact nearest neighbours of each row among the others: k smallest |a - b|^2, equals by index.
//
// A block of 256 threads takes 64 places and passes the other blocks from its own outwards, leaving out those
// whose box lies beyond the farthest k-th neighbour; each is one 64 x 64 tile of products in registers. What
// is not excluded is appended to its row's list in scratch memory; when a list has enough new candidates a
// warp forms their distances in f64, sorts the list and keeps k, which lowers the row's threshold. Lists
// differ in order between runs, sorted ones do not. Scratch: 16 (2 k + 64) bytes, up to a power of two, for
// each row in work. At most 2 n^2 d flops; x is read once for every 64 rows that need it.
#include "kernels/cuda/cluster_candidates.cuh"

namespace chorale::cuda {
namespace {

struct Result {
  float* distances;
  double* squares;
  std::int32_t* indices;
};

struct Rows {
  int count[tile_side], exact[tile_side];
  float threshold[tile_side];  // squared distance of the k-th nearest so far, rounded up
  float farthest;              // the largest of them
};

/// Forms the distances of new candidates of row r and keeps the k nearest, sorted. By one warp.
__device__ inline void settle(const NearPoints& p, Rows& rows, Candidate* list, std::int64_t begin, int r,
                              int k, int lane) {
  const int count = rows.count[r];
  for (int e = rows.exact[r]; e < count; ++e) {
    const double square = warp_square_distance(p, begin + r, list[e].place, lane);
    if (lane == 0) list[e].square = square;
  }
  __syncwarp();
  warp_sort(list, count, lane);
  if (lane == 0) {
    rows.count[r] = rows.exact[r] = count < k ? count : k;
    if (count >= k) rows.threshold[r] = above(list[k - 1].square);
  }
  __syncwarp();
}

__global__ void __launch_bounds__(cluster_threads)
    neighbours(NearPoints p, int k, int capacity, Candidate* scratch, Result result) {
  SHARED(TileStorage, storage, [1]);
  SHARED(Rows, shared, [1]);
  Rows& rows = shared[0];
  const auto [thread, lane, warp, at_column, at_row] = tile_thread();
  const CandidateLists lists = CandidateLists::own(scratch, capacity);
  for (std::int64_t block = blockIdx.x; block < p.count; block += gridDim.x) {
    const std::int64_t begin = block * tile_side;
    const int size = p.size(block);
    __syncthreads();
    if (thread < tile_side) {
      rows.count[thread] = rows.exact[thread] = 0;
      rows.threshold[thread] = INFINITY;
    }
    if (thread == 0) rows.farthest = INFINITY;
    __syncthreads();
    for (std::int64_t step = 0; step < 2 * p.count; ++step) {
      const std::int64_t other = step % 2 ? block + (step + 1) / 2 : block - step / 2;
      if (other < 0 || other >= p.count || block_gap(p, block, other) > rows.farthest) continue;
      float product[tile_each][tile_each];
      block_products(p, block, other, at_row, at_column, storage[0], product);
      for (int j = 0; j < tile_each; ++j) {
        const std::int64_t place = other * tile_side + at_column + tile_square * j;
        if (place >= p.n) continue;
        const float norm = p.norms[place];
        const std::int32_t id = p.ids[place];
        for (int i = 0; i < tile_each; ++i) {
          const int r = at_row + tile_square * i;
          if (r >= size || begin + r == place ||
              least_square(p, p.norms[begin + r], norm, product[i][j]) > rows.threshold[r])
            continue;
          lists.add(rows.count, r, {0, id, static_cast<std::int32_t>(place)});
        }
      }
      __syncthreads();
      for (int r = warp; r < size; r += row_warps) {
        const int fresh = rows.count[r] - rows.exact[r];
        if (fresh > 0 &&
            (rows.count[r] + tile_side > capacity || fresh >= (rows.exact[r] < k ? k : k / 2 + 8)))
          settle(p, rows, lists.row(r), begin, r, k, lane);
      }
      __syncthreads();
      if (warp == 0) {
        float farthest = 0.0f;
        for (int r = lane; r < size; r += warp_size) farthest = fmaxf(farthest, rows.threshold[r]);
        for (int distance = warp_size / 2; distance; distance /= 2)
          farthest = fmaxf(farthest, __shfl_xor_sync(all_lanes, farthest, distance));
        if (lane == 0) rows.farthest = farthest;
      }
      __syncthreads();
    }
    for (int r = warp; r < size; r += row_warps) {
      Candidate* list = lists.row(r);
      settle(p, rows, list, begin, r, k, lane);
      const std::int64_t to = static_cast<std::int64_t>(p.ids[begin + r]) * k;
      for (int i = lane; i < k; i += warp_size) {
        if (result.distances) result.distances[to + i] = static_cast<float>(sqrt(list[i].square));
        if (result.squares) result.squares[to + i] = list[i].square;
        result.indices[to + i] = list[i].id;
      }
    }
  }
}

}  // namespace

void nearest_neighbours(Context& context, ConstView x, ConstView centered, ConstView norms, ConstView ids,
                        ConstView low, ConstView high, View distances, View squares, View indices) {
  const NearPoints p = near_points("nearest_neighbours", x, centered, norms, ids, low, high);
  const std::int64_t k = indices.columns();
  require(k >= 1 && k < p.n && k < (1 << 20), "nearest_neighbours", "k must be below n and 2^20");
  require_dtype(indices, DType::i32, "nearest_neighbours", "indices");
  require_size(indices, p.n * k, "nearest_neighbours", "indices");
  if (distances) require_size(distances, p.n * k, "nearest_neighbours", "distances");
  if (squares) require_size(squares, p.n * k, "nearest_neighbours", "squares");
  int capacity = 128;
  while (capacity < 2 * k + tile_side) capacity *= 2;
  const unsigned grid = stride_grid(context, p.count, 1, 4);
  const Scratch lists(context, static_cast<std::size_t>(grid) * tile_side * capacity * sizeof(Candidate));
  LAUNCH((neighbours), grid, cluster_threads, 0, context.stream, p, static_cast<int>(k), capacity,
         lists.as<Candidate>(),
         Result{distances.as<float>(), squares.as<double>(), indices.as<std::int32_t>()});
}

}  // namespace chorale::cuda

// SPDX-License-Identifier: MIT
// What a spanning forest lacks to be the minimum one: pairs of points that are nearer than the heaviest edge
// on the path between them (the cycle property, Tarjan 1983), by mutual reachability max(core_a, core_b,
// scale |a - b|^2).
//
// Points stand in leaf order of the forest's dendrogram, so the heaviest edge between two places is the
// largest height from the one to the other. Of blocks a before b it is max(from the row to the end of a,
// blocks between, from the start of b to the column); a first kernel finds these parts. Then a block of 256
// threads takes 64 places and passes itself and the blocks after it, each a 64 x 64 tile of products in
// registers; pairs that products and heights do not exclude are listed with their height, measured in f64 by
// a warp, and the nearest few of each row kept, in order. Scratch: 24 bytes a point, 2 KB for each row in
// work. At most n^2 d flops.
#include "kernels/cuda/cluster_candidates.cuh"

namespace chorale::cuda {
namespace {

constexpr int list_capacity = 128;
constexpr int most_kept = 32;

struct Dendrogram {
  double scale;
  const double* core;
  const double* heights;
  double* to_end;      // [n]: largest height after a place, within its block
  double* from_start;  // [n]: largest height up to and at a place, within its block
  double* tallest;     // of each block
};

/// One thread a block of places.
__global__ void find_parts(Dendrogram tree, std::int64_t n, std::int64_t count) {
  for (std::int64_t block = global_thread(); block < count; block += global_threads()) {
    const std::int64_t begin = block * tile_side, end = begin + tile_side < n ? begin + tile_side : n;
    double tallest = 0, after = 0;
    for (std::int64_t i = begin; i < end; ++i)
      tree.from_start[i] = tallest = tree.heights[i] > tallest ? tree.heights[i] : tallest;
    tree.tallest[block] = tallest;
    for (std::int64_t i = end - 1; i >= begin; --i) {
      tree.to_end[i] = after;
      after = tree.heights[i] > after ? tree.heights[i] : after;
    }
  }
}

__device__ inline double larger(double a, double b) { return a > b ? a : b; }

/// The height at which two places join: `between` is the largest of the blocks between theirs.
__device__ inline double join_height(const Dendrogram& tree, std::int64_t row, std::int64_t place,
                                     double between) {
  if (row / tile_side != place / tile_side)
    return larger(larger(tree.to_end[row], between), tree.from_start[place]);
  double height = 0;
  for (std::int64_t i = row + 1; i <= place; ++i) height = larger(height, tree.heights[i]);
  return height;
}

struct Rows {
  int count[tile_side], kept[tile_side];
  double threshold[tile_side];  // weight at which a list that is full ends
};

/// Measures the new candidates of row r, whose `square` holds the height they must stay below, and keeps the
/// nearest. By one warp.
__device__ inline void settle(const NearPoints& p, const Dendrogram& tree, Rows& rows, Candidate* list,
                              std::int64_t begin, int r, int most, int lane) {
  const int count = rows.count[r];
  for (int e = rows.kept[r]; e < count; ++e) {
    const std::int64_t place = list[e].place;
    const double weight = larger(larger(tree.core[begin + r], tree.core[place]),
                                 tree.scale * warp_square_distance(p, begin + r, place, lane));
    const bool shorter = weight < list[e].square;
    __syncwarp();
    if (lane == 0) list[e].square = shorter ? weight : static_cast<double>(INFINITY);
  }
  __syncwarp();
  warp_sort(list, count, lane);
  if (lane == 0) {
    int kept = 0;
    while (kept < most && kept < count && list[kept].square < static_cast<double>(INFINITY)) ++kept;
    rows.count[r] = rows.kept[r] = kept;
    if (kept == most) rows.threshold[r] = list[kept - 1].square;
  }
  __syncwarp();
}

__global__ void __launch_bounds__(cluster_threads)
    find_edges(NearPoints p, Dendrogram tree, int most, Candidate* scratch, double* squares,
               std::int32_t* partners) {
  SHARED(TileStorage, storage, [1]);
  SHARED(Rows, shared, [1]);
  Rows& rows = shared[0];
  const auto [thread, lane, warp, at_column, at_row] = tile_thread();
  const CandidateLists lists = CandidateLists::own(scratch, list_capacity);
  for (std::int64_t block = blockIdx.x; block < p.count; block += gridDim.x) {
    const std::int64_t begin = block * tile_side;
    const int size = p.size(block);
    __syncthreads();
    if (thread < tile_side) {
      rows.count[thread] = rows.kept[thread] = 0;
      rows.threshold[thread] = static_cast<double>(INFINITY);
    }
    double between = 0;
    for (std::int64_t other = block; other < p.count; ++other) {
      __syncthreads();
      const double tallest = larger(between, tree.tallest[other]),
                   gap = tree.scale * block_gap(p, block, other);
      bool reached = false;
      if (thread < size) {
        const double height = larger(tree.to_end[begin + thread], tallest);
        const double reach = height < rows.threshold[thread] ? height : rows.threshold[thread];
        reached = reach > tree.core[begin + thread] && reach >= gap;
      }
      if (__syncthreads_or(reached)) {
        float product[tile_each][tile_each];
        block_products(p, block, other, at_row, at_column, storage[0], product);
        for (int j = 0; j < tile_each; ++j) {
          const std::int64_t place = other * tile_side + at_column + tile_square * j;
          if (place >= p.n) continue;
          for (int i = 0; i < tile_each; ++i) {
            const int r = at_row + tile_square * i;
            const std::int64_t row = begin + r;
            if (r >= size || place <= row) continue;
            const double height = join_height(tree, row, place, between);
            const double least = larger(larger(tree.core[row], tree.core[place]),
                                        tree.scale * static_cast<double>(least_square(
                                                         p, p.norms[row], p.norms[place], product[i][j])));
            if (least >= height || least > rows.threshold[r]) continue;
            lists.add(rows.count, r, {height, p.ids[place], static_cast<std::int32_t>(place)});
          }
        }
        __syncthreads();
        for (int r = warp; r < size; r += row_warps)
          if (rows.count[r] - rows.kept[r] >= most || rows.count[r] + tile_side > list_capacity)
            settle(p, tree, rows, lists.row(r), begin, r, most, lane);
      }
      if (other > block) between = tallest;
    }
    __syncthreads();
    for (int r = warp; r < size; r += row_warps) {
      Candidate* list = lists.row(r);
      settle(p, tree, rows, list, begin, r, most, lane);
      for (int e = lane; e < most; e += warp_size) {
        const bool there = e < rows.kept[r];
        squares[(begin + r) * most + e] = there ? list[e].square : static_cast<double>(INFINITY);
        partners[(begin + r) * most + e] = there ? list[e].id : -1;
      }
    }
  }
}

}  // namespace

void shorter_edges(Context& context, ConstView x, ConstView centered, ConstView norms, ConstView ids,
                   ConstView low, ConstView high, ConstView core, ConstView heights, double scale,
                   View squares, View partners) {
  const NearPoints p = near_points("shorter_edges", x, centered, norms, ids, low, high);
  const std::int64_t most = partners.columns();
  require(most >= 1 && most <= most_kept, "shorter_edges", "partners must be [n, r], r at most 32");
  require_dtype(core, DType::f64, "shorter_edges", "core");
  require_size(core, p.n, "shorter_edges", "core");
  require_dtype(heights, DType::f64, "shorter_edges", "heights");
  require_size(heights, p.n, "shorter_edges", "heights");
  require_size(partners, p.n * most, "shorter_edges", "partners");
  require_size(squares, p.n * most, "shorter_edges", "squares");
  const Scratch parts(context, static_cast<std::size_t>(2 * p.n + p.count) * sizeof(double));
  const Dendrogram tree{scale,
                        core.as<double>(),
                        heights.as<double>(),
                        parts.as<double>(),
                        parts.as<double>() + p.n,
                        parts.as<double>() + 2 * p.n};
  const unsigned grid = stride_grid(context, p.count, 1, 4);
  const Scratch lists(context,
                      static_cast<std::size_t>(grid) * tile_side * list_capacity * sizeof(Candidate));
  LAUNCH((find_parts), stride_grid(context, p.count, cluster_threads), cluster_threads, 0, context.stream,
         tree, p.n, p.count);
  LAUNCH((find_edges), grid, cluster_threads, 0, context.stream, p, tree, static_cast<int>(most),
         lists.as<Candidate>(), squares.as<double>(), partners.as<std::int32_t>());
}

}  // namespace chorale::cuda

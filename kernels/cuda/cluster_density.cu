// SPDX-License-Identifier: MIT
// DBSCAN (Ester et al., KDD 1996) in one pass over the pairs of near points, each pair once.
//
// A point keeps its first m = min_samples - 1 neighbours; one more and it is known to be a core point. When a
// pair within the radius is met, each end that is still short of neighbours keeps the other; where neither
// is, both are core points and their components are joined at once (union-find with compare-and-swap, the
// lower root wins). Two short kernels then join core points with those they kept, and label the others by
// what they kept. The atomics are on integers, and neither components nor labels depend on their order.
//
// A block of 256 threads takes 64 places and every gridDim.y-th block of 64 after them: a 64 x 64 tile of
// products in registers, left out where boxes are farther apart than the radius or all 128 points are known
// to be in one component. Products decide where rounding cannot matter, else the f64 distance. Scratch 4 n (m
// + 2) bytes; at most n^2 d flops.
#include "kernels/cuda/cluster_blocks.cuh"

namespace chorale::cuda {
namespace {

constexpr int unknown = -1;  // in place of a component: not known to be a core point
constexpr int linear_threads = 256;

struct Graph {
  std::int64_t n, needed;
  std::int32_t* counts;
  std::int32_t* parents;
  std::int32_t* neighbours;  // [n, needed]
};

/// Others may be changing the value.
__device__ inline std::int32_t load(const std::int32_t* value) {
  return *static_cast<const volatile std::int32_t*>(value);
}

__device__ inline bool is_core(const Graph& g, std::int32_t i) { return load(g.counts + i) >= g.needed; }

__device__ inline std::int32_t root_of(const Graph& g, std::int32_t i) {
  for (std::int32_t parent = load(g.parents + i); parent != i;) {
    const std::int32_t next = load(g.parents + parent);
    if (next == parent) return parent;
    atomicMin(g.parents + i, next);  // halves the path; parents only ever fall
    i = next;
    parent = load(g.parents + i);
  }
  return i;
}

__device__ inline void join(const Graph& g, std::int32_t i, std::int32_t j) {
  for (;;) {
    i = root_of(g, i);
    j = root_of(g, j);
    if (i == j) return;
    const std::int32_t higher = i > j ? i : j, lower = i > j ? j : i;
    if (atomicCAS(g.parents + higher, higher, lower) == higher) return;
  }
}

__device__ inline bool keep(const Graph& g, std::int32_t i, std::int32_t j) {
  if (is_core(g, i)) return false;
  const std::int32_t slot = atomicAdd(g.counts + i, 1);
  if (slot >= g.needed) return false;
  g.neighbours[i * g.needed + slot] = j;
  return true;
}

__device__ inline void connect(const Graph& g, std::int32_t i, std::int32_t j) {
  const bool kept = keep(g, i, j);
  if (!keep(g, j, i) && !kept) join(g, i, j);
}

__global__ void clear(Graph g) {
  for (std::int64_t i = global_thread(); i < g.n; i += global_threads()) {
    g.counts[i] = 0;
    g.parents[i] = static_cast<std::int32_t>(i);
  }
}

__global__ void __launch_bounds__(cluster_threads)
    connect_pairs(NearPoints p, Graph g, double square, float above_square, float below_square) {
  SHARED(TileStorage, storage, [1]);
  SHARED(std::int32_t, roots, [2 * tile_side]);
  const int thread = static_cast<int>(threadIdx.x);
  const int at_column = thread % tile_square, at_row = thread / tile_square;
  const std::int64_t block = blockIdx.x;
  for (std::int64_t other = block + blockIdx.y; other < p.count; other += gridDim.y) {
    if (block_gap(p, block, other) > above_square) continue;
    __syncthreads();
    const std::int64_t mine = (thread < tile_side ? block : other) * tile_side + thread % tile_side;
    if (thread < 2 * tile_side)
      roots[thread] = mine < p.n && is_core(g, p.ids[mine]) ? root_of(g, p.ids[mine]) : unknown;
    __syncthreads();
    const bool same =
        thread >= 2 * tile_side || mine >= p.n || (roots[thread] == roots[0] && roots[thread] != unknown);
    if (__syncthreads_and(same)) continue;
    float product[tile_each][tile_each];
    block_products(p, block, other, at_row, at_column, storage[0], product);
    for (int i = 0; i < tile_each; ++i) {
      const int r = at_row + tile_square * i;
      const std::int64_t row = block * tile_side + r;
      if (row >= p.n) continue;
      const float norm = p.norms[row];
      for (int j = 0; j < tile_each; ++j) {
        const int c = at_column + tile_square * j;
        const std::int64_t place = other * tile_side + c;
        if (place <= row || place >= p.n) continue;
        const float scale = norm + p.norms[place];
        if ((1.0f - p.share) * scale - 2.0f * product[i][j] > above_square) continue;
        if (roots[r] != unknown && roots[r] == roots[tile_side + c]) continue;
        const bool certain = (1.0f + p.share) * scale - 2.0f * product[i][j] <= below_square;
        if (certain || square_distance(p, row, place) <= square) connect(g, p.ids[row], p.ids[place]);
      }
    }
  }
}

__global__ void join_kept(Graph g) {
  for (std::int64_t i = global_thread(); i < g.n; i += global_threads()) {
    if (!is_core(g, static_cast<std::int32_t>(i))) continue;
    for (std::int64_t e = 0; e < g.needed; ++e) {
      const std::int32_t other = g.neighbours[i * g.needed + e];
      if (is_core(g, other)) join(g, static_cast<std::int32_t>(i), other);
    }
  }
}

__global__ void label(Graph g, std::int32_t* components, std::uint8_t* core) {
  for (std::int64_t i = global_thread(); i < g.n; i += global_threads()) {
    const bool own = is_core(g, static_cast<std::int32_t>(i));
    std::int32_t lowest = own ? root_of(g, static_cast<std::int32_t>(i)) : -1;
    for (std::int64_t e = 0; !own && e < g.counts[i]; ++e) {
      const std::int32_t other = g.neighbours[i * g.needed + e];
      if (!is_core(g, other)) continue;
      const std::int32_t found = root_of(g, other);
      if (lowest < 0 || found < lowest) lowest = found;
    }
    components[i] = lowest;
    core[i] = own;
  }
}

}  // namespace

void density_components(Context& context, ConstView x, ConstView centered, ConstView norms, ConstView ids,
                        ConstView low, ConstView high, double radius, std::int64_t min_samples,
                        View components, View core) {
  const NearPoints p = near_points("density_components", x, centered, norms, ids, low, high);
  require(min_samples >= 1, "density_components", "min_samples must be at least 1");
  require_dtype(components, DType::i32, "density_components", "components");
  require_size(components, p.n, "density_components", "components");
  require_dtype(core, DType::u8, "density_components", "core");
  require_size(core, p.n, "density_components", "core");
  const std::int64_t needed = min_samples - 1;
  const Scratch counts(context, static_cast<std::size_t>(p.n) * sizeof(std::int32_t));
  const Scratch parents(context, static_cast<std::size_t>(p.n) * sizeof(std::int32_t));
  const Scratch neighbours(context, static_cast<std::size_t>(p.n * needed) * sizeof(std::int32_t));
  const Graph g{p.n, needed, counts.as<std::int32_t>(), parents.as<std::int32_t>(),
                neighbours.as<std::int32_t>()};
  const unsigned linear = stride_grid(context, p.n, linear_threads);
  const double square = radius * radius;
  LAUNCH((clear), linear, linear_threads, 0, context.stream, g);
  LAUNCH((connect_pairs),
         dim3(static_cast<unsigned>(p.count), static_cast<unsigned>(p.count < 16 ? p.count : 16)),
         cluster_threads, 0, context.stream, p, g, square, above(square),
         static_cast<float>(square) * (1.0f - 0x1p-20f));
  LAUNCH((join_kept), linear, linear_threads, 0, context.stream, g);
  LAUNCH((label), linear, linear_threads, 0, context.stream, g, components.as<std::int32_t>(),
         core.as<std::uint8_t>());
}

}  // namespace chorale::cuda

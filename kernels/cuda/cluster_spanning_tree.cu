// SPDX-License-Identifier: MIT
// Minimum spanning tree by Prim's algorithm (Prim 1957): the tree grows from row 0 by the point nearest to
// it, and every point outside remembers how near the tree came and which of its points that was.
//
// One launch a step and no read-back: every block first joins what the blocks of the step before found
// nearest, which is the point reached now, then lets its own points see that one, and leaves its nearest.
// Distances come from a row of the matrix, a thread a point, or from the points, a warp a point. f32, lengths
// of the edges f64. n^2 / 2 distances; a step reads the points outside, or 4 n bytes of the matrix.
#include "kernels/cuda/cluster_nearest.cuh"
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/reduction.cuh"

namespace chorale::cuda {
namespace {

constexpr int step_threads = 256;

struct Tree {
  const float* x;
  const float* distances;  // or null
  std::int64_t n, d, stride;
  float* squares;         // of each point to the tree
  std::int32_t* nearest;  // its point nearest to each; -1 for a point that is in the tree
  std::int32_t* edges;
};

__global__ void start(Tree t, NearestColumn* found, std::int64_t count) {
  for (std::int64_t i = global_thread(); i < t.n; i += global_threads()) {
    t.squares[i] = INFINITY;
    t.nearest[i] = 0;
  }
  for (std::int64_t i = global_thread(); i < count; i += global_threads())
    found[i] = i == 0 ? NearestColumn{0.0f, 0} : NearestColumn{};
}

__device__ inline float square_of(const Tree& t, std::int64_t a, std::int64_t b) {
  float sum = 0;
  for (std::int64_t k = threadIdx.x % warp_size; k < t.d; k += warp_size) {
    const float difference = t.x[a * t.d + k] - t.x[b * t.d + k];
    sum = fmaf(difference, difference, sum);
  }
  return warp_reduce<Sum>(sum);
}

/// Step 0 reaches row 0, step s edge s - 1. `before` and `found` have one element a block.
__global__ void __launch_bounds__(step_threads)
    step(Tree t, std::int64_t number, const NearestColumn* before, NearestColumn* found) {
  NearestColumn reached, best;
  for (unsigned b = threadIdx.x; b < gridDim.x; b += step_threads)
    see(reached, before[b].value, before[b].column);
  join_block<step_threads>(reached);
  const int threads_per_point = t.distances ? 1 : warp_size;
  const bool leader = threadIdx.x % threads_per_point == 0;
  for (std::int64_t i = global_thread() / threads_per_point; i < t.n;
       i += global_threads() / threads_per_point) {
    const std::int32_t nearest = t.nearest[i];
    if (nearest < 0) continue;
    if (i == reached.column) {
      if (threads_per_point > 1) __syncwarp();  // its lanes have read `nearest`
      if (leader) {
        t.nearest[i] = -1;
        if (number > 0) {
          t.edges[2 * (number - 1)] = nearest;
          t.edges[2 * (number - 1) + 1] = reached.column;
        }
      }
      continue;
    }
    const float square =
        t.distances ? t.distances[reached.column * t.stride + i] : square_of(t, reached.column, i);
    if (!leader) continue;
    const float old = t.squares[i];
    if (square < old) {
      t.squares[i] = square;
      t.nearest[i] = reached.column;
    }
    see(best, square < old ? square : old, static_cast<std::int32_t>(i));
  }
  __syncwarp();
  join_block<step_threads>(best);
  if (threadIdx.x == 0) found[blockIdx.x] = best;
}

// A warp an edge.
__global__ void __launch_bounds__(step_threads)
    measure(const float* x, std::int64_t d, const std::int32_t* edges, std::int64_t count, double* lengths) {
  const std::int64_t edge = global_thread() / warp_size;
  if (edge >= count) return;
  const float* a = x + edges[2 * edge] * d;
  const float* b = x + edges[2 * edge + 1] * d;
  double sum = 0;
  for (std::int64_t k = threadIdx.x % warp_size; k < d; k += warp_size) {
    const double difference = static_cast<double>(a[k]) - static_cast<double>(b[k]);
    sum += difference * difference;
  }
  sum = warp_reduce<Sum>(sum);
  if (threadIdx.x % warp_size == 0) lengths[edge] = sqrt(sum);
}

}  // namespace

void minimum_spanning_tree(Context& context, ConstView x, ConstView distances, View edges, View lengths) {
  require(x.rank == 2 && x.shape[0] > 0, "minimum_spanning_tree", "x must be [n, d]");
  require_dtype(x, DType::f32, "minimum_spanning_tree", "x");
  require_dtype(edges, DType::i32, "minimum_spanning_tree", "edges");
  require_dtype(lengths, DType::f64, "minimum_spanning_tree", "lengths");
  const std::int64_t n = x.shape[0], d = x.shape[1];
  require_size(edges, 2 * (n - 1), "minimum_spanning_tree", "edges");
  require_size(lengths, n - 1, "minimum_spanning_tree", "lengths");
  if (n == 1) return;
  const unsigned blocks = stride_grid(context, distances ? n : n * warp_size, step_threads, 4);
  const Scratch squares(context, static_cast<std::size_t>(n) * sizeof(float));
  const Scratch nearest(context, static_cast<std::size_t>(n) * sizeof(std::int32_t));
  const Scratch found(context, std::size_t{2} * blocks * sizeof(NearestColumn));
  const Tree t{x.as<float>(),
               distances.as<float>(),
               n,
               d,
               distances ? distances.shape[1] : 0,
               squares.as<float>(),
               nearest.as<std::int32_t>(),
               edges.as<std::int32_t>()};
  LAUNCH((start), stride_grid(context, n, step_threads), step_threads, 0, context.stream, t,
         found.as<NearestColumn>(), static_cast<std::int64_t>(blocks));
  for (std::int64_t number = 0; number < n; ++number)
    LAUNCH((step), blocks, step_threads, 0, context.stream, t, number,
           found.as<NearestColumn>() + number % 2 * blocks,
           found.as<NearestColumn>() + (number + 1) % 2 * blocks);
  LAUNCH((measure), static_cast<unsigned>(ceil_div((n - 1) * warp_size, step_threads)), step_threads, 0,
         context.stream, x.as<float>(), d, edges.as<std::int32_t>(), n - 1, lengths.as<double>());
}

}  // namespace chorale::cuda

// SPDX-License-Identifier: MIT
// One epoch of UMAP's layout (McInnes, Healy & Melville 2018). With s = |y_i - y_j|^2 and similarity
// 1 / (1 + a s^b), a sampled edge moves its point by the learning rate times
//
//   attraction   -2 a b s^(b - 1) / (1 + a s^b) (y_i - y_j)          clipped to [-4, 4]
//   repulsion    2 gamma b / ((0.001 + s) (1 + a s^b)) (y_i - y_j)   clipped, for each random point j
//
// Where the published algorithm moves both ends of an edge, in the order of the edges, here every point walks
// its own edges while the others stand where they stood before the epoch: points are independent of one
// another, so no schedule changes a bit. An edge is listed in both its rows and both listings move both ends,
// so a listing moves its point twice. Repulsion is evaluated where attraction has led, and added up over all
// random points. An edge of rate v <= 1 is sampled in those epochs in which floor(epoch v) grows. Random
// points: Philox stream = point, offset = epoch, index = number of the sample.
//
// A warp a point: 32 edges are read at a time, the sampled ones are walked one after the other by all lanes
// alike, random points are shared out among the lanes and their forces added up by a butterfly. f32; 8 bytes
// an edge, a gather for each sample.
#include "kernels/cuda/cluster_map.cuh"
#include "kernels/cuda/reduction.cuh"
#include "kernels/philox.h"

namespace chorale::cuda {
namespace {

constexpr int threads = 128, warps = threads / warp_size;

struct Epoch {
  const float* points;
  const std::int64_t* offsets;
  const std::int32_t* columns;
  const float* values;
  UmapParams params;
  std::int64_t epoch, n;
  float* moved;
};

__device__ inline float clip(float x) { return x < -4.0f ? -4.0f : x > 4.0f ? 4.0f : x; }

__device__ void attract(float& x, float& y, float to_x, float to_y, const UmapParams& p) {
  const float dx = x - to_x, dy = y - to_y, square = dx * dx + dy * dy;
  if (!(square > 0.0f)) return;
  const float power = expf(p.b * logf(square));
  const float factor = -2.0f * p.a * p.b * power / (square * (1.0f + p.a * power));
  x += p.learning_rate * clip(factor * dx);
  y += p.learning_rate * clip(factor * dy);
}

__global__ void __launch_bounds__(threads) epoch_kernel(Epoch e) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * warps + threadIdx.x / warp_size;
  if (i >= e.n) return;
  const UmapParams& p = e.params;
  const float now = static_cast<float>(e.epoch), before = static_cast<float>(e.epoch - 1);
  float x = e.points[2 * i], y = e.points[2 * i + 1];
  std::int64_t sampled = 0;
  for (std::int64_t first = e.offsets[i]; first < e.offsets[i + 1]; first += warp_size) {
    const std::int64_t edge = first + lane;
    const bool listed = edge < e.offsets[i + 1];
    const float rate = listed ? e.values[edge] : 0.0f;
    const std::int32_t j = listed ? e.columns[edge] : 0;
    unsigned active = __ballot_sync(all_lanes, floorf(now * rate) > floorf(before * rate));
    sampled += __popc(active);
    float to_x = e.points[2 * static_cast<std::int64_t>(j)],
          to_y = e.points[2 * static_cast<std::int64_t>(j) + 1];
    for (; active; active &= active - 1) {
      const int source = __ffs(static_cast<int>(active)) - 1;
      const float target_x = __shfl_sync(all_lanes, to_x, source),
                  target_y = __shfl_sync(all_lanes, to_y, source);
      attract(x, y, target_x, target_y, p);
      attract(x, y, target_x, target_y, p);
    }
  }
  float away_x = 0, away_y = 0;
  for (std::int64_t s = lane; s < sampled * p.negative_samples; s += warp_size) {
    const std::uint32_t word = philox::word(p.random_state, static_cast<std::uint64_t>(e.epoch),
                                            static_cast<std::uint32_t>(i), static_cast<std::uint64_t>(s));
    const std::int64_t j = philox::below(word, e.n);
    const float dx = x - e.points[2 * j], dy = y - e.points[2 * j + 1], square = dx * dx + dy * dy;
    if (j == i || !(square > 0.0f)) continue;
    const float power = expf(p.b * logf(square));
    const float factor = 2.0f * p.repulsion_strength * p.b / ((0.001f + square) * (1.0f + p.a * power));
    away_x += clip(factor * dx);
    away_y += clip(factor * dy);
  }
  away_x = warp_reduce<Sum>(away_x);
  away_y = warp_reduce<Sum>(away_y);
  if (lane < 2) e.moved[2 * i + lane] = (lane ? y : x) + p.learning_rate * (lane ? away_y : away_x);
}

}  // namespace

void umap_epoch(Context& context, ConstView points, ConstView offsets, ConstView columns, ConstView values,
                UmapParams params, std::int64_t epoch, View moved) {
  constexpr const char* op = "umap_epoch";
  require_points(points, op);
  require_graph(offsets, columns, values, points.shape[0], op);
  require_size(moved, points.size(), op, "moved");
  const std::int64_t n = points.shape[0];
  LAUNCH((epoch_kernel), static_cast<unsigned>(ceil_div(n, warps)), threads, 0, context.stream,
         Epoch{points.as<float>(), offsets.as<std::int64_t>(), columns.as<std::int32_t>(), values.as<float>(),
               params, epoch, n, moved.as<float>()});
}

}  // namespace chorale::cuda

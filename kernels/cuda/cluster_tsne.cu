// SPDX-License-Identifier: MIT
// The gradient of t-SNE (van der Maaten, JMLR 2014) and the step that follows it. With r = |y_i - y_j|,
// K = 1 / (1 + r^2), P the graph of similarities:
//
//   force_i = sum over j of K^2 (y_i - y_j),  total = sum over i != j of K            every pair
//   gradient_i = 4 (exaggeration sum over edges of P K (y_i - y_j) - force_i / total)
//   divergence = sum over edges of P log(P total / K)
//
// Points f32 [n, 2]. Pairs: a block of 128 threads takes 32 points, a point a lane, and each of its four
// warps a quarter of every 1,024 columns, which lie in shared memory and are read as broadcasts; f32 within
// the quarter, f64 between them. Edges: a warp a point, coalesced over its row; lanes are added up by a
// butterfly, as f32. Sums over points are f64 over blocks of tsne_block, which a second launch adds up in
// block order.
#include <cfloat>

#include "kernels/cuda/cluster_map.cuh"
#include "kernels/cuda/reduction.cuh"

namespace chorale::cuda {
namespace {

constexpr int threads = 128, warps = threads / warp_size;
constexpr double least_total = 0x1p-40;  // of two points that flew apart
constexpr int columns_at_once = 1024, quarter = columns_at_once / warps;

/// total[0] = offset + sum of partial: one warp.
__global__ void add_blocks(const double* partial, std::int64_t blocks, double offset, double* total) {
  double sum = 0;
  for (std::int64_t b = threadIdx.x; b < blocks; b += warp_size) sum += partial[b];
  sum = warp_reduce<Sum>(sum);
  if (threadIdx.x == 0) *total = offset + sum;
}

__global__ void __launch_bounds__(threads)
    repel_pairs(const float* points, std::int64_t n, float* force, double* partial) {
  SHARED(float, column, [columns_at_once][2]);
  SHARED(double, sums, [3][warps][warp_size]);
  const int lane = static_cast<int>(threadIdx.x) % warp_size,
            warp = static_cast<int>(threadIdx.x) / warp_size;
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * warp_size + lane;
  const float row_x = row < n ? points[2 * row] : 0.0f, row_y = row < n ? points[2 * row + 1] : 0.0f;
  double x = 0, y = 0, total = 0;
  for (std::int64_t first = 0; first < n; first += columns_at_once) {
    const int count = static_cast<int>(n - first < columns_at_once ? n - first : columns_at_once);
    __syncthreads();
    for (int c = static_cast<int>(threadIdx.x); c < 2 * count; c += threads)
      column[c / 2][c % 2] = points[2 * first + c];
    __syncthreads();
    float part_x = 0, part_y = 0, part = 0;
    const int begin = warp * quarter, end = begin + quarter < count ? begin + quarter : count;
    for (int c = begin; c < end; ++c) {
      const float dx = row_x - column[c][0], dy = row_y - column[c][1];
      const float k = __fdividef(1.0f, 1.0f + dx * dx + dy * dy), square = k * k;
      part += k;
      part_x += square * dx;
      part_y += square * dy;
    }
    x += static_cast<double>(part_x);
    y += static_cast<double>(part_y);
    total += static_cast<double>(part);
  }
  sums[0][warp][lane] = x;
  sums[1][warp][lane] = y;
  sums[2][warp][lane] = total;
  __syncthreads();
  if (warp != 0) return;
  for (int w = 1; w < warps; ++w) {
    x += sums[0][w][lane];
    y += sums[1][w][lane];
    total += sums[2][w][lane];
  }
  if (row < n) {
    force[2 * row] = static_cast<float>(x);
    force[2 * row + 1] = static_cast<float>(y);
  }
  total = warp_reduce<Sum>(row < n ? total : 0.0);
  if (lane == 0) partial[blockIdx.x] = total;
}

struct Gradient {
  const float* points;
  const std::int64_t* offsets;
  const std::int32_t* columns;
  const float* values;
  const float* force;
  const double* total;
  float exaggeration;
  std::int64_t n;
  float* gradient;
  double* partial;  ///< of the divergence, a block of points each; null: not wanted
};

__global__ void __launch_bounds__(threads) gradient_rows(Gradient g) {
  SHARED(double, terms, [warps]);
  const int lane = static_cast<int>(threadIdx.x) % warp_size,
            warp = static_cast<int>(threadIdx.x) / warp_size;
  const std::int64_t begin = static_cast<std::int64_t>(blockIdx.x) * tsne_block;
  const std::int64_t end = begin + tsne_block < g.n ? begin + tsne_block : g.n;
  const double total = fmax(*g.total, least_total);
  const float repulsion = static_cast<float>(4.0 / total), attraction = 4.0f * g.exaggeration;
  const float log_total = g.partial ? static_cast<float>(log(total)) : 0.0f;
  double sum = 0;
  for (std::int64_t i = begin + warp; i < end; i += warps) {
    const float row_x = g.points[2 * i], row_y = g.points[2 * i + 1];
    float x = 0, y = 0;
    for (std::int64_t e = g.offsets[i] + lane; e < g.offsets[i + 1]; e += warp_size) {
      const std::int64_t j = g.columns[e];
      const float value = g.values[e], dx = row_x - g.points[2 * j], dy = row_y - g.points[2 * j + 1];
      const float square = 1.0f + dx * dx + dy * dy, k = value / square;
      x += k * dx;
      y += k * dy;
      if (g.partial && value > 0)
        sum += static_cast<double>(value) * static_cast<double>(logf(value * square) + log_total);
    }
    x = warp_reduce<Sum>(x);
    y = warp_reduce<Sum>(y);
    if (lane < 2) g.gradient[2 * i + lane] = attraction * (lane ? y : x) - repulsion * g.force[2 * i + lane];
  }
  if (!g.partial) return;
  sum = warp_reduce<Sum>(sum);
  if (lane == 0) terms[warp] = sum;
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (int w = 1; w < warps; ++w) sum += terms[w];
  g.partial[blockIdx.x] = sum;
}

__global__ void __launch_bounds__(threads)
    update_points(const float* gradient, std::int64_t n, float momentum, float learning_rate, float* velocity,
                  float* gains, float* points, double* partial) {
  const std::int64_t begin = static_cast<std::int64_t>(blockIdx.x) * tsne_block;
  const std::int64_t end = begin + tsne_block < n ? begin + tsne_block : n;
  double sum = 0;
  for (std::int64_t i = 2 * begin + threadIdx.x; i < 2 * end; i += threads) {
    const float g = gradient[i], v = velocity[i];
    const float gain = fmaxf(g * v < 0.0f ? gains[i] + 0.2f : gains[i] * 0.8f, 0.01f);
    const float moved = momentum * v - learning_rate * (gain * g);
    gains[i] = gain;
    velocity[i] = moved;
    points[i] += moved;
    sum += static_cast<double>(gain * g) * static_cast<double>(gain * g);
  }
  sum = block_reduce<Sum, threads>(sum);
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

}  // namespace

void tsne_repulsion(Context& context, ConstView points, View force, View total) {
  constexpr const char* op = "tsne_repulsion";
  require_points(points, op);
  require_size(force, points.size(), op, "force");
  require_dtype(total, DType::f64, op, "total");
  const std::int64_t n = points.shape[0], blocks = ceil_div(n, warp_size);
  const Scratch partial(context, static_cast<std::size_t>(blocks) * sizeof(double));
  LAUNCH((repel_pairs), static_cast<unsigned>(blocks), threads, 0, context.stream, points.as<float>(), n,
         force.as<float>(), partial.as<double>());
  // Every point met itself, at K = 1.
  LAUNCH((add_blocks), 1, warp_size, 0, context.stream, partial.as<double>(), blocks, -static_cast<double>(n),
         total.as<double>());
}

void tsne_gradient(Context& context, ConstView points, ConstView offsets, ConstView columns, ConstView values,
                   ConstView force, ConstView total, float exaggeration, View gradient, View divergence) {
  constexpr const char* op = "tsne_gradient";
  require_points(points, op);
  require_graph(offsets, columns, values, points.shape[0], op);
  require_size(force, points.size(), op, "force");
  require_size(gradient, points.size(), op, "gradient");
  const std::int64_t n = points.shape[0], blocks = ceil_div(n, tsne_block);
  const Scratch partial(context, divergence.data ? static_cast<std::size_t>(blocks) * sizeof(double) : 0);
  LAUNCH((gradient_rows), static_cast<unsigned>(blocks), threads, 0, context.stream,
         Gradient{points.as<float>(), offsets.as<std::int64_t>(), columns.as<std::int32_t>(),
                  values.as<float>(), force.as<float>(), total.as<double>(), exaggeration, n,
                  gradient.as<float>(), partial.as<double>()});
  if (divergence.data)
    LAUNCH((add_blocks), 1, warp_size, 0, context.stream, partial.as<double>(), blocks, 0.0,
           divergence.as<double>());
}

void tsne_update(Context& context, ConstView gradient, float momentum, float learning_rate, View velocity,
                 View gains, View points, View square) {
  constexpr const char* op = "tsne_update";
  require_points(gradient, op, "gradient");
  require_size(velocity, gradient.size(), op, "velocity");
  require_size(gains, gradient.size(), op, "gains");
  require_size(points, gradient.size(), op, "points");
  const std::int64_t n = gradient.shape[0], blocks = ceil_div(n, tsne_block);
  const Scratch partial(context, static_cast<std::size_t>(blocks) * sizeof(double));
  LAUNCH((update_points), static_cast<unsigned>(blocks), threads, 0, context.stream, gradient.as<float>(), n,
         momentum, learning_rate, velocity.as<float>(), gains.as<float>(), points.as<float>(),
         partial.as<double>());
  LAUNCH((add_blocks), 1, warp_size, 0, context.stream, partial.as<double>(), blocks, 0.0,
         square.as<double>());
}

}  // namespace chorale::cuda

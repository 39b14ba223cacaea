// SPDX-License-Identifier: MIT
// One epoch of UMAP's layout (McInnes, Healy & Melville 2018). With s = |y_i - y_j|^2 and similarity
// 1 / (1 + a s^b), a sampled edge moves its point by the learning rate times
//
//   attraction   -2 a b s^(b - 1) / (1 + a s^b) (y_i - y_j)          clipped to [-4, 4]
//   repulsion    2 gamma b / ((0.001 + s) (1 + a s^b)) (y_i - y_j)   clipped, for each random point j
//
// Where the published algorithm moves both ends of an edge, in the order of the edges, here every point walks
// its own edges while the others stand where they stood before the epoch: points are independent of one
// another, so any number of threads gives the same bits. An edge is listed in both its rows and both listings
// move both ends, so a listing moves its point twice. Repulsion is evaluated where attraction has led, and
// added up over all random points. An edge of rate v <= 1 is sampled in those epochs in which floor(epoch v)
// grows. Random points: Philox stream = point, offset = epoch, index = number of the sample.
//
// f32; repulsion in lanes, sixteen samples at a time. 8 bytes an edge, a gather for each sample.
#include <cmath>

#include "kernels/cpu/vector_math.h"
#include "kernels/philox.h"

#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"

namespace chorale::cpu {
namespace {

constexpr int lanes = 16;
constexpr std::int64_t rows_per_task = 64;

inline float clip(float x) { return x < -4.0f ? -4.0f : x > 4.0f ? 4.0f : x; }

struct Point {
  float x, y;
};

void attract(Point& at, Point to, const UmapParams& p) {
  const float dx = at.x - to.x, dy = at.y - to.y, square = dx * dx + dy * dy;
  if (!(square > 0.0f)) return;
  const float power = ::expf(p.b * ::logf(square));
  const float factor = -2.0f * p.a * p.b * power / (square * (1.0f + p.a * power));
  at.x += p.learning_rate * clip(factor * dx);
  at.y += p.learning_rate * clip(factor * dy);
}

/// Movement of point i at `at` away from random points number [0, count).
Point repel(const float* points, std::int64_t n, std::int64_t i, Point at, std::int64_t count,
            std::int64_t epoch, const UmapParams& p) {
  alignas(64) float sum_x[lanes] = {}, sum_y[lanes] = {};
  for (std::int64_t first = 0; first < count; first += lanes) {
    alignas(64) std::uint32_t words[lanes];
    alignas(64) float dx[lanes], dy[lanes], power[lanes];
    for (int block = 0; block < lanes / 4; ++block) {
      const philox::Block b =
          philox::block(p.random_state, static_cast<std::uint64_t>(epoch), static_cast<std::uint32_t>(i),
                        static_cast<std::uint64_t>(first / 4 + block));
      for (int w = 0; w < 4; ++w) words[4 * block + w] = b.word[w];
    }
    for (int l = 0; l < lanes; ++l) {
      const std::int64_t j = philox::below(words[l], n);
      dx[l] = at.x - points[2 * j];
      dy[l] = at.y - points[2 * j + 1];
      if (j == i || first + l >= count) dx[l] = dy[l] = 0.0f;  // no force from where it stands
    }
    for (int l = 0; l < lanes; ++l)
      power[l] = expf(p.b * logf(std::max(dx[l] * dx[l] + dy[l] * dy[l], 1e-37f)));
    for (int l = 0; l < lanes; ++l) {
      const float square = dx[l] * dx[l] + dy[l] * dy[l];
      const float factor = 2.0f * p.repulsion_strength * p.b / ((0.001f + square) * (1.0f + p.a * power[l]));
      sum_x[l] += clip(factor * dx[l]);
      sum_y[l] += clip(factor * dy[l]);
    }
  }
  Point sum{0, 0};
  for (int l = 0; l < lanes; ++l) sum.x += sum_x[l], sum.y += sum_y[l];
  return sum;
}

}  // namespace

void umap_epoch(Context&, ConstView points, ConstView offsets, ConstView columns, ConstView values,
                UmapParams params, std::int64_t epoch, View moved) {
  require(
      points.dtype == DType::f32 && points.rank == 2 && points.shape[1] == 2 && offsets.dtype == DType::i64 &&
          offsets.size() == points.shape[0] + 1 && columns.dtype == DType::i32 &&
          values.dtype == DType::f32 && moved.dtype == DType::f32 && same_shape(points, moved),
      "umap_epoch", "points, moved f32 [n, 2], offsets i64 [n + 1]", points, offsets, columns, values, moved);
  const std::int64_t n = points.shape[0];
  const auto* offset = offsets.as<std::int64_t>();
  const float now = static_cast<float>(epoch), before = static_cast<float>(epoch - 1);
  parallel_tasks(block_count(n, rows_per_task), 16 * offset[n], [&](std::int64_t task) {
    for (std::int64_t i = task * rows_per_task; i < std::min(n, (task + 1) * rows_per_task); ++i) {
      const float* p = points.as<float>();
      Point at{p[2 * i], p[2 * i + 1]};
      std::int64_t sampled = 0;
      for (std::int64_t e = offset[i]; e < offset[i + 1]; ++e) {
        const float rate = values.as<float>()[e];
        if (!(std::floor(now * rate) > std::floor(before * rate))) continue;
        const std::int64_t j = columns.as<std::int32_t>()[e];
        attract(at, {p[2 * j], p[2 * j + 1]}, params);
        attract(at, {p[2 * j], p[2 * j + 1]}, params);
        ++sampled;
      }
      const Point away = repel(p, n, i, at, sampled * params.negative_samples, epoch, params);
      moved.as<float>()[2 * i] = at.x + params.learning_rate * away.x;
      moved.as<float>()[2 * i + 1] = at.y + params.learning_rate * away.y;
    }
  });
}

}  // namespace chorale::cpu

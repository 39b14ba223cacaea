// SPDX-License-Identifier: MIT
// The graph of nearest neighbours on Thrust's OpenMP backend (see kernels/thrust/neighbour_graph.inl), and
// the product with it.
//
//   y [n, b] = alpha S W S x + beta x + gamma previous
//
// W in rows of columns and values, S diagonal. f32, one chain of multiply-adds an element in the order of the
// row; 8 bytes an edge are read once, rows of x [n, b] once an edge, from a cache while n b is small.
#define THRUST_DEVICE_SYSTEM THRUST_DEVICE_SYSTEM_OMP
#include "kernels/thrust/neighbour_graph.inl"

#include <thrust/system/omp/execution_policy.h>

#include <vector>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"

namespace chorale::cpu {
namespace {

constexpr std::int64_t rows_per_task = 256;

}  // namespace

void neighbour_graph(Context& context, ConstView neighbours, ConstView weights, double sum_factor,
                     double product_factor, View offsets, View columns, View values) {
  require(neighbours.dtype == DType::i32 && neighbours.rank == 2 && weights.dtype == DType::f32 &&
              same_shape(neighbours, weights) && offsets.dtype == DType::i64 &&
              offsets.size() == neighbours.shape[0] + 1 && columns.dtype == DType::i32 &&
              columns.size() >= 2 * neighbours.size() && values.dtype == DType::f32 &&
              values.size() == columns.size(),
          "neighbour_graph",
          "neighbours i32, weights f32 [n, k], offsets i64 [n + 1], columns i32, values f32 [2 n k]",
          neighbours, weights, offsets, columns, values);
  thrust_kmeans::ScratchAllocator allocator{context.scratch};
  thrust_graph::build(thrust::omp::par(allocator), context, neighbours, weights, sum_factor, product_factor,
                      offsets, columns, values);
}

void graph_product(Context&, ConstView offsets, ConstView columns, ConstView values, ConstView scale,
                   ConstView x, ConstView previous, float alpha, float beta, float gamma, View y) {
  require(offsets.dtype == DType::i64 && columns.dtype == DType::i32 && values.dtype == DType::f32 &&
              scale.dtype == DType::f32 && x.dtype == DType::f32 && x.rank == 2 &&
              offsets.size() == x.shape[0] + 1 && scale.size() == x.shape[0] && same_shape(x, previous) &&
              same_shape(x, y),
          "graph_product", "offsets i64 [n + 1], scale f32 [n], x, previous, y f32 [n, b]", offsets, scale, x,
          previous, y);
  const std::int64_t n = x.shape[0], b = x.shape[1];
  const auto* offset = offsets.as<std::int64_t>();
  parallel_tasks(block_count(n, rows_per_task), offset[n] * b, [&](std::int64_t task) {
    std::vector<float> sum(static_cast<std::size_t>(b));
    for (std::int64_t i = task * rows_per_task; i < std::min(n, (task + 1) * rows_per_task); ++i) {
      std::fill(sum.begin(), sum.end(), 0.0f);
      for (std::int64_t e = offset[i]; e < offset[i + 1]; ++e) {
        const std::int64_t j = columns.as<std::int32_t>()[e];
        const float weight = values.as<float>()[e] * scale.as<float>()[j];
        const float* row = x.as<float>() + j * b;
        for (std::int64_t c = 0; c < b; ++c) sum[static_cast<std::size_t>(c)] += weight * row[c];
      }
      const float factor = alpha * scale.as<float>()[i];
      const float* own = x.as<float>() + i * b;
      const float* before = previous.as<float>() + i * b;
      float* to = y.as<float>() + i * b;
      for (std::int64_t c = 0; c < b; ++c)
        to[c] = factor * sum[static_cast<std::size_t>(c)] + beta * own[c] + gamma * before[c];
    }
  });
}

}  // namespace chorale::cpu

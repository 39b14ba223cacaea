// SPDX-License-Identifier: MIT
// Product with the graph of nearest neighbours:
//
//   y [n, b] = alpha S W S x + beta x + gamma previous
//
// W in rows of columns and values, S diagonal. f32, one chain of multiply-adds an element in the order of the
// row. A thread an element of y: threads that share a row read the same columns and values in the same load
// and neighbouring elements of x. 8 bytes an edge are read once from memory, rows of x from the second-level
// cache while n b is small.
#include "kernels/cuda/cluster_map.cuh"
#include "kernels/cuda/launch.cuh"

namespace chorale::cuda {
namespace {

constexpr int threads = 256;

__global__ void __launch_bounds__(threads)
    product_kernel(const std::int64_t* offsets, const std::int32_t* columns, const float* values,
                   const float* scale, const float* x, const float* previous, float alpha, float beta,
                   float gamma, std::int64_t n, std::int64_t b, float* y) {
  for (std::int64_t item = global_thread(); item < n * b; item += global_threads()) {
    const std::int64_t i = item / b, c = item % b;
    float sum = 0;
    for (std::int64_t e = offsets[i]; e < offsets[i + 1]; ++e) {
      const std::int64_t j = columns[e];
      sum += values[e] * scale[j] * x[j * b + c];
    }
    y[item] = alpha * scale[i] * sum + beta * x[item] + gamma * previous[item];
  }
}

}  // namespace

void graph_product(Context& context, ConstView offsets, ConstView columns, ConstView values, ConstView scale,
                   ConstView x, ConstView previous, float alpha, float beta, float gamma, View y) {
  constexpr const char* op = "graph_product";
  require(x.rank == 2 && x.size() > 0, op, "x must be [n, b] and not empty");
  require_graph(offsets, columns, values, x.shape[0], op);
  require_size(scale, x.shape[0], op, "scale");
  require_size(previous, x.size(), op, "previous");
  require_size(y, x.size(), op, "y");
  LAUNCH((product_kernel), stride_grid(context, x.size(), threads), threads, 0, context.stream,
         offsets.as<std::int64_t>(), columns.as<std::int32_t>(), values.as<float>(), scale.as<float>(),
         x.as<float>(), previous.as<float>(), alpha, beta, gamma, x.shape[0], x.shape[1], y.as<float>());
}

}  // namespace chorale::cuda

// SPDX-License-Identifier: MIT
#include "cluster/graph.h"

#include "kernels/launch.h"

namespace chorale::cluster {

Graph symmetric_graph(const Tensor& neighbours, const Tensor& weights, double sum_factor,
                      double product_factor) {
  const std::int64_t n = neighbours.dim(0), room = 2 * neighbours.size();
  const Tensor offsets({n + 1}, DType::i64), columns({room}, DType::i32), values({room}, DType::f32);
  kernel::neighbour_graph(current_context(), neighbours, weights, sum_factor, product_factor, offsets,
                          columns, values);
  const std::int64_t edges = offsets.slice(0, n, n + 1).to_host<std::int64_t>()[0];
  return {offsets, columns.slice(0, 0, edges).clone(), values.slice(0, 0, edges).clone()};
}

}  // namespace chorale::cluster

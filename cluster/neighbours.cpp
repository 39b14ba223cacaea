// SPDX-License-Identifier: MIT
#include "cluster/neighbours.h"

#include "cluster/point_order.h"
#include "kernels/launch.h"

namespace chorale::cluster {

Neighbours nearest_neighbours(const Tensor& x, std::int64_t k, const std::string& name) {
  check_matrix(x, name);
  const std::int64_t n = x.dim(0);
  if (n < 2)
    throw InputError(name + ": one row has no neighbours: " + to_string(x.shape()) +
                     " (allowed 2 or more rows)");
  if (k < 1 || k >= n)
    throw UsageError("k: not between 1 and the number of other rows: " + std::to_string(k) +
                     " (allowed 1 to " + std::to_string(n - 1) + ")");
  const PointSet points(x, name);
  const OrderedPoints p = points.arrange(points.bisection_order());
  Neighbours found{Tensor({n, k}, DType::f32), Tensor({n, k}, DType::i32)};
  kernel::nearest_neighbours(current_context(), p.x, p.centered, p.norms, p.ids, p.low, p.high,
                             found.distances, View(), found.indices);
  return found;
}

}  // namespace chorale::cluster

// SPDX-License-Identifier: MIT
#include "autograd/ops.h"
#include "kernels/launch.h"

namespace chorale::autograd {
namespace {

/// Sum of x seen as [outer, middle, inner] over middle, times `factor` on the way back.
Var reduce(const Var& x, std::int64_t outer, std::int64_t middle, std::int64_t inner, Shape result,
           float factor) {
  Tensor y({outer, inner}, DType::f32);
  kernel::reduce_sum(current_context(), x.value().reshape({outer, middle, inner}), y);
  if (factor != 1.0f) {
    const Tensor total = y;
    y = Tensor(total.shape(), DType::f32);
    kernel::affine_forward(current_context(), total, y, factor, 0.0f);
  }
  return make_result(y.reshape(std::move(result)), {x}, [x, outer, middle, inner, factor](const Tensor& dy) {
    const DType dtype = x.value().dtype();
    Tensor dx({outer, middle, inner}, dtype);
    kernel::broadcast_middle(current_context(), dy.reshape({outer, inner}).to(dtype), factor, dx);
    add_gradient(x, dx.reshape(x.shape()));
  });
}

}  // namespace

Var sum(const Var& x) { return reduce(x, 1, x.value().size(), 1, {1}, 1.0f); }

Var mean(const Var& x) {
  const std::int64_t n = x.value().size();
  if (n == 0) throw ContractError("mean: no elements in shape " + to_string(x.shape()));
  return reduce(x, 1, n, 1, {1}, 1.0f / static_cast<float>(n));
}

Var sum(const Var& x, int dimension) {
  const Shape& shape = x.shape();
  const std::int64_t middle = x.value().dim(dimension);
  const std::size_t d = static_cast<std::size_t>(dimension < 0 ? dimension + x.value().rank() : dimension);
  std::int64_t outer = 1, inner = 1;
  Shape result;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i != d) result.push_back(shape[i]);
    if (i < d) outer *= shape[i];
    if (i > d) inner *= shape[i];
  }
  return reduce(x, outer, middle, inner, std::move(result), 1.0f);
}

}  // namespace chorale::autograd

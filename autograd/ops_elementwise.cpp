// SPDX-License-Identifier: MIT
#include <algorithm>

#include "autograd/ops.h"
#include "kernels/launch.h"

namespace chorale::autograd {
namespace {

/// True if y's shape is a suffix of x's, or y has one element.
bool broadcasts(const Shape& x, const Shape& y) {
  if (element_count(y) == 1) return true;
  return y.size() <= x.size() && std::equal(y.rbegin(), y.rend(), x.rbegin());
}

/// Sums a gradient of the broadcast shape down to `shape`.
Tensor reduce_to(const Tensor& gradient, const Shape& shape, DType dtype) {
  if (gradient.shape() == shape) return gradient;
  const std::int64_t columns = element_count(shape);
  Tensor sum({1, columns}, DType::f32);
  kernel::reduce_sum(current_context(),
                     gradient.reshape({1, columns ? gradient.size() / columns : 0, columns}), sum);
  return sum.reshape(shape).to(dtype);
}

template <class Forward, class Backward>
Var unary(const Var& x, float a, float b, Forward forward, Backward backward) {
  const Tensor input = x.value().contiguous();
  Tensor y(input.shape(), input.dtype());
  forward(current_context(), input, y, a, b);
  return make_result(y, {x}, [x, input, y, a, b, backward](const Tensor& dy) {
    Tensor dx(input.shape(), input.dtype());
    backward(current_context(), dy.contiguous(), input, y, dx, a, b);
    add_gradient(x, dx);
  });
}

template <class Forward, class Backward>
Var binary(const char* name, const Var& x, const Var& y, Forward forward, Backward backward) {
  const Tensor left = x.value().contiguous(), right = y.value().contiguous();
  if (!broadcasts(left.shape(), right.shape()))
    throw ContractError(std::string(name) + ": shape " + to_string(right.shape()) + " is no suffix of " +
                        to_string(left.shape()));
  Tensor out(left.shape(), left.dtype());
  forward(current_context(), left, right, out);
  return make_result(out, {x, y}, [x, y, left, right, backward](const Tensor& dout) {
    Tensor dx, dy;
    if (x.requires_grad()) dx = Tensor(left.shape(), left.dtype());
    if (y.requires_grad()) dy = Tensor(left.shape(), left.dtype());
    backward(current_context(), dout.contiguous(), left, right, dx, dy);
    if (dx.defined()) add_gradient(x, dx);
    if (dy.defined()) add_gradient(y, reduce_to(dy, right.shape(), right.dtype()));
  });
}

}  // namespace

#define UNARY(name)                                                                \
  Var name(const Var& x, float a, float b) {                                       \
    return unary(                                                                  \
        x, a, b, [](auto&... arguments) { kernel::name##_forward(arguments...); }, \
        [](ExecutionContext& context, const auto&... arguments) {                  \
          kernel::name##_backward(context, arguments...);                          \
        });                                                                        \
  }
#include "kernels/unary.def"
#undef UNARY

#define BINARY(name)                                                                   \
  Var name(const Var& x, const Var& y) {                                               \
    return binary(                                                                     \
        #name, x, y, [](auto&... arguments) { kernel::name##_forward(arguments...); }, \
        [](ExecutionContext& context, const auto&... arguments) {                      \
          kernel::name##_backward(context, arguments...);                              \
        });                                                                            \
  }
#include "kernels/binary.def"
#undef BINARY

Var scale_by(const Var& x, const Tensor& factor) {
  Tensor y(x.shape(), x.value().dtype());
  kernel::scale_by(current_context(), x.value().contiguous(), factor, y);
  return make_result(y, {x}, [x, factor](const Tensor& dy) {
    Tensor dx(dy.shape(), dy.dtype());
    kernel::scale_by(current_context(), dy.contiguous(), factor, dx);
    add_gradient(x, dx);
  });
}

Var reshape(const Var& x, Shape shape) {
  return make_result(x.value().reshape(std::move(shape)), {x},
                     [x](const Tensor& dy) { add_gradient(x, dy.reshape(x.shape())); });
}

Var cast(const Var& x, DType dtype) {
  return make_result(x.value().to(dtype), {x},
                     [x](const Tensor& dy) { add_gradient(x, dy.to(x.value().dtype())); });
}

}  // namespace chorale::autograd

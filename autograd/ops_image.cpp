// SPDX-License-Identifier: MIT
// What stands between convolutions: pooling, resizing, modulation, and the joining of columns and rows.
#include "autograd/ops.h"
#include "autograd/parameter_gradient.h"
#include "kernels/launch.h"

namespace chorale::autograd {
namespace {

/// Images (n, h, w, c) to (n, height, width, c) by a linear kernel and its transpose.
template <class Forward, class Backward>
Var resample(const char* op, const Var& x, std::int64_t height, std::int64_t width, Forward forward,
             Backward backward) {
  const Tensor input = x.value().contiguous();
  if (input.rank() != 4 || height < 1 || width < 1)
    throw ContractError(std::string(op) + ": x " + to_string(input.shape()) + " to " +
                        std::to_string(height) + " x " + std::to_string(width) +
                        " (allowed (n, h, w, c) to 1 x 1 or more)");
  Tensor y({input.dim(0), height, width, input.dim(3)}, input.dtype());
  forward(input, y);
  return make_result(y, {x}, [x, shape = input.shape(), dtype = input.dtype(), backward](const Tensor& dy) {
    Tensor dx(shape, dtype);
    backward(dy.contiguous(), dx);
    add_gradient(x, dx);
  });
}

}  // namespace

Var average_pool(const Var& x, std::int64_t height, std::int64_t width) {
  return resample(
      "average_pool", x, height, width,
      [](const Tensor& in, Tensor& y) { kernel::average_pool_forward(current_context(), in, y); },
      [](const Tensor& dy, Tensor& dx) { kernel::average_pool_backward(current_context(), dy, dx); });
}

Var resize_bilinear(const Var& x, std::int64_t height, std::int64_t width) {
  return resample(
      "resize_bilinear", x, height, width,
      [](const Tensor& in, Tensor& y) { kernel::resize_bilinear_forward(current_context(), in, y); },
      [](const Tensor& dy, Tensor& dx) { kernel::resize_bilinear_backward(current_context(), dy, dx); });
}

Var film(const Var& x, const Var& film) {
  const Tensor input = x.value().contiguous(), factors = film.value().contiguous();
  if (input.rank() < 2 || factors.shape() != Shape{input.dim(0), 2 * input.dim(-1)})
    throw ContractError("film: x " + to_string(input.shape()) + ", film " + to_string(factors.shape()) +
                        " (allowed (n, ..., c), (n, 2 c))");
  Tensor y(input.shape(), input.dtype());
  kernel::film_forward(current_context(), input, factors, y);
  return make_result(y, {x, film}, [=](const Tensor& dy) {
    Tensor dx, dfilm;
    if (x.requires_grad()) dx = Tensor(input.shape(), input.dtype());
    if (film.requires_grad()) dfilm = Tensor(factors.shape(), factors.dtype());
    const auto view = [](const Tensor& t) { return t.defined() ? t.view() : View(); };
    kernel::film_backward(current_context(), dy.contiguous(), input, factors, view(dx), view(dfilm));
    if (dx.defined()) add_gradient(x, dx);
    if (dfilm.defined()) add_gradient(film, dfilm);
  });
}

Var concat(const Var& a, const Var& b) {
  const Tensor left = a.value().contiguous(), right = b.value().contiguous();
  if (left.rank() != 2 || right.rank() != 2 || left.dim(0) != right.dim(0) || left.dtype() != right.dtype())
    throw ContractError("concat: shapes " + to_string(left.shape()) + " and " + to_string(right.shape()) +
                        " (allowed (n, a) and (n, b) of one dtype)");
  const std::int64_t first = left.dim(1), all = first + right.dim(1);
  Tensor y({left.dim(0), all}, left.dtype());
  kernel::place_columns(current_context(), left, std::int64_t{0}, y);
  kernel::place_columns(current_context(), right, first, y);
  return make_result(y, {a, b}, [=](const Tensor& dy) {
    if (a.requires_grad()) add_gradient(a, dy.slice(1, 0, first).contiguous());
    if (b.requires_grad()) add_gradient(b, dy.slice(1, first, all).contiguous());
  });
}

Var embedding(const Var& weight, const Tensor& index) {
  const Tensor table = weight.value().contiguous(), rows = index.contiguous();
  if (table.rank() != 2 || rows.rank() != 1 || rows.dtype() != DType::i64)
    throw ContractError("embedding: weight " + to_string(table.shape()) + ", index " +
                        std::string(dtype_name(rows.dtype())) + " " + to_string(rows.shape()) +
                        " (allowed (v, d), i64 (n,))");
  return make_result(table.gather_rows(rows), {weight}, [=](const Tensor& dy) {
    const Target target = target_of(weight);
    kernel::embedding_backward(current_context(), dy.contiguous(), rows, target.tensor, target.beta);
    finish(weight, target);
  });
}

}  // namespace chorale::autograd

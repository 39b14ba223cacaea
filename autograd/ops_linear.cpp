// SPDX-License-Identifier: MIT
#include "autograd/ops.h"
#include "autograd/parameter_gradient.h"
#include "kernels/launch.h"

namespace chorale::autograd {
namespace {

void check_linear(const char* op, const Tensor& x, const Tensor& weight, const Var& bias) {
  if (x.rank() != 2 || weight.rank() != 2 || x.dim(1) != weight.dim(1) ||
      (bias.defined() && bias.shape() != Shape{weight.dim(0)}))
    throw ContractError(std::string(op) + ": x " + to_string(x.shape()) + ", weight " +
                        to_string(weight.shape()) + ", bias " +
                        (bias.defined() ? to_string(bias.shape()) : "none") +
                        " (allowed (n, in), (out, in), (out,))");
}

/// dw = dy^T x, or its factors if the parameter's slot keeps those.
void weight_gradient(const Var& weight, const Tensor& dy, const Tensor& x) {
  if (!weight.requires_grad()) return;
  if (GradientSlot* slot = weight.slot(); slot && slot->keep_factors) {
    if (slot->x.defined())
      throw ContractError("linear: a weight that keeps factors was used twice in one step");
    slot->dy = dy;
    slot->x = x;
    return;
  }
  Target target = target_of(weight);
  kernel::linear_backward_weight(current_context(), dy, x, target.tensor, View(), target.beta);
  finish(weight, target);
}

void bias_gradient(const Var& bias, const Tensor& dy, const Tensor& x) {
  if (!bias.requires_grad()) return;
  Target target = target_of(bias);
  kernel::linear_backward_weight(current_context(), dy, x, View(), target.tensor, target.beta);
  finish(bias, target);
}

/// dw and dbias, in one call where both go to the same kind of place.
void parameter_gradients(const Var& weight, const Var& bias, const Tensor& dy, const Tensor& x) {
  const bool factors = weight.slot() && weight.slot()->keep_factors;
  if (weight.requires_grad() && bias.requires_grad() && !factors) {
    Target dw = target_of(weight), db = target_of(bias);
    if (dw.beta == db.beta) {
      kernel::linear_backward_weight(current_context(), dy, x, dw.tensor, db.tensor, dw.beta);
      finish(weight, dw);
      finish(bias, db);
      return;
    }
  }
  weight_gradient(weight, dy, x);
  bias_gradient(bias, dy, x);
}

Tensor activation_backward(Activation activation, const Tensor& dy, const Tensor& y) {
  if (activation == Activation::none) return dy;
  Tensor dx(dy.shape(), dy.dtype());
  if (activation == Activation::relu)
    kernel::relu_backward(current_context(), dy, y, y, dx, 0.0f, 0.0f);
  else
    kernel::tanh_backward(current_context(), dy, y, y, dx, 0.0f, 0.0f);
  return dx;
}

/// (n, columns) with row r equal to values[r].
Tensor repeat_columns(const Tensor& values, std::int64_t columns, DType dtype) {
  Tensor out({values.size(), columns, 1}, dtype);
  kernel::broadcast_middle(current_context(), values.to(dtype).reshape({values.size(), 1}), 1.0f, out);
  return out.reshape({values.size(), columns});
}

/// Row r of x times factors[r].
Tensor scale_rows(const Tensor& x, const Tensor& factors) {
  Tensor out(x.shape(), x.dtype());
  kernel::mul_forward(current_context(), x, repeat_columns(factors, x.dim(1), x.dtype()), out);
  return out;
}

}  // namespace

Var matmul(const Var& a, const Var& b, bool transpose_a, bool transpose_b) {
  const Tensor left = a.value().contiguous(), right = b.value().contiguous();
  if (left.rank() != 2 || right.rank() != 2 ||
      left.dim(transpose_a ? 0 : 1) != right.dim(transpose_b ? 1 : 0))
    throw ContractError("matmul: shapes " + to_string(left.shape()) + " and " + to_string(right.shape()));
  Tensor c({left.dim(transpose_a ? 1 : 0), right.dim(transpose_b ? 0 : 1)}, left.dtype());
  kernel::matmul(current_context(), left, right, c, transpose_a, transpose_b, 1.0f, 0.0f);
  return make_result(c, {a, b}, [=](const Tensor& gradient) {
    const Tensor dc = gradient.contiguous();
    ExecutionContext& context = current_context();
    if (a.requires_grad()) {
      Tensor da(left.shape(), left.dtype());
      if (transpose_a)
        kernel::matmul(context, right, dc, da, transpose_b, true, 1.0f, 0.0f);
      else
        kernel::matmul(context, dc, right, da, false, !transpose_b, 1.0f, 0.0f);
      add_gradient(a, da);
    }
    if (b.requires_grad()) {
      Tensor db(right.shape(), right.dtype());
      if (transpose_b)
        kernel::matmul(context, dc, left, db, true, transpose_a, 1.0f, 0.0f);
      else
        kernel::matmul(context, left, dc, db, !transpose_a, false, 1.0f, 0.0f);
      add_gradient(b, db);
    }
  });
}

Var linear(const Var& x, const Var& weight, const Var& bias, Activation activation) {
  if (activation != Activation::none && activation != Activation::relu && activation != Activation::tanh)
    throw ContractError("linear: this activation needs its input for backward (allowed none, relu, tanh)");
  const Tensor input = x.value().contiguous(), w = weight.value().contiguous();
  check_linear("linear", input, w, bias);
  Tensor y({input.dim(0), w.dim(0)}, input.dtype());
  kernel::linear_forward(current_context(), input, w, bias.defined() ? bias.value().view() : View(),
                         activation, y);
  const Tensor kept = activation == Activation::none ? Tensor() : y;
  return make_result(y, {x, weight, bias}, [=](const Tensor& gradient) {
    const Tensor dy = activation_backward(activation, gradient.contiguous(), kept);
    if (x.requires_grad()) {
      Tensor dx(input.shape(), input.dtype());
      kernel::linear_backward_input(current_context(), dy, w, dx);
      add_gradient(x, dx);
    }
    parameter_gradients(weight, bias, dy, input);
  });
}

Var reconstruction(const Var& y, const Tensor& target, LikelihoodParams params) {
  const Tensor parameters = y.value().contiguous(), data = target.contiguous();
  if (parameters.rank() != 2 || parameters.shape() != data.shape())
    throw ContractError("reconstruction: y " + to_string(parameters.shape()) + ", target " +
                        to_string(data.shape()));
  Tensor nll({parameters.dim(0)}, DType::f32);
  kernel::reconstruction_forward(current_context(), parameters, data, params, nll);
  return make_result(nll, {y}, [=](const Tensor& dnll) {
    Tensor dy(parameters.shape(), parameters.dtype());
    kernel::reconstruction_backward(current_context(), dnll.contiguous(), parameters, data, params, dy);
    add_gradient(y, dy);
  });
}

Var linear_reconstruction(const Var& x, const Var& weight, const Var& bias, const Tensor& target,
                          LikelihoodParams params) {
  const Tensor input = x.value().contiguous(), w = weight.value().contiguous(), data = target.contiguous();
  check_linear("linear_reconstruction", input, w, bias);
  if (data.shape() != Shape{input.dim(0), w.dim(0)})
    throw ContractError("linear_reconstruction: target " + to_string(data.shape()) + " for weight " +
                        to_string(w.shape()));
  Tensor nll({input.dim(0)}, DType::f32);
  Tensor dy({input.dim(0), w.dim(0)}, input.dtype());
  kernel::linear_reconstruction(current_context(), input, w, bias.value(), data, params, nll, dy);
  // The stored dy is the gradient for dnll = 1; rows are scaled where the operands are small.
  return make_result(nll, {x, weight, bias}, [=](const Tensor& dnll) {
    if (x.requires_grad()) {
      Tensor dx(input.shape(), input.dtype());
      kernel::linear_backward_input(current_context(), dy, w, dx);
      add_gradient(x, scale_rows(dx, dnll));
    }
    weight_gradient(weight, dy, scale_rows(input, dnll));
    if (bias.requires_grad()) {
      Target target_bias = target_of(bias);
      const Tensor column = dnll.to(input.dtype()).reshape({input.dim(0), 1});
      kernel::linear_backward_weight(current_context(), dy, column, target_bias.tensor.reshape({w.dim(0), 1}),
                                     View(), target_bias.beta);
      finish(bias, target_bias);
    }
  });
}

}  // namespace chorale::autograd

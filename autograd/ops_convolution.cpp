// SPDX-License-Identifier: MIT
#include "autograd/ops.h"
#include "autograd/parameter_gradient.h"
#include "kernels/launch.h"

namespace chorale::autograd {
namespace {

/// Height and width of conv2d's result, or zeros where the kernel does not fit.
Shape result_size(const Shape& x, const Shape& weight, const ConvolutionParams& p) {
  if (p.stride_height < 1 || p.stride_width < 1) return {0, 0};
  const std::int64_t rows = x[1] + 2 * p.padding_height - weight[1],
                     columns = x[2] + 2 * p.padding_width - weight[2];
  if (rows < 0 || columns < 0) return {0, 0};
  return {rows / p.stride_height + 1, columns / p.stride_width + 1};
}

[[noreturn]] void refuse(const char* op, const Tensor& x, const Tensor& weight, const Var& bias,
                         const std::string& allowed) {
  throw ContractError(std::string(op) + ": x " + to_string(x.shape()) + ", weight " +
                      to_string(weight.shape()) + ", bias " +
                      (bias.defined() ? to_string(bias.shape()) : "none") + " (allowed " + allowed + ")");
}

View bias_view(const Var& bias) { return bias.defined() ? bias.value().view() : View(); }

/// The gradients of w and of a bias that was added to `dy`'s channels.
void convolution_gradients(const Var& weight, const Var& bias, const Tensor& dy, const Tensor& x,
                           const ConvolutionParams& params) {
  Target dw, db;
  if (weight.requires_grad()) dw = target_of(weight);
  if (bias.requires_grad()) db = target_of(bias);
  if (dw.tensor.defined() && db.tensor.defined() && dw.beta == db.beta) {
    kernel::conv2d_backward_weight(current_context(), dy, x, params, dw.tensor, db.tensor, dw.beta);
  } else {
    if (dw.tensor.defined())
      kernel::conv2d_backward_weight(current_context(), dy, x, params, dw.tensor, View(), dw.beta);
    if (db.tensor.defined())
      kernel::conv2d_backward_weight(current_context(), dy, x, params, View(), db.tensor, db.beta);
  }
  if (dw.tensor.defined()) finish(weight, dw);
  if (db.tensor.defined()) finish(bias, db);
}

}  // namespace

Var conv2d(const Var& x, const Var& weight, const Var& bias, ConvolutionParams params) {
  const Tensor input = x.value().contiguous(), w = weight.value().contiguous();
  if (input.rank() != 4 || w.rank() != 4 || input.dim(3) != w.dim(3) ||
      (bias.defined() && bias.shape() != Shape{w.dim(0)}))
    refuse("conv2d", input, w, bias, "(n, height, width, in), (out, rows, columns, in), (out)");
  const Shape size = result_size(input.shape(), w.shape(), params);
  if (size[0] == 0)
    refuse("conv2d", input, w, bias, "positive strides and a kernel that fits into the padded image");
  Tensor y({input.dim(0), size[0], size[1], w.dim(0)}, input.dtype());
  kernel::conv2d_forward(current_context(), input, w, bias_view(bias), params, y);
  return make_result(y, {x, weight, bias}, [=](const Tensor& gradient) {
    const Tensor dy = gradient.contiguous();
    if (x.requires_grad()) {
      Tensor dx(input.shape(), input.dtype());
      kernel::conv2d_backward_input(current_context(), dy, w, View(), params, dx);
      add_gradient(x, dx);
    }
    convolution_gradients(weight, bias, dy, input, params);
  });
}

Var conv_transpose2d(const Var& x, const Var& weight, const Var& bias, ConvolutionParams params,
                     std::int64_t height, std::int64_t width) {
  const Tensor input = x.value().contiguous(), w = weight.value().contiguous();
  if (input.rank() != 4 || w.rank() != 4 || input.dim(3) != w.dim(0) ||
      (bias.defined() && bias.shape() != Shape{w.dim(3)}))
    refuse("conv_transpose2d", input, w, bias, "(n, height, width, in), (in, rows, columns, out), (out)");
  const Shape shape{input.dim(0), height, width, w.dim(3)};
  if (result_size(shape, w.shape(), params) != Shape{input.dim(1), input.dim(2)})
    refuse("conv_transpose2d", input, w, bias,
           "a result of which conv2d makes x's size, not " + to_string(shape));
  Tensor y(shape, input.dtype());
  kernel::conv2d_backward_input(current_context(), input, w, bias_view(bias), params, y);
  return make_result(y, {x, weight, bias}, [=](const Tensor& gradient) {
    const Tensor dy = gradient.contiguous();
    if (x.requires_grad()) {
      Tensor dx(input.shape(), input.dtype());
      kernel::conv2d_forward(current_context(), dy, w, View(), params, dx);
      add_gradient(x, dx);
    }
    // The convolution whose input gradient this is: its dy is x, its x is dy.
    convolution_gradients(weight, Var(), input, dy, params);
    if (bias.requires_grad()) {
      const Target target = target_of(bias);
      kernel::conv2d_backward_weight(current_context(), dy, dy, params, View(), target.tensor, target.beta);
      finish(bias, target);
    }
  });
}

}  // namespace chorale::autograd

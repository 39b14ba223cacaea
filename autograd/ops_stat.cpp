// SPDX-License-Identifier: MIT
// Normalisation, softmax, dropout and the variational part.
#include "autograd/ops.h"
#include "autograd/two_results.h"
#include "kernels/launch.h"

namespace chorale::autograd {
namespace {

template <class Forward, class Backward>
Var row_map(const Var& x, Forward forward, Backward backward) {
  const Tensor input = x.value().contiguous();
  Tensor y(input.shape(), input.dtype());
  forward(input, y);
  return make_result(y, {x}, [x, y, backward](const Tensor& dy) {
    Tensor dx(y.shape(), y.dtype());
    backward(dy.contiguous(), y, dx);
    add_gradient(x, dx);
  });
}

}  // namespace

Var batch_norm(const Var& x, const Var& gamma, const Var& beta, BatchNormState& state, Activation activation,
               float slope, ChannelDropout dropout, const StepState* step) {
  const Tensor input = x.value().contiguous();
  if (input.rank() < 2 || gamma.shape() != Shape{input.dim(input.rank() - 1)} ||
      beta.shape() != gamma.shape())
    throw ContractError("batch_norm: x " + to_string(input.shape()) + ", gamma " + to_string(gamma.shape()) +
                        ", beta " + to_string(beta.shape()) + " (allowed (n, ..., c), (c,), (c,))");
  if (!(dropout.p >= 0.0f && dropout.p < 1.0f))
    throw ContractError("batch_norm: dropout p = " + std::to_string(dropout.p) + " (allowed [0, 1))");
  ExecutionContext& context = current_context();
  Tensor y(input.shape(), input.dtype());
  if (!state.training) {
    if (x.requires_grad()) throw ContractError("batch_norm: inference mode has no gradient");
    kernel::batch_norm_inference(context, input, gamma.value(), beta.value(), state.running_mean,
                                 state.running_variance, state.epsilon, activation, slope, y);
    return Var(y);
  }
  Tensor mean(gamma.shape(), DType::f32), rstd(gamma.shape(), DType::f32);
  kernel::batch_norm_forward(context, input, gamma.value(), beta.value(), state.running_mean,
                             state.running_variance, state.momentum, state.epsilon, activation, slope,
                             dropout, step, y, mean, rstd);
  return make_result(y, {x, gamma, beta}, [=](const Tensor& dy) {
    Tensor dx(input.shape(), input.dtype()), dgamma(gamma.shape(), DType::f32),
        dbeta(gamma.shape(), DType::f32);
    kernel::batch_norm_backward(current_context(), dy.contiguous(), input, gamma.value(), beta.value(), mean,
                                rstd, activation, slope, dropout, step, dx, dgamma, dbeta);
    add_gradient(x, dx);
    add_gradient(gamma, dgamma);
    add_gradient(beta, dbeta);
  });
}

Var group_norm(const Var& x, const Var& gamma, const Var& beta, std::int64_t groups, float epsilon,
               Activation activation, float slope) {
  const Tensor input = x.value().contiguous();
  if (input.rank() < 2 || groups < 1 || input.dim(-1) % groups != 0 ||
      gamma.shape() != Shape{input.dim(-1)} || beta.shape() != gamma.shape())
    throw ContractError("group_norm: x " + to_string(input.shape()) + ", gamma " + to_string(gamma.shape()) +
                        ", beta " + to_string(beta.shape()) + ", " + std::to_string(groups) +
                        " groups (allowed (n, ..., c), (c,), (c,), a divisor of c)");
  Tensor y(input.shape(), input.dtype());
  Tensor mean({input.dim(0), groups}, DType::f32), rstd({input.dim(0), groups}, DType::f32);
  kernel::group_norm_forward(current_context(), input, gamma.value(), beta.value(), groups, epsilon,
                             activation, slope, y, mean, rstd);
  return make_result(y, {x, gamma, beta}, [=](const Tensor& dy) {
    Tensor dx(input.shape(), input.dtype()), dgamma(gamma.shape(), DType::f32),
        dbeta(gamma.shape(), DType::f32);
    kernel::group_norm_backward(current_context(), dy.contiguous(), input, gamma.value(), beta.value(), mean,
                                rstd, groups, activation, slope, dx, dgamma, dbeta);
    add_gradient(x, dx);
    add_gradient(gamma, dgamma);
    add_gradient(beta, dbeta);
  });
}

Var softmax(const Var& x) {
  return row_map(
      x, [](const Tensor& in, Tensor& y) { kernel::softmax_forward(current_context(), in, y); },
      [](const Tensor& dy, const Tensor& y, Tensor& dx) {
        kernel::softmax_backward(current_context(), dy, y, dx);
      });
}

Var log_softmax(const Var& x) {
  return row_map(
      x, [](const Tensor& in, Tensor& y) { kernel::log_softmax_forward(current_context(), in, y); },
      [](const Tensor& dy, const Tensor& y, Tensor& dx) {
        kernel::log_softmax_backward(current_context(), dy, y, dx);
      });
}

Var dropout(const Var& x, const StepState* state, std::uint32_t stream, float p) {
  if (!(p >= 0.0f && p < 1.0f))
    throw ContractError("dropout: p = " + std::to_string(p) + " (allowed [0, 1))");
  if (p == 0.0f) return x;
  const auto apply = [state, stream, p](const Tensor& in) {
    Tensor out(in.shape(), in.dtype());
    kernel::dropout(current_context(), in, state, stream, p, out);
    return out;
  };
  return make_result(apply(x.value().contiguous()), {x},
                     [x, apply](const Tensor& dy) { add_gradient(x, apply(dy.contiguous())); });
}

GaussianLatent gaussian_latent(const Var& statistics, const StepState* state, std::uint32_t stream,
                               GaussianLatentParams params) {
  const Tensor input = statistics.value().contiguous();
  if (input.rank() != 2 || input.dim(1) % 2 != 0)
    throw ContractError("gaussian_latent: statistics " + to_string(input.shape()) + " (allowed (n, 2 d))");
  const std::int64_t d = input.dim(1) / 2;
  Tensor z({input.dim(0), d}, input.dtype()), kl({d}, DType::f32);
  kernel::gaussian_latent_forward(current_context(), input, state, stream, params, z, kl);

  const auto backward = [=](const Tensor& dz, const Tensor& dkl) {
    Tensor dstatistics(input.shape(), input.dtype());
    kernel::gaussian_latent_backward(current_context(), dz, dkl, input, state, stream, params, dstatistics);
    add_gradient(statistics, dstatistics);
  };
  const auto [latent, divergence] = two_results(z, kl, {statistics}, input, backward);
  return {latent, divergence};
}

}  // namespace chorale::autograd

// SPDX-License-Identifier: MIT
// Differentiable operations. Shapes are row-major, `(n, d)` means n rows; every op runs on current_context().
// Shape errors throw ContractError naming op and shapes.
#pragma once
#include <cstdint>

#include "autograd/var.h"
#include "kernels/params.h"

namespace chorale::autograd {

// ---- elementwise: one function per row of unary.def and binary.def; a and b are the functor's parameters
// ----
#define UNARY(name) Var name(const Var& x, float a = 0.0f, float b = 0.0f);
#include "kernels/unary.def"
#undef UNARY
/// y may be broadcast: its shape is a suffix of x's, or it has one element.
#define BINARY(name) Var name(const Var& x, const Var& y);
#include "kernels/binary.def"
#undef BINARY
/// factor * x.
inline Var scale(const Var& x, float factor) { return affine(x, factor, 0.0f); }
/// x * factor[0], `factor` one f32 on the device that needs no gradient (a KL weight, the loss scale).
Var scale_by(const Var& x, const Tensor& factor);

// ---- shape and dtype ----
Var reshape(const Var& x, Shape shape);
Var cast(const Var& x, DType dtype);

// ---- reductions; results are f32 ----
Var sum(const Var& x);                 ///< shape (1,)
Var mean(const Var& x);                ///< shape (1,)
Var sum(const Var& x, int dimension);  ///< that dimension is removed

// ---- matrix products ----
Var matmul(const Var& a, const Var& b, bool transpose_a = false, bool transpose_b = false);  ///< 2-d
/// x (n, in), weight (out, in), bias (out) or undefined: activation(x weight^T + bias), (n, out).
/// activation is none, relu or tanh. A weight whose slot keeps factors gets them instead of a dense gradient.
Var linear(const Var& x, const Var& weight, const Var& bias, Activation activation = Activation::none);

// ---- normalisation, softmax over the last dimension, dropout ----
struct BatchNormState {
  Tensor running_mean, running_variance;  ///< f32 (c); updated in training
  float momentum = 0.1f;
  float epsilon = 1e-5f;
  bool training = true;
};
/// torch.nn.BatchNorm1d followed by none, relu or leaky_relu(slope). x (n, c); gamma, beta f32 (c).
Var batch_norm(const Var& x, const Var& gamma, const Var& beta, BatchNormState& state,
               Activation activation = Activation::none, float slope = 0.01f);
Var softmax(const Var& x);
Var log_softmax(const Var& x);
/// Keeps each element with probability 1 - p, scaled by 1 / (1 - p). The mask is a function of the device's
/// step state and `stream`; it is drawn again in backward.
Var dropout(const Var& x, const StepState* state, std::uint32_t stream, float p);

// ---- the variational part ----
struct GaussianLatent {
  Var z;   ///< (n, d), dtype of `statistics`
  Var kl;  ///< f32 (d): mean over the batch, nats per dimension
};
/// statistics (n, 2 d) = [mu | log variance]; see kernel row gaussian_latent_forward.
GaussianLatent gaussian_latent(const Var& statistics, const StepState* state, std::uint32_t stream,
                               GaussianLatentParams params = {});
/// Negative log-likelihood in nats of `target` (n, d) under parameters y (n, d): f32 (n), summed over d.
Var reconstruction(const Var& y, const Tensor& target, LikelihoodParams params);
/// reconstruction(linear(x, weight, bias), target) without storing the linear layer's output.
Var linear_reconstruction(const Var& x, const Var& weight, const Var& bias, const Tensor& target,
                          LikelihoodParams params);

}  // namespace chorale::autograd

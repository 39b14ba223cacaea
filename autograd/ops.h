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

// ---- images, NHWC: (n, height, width, channels) ----
/// torch.nn.functional.conv2d. weight (out, kernel height, kernel width, in), bias (out) or undefined.
Var conv2d(const Var& x, const Var& weight, const Var& bias, ConvolutionParams params);
/// torch.nn.functional.conv_transpose2d to the given height and width, which `params` must map back to x's.
/// weight (in, kernel height, kernel width, out), bias (out) or undefined.
Var conv_transpose2d(const Var& x, const Var& weight, const Var& bias, ConvolutionParams params,
                     std::int64_t height, std::int64_t width);
/// torch.nn.AdaptiveAvgPool2d; 1 x 1 is global pooling.
Var average_pool(const Var& x, std::int64_t height, std::int64_t width);
/// torch.nn.functional.interpolate(mode="bilinear", align_corners=False).
Var resize_bilinear(const Var& x, std::int64_t height, std::int64_t width);
/// Feature-wise linear modulation: x (n, ..., c), film (n, 2 c) = [scale | shift]: x (1 + scale) + shift.
Var film(const Var& x, const Var& film);

// ---- columns and rows ----
/// (n, a) and (n, b): (n, a + b).
Var concat(const Var& a, const Var& b);
/// weight (v, d), index i64 (n): (n, d).
Var embedding(const Var& weight, const Tensor& index);

// ---- normalisation, softmax over the last dimension, dropout ----
struct BatchNormState {
  Tensor running_mean, running_variance;  ///< f32 (c); updated in training
  float momentum = 0.1f;
  float epsilon = 1e-5f;
  bool training = true;
};
/// torch.nn.BatchNorm1d or 2d followed by none, relu or leaky_relu(slope), and in training by dropout, in one
/// pass. x (n, ..., c); gamma, beta f32 (c). `step` may be null without dropout.
Var batch_norm(const Var& x, const Var& gamma, const Var& beta, BatchNormState& state,
               Activation activation = Activation::none, float slope = 0.01f, ChannelDropout dropout = {},
               const StepState* step = nullptr);
/// torch.nn.GroupNorm followed by an activation as above. x (n, ..., c), groups divides c; gamma, beta f32
/// (c).
Var group_norm(const Var& x, const Var& gamma, const Var& beta, std::int64_t groups, float epsilon = 1e-5f,
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
/// VaDE's latent under a mixture of k Gaussians; see kernel row mixture_latent_forward.
struct MixtureLatent {
  Var z;                    ///< (n, d), dtype of `statistics`
  Var kl;                   ///< f32 (n), nats
  Tensor responsibilities;  ///< f32 (n, k)
};
/// logits f32 (k), means and log_variances f32 (k, d).
MixtureLatent mixture_latent(const Var& statistics, const Var& logits, const Var& means,
                             const Var& log_variances, const StepState* state, std::uint32_t stream,
                             GaussianLatentParams params = {});
/// Estimates of log q(z) and of log q(z_k) for each dimension, f32; see kernel row
/// aggregate_posterior_forward.
struct AggregatePosterior {
  Var joint;      ///< (n)
  Var marginals;  ///< (n, d)
};
AggregatePosterior aggregate_posterior(const Var& statistics, const Var& z, double samples,
                                       GaussianLatentParams params = {});
/// Each column of x (n, d) in a random order of its own; no gradient.
Tensor permute_columns(const Tensor& x, const StepState* state, std::uint32_t stream);
/// Negative log-likelihood in nats of `target` (n, d) under parameters y (n, d): f32 (n), summed over d.
Var reconstruction(const Var& y, const Tensor& target, LikelihoodParams params);
/// reconstruction(linear(x, weight, bias), target) without storing the linear layer's output.
Var linear_reconstruction(const Var& x, const Var& weight, const Var& bias, const Tensor& target,
                          LikelihoodParams params);

}  // namespace chorale::autograd

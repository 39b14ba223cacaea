// SPDX-License-Identifier: MIT
// Latents under richer priors than one Gaussian: VaDE's mixture, the aggregate posterior of beta-TCVAE and
// the permuted codes of FactorVAE.
#include "autograd/ops.h"
#include "autograd/two_results.h"
#include "kernels/launch.h"

namespace chorale::autograd {
namespace {

/// (n, 2 d); returns d.
std::int64_t latent_dimensions(const char* op, const Tensor& statistics) {
  if (statistics.rank() != 2 || statistics.dim(1) % 2 != 0)
    throw ContractError(std::string(op) + ": statistics " + to_string(statistics.shape()) +
                        " (allowed (n, 2 d))");
  return statistics.dim(1) / 2;
}

}  // namespace

MixtureLatent mixture_latent(const Var& statistics, const Var& logits, const Var& means,
                             const Var& log_variances, const StepState* state, std::uint32_t stream,
                             GaussianLatentParams params) {
  const Tensor input = statistics.value().contiguous(), weights = logits.value().contiguous(),
               centers = means.value().contiguous(), spreads = log_variances.value().contiguous();
  const std::int64_t n = input.rank() == 2 ? input.dim(0) : 0, d = latent_dimensions("mixture_latent", input),
                     k = weights.size();
  if (weights.rank() != 1 || centers.shape() != Shape{k, d} || spreads.shape() != centers.shape())
    throw ContractError("mixture_latent: statistics " + to_string(input.shape()) + ", logits " +
                        to_string(weights.shape()) + ", means " + to_string(centers.shape()) +
                        ", log_variances " + to_string(spreads.shape()) +
                        " (allowed (n, 2 d), (k,), (k, d), (k, d))");
  Tensor z({n, d}, input.dtype()), kl({n}, DType::f32), gamma({n, k}, DType::f32);
  kernel::mixture_latent_forward(current_context(), input, weights, centers, spreads, state, stream, params,
                                 z, kl, gamma);
  const auto backward = [=](const Tensor& dz, const Tensor& dkl) {
    Tensor dstatistics(input.shape(), input.dtype()), dlogits(weights.shape(), DType::f32),
        dmeans(centers.shape(), DType::f32), dlog_variances(centers.shape(), DType::f32);
    kernel::mixture_latent_backward(current_context(), dz, dkl, input, weights, centers, spreads, gamma,
                                    state, stream, params, dstatistics, dlogits, dmeans, dlog_variances);
    add_gradient(statistics, dstatistics);
    add_gradient(logits, dlogits);
    add_gradient(means, dmeans);
    add_gradient(log_variances, dlog_variances);
  };
  const auto [latent, divergence] =
      two_results(z, kl, {statistics, logits, means, log_variances}, input, backward);
  return {latent, divergence, gamma};
}

AggregatePosterior aggregate_posterior(const Var& statistics, const Var& z, double samples,
                                       GaussianLatentParams params) {
  const Tensor input = statistics.value().contiguous(), codes = z.value().contiguous();
  const std::int64_t d = latent_dimensions("aggregate_posterior", input), n = input.dim(0);
  if (codes.shape() != Shape{n, d} || codes.dtype() != input.dtype())
    throw ContractError("aggregate_posterior: statistics " + to_string(input.shape()) + ", z " +
                        to_string(codes.shape()) + " (allowed (n, 2 d), (n, d) of one dtype)");
  if (!(samples >= 1.0))
    throw ContractError("aggregate_posterior: samples = " + std::to_string(samples) + " (allowed 1 or more)");
  Tensor joint({n}, DType::f32), marginals({n, d}, DType::f32);
  kernel::aggregate_posterior_forward(current_context(), input, codes, samples, params, joint, marginals);
  const auto backward = [=](const Tensor& djoint, const Tensor& dmarginals) {
    Tensor dz(codes.shape(), codes.dtype()), dstatistics(input.shape(), input.dtype());
    const auto given = [](const Tensor& gradient, const Tensor& result) {
      return gradient.defined() ? gradient : Tensor::zeros(result.shape(), DType::f32);
    };
    kernel::aggregate_posterior_backward(current_context(), given(djoint, joint),
                                         given(dmarginals, marginals), input, codes, joint, marginals,
                                         samples, params, dz, dstatistics);
    add_gradient(z, dz);
    add_gradient(statistics, dstatistics);
  };
  const auto [first, second] = two_results(joint, marginals, {statistics, z}, input, backward);
  return {first, second};
}

Tensor permute_columns(const Tensor& x, const StepState* state, std::uint32_t stream) {
  const Tensor input = x.contiguous();
  if (input.rank() != 2)
    throw ContractError("permute_columns: x " + to_string(input.shape()) + " (allowed (n, d))");
  Tensor y(input.shape(), input.dtype());
  kernel::permute_columns(current_context(), input, state, stream, y);
  return y;
}

}  // namespace chorale::autograd

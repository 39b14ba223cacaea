// SPDX-License-Identifier: MIT
#include "models/vae.h"

#include <algorithm>
#include <cmath>

#include "models/convolutional.h"
#include "models/discriminator.h"
#include "models/fully_connected.h"
#include "models/streams.h"

namespace chorale::models {

using autograd::Initializer;
using autograd::Var;

std::unique_ptr<Network> make_network(const NetworkOptions& options, autograd::ParameterStore& parameters) {
  if (options.latent_dim < 1)
    throw UsageError("model.latent_dim: out of range: " + std::to_string(options.latent_dim) +
                     " (allowed 1 or more)");
  if (options.backbone == Backbone::fully_connected)
    return std::make_unique<FullyConnected>(options, parameters);
  return std::make_unique<Convolutional>(options, parameters);
}

Vae::Vae(VaeOptions options) : options_(std::move(options)) {
  NetworkOptions& network = options_.network;
  if (network.backbone != Backbone::fully_connected)
    network.input_dim = network.image.height * network.image.width;
  network_ = make_network(network, parameters_);
  if (const std::int64_t k = options_.components; k > 0) {
    const auto add = [&](const char* name, Shape shape, Initializer initializer) {
      return parameters_.add({.name = name,
                              .shape = std::move(shape),
                              .initializer = initializer,
                              .low = false,
                              .rate_scale = options_.mixture_rate,
                              .decay = false});
    };
    pi_logits_ = add("pi_logits", {k}, Initializer::zeros);
    component_means_ = add("mu_c", {k, network.latent_dim}, Initializer::normal);
    component_log_variances_ = add("logvar_c", {k, network.latent_dim}, Initializer::zeros);
  }
  if (options_.disentanglement == Disentanglement::factor)
    discriminator_ = std::make_unique<Discriminator>(network.latent_dim);
}

Vae::~Vae() = default;

void Vae::allocate(const autograd::ParameterStore::Layout& layout, std::uint64_t seed) {
  layout_ = layout;
  parameters_.allocate(layout, seed);
  network_->allocate(layout.precision.compute);
  if (discriminator_) discriminator_->allocate(layout.training, seed);
}

Vae::Latent Vae::latent(const Var& statistics, const StepState* state, bool sample) {
  GaussianLatentParams params = options_.latent;
  params.sample = params.sample && sample;
  if (options_.components == 0) {
    const auto gaussian = autograd::gaussian_latent(statistics, state, stream::latent, params);
    return {gaussian.z, gaussian.kl};
  }
  const auto mixture =
      autograd::mixture_latent(statistics, parameters_.var(pi_logits_), parameters_.var(component_means_),
                               parameters_.var(component_log_variances_), state, stream::latent, params);
  return {mixture.z, autograd::mean(mixture.kl)};
}

Objective Vae::build(const Batch& batch, const autograd::TrainState& state, bool training) {
  network_->set_training(training);
  const StepState* step = state.device();
  const Var statistics = network_->encode(batch, step);
  const auto [z, kl] = latent(statistics, step, training);
  const Var nll = network_->reconstruct(z, batch, step);

  Objective objective;
  objective.reconstruction = autograd::mean(nll);
  objective.kl = autograd::sum(kl);
  Var penalty = objective.kl;
  if (options_.free_bits > 0) {
    const Var floor(Tensor::full({1}, options_.free_bits));
    penalty = autograd::sum(autograd::maximum(kl, floor));
  }
  if (options_.reduction == Reduction::mean) {
    const float bins = static_cast<float>(batch.x.dim(1)),
                latents = static_cast<float>(options_.network.latent_dim);
    objective.reconstruction = autograd::scale(objective.reconstruction, 1.0f / bins);
    objective.kl = autograd::scale(objective.kl, 1.0f / latents);
    penalty = autograd::scale(penalty, 1.0f / latents);
  }
  if (options_.kl_capacity) penalty = autograd::abs(autograd::sub(penalty, Var(state.kl_capacity())));
  objective.loss = autograd::add(objective.reconstruction, autograd::scale_by(penalty, state.kl_weight()));
  if (!training || options_.disentanglement == Disentanglement::none) return objective;

  // KL = index-code mutual information + total correlation + dimension-wise KL; the correlation weighs more.
  Var correlation;
  if (options_.disentanglement == Disentanglement::total_correlation) {
    const auto density = autograd::aggregate_posterior(statistics, z, options_.samples, options_.latent);
    correlation = autograd::sub(
        autograd::mean(density.joint),
        autograd::scale(autograd::sum(density.marginals), 1.0f / static_cast<float>(batch.x.dim(0))));
  } else {
    correlation = discriminator_->total_correlation(z);
  }
  correlation = autograd::scale(correlation, options_.tc_weight);
  objective.loss = autograd::add(objective.loss, autograd::scale_by(correlation, state.kl_weight()));
  return objective;
}

Objective Vae::objective(const Batch& batch, const autograd::TrainState& state) {
  return build(batch, state, true);
}

Objective Vae::evaluate(const Batch& batch, const autograd::TrainState& state) {
  const autograd::NoGradScope no_gradient;
  return build(batch, state, false);
}

Tensor Vae::encode(const Batch& batch) {
  const autograd::NoGradScope no_gradient;
  network_->set_training(false);
  return network_->encode(batch, nullptr)
      .value()
      .slice(1, 0, options_.network.latent_dim)
      .contiguous()
      .to(DType::f32);
}

Tensor Vae::decode(const Tensor& z, const Tensor& labels) {
  const autograd::NoGradScope no_gradient;
  network_->set_training(false);
  return network_->decode(Var(z.to(layout_.precision.compute)), labels, nullptr).value().to(DType::f32);
}

void Vae::set_mixture(const std::vector<double>& weights, const std::vector<double>& means,
                      const std::vector<double>& variances) {
  std::vector<float> logits, centers(means.begin(), means.end()), log_variances;
  for (double w : weights) logits.push_back(static_cast<float>(std::log(std::max(w, 1e-10))));
  for (double v : variances)
    log_variances.push_back(std::clamp(static_cast<float>(std::log(v)), options_.latent.log_variance_min,
                                       options_.latent.log_variance_max));
  Mixture prior = mixture();
  prior.logits.upload(logits.data(), DType::f32);
  prior.means.upload(centers.data(), DType::f32);
  prior.log_variances.upload(log_variances.data(), DType::f32);
}

Tensor Vae::responsibilities(const Batch& batch) {
  const autograd::NoGradScope no_gradient;
  network_->set_training(false);
  GaussianLatentParams at_mean = options_.latent;
  at_mean.sample = false;
  const Mixture prior = mixture();
  return autograd::mixture_latent(network_->encode(batch, nullptr), Var(prior.logits), Var(prior.means),
                                  Var(prior.log_variances), nullptr, stream::latent, at_mean)
      .responsibilities;
}

Vae::Mixture Vae::mixture() {
  if (options_.components == 0) throw ContractError("vae: a standard normal prior has no components");
  return {parameters_.var(pi_logits_).value(), parameters_.var(component_means_).value(),
          parameters_.var(component_log_variances_).value()};
}

}  // namespace chorale::models

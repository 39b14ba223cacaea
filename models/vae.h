// SPDX-License-Identifier: MIT
// The variational autoencoders: a network (models/network.h), a prior and an objective.
//
//   basic         fully connected, N(0, 1)                    Kingma and Welling, ICLR 2014
//   conv          convolutions
//   beta          conv with a KL weight                       Higgins et al., ICLR 2017; Burgess et al. 2018
//   cvae          conv with a condition                       Sohn et al., NeurIPS 2015
//   vade          fully connected, mixture of Gaussians       Jiang et al., IJCAI 2017
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "autograd/train_state.h"
#include "models/network.h"

namespace chorale::models {

/// How the terms of the objective are scaled. `sum`: nats, summed over dimensions (the ELBO). `mean`: the
/// reconstruction averaged over its dimensions and the KL over the latent ones, as the original project does.
enum class Reduction : std::uint8_t { sum, mean };

/// A penalty on the total correlation of the aggregate posterior, beside the KL.
enum class Disentanglement : std::uint8_t {
  none,
  total_correlation,  ///< by minibatch weights: beta-TCVAE (Chen et al., NeurIPS 2018)
  factor,             ///< by a discriminator: FactorVAE (Kim and Mnih, ICML 2018)
};

struct VaeOptions {
  NetworkOptions network;
  Reduction reduction = Reduction::sum;
  GaussianLatentParams latent;
  float free_bits = 0;          ///< nats per dimension below which the KL is not pushed (Kingma et al. 2016)
  bool kl_capacity = false;     ///< the KL term is weight * |KL - capacity| (Burgess et al. 2018)
  std::int64_t components = 0;  ///< of the mixture prior; 0: the standard normal
  float mixture_rate = 0.1f;    ///< factor of the learning rate for the mixture's parameters
  Disentanglement disentanglement = Disentanglement::none;
  float tc_weight = 0;  ///< of the total correlation, beside the KL's own weight
  double samples = 1;   ///< training rows, for the estimate of the aggregate posterior
};

/// The objective of one batch, each a Var of one f32 element.
struct Objective {
  autograd::Var loss;            ///< what is minimised: reconstruction + kl_weight * kl + ...
  autograd::Var reconstruction;  ///< negative log-likelihood, mean over the batch
  autograd::Var kl;              ///< unweighted, before free bits and capacity
};

class Discriminator;

class Vae {
 public:
  /// UsageError on options out of range.
  explicit Vae(VaeOptions options);
  ~Vae();
  Vae(const Vae&) = delete;
  Vae& operator=(const Vae&) = delete;

  const VaeOptions& options() const { return options_; }
  autograd::ParameterStore& parameters() { return parameters_; }
  std::vector<NamedBuffer> buffers() const { return network_->buffers(); }
  /// Allocates parameters and buffers on the current device.
  void allocate(const autograd::ParameterStore::Layout& layout, std::uint64_t seed);

  /// Training mode: dropout, batch statistics, a sampled latent. The KL weight and capacity, and all random
  /// numbers, come from `state`.
  Objective objective(const Batch& batch, const autograd::TrainState& state);
  /// Evaluation mode: reconstruction and KL with z = mu and running statistics; no gradient.
  Objective evaluate(const Batch& batch, const autograd::TrainState& state);
  /// Evaluation mode: mu (n, latent_dim), f32.
  Tensor encode(const Batch& batch);
  /// Evaluation mode: the decoder's output (n, input_dim), f32; logits under a Bernoulli likelihood.
  Tensor decode(const Tensor& z, const Tensor& labels = {});

  /// The prior's parameters f32, in the order of a Gaussian mixture's fit: pi logits (k), means and log
  /// variances (k, d). ContractError without a mixture.
  struct Mixture {
    Tensor logits, means, log_variances;
  };
  Mixture mixture();
  /// Starts the prior from a Gaussian mixture fitted to codes: weights (k), means and variances (k, d).
  void set_mixture(const std::vector<double>& weights, const std::vector<double>& means,
                   const std::vector<double>& variances);
  /// p(c | mu) f32 (n, k) under the mixture prior.
  Tensor responsibilities(const Batch& batch);

  /// FactorVAE's second player; null under other objectives.
  Discriminator* discriminator() { return discriminator_.get(); }

 private:
  struct Latent {
    autograd::Var z;
    autograd::Var kl;  ///< f32: (d), a mean over the batch for each dimension, or (1) under a mixture
  };
  Latent latent(const autograd::Var& statistics, const StepState* state, bool sample);
  Objective build(const Batch& batch, const autograd::TrainState& state, bool training);

  VaeOptions options_;
  autograd::ParameterStore::Layout layout_;
  autograd::ParameterStore parameters_;
  std::unique_ptr<Network> network_;
  int pi_logits_ = -1, component_means_ = -1, component_log_variances_ = -1;
  std::unique_ptr<Discriminator> discriminator_;
};

}  // namespace chorale::models

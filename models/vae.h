// SPDX-License-Identifier: MIT
// What every variational autoencoder offers to trainer, checkpoint and evaluation.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "autograd/ops.h"
#include "autograd/parameters.h"
#include "autograd/train_state.h"

namespace chorale::models {

/// How the terms of the objective are scaled. `sum`: nats, summed over dimensions (the ELBO). `mean`: the
/// reconstruction averaged over its dimensions and the KL over the latent ones, as the original project does.
enum class Reduction : std::uint8_t { sum, mean };

struct VaeOptions {
  std::int64_t input_dim = 0;
  std::vector<std::int64_t> hidden = {512, 256, 128};  ///< widths of the encoder; the decoder mirrors them
  std::int64_t latent_dim = 128;
  float dropout = 0.2f;
  LikelihoodParams likelihood;
  Reduction reduction = Reduction::sum;
  GaussianLatentParams latent;
  float free_bits = 0;       ///< nats per dimension below which the KL is not pushed (Kingma et al. 2016)
  bool kl_capacity = false;  ///< the KL term is weight * |KL - capacity| (Burgess et al. 2018)
};

/// A tensor that is state but no parameter (running statistics), by the name PyTorch gives it.
struct NamedBuffer {
  std::string name;
  Tensor value;
};

/// The objective of one batch, each a Var of one f32 element.
struct Objective {
  autograd::Var loss;            ///< what is minimised: reconstruction + kl_weight * kl
  autograd::Var reconstruction;  ///< negative log-likelihood, mean over the batch
  autograd::Var kl;              ///< unweighted, before free bits and capacity
};

class Vae {
 public:
  virtual ~Vae() = default;
  Vae() = default;
  Vae(const Vae&) = delete;
  Vae& operator=(const Vae&) = delete;

  virtual const VaeOptions& options() const = 0;
  autograd::ParameterStore& parameters() { return parameters_; }
  virtual std::vector<NamedBuffer> buffers() = 0;
  /// Allocates parameters and buffers on the current device.
  virtual void allocate(const autograd::ParameterStore::Layout& layout, std::uint64_t seed) = 0;

  /// Training mode: dropout, batch statistics, a sampled latent. x f32 (n, input_dim). The KL weight and
  /// capacity, and all random numbers, come from `state`.
  virtual Objective objective(const Tensor& x, const autograd::TrainState& state) = 0;
  /// Evaluation mode: reconstruction and KL of (n, input_dim) with z = mu and running statistics; no
  /// gradient.
  virtual Objective evaluate(const Tensor& x, const autograd::TrainState& state) = 0;
  /// Evaluation mode: mu (n, latent_dim), f32.
  virtual Tensor encode(const Tensor& x) = 0;
  /// Evaluation mode: the decoder's output (n, input_dim), f32; logits under a Bernoulli likelihood.
  virtual Tensor decode(const Tensor& z) = 0;

 protected:
  autograd::ParameterStore parameters_;
};

/// Joins the two terms under `options`: nll f32 (n), kl f32 (latent_dim).
Objective make_objective(const VaeOptions& options, const autograd::Var& nll, const autograd::Var& kl,
                         const autograd::TrainState& state);

/// "basic"; UsageError on another name.
std::unique_ptr<Vae> make_vae(const std::string& name, const VaeOptions& options);

}  // namespace chorale::models

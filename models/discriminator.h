// SPDX-License-Identifier: MIT
// FactorVAE's discriminator (Kim and Mnih, ICML 2018): tells codes of the aggregate posterior from codes
// whose dimensions were shuffled among the batch; its logit estimates their log density ratio, whose mean is
// the total correlation. Five layers of 1,000 LeakyReLU 0.2 units there; three of 256 here, for codes of some
// tens of dimensions.
#pragma once
#include "autograd/train_state.h"
#include "models/layers.h"

namespace chorale::models {

class Discriminator {
 public:
  explicit Discriminator(std::int64_t latent_dim);

  autograd::ParameterStore& parameters() { return parameters_; }
  void allocate(bool training, std::uint64_t seed);
  /// Mean logit of z f32 (n, d), one element: the estimate of the total correlation. The gradient goes to z
  /// alone. Keeps the codes for objective().
  autograd::Var total_correlation(const autograd::Var& z);
  /// Binary cross-entropy of the codes kept against the same with each dimension shuffled, one element. The
  /// paper takes a second batch for the latter.
  autograd::Var objective(const StepState* state);

 private:
  autograd::Var logits(autograd::Var x, bool learn) const;

  autograd::ParameterStore parameters_;
  std::vector<Linear> layers_;
  Tensor codes_;
};

}  // namespace chorale::models

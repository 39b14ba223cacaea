// SPDX-License-Identifier: MIT
#include "models/vae.h"

#include "models/basic_vae.h"

namespace chorale::models {

using autograd::Var;

Objective make_objective(const VaeOptions& options, const Var& nll, const Var& kl,
                         const autograd::TrainState& state) {
  Objective objective;
  objective.reconstruction = autograd::mean(nll);
  objective.kl = autograd::sum(kl);
  Var penalty = objective.kl;
  if (options.free_bits > 0) {
    const Var floor(Tensor::full({1}, options.free_bits));
    penalty = autograd::sum(autograd::maximum(kl, floor));
  }
  if (options.reduction == Reduction::mean) {
    objective.reconstruction =
        autograd::scale(objective.reconstruction, 1.0f / static_cast<float>(options.input_dim));
    objective.kl = autograd::scale(objective.kl, 1.0f / static_cast<float>(options.latent_dim));
    penalty = autograd::scale(penalty, 1.0f / static_cast<float>(options.latent_dim));
  }
  if (options.kl_capacity) penalty = autograd::abs(autograd::sub(penalty, Var(state.kl_capacity())));
  objective.loss = autograd::add(objective.reconstruction, autograd::scale_by(penalty, state.kl_weight()));
  return objective;
}

std::unique_ptr<Vae> make_vae(const std::string& name, const VaeOptions& options) {
  if (name == "basic") return std::make_unique<BasicVae>(options);
  throw UsageError("--model: unknown model: " + name + " (allowed basic)");
}

}  // namespace chorale::models

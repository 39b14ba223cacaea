// SPDX-License-Identifier: MIT
#include "autograd/optimizer.h"

#include "kernels/launch.h"

namespace chorale::autograd {

void Optimizer::step(const TrainState& state) {
  ExecutionContext& context = current_context();
  parameters_.complete_gradients();
  const Tensor square_sum = state.gradient_square_sum();
  kernel::square_sum(context, parameters_.dense_gradients, square_sum);
  for (const auto& weight : parameters_.factored()) {
    if (!weight.slot->dy.defined())
      throw ContractError("optimizer: a weight that keeps factors received none");
    kernel::outer_square_sum(context, weight.slot->dy, weight.slot->x, square_sum);
  }
  kernel::step_decide(context, state.device(), control_);
  const bool moments = params_.kind != OptimizerKind::sgd;
  for (const ParameterStore::Group& group : parameters_.groups()) {
    OptimizerParams params = params_;
    params.rate_scale = group.rate_scale;
    if (!group.decay) params.weight_decay = 0;
    const auto range = [&](const Tensor& flat) {
      return flat.defined() ? flat.slice(0, group.begin, group.end) : Tensor();
    };
    kernel::optimizer_step(context, state.device(), params, range(parameters_.dense_gradients),
                           range(parameters_.dense_values), range(parameters_.dense_first_moments),
                           moments ? range(parameters_.dense_second_moments) : Tensor(),
                           range(parameters_.dense_shadow));
  }
  for (const auto& weight : parameters_.factored())
    kernel::optimizer_step_outer(context, state.device(), params_, weight.slot->dy, weight.slot->x,
                                 weight.value, weight.first_moment, moments ? weight.second_moment : Tensor(),
                                 weight.shadow);
  parameters_.clear_gradients();
}

}  // namespace chorale::autograd

// SPDX-License-Identifier: MIT
// The training step's bookkeeping on StepState: a few scalars, no parallelism. See kernels.def and
// StepControl.
//
//   norm       = sqrt(gradient_square_sum) / loss_scale
//   multiplier = min(1, max_norm / (norm + 1e-6)) / loss_scale       torch.nn.utils.clip_grad_norm_, then
//   unscale loss_scale : torch.cuda.amp.GradScaler: times backoff on a non-finite gradient, times growth
//   after
//                growth_interval clean steps; never below minimum_scale, never infinite
//   bias_correction_i = 1 - beta_i^step, in f64
#include <algorithm>
#include <cmath>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"

namespace chorale::cpu {
namespace {

/// The schedule's value for this step; past its end the last value stays.
float scheduled(const ConstView& values, std::int64_t step, const char* what) {
  require(values.data && values.dtype == DType::f32 && values.size() > 0, "step_begin", what, values);
  return values.as<float>()[std::clamp<std::int64_t>(step, 0, values.size() - 1)];
}

}  // namespace

void step_begin(Context&, StepState* state, ConstView learning_rates, ConstView kl_weights,
                ConstView kl_capacities) {
  state->learning_rate =
      scheduled(learning_rates, state->step_in_epoch, "learning_rates must be f32, not empty");
  state->kl_weight = scheduled(kl_weights, state->step_in_epoch, "kl_weights must be f32, not empty");
  state->kl_capacity = scheduled(kl_capacities, state->step_in_epoch, "kl_capacities must be f32, not empty");
  state->step_in_epoch += 1;
  state->gradient_square_sum = 0;
}

void micro_batch_end(Context&, StepState* state, std::int64_t rows) {
  state->cursor += rows;
  state->rng_offset += 1;
}

void step_decide(Context&, StepState* state, StepControl control) {
  const double norm = std::sqrt(state->gradient_square_sum) / static_cast<double>(state->loss_scale);
  state->gradient_norm = static_cast<float>(norm);
  if (!std::isfinite(norm)) {
    state->found_inf = 1;
    state->gradient_multiplier = 0;
    state->skipped += 1;
    state->consecutive_skips += 1;
    state->growth_counter = 0;
    if (control.dynamic_loss_scale)
      state->loss_scale = std::max(control.minimum_scale, state->loss_scale * control.backoff_factor);
    return;
  }
  state->found_inf = 0;
  state->consecutive_skips = 0;
  state->step += 1;
  state->bias_correction1 =
      static_cast<float>(1.0 - std::pow(control.beta1, static_cast<double>(state->step)));
  state->bias_correction2 =
      static_cast<float>(1.0 - std::pow(control.beta2, static_cast<double>(state->step)));
  double clip = 1;
  if (control.max_gradient_norm > 0)
    clip = std::min(1.0, static_cast<double>(control.max_gradient_norm) / (norm + 1e-6));
  state->gradient_multiplier = static_cast<float>(clip / static_cast<double>(state->loss_scale));
  if (control.dynamic_loss_scale && ++state->growth_counter >= control.growth_interval) {
    const float grown = state->loss_scale * control.growth_factor;
    if (std::isfinite(grown)) state->loss_scale = grown;
    state->growth_counter = 0;
  }
}

}  // namespace chorale::cpu

// SPDX-License-Identifier: MIT
// What happens to StepState around a training step, read by both compilers.
//
//   norm       = sqrt(gradient_square_sum) / loss_scale
//   multiplier = min(1, max_norm / (norm + 1e-6)) / loss_scale        torch.nn.utils.clip_grad_norm_, then
//   unscale loss_scale : torch.cuda.amp.GradScaler: times backoff on a non-finite gradient, times growth
//   after growth_interval
//                clean steps; never below minimum_scale, never infinite
//   bias_correction_i = 1 - beta_i^step, in f64
#pragma once
#include <cmath>

#include "kernels/macros.h"
#include "kernels/params.h"

namespace chorale::step_rules {

/// A table of one f32 value a step; past its end the last value stays.
struct Schedule {
  const float* values;
  std::int64_t size;
  CHORALE_HD float at(std::int64_t step) const {
    return values[step < 0 ? 0 : step < size ? step : size - 1];
  }
};

CHORALE_HD inline void begin(StepState& state, const Schedule& learning_rate, const Schedule& kl_weight,
                             const Schedule& kl_capacity) {
  state.learning_rate = learning_rate.at(state.step_in_epoch);
  state.kl_weight = kl_weight.at(state.step_in_epoch);
  state.kl_capacity = kl_capacity.at(state.step_in_epoch);
  state.step_in_epoch += 1;
  state.gradient_square_sum = 0;
}

CHORALE_HD inline void end_micro_batch(StepState& state, std::int64_t rows) {
  state.cursor += rows;
  state.rng_offset += 1;
}

CHORALE_HD inline void skip(StepState& state, const StepControl& control) {
  state.found_inf = 1;
  state.gradient_multiplier = 0;
  state.skipped += 1;
  state.consecutive_skips += 1;
  state.growth_counter = 0;
  if (!control.dynamic_loss_scale) return;
  const float lower = state.loss_scale * control.backoff_factor;
  state.loss_scale = lower > control.minimum_scale ? lower : control.minimum_scale;
}

CHORALE_HD inline void decide(StepState& state, const StepControl& control) {
  const double scale = static_cast<double>(state.loss_scale);
  const double norm = ::sqrt(state.gradient_square_sum) / scale;
  state.gradient_norm = static_cast<float>(norm);
  if (!(norm < HUGE_VAL)) return skip(state, control);  // infinite or NaN
  state.found_inf = 0;
  state.consecutive_skips = 0;
  state.step += 1;
  const auto step = static_cast<double>(state.step);
  state.bias_correction1 = static_cast<float>(1.0 - ::pow(static_cast<double>(control.beta1), step));
  state.bias_correction2 = static_cast<float>(1.0 - ::pow(static_cast<double>(control.beta2), step));
  double clip =
      control.max_gradient_norm > 0 ? static_cast<double>(control.max_gradient_norm) / (norm + 1e-6) : 1.0;
  if (clip > 1) clip = 1;
  state.gradient_multiplier = static_cast<float>(clip / scale);
  if (!control.dynamic_loss_scale || ++state.growth_counter < control.growth_interval) return;
  const float grown = state.loss_scale * control.growth_factor;
  if (grown < HUGE_VALF) state.loss_scale = grown;
  state.growth_counter = 0;
}

}  // namespace chorale::step_rules

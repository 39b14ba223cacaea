// SPDX-License-Identifier: MIT
// The training step's bookkeeping on StepState, by one thread on the device: nothing of it returns to the
// host, so that a step can be captured and replayed.
//
//   norm       = sqrt(gradient_square_sum) / loss_scale
//   multiplier = min(1, max_norm / (norm + 1e-6)) / loss_scale       torch.nn.utils.clip_grad_norm_, then
//   unscale loss_scale : torch.cuda.amp.GradScaler: times backoff on a non-finite gradient, times growth
//   after
//                growth_interval clean steps; never below minimum_scale, never infinite
//   bias_correction_i = 1 - beta_i^step, in f64
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/launch.cuh"

namespace chorale::cuda {
namespace {

/// The schedule's value for this step; past its end the last value stays.
struct Schedule {
  const float* values;
  std::int64_t size;
  __device__ float at(std::int64_t step) const {
    const std::int64_t i = step < 0 ? 0 : step < size ? step : size - 1;
    return values[i];
  }
};

__global__ void begin_kernel(StepState* state, Schedule learning_rate, Schedule kl_weight,
                             Schedule kl_capacity) {
  const std::int64_t step = state->step_in_epoch;
  state->learning_rate = learning_rate.at(step);
  state->kl_weight = kl_weight.at(step);
  state->kl_capacity = kl_capacity.at(step);
  state->step_in_epoch = step + 1;
  state->gradient_square_sum = 0;
}

__global__ void micro_batch_end_kernel(StepState* state, std::int64_t rows) {
  state->cursor += rows;
  state->rng_offset += 1;
}

__device__ inline bool finite(double x) { return fabs(x) < static_cast<double>(INFINITY); }

__global__ void decide_kernel(StepState* state, StepControl control) {
  const double scale = static_cast<double>(state->loss_scale);
  const double norm = sqrt(state->gradient_square_sum) / scale;
  state->gradient_norm = static_cast<float>(norm);
  if (!finite(norm)) {
    state->found_inf = 1;
    state->gradient_multiplier = 0;
    state->skipped += 1;
    state->consecutive_skips += 1;
    state->growth_counter = 0;
    if (control.dynamic_loss_scale)
      state->loss_scale = fmaxf(control.minimum_scale, state->loss_scale * control.backoff_factor);
    return;
  }
  state->found_inf = 0;
  state->consecutive_skips = 0;
  const std::int64_t step = ++state->step;
  state->bias_correction1 =
      static_cast<float>(1.0 - pow(static_cast<double>(control.beta1), static_cast<double>(step)));
  state->bias_correction2 =
      static_cast<float>(1.0 - pow(static_cast<double>(control.beta2), static_cast<double>(step)));
  double clip = 1;
  if (control.max_gradient_norm > 0)
    clip = fmin(1.0, static_cast<double>(control.max_gradient_norm) / (norm + 1e-6));
  state->gradient_multiplier = static_cast<float>(clip / scale);
  if (control.dynamic_loss_scale && ++state->growth_counter >= control.growth_interval) {
    const float grown = state->loss_scale * control.growth_factor;
    if (grown < INFINITY) state->loss_scale = grown;
    state->growth_counter = 0;
  }
}

Schedule schedule(const ConstView& values, const char* argument) {
  require_dtype(values, DType::f32, "step_begin", argument);
  require(values && values.size() > 0, "step_begin", "a schedule is empty");
  return {values.as<float>(), values.size()};
}

}  // namespace

void step_begin(Context& context, StepState* state, ConstView learning_rates, ConstView kl_weights,
                ConstView kl_capacities) {
  LAUNCH((begin_kernel), 1, 1, 0, context.stream, state, schedule(learning_rates, "learning_rates"),
         schedule(kl_weights, "kl_weights"), schedule(kl_capacities, "kl_capacities"));
}

void micro_batch_end(Context& context, StepState* state, std::int64_t rows) {
  LAUNCH((micro_batch_end_kernel), 1, 1, 0, context.stream, state, rows);
}

void step_decide(Context& context, StepState* state, StepControl control) {
  LAUNCH((decide_kernel), 1, 1, 0, context.stream, state, control);
}

}  // namespace chorale::cuda

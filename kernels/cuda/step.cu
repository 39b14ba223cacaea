// SPDX-License-Identifier: MIT
// The training step's bookkeeping on StepState, by one thread on the device: nothing of it returns to the
// host, so that a step can be captured and replayed. The rules are kernels/step_rules.h.
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/step_rules.h"

namespace chorale::cuda {
namespace {

using step_rules::Schedule;

__global__ void begin_kernel(StepState* state, Schedule learning_rate, Schedule kl_weight,
                             Schedule kl_capacity) {
  step_rules::begin(*state, learning_rate, kl_weight, kl_capacity);
}

__global__ void micro_batch_end_kernel(StepState* state, std::int64_t rows) {
  step_rules::end_micro_batch(*state, rows);
}

__global__ void decide_kernel(StepState* state, StepControl control) { step_rules::decide(*state, control); }

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

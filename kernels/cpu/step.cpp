// SPDX-License-Identifier: MIT
// The training step's bookkeeping on StepState: a few scalars, no parallelism. The rules are
// kernels/step_rules.h.
#include "kernels/step_rules.h"

#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"

namespace chorale::cpu {
namespace {

step_rules::Schedule schedule(const ConstView& values, const char* what) {
  require(values.data && values.dtype == DType::f32 && values.size() > 0, "step_begin", what, values);
  return {values.as<float>(), values.size()};
}

}  // namespace

void step_begin(Context&, StepState* state, ConstView learning_rates, ConstView kl_weights,
                ConstView kl_capacities) {
  step_rules::begin(*state, schedule(learning_rates, "learning_rates must be f32, not empty"),
                    schedule(kl_weights, "kl_weights must be f32, not empty"),
                    schedule(kl_capacities, "kl_capacities must be f32, not empty"));
}

void micro_batch_end(Context&, StepState* state, std::int64_t rows) {
  step_rules::end_micro_batch(*state, rows);
}

void step_decide(Context&, StepState* state, StepControl control) { step_rules::decide(*state, control); }

}  // namespace chorale::cpu

// SPDX-License-Identifier: MIT
// AdamW, Adam and SGD over a ParameterStore with unscaling, the all-finite check, clipping by the global norm
// and the loss-scale update, all decided on the device (kernel rows step_decide, optimizer_step,
// optimizer_step_outer).
#pragma once
#include "autograd/parameters.h"
#include "autograd/train_state.h"

namespace chorale::autograd {

class Optimizer {
 public:
  Optimizer(ParameterStore& parameters, OptimizerParams params, StepControl control)
      : parameters_(parameters), params_(params), control_(control) {}

  /// Consumes the gradients of the step: norm, decision, update. Reads nothing back.
  void step(const TrainState& state);

 private:
  ParameterStore& parameters_;
  OptimizerParams params_;
  StepControl control_;
};

}  // namespace chorale::autograd

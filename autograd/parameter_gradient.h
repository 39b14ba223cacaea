// SPDX-License-Identifier: MIT
// Where the backward closures of layers put the gradients of parameters.
#pragma once
#include "autograd/var.h"

namespace chorale::autograd {

/// Where the gradient of a parameter goes: its slot's dense tensor, or a fresh one that is added to the node
/// afterwards.
struct Target {
  Tensor tensor;
  float beta = 0.0f;  ///< what is in `tensor` already counts that much
  bool into_slot = false;
};

inline Target target_of(const Var& parameter) {
  if (GradientSlot* slot = parameter.slot()) return {slot->dense, slot->written ? 1.0f : 0.0f, true};
  return {Tensor(parameter.shape(), parameter.value().dtype()), 0.0f, false};
}

inline void finish(const Var& parameter, const Target& target) {
  if (target.into_slot)
    parameter.slot()->written = true;
  else
    add_gradient(parameter, target.tensor);
}

}  // namespace chorale::autograd

// SPDX-License-Identifier: MIT
// The device's StepState block: step count, learning rate, KL weight, loss scale, found-inf flag, RNG offset.
#pragma once
#include <cstddef>

#include "kernels/params.h"
#include "tensor/tensor.h"

namespace chorale::autograd {

class TrainState {
 public:
  /// On the current context's device.
  explicit TrainState(const StepState& initial = {});

  StepState* device() const { return reinterpret_cast<StepState*>(block_.raw()); }
  StepState read() const;  ///< synchronises
  void write(const StepState& state);

  // One-element f32 and f64 tensors that alias fields of the block.
  Tensor learning_rate() const { return field(offsetof(StepState, learning_rate), DType::f32); }
  Tensor kl_weight() const { return field(offsetof(StepState, kl_weight), DType::f32); }
  Tensor kl_capacity() const { return field(offsetof(StepState, kl_capacity), DType::f32); }
  Tensor loss_scale() const { return field(offsetof(StepState, loss_scale), DType::f32); }
  Tensor gradient_square_sum() const { return field(offsetof(StepState, gradient_square_sum), DType::f64); }

 private:
  Tensor field(std::size_t offset, DType dtype) const;
  Tensor block_;
};

}  // namespace chorale::autograd

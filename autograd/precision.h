// SPDX-License-Identifier: MIT
// Mixed precision as a value that is passed, never ambient (Micikevicius et al., ICLR 2018): f32 masters, a
// 16-bit shadow of the parameters of `low` layers, 16-bit activations, f32 statistics and losses.
#pragma once
#include <string_view>

#include "tensor/device.h"

namespace chorale::autograd {

struct Precision {
  DType compute = DType::f32;  ///< storage of weights as layers see them, of activations and their gradients
  bool dynamic_loss_scale = false;  ///< f16 needs it for its narrow exponent
  float initial_loss_scale = 1.0f;

  bool mixed() const { return compute != DType::f32; }
  std::string_view name() const;  ///< "fp32", "fp16" or "bf16"
};

/// From `--precision`: fp32, fp16, bf16, or auto: fp16 on CUDA, bf16 on a CPU with bf16 products, else fp32.
/// UsageError on another word.
Precision make_precision(std::string_view option, const ExecutionContext& context);

}  // namespace chorale::autograd

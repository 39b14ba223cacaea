// SPDX-License-Identifier: MIT
#include "kernels/cpu/kernels.h"
#include "kernels/error.h"

namespace chorale::cpu {
void conv2d_forward(Context &, ConstView, ConstView, ConstView, ConvolutionParams, View) { throw ContractError("conv2d_forward: pending"); }
void conv2d_backward_input(Context &, ConstView, ConstView, ConstView, ConvolutionParams, View) { throw ContractError("conv2d_backward_input: pending"); }
void conv2d_backward_weight(Context &, ConstView, ConstView, ConvolutionParams, View, View, float) { throw ContractError("conv2d_backward_weight: pending"); }
}  // namespace chorale::cpu

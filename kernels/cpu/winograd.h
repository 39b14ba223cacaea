// SPDX-License-Identifier: MIT
// Convolutions with 2.25 times fewer products (winograd_transforms.h) for the sizes that winograd::applies
// names.
#pragma once
#include "kernels/cpu/convolution.h"

namespace chorale::cpu::winograd {

/// Whether kernel, stride and channels are such that these functions apply.
bool applies(const convolution::Sizes& sizes);

void forward(Context& context, const convolution::Sizes& sizes, const ConstView& x, const ConstView& w,
             const float* bias, const View& y);
void backward_input(Context& context, const convolution::Sizes& sizes, const ConstView& dy,
                    const ConstView& w, const float* bias, const View& dx);
void backward_weight(Context& context, const convolution::Sizes& sizes, const ConstView& dy,
                     const ConstView& x, const View& dw, float beta);

}  // namespace chorale::cpu::winograd

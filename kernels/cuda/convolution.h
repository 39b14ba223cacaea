// SPDX-License-Identifier: MIT
// The three products of a convolution, and who computes them: cuDNN where it has an algorithm for the shape,
// else the kernel of convolution.cu.
#pragma once
#include "kernels/context.h"
#include "kernels/params.h"
#include "kernels/view.h"

namespace chorale::cuda {

enum class ConvolutionPass : std::uint8_t {
  forward,  ///< result y from image and weight
  input,    ///< result dx from y (dy) and weight
  weight,   ///< result dw from y (dy) and image
};

/// image [n, h, w, c], weight [o, kh, kw, c], y [n, oh, ow, o].
struct ConvolutionShape {
  std::int64_t n, h, w, c, oh, ow, o, kh, kw;
  ConvolutionParams params;
  DType dtype;  ///< f32, f16 or bf16, of all three
};

/// Runs the pass with cuDNN, f32 sums, overwriting the result; false if cuDNN has no deterministic algorithm
/// for it. The fastest one is measured when a shape is first seen on this kind of device, and remembered on
/// disk.
bool library_convolution(Context& context, ConvolutionPass pass, const ConvolutionShape& shape,
                         const void* image, const void* weight, const void* y, void* result);

}  // namespace chorale::cuda

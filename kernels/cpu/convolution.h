// SPDX-License-Identifier: MIT
// The sizes of a convolution, and the ways to compute it. convolution.cpp checks arguments and chooses a way.
//
//   y[n, i, j, o] = sum over a, b, c of x[n, i sh + a - ph, j sw + b - pw, c] w[o, a, b, c] + bias[o]
#pragma once
#include <algorithm>
#include <cstdint>

#include "kernels/context.h"
#include "kernels/params.h"
#include "kernels/view.h"

namespace chorale::cpu::convolution {

/// Of one call.
struct Sizes {
  std::int64_t images;
  std::int64_t height, width, channels;      ///< of x
  std::int64_t out_height, out_width, outs;  ///< of y
  std::int64_t kernel_height, kernel_width;
  std::int64_t stride_height, stride_width;
  std::int64_t padding_height, padding_width;

  std::int64_t taps() const { return kernel_height * kernel_width; }
  std::int64_t pixels() const { return images * height * width; }
  std::int64_t out_pixels() const { return images * out_height * out_width; }
  std::int64_t products() const { return out_pixels() * outs * taps() * channels; }
};

/// Any kernel, stride, padding and storage type: products of gathered patches.
void gather_forward(Context& context, const Sizes& sizes, const ConstView& x, const ConstView& w,
                    const float* bias, const View& y);
void gather_backward_input(Context& context, const Sizes& sizes, const ConstView& dy, const ConstView& w,
                           const float* bias, const View& dx);
void gather_backward_weight(Context& context, const Sizes& sizes, const ConstView& dy, const ConstView& x,
                            const View& dw, float beta);
/// Images of few channels.
bool is_narrow(const Sizes& sizes);
void narrow_forward(Context& context, const Sizes& sizes, const ConstView& x, const ConstView& w,
                    const float* bias, const View& y);
void narrow_backward_input(Context& context, const Sizes& sizes, const ConstView& dy, const ConstView& w,
                           const float* bias, const View& dx);
void narrow_backward_weight(Context& context, const Sizes& sizes, const ConstView& dy, const ConstView& x,
                            const View& dw, float beta);

/// dw <- beta dw + the sum over groups of partials [groups, taps channels, width >= outs], in their order.
/// The sum is left in the first group.
void add_weight_gradient(const Sizes& sizes, float* partials, std::int64_t groups, std::int64_t width,
                         const View& dw, float beta);

}  // namespace chorale::cpu::convolution

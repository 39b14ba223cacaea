// SPDX-License-Identifier: MIT
// The rows of two-dimensional convolutions, NHWC, w [o, a, b, c]:
//
//   forward          y [n, i, j, o] = sum of x [n, p, q, c] w [o, a, b, c] + bias [o]
//   backward_input   dx [n, p, q, c] = sum of dy [n, i, j, o] w [o, a, b, c] + bias [c]
//   backward_weight  dw [o, a, b, c] = beta dw + sum of dy [n, i, j, o] x [n, p, q, c]
//                    dbias [o] = beta dbias + sum of dy; without dw, x is not looked at
//
// with p = i stride_height + a - padding_height, q = j stride_width + b - padding_width.
//
// This file checks the arguments and chooses how to compute; the ways stand in convolution_*.cpp, with their
// essays. Sums are f32 (dbias: f64 over blocks) and in an order that depends on the sizes alone.
#include "kernels/cpu/convolution.h"

#include "kernels/cpu/checks.h"
#include "kernels/cpu/columns.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/winograd.h"

namespace chorale::cpu {
namespace {

using convolution::Sizes;

Sizes check_sizes(const char* kernel, const ConstView& x, const ConstView& w, const ConstView& y,
                  const ConvolutionParams& p) {
  require_storage(kernel, x, w, y);
  require(x.rank == 4 && w.rank == 4 && y.rank == 4, kernel, "images and weights must be of rank 4", x, w, y);
  require(p.stride_height > 0 && p.stride_width > 0 && p.padding_height >= 0 && p.padding_width >= 0, kernel,
          "strides must be positive and paddings not negative", x, w, y);
  const Sizes s{x.shape[0],     x.shape[1],       x.shape[2],     x.shape[3], y.shape[1],
                y.shape[2],     y.shape[3],       w.shape[1],     w.shape[2], p.stride_height,
                p.stride_width, p.padding_height, p.padding_width};
  const std::int64_t rows = s.height + 2 * s.padding_height - s.kernel_height,
                     columns = s.width + 2 * s.padding_width - s.kernel_width;
  require(rows >= 0 && columns >= 0, kernel, "the kernel must fit into the padded image", x, w, y);
  require(y.shape[0] == s.images && s.out_height == rows / s.stride_height + 1 &&
              s.out_width == columns / s.stride_width + 1,
          kernel, "the sizes of the two images do not agree", x, w, y);
  require(w.shape[0] == s.outs && w.shape[3] == s.channels, kernel,
          "weights must be [out, rows, columns, in]", x, w, y);
  return s;
}

enum class Way : std::uint8_t { winograd, narrow, gather };

Way choose(const Sizes& sizes, bool one_type) {
  if (one_type && winograd::applies(sizes)) return Way::winograd;
  return convolution::is_narrow(sizes) ? Way::narrow : Way::gather;
}

/// Storage types are alike.
template <class... Views>
bool one_type(const ConstView& first, const Views&... others) {
  return ((others.dtype == first.dtype) && ...);
}

/// A per-channel argument as f32; null if it was not given.
class Bias {
 public:
  Bias(const char* kernel, Context& context, const ConstView& bias, std::int64_t channels)
      : scratch_(context, bias ? sizeof(float) * static_cast<std::size_t>(channels) : 0) {
    if (!bias) return;
    require(is_storage(bias.dtype) && bias.size() == channels, kernel, "bias must have one value a channel",
            bias);
    gemm::pack({bias.data, bias.dtype, channels, 1}, 0, 0, 1, channels, channels, scratch_.as<float>());
  }
  const float* values() const { return scratch_.as<float>(); }

 private:
  Scratch scratch_;
};

/// dbias = beta dbias + column sums of dy. Few channels are summed as many, several pixels side by side.
void bias_gradient(Context& context, const ConstView& dy, const View& dbias, float beta) {
  const char* kernel = "conv2d_backward_weight";
  const std::int64_t channels = dy.columns(), pixels = dy.rows();
  require_storage(kernel, dbias);
  require(dbias.size() == channels, kernel, "dbias must have one value a channel", dy, dbias);
  std::int64_t side = 1;
  while (2 * side * channels <= chunk && pixels % (2 * side) == 0) side *= 2;
  const std::int64_t columns = side * channels;
  const Scratch scratch(context, sizeof(double) * static_cast<std::size_t>(columns));
  double* const sums = scratch.as<double>();
  column_sums<1>(context, 1, pixels / side, columns, sums,
                 [&](std::int64_t, std::int64_t row, std::int64_t rows, std::int64_t column,
                     std::int64_t count, float(*acc)[chunk]) {
                   alignas(64) float buffer[chunk];
                   const float* const values = load(dy, row * columns + column, rows * count, buffer);
                   for (std::int64_t r = 0; r < rows; ++r)
#pragma omp simd
                     for (std::int64_t i = 0; i < count; ++i) acc[0][i] += values[r * count + i];
                 });
  for (std::int64_t c = 0; c < channels; ++c) {
    double sum = 0;
    for (std::int64_t i = 0; i < side; ++i) sum += sums[i * channels + c];
    if (beta != 0.0f) sum += static_cast<double>(beta) * static_cast<double>(load_one(dbias, c));
    store_one(dbias, c, static_cast<float>(sum));
  }
}

}  // namespace

void conv2d_forward(Context& context, ConstView x, ConstView w, ConstView bias, ConvolutionParams params,
                    View y) {
  const char* kernel = "conv2d_forward";
  const Sizes sizes = check_sizes(kernel, x, w, y, params);
  const Bias offsets(kernel, context, bias, sizes.outs);
  switch (choose(sizes, one_type(x, w, y))) {
    case Way::winograd:
      return winograd::forward(context, sizes, x, w, offsets.values(), y);
    case Way::narrow:
      return convolution::narrow_forward(context, sizes, x, w, offsets.values(), y);
    case Way::gather:
      return convolution::gather_forward(context, sizes, x, w, offsets.values(), y);
  }
}

void conv2d_backward_input(Context& context, ConstView dy, ConstView w, ConstView bias,
                           ConvolutionParams params, View dx) {
  const char* kernel = "conv2d_backward_input";
  const Sizes sizes = check_sizes(kernel, dx, w, dy, params);
  const Bias offsets(kernel, context, bias, sizes.channels);
  switch (choose(sizes, one_type(dx, w, dy))) {
    case Way::winograd:
      return winograd::backward_input(context, sizes, dy, w, offsets.values(), dx);
    case Way::narrow:
      return convolution::narrow_backward_input(context, sizes, dy, w, offsets.values(), dx);
    case Way::gather:
      return convolution::gather_backward_input(context, sizes, dy, w, offsets.values(), dx);
  }
}

void conv2d_backward_weight(Context& context, ConstView dy, ConstView x, ConvolutionParams params, View dw,
                            View dbias, float beta) {
  const char* kernel = "conv2d_backward_weight";
  if (dw) {
    const Sizes sizes = check_sizes(kernel, x, dw, dy, params);
    switch (choose(sizes, one_type(x, dy))) {
      case Way::winograd:
        winograd::backward_weight(context, sizes, dy, x, dw, beta);
        break;
      case Way::narrow:
        convolution::narrow_backward_weight(context, sizes, dy, x, dw, beta);
        break;
      case Way::gather:
        convolution::gather_backward_weight(context, sizes, dy, x, dw, beta);
        break;
    }
  }
  if (dbias) {
    require_storage(kernel, dy);
    bias_gradient(context, dy, dbias, beta);
  }
}

}  // namespace chorale::cpu

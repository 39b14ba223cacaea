// SPDX-License-Identifier: MIT
// Convolutions and transposed convolutions. The reference of either walks every pair of pixels that a kernel
// element joins. Sizes cross the tiles of every way in which the kernels compute: 3 x 3 tiles of results,
// blocks of 16 channels, blocks of pixels.
#include "kernels/launch.h"
#include "tests/harness/op_case.h"

namespace chorale::harness {
namespace {

/// Calls join(x, y, w) with the flat positions of every product x w that y sums up.
template <class Join>
void for_each_product(const Shape& x, const Shape& y, const Shape& w, const ConvolutionParams& p,
                      const Join& join) {
  for (std::int64_t n = 0; n < y[0]; ++n)
    for (std::int64_t i = 0; i < y[1]; ++i)
      for (std::int64_t j = 0; j < y[2]; ++j)
        for (std::int64_t a = 0; a < w[1]; ++a)
          for (std::int64_t b = 0; b < w[2]; ++b) {
            const std::int64_t h = i * p.stride_height + a - p.padding_height,
                               k = j * p.stride_width + b - p.padding_width;
            if (h < 0 || h >= x[1] || k < 0 || k >= x[2]) continue;
            for (std::int64_t o = 0; o < w[0]; ++o)
              for (std::int64_t c = 0; c < w[3]; ++c)
                join(((n * x[1] + h) * x[2] + k) * x[3] + c, ((n * y[1] + i) * y[2] + j) * y[3] + o,
                     ((o * w[1] + a) * w[2] + b) * w[3] + c);
          }
}

struct Layer {
  std::int64_t rows, columns;  ///< of the kernel
  ConvolutionParams params;
  std::int64_t result(std::int64_t size, int axis) const {
    return axis == 0 ? (size + 2 * params.padding_height - rows) / params.stride_height + 1
                     : (size + 2 * params.padding_width - columns) / params.stride_width + 1;
  }
};

constexpr Layer halving{4, 4, {2, 2, 1, 1}}, same{3, 3, {1, 1, 1, 1}}, pointwise{1, 1, {1, 1, 0, 0}},
    uneven{5, 3, {2, 1, 1, 0}}, strided{3, 3, {2, 2, 1, 1}};

/// An image of n x height x width with `channels`, and the channels of the result.
struct Image {
  std::string label;
  std::int64_t n, height, width, channels, outs;
  bool large = false;
};

void add_bias(Array& y, const Array& bias) {
  for (std::int64_t i = 0; i < y.size(); ++i) y[i] += bias[i % bias.size()];
}

double elements(const Input& input) { return static_cast<double>(element_count(input.shape)); }

/// Weights of a size that keeps results of the order of one.
Input weights(const Layer& layer, std::int64_t first, std::int64_t last, std::int64_t summed) {
  const double bound = std::min(1.0, 2.0 / static_cast<double>(1 + summed));
  return {{first, layer.rows, layer.columns, last}, -bound, bound};
}

Variant convolution_inputs(const Layer& layer, const Image& image) {
  return {image.label,
          {{{image.n, image.height, image.width, image.channels}},
           weights(layer, image.outs, image.channels, image.channels),
           {{image.outs}}},
          image.large};
}

OpCase convolution(const std::string& name, const Layer& layer, const std::vector<Image>& images,
                   bool bias = true) {
  OpCase c;
  c.name = name;
  c.rounds_inside = true;  // Winograd's transforms
  for (const Image& image : images) c.variants.push_back(convolution_inputs(layer, image));
  c.run = [=](const Run& run) {
    return std::vector{autograd::conv2d(run.x[0], run.x[1], bias ? run.x[2] : Var(), layer.params)};
  };
  c.reference = [=](const Arrays& x) {
    Array y({x[0].dim(0), layer.result(x[0].dim(1), 0), layer.result(x[0].dim(2), 1), x[1].dim(0)});
    for_each_product(
        x[0].shape, y.shape, x[1].shape, layer.params,
        [&](std::int64_t from, std::int64_t to, std::int64_t w) { y[to] += x[0][from] * x[1][w]; });
    if (bias) add_bias(y, x[2]);
    return Arrays{y};
  };
  c.cost = [=](const std::vector<Input>& x, double bytes) {
    const Shape& s = x[0].shape;
    const auto pixels = static_cast<double>(s[0] * layer.result(s[1], 0) * layer.result(s[2], 1));
    return Cost{2 * pixels * elements(x[1]),
                (elements(x[0]) + elements(x[1]) + pixels * static_cast<double>(x[1].shape[0])) * bytes};
  };
  if (!bias)
    for (Variant& variant : c.variants) variant.inputs.pop_back();
  return c;
}

/// With the label's image as the argument and `extra` more rows and columns of the result than the least.
OpCase transposed(const std::string& name, const Layer& layer, const std::vector<Image>& images,
                  std::int64_t extra = 0, bool bias = true) {
  const auto result = [=](std::int64_t size, int axis) {
    return axis == 0 ? (size - 1) * layer.params.stride_height + layer.rows -
                           2 * layer.params.padding_height + extra
                     : (size - 1) * layer.params.stride_width + layer.columns -
                           2 * layer.params.padding_width + extra;
  };
  OpCase c;
  c.name = name;
  c.rounds_inside = true;  // Winograd's transforms
  for (const Image& image : images)
    c.variants.push_back({image.label,
                          {{{image.n, image.height, image.width, image.channels}},
                           weights(layer, image.channels, image.outs, image.channels),
                           {{image.outs}}},
                          image.large});
  c.run = [=](const Run& run) {
    const Shape& s = run.x[0].shape();
    return std::vector{autograd::conv_transpose2d(run.x[0], run.x[1], bias ? run.x[2] : Var(), layer.params,
                                                  result(s[1], 0), result(s[2], 1))};
  };
  c.reference = [=](const Arrays& x) {
    Array y({x[0].dim(0), result(x[0].dim(1), 0), result(x[0].dim(2), 1), x[1].dim(3)});
    for_each_product(
        y.shape, x[0].shape, x[1].shape, layer.params,
        [&](std::int64_t to, std::int64_t from, std::int64_t w) { y[to] += x[0][from] * x[1][w]; });
    if (bias) add_bias(y, x[2]);
    return Arrays{y};
  };
  c.cost = [=](const std::vector<Input>& x, double bytes) {
    const Shape& s = x[0].shape;
    const auto pixels = static_cast<double>(s[0] * s[1] * s[2]);
    const auto results = static_cast<double>(s[0] * result(s[1], 0) * result(s[2], 1) * x[1].shape[3]);
    return Cost{2 * pixels * elements(x[1]), (elements(x[0]) + elements(x[1]) + results) * bytes};
  };
  if (!bias)
    for (Variant& variant : c.variants) variant.inputs.pop_back();
  return c;
}

/// A layer of the convolutional model: small images in the tests, its own, eight of them, in the benchmark.
OpCase encoder_layer(std::int64_t channels, std::int64_t outs, std::int64_t height, std::int64_t width) {
  const std::string name = "conv2d_" + std::to_string(channels) + "_" + std::to_string(outs);
  OpCase c = convolution(name, halving,
                         {{"small", 1, 4, 4, channels, outs}, {"odd", 2, 3, 7, channels, outs}}, false);
  c.bench = convolution_inputs(halving, {"8x" + std::to_string(height) + "x" + std::to_string(width), 8,
                                         height, width, channels, outs});
  c.bench.inputs.pop_back();
  return c;
}

OpCase decoder_layer(std::int64_t channels, std::int64_t outs, std::int64_t height, std::int64_t width) {
  const std::string name = "conv_transpose2d_" + std::to_string(channels) + "_" + std::to_string(outs);
  OpCase c = transposed(name, halving, {{"small", 1, 3, 4, channels, outs}, {"odd", 2, 3, 1, channels, outs}},
                        0, false);
  c.bench = {"8x" + std::to_string(height) + "x" + std::to_string(width),
             {{{8, height, width, channels}}, weights(halving, channels, outs, channels)}};
  return c;
}

/// Gradients that are added to what is there, in the one call that computes both.
OpCase accumulate() {
  OpCase c;
  c.name = "conv2d_backward_weight";
  c.precision = PrecisionClass::stat;
  c.differentiable = false;
  const auto inputs = [](std::int64_t n, std::int64_t size, std::int64_t channels, std::int64_t outs) {
    return std::vector<Input>{{{n, halving.result(size, 0), halving.result(size, 1), outs}},
                              {{n, size, size, channels}},
                              {{outs, 4, 4, channels}},
                              {{outs}}};
  };
  c.variants = {{"one", inputs(1, 2, 1, 1)}, {"odd", inputs(2, 7, 3, 5)}, {"blocks", inputs(3, 13, 16, 32)}};
  c.run = [](const Run& run) {
    const Tensor dw = run.tensor(2).clone(), dbias = run.tensor(3).clone();
    kernel::conv2d_backward_weight(current_context(), run.tensor(0), run.tensor(1), halving.params, dw, dbias,
                                   -2.0f);
    return std::vector{Var(dw), Var(dbias)};
  };
  c.reference = [](const Arrays& x) {
    Array dw = x[2], dbias = x[3];
    for (double& value : dw.values) value *= -2;
    for (double& value : dbias.values) value *= -2;
    for_each_product(
        x[1].shape, x[0].shape, dw.shape, halving.params,
        [&](std::int64_t from, std::int64_t to, std::int64_t w) { dw[w] += x[1][from] * x[0][to]; });
    for (std::int64_t i = 0; i < x[0].size(); ++i) dbias[i % dbias.size()] += x[0][i];
    return Arrays{dw, dbias};
  };
  return c;
}

}  // namespace

std::vector<OpCase> convolution_cases() {
  OpCase wide = convolution("conv2d_3x3", same,
                            {{"one", 1, 1, 1, 1, 1},
                             {"odd", 2, 5, 7, 3, 5},
                             {"blocks", 1, 6, 9, 33, 16},
                             {"sixteens", 2, 7, 10, 16, 32},
                             {"large", 2, 25, 31, 32, 32, true}});
  wide.bench = convolution_inputs(same, {"8x32x64x64", 8, 32, 64, 64, 64});
  return {convolution("conv2d_1x1", pointwise,
                      {{"one", 1, 1, 1, 1, 1}, {"odd", 2, 5, 3, 33, 17}, {"empty", 0, 4, 4, 3, 2}}),
          wide,
          convolution("conv2d_3x3_stride_2", strided, {{"odd", 2, 5, 7, 3, 5}, {"even", 1, 6, 8, 16, 32}}),
          convolution("conv2d_4x4", halving,
                      {{"one", 1, 2, 2, 1, 1},
                       {"odd", 2, 7, 9, 3, 5},
                       {"empty", 0, 8, 8, 16, 16},
                       {"tile", 1, 6, 6, 16, 16},
                       {"tiles", 3, 13, 27, 32, 16},
                       {"large", 3, 40, 45, 16, 48, true}}),
          convolution("conv2d_5x3", uneven,
                      {{"one", 1, 3, 3, 1, 1}, {"odd", 2, 8, 7, 3, 33}, {"wide", 1, 11, 20, 16, 16}}),
          transposed("conv_transpose2d_4x4", halving,
                     {{"one", 1, 1, 1, 1, 1}, {"odd", 2, 3, 5, 5, 3}, {"tiles", 3, 7, 13, 16, 32}}),
          transposed("conv_transpose2d_4x4_padded", halving,
                     {{"one", 1, 1, 1, 1, 1}, {"odd", 2, 3, 5, 5, 3}, {"tiles", 3, 6, 9, 32, 16}}, 1),
          transposed("conv_transpose2d_3x3_padded", strided,
                     {{"odd", 2, 3, 5, 5, 3}, {"sixteens", 1, 4, 7, 16, 16}}, 1),
          accumulate(),
          encoder_layer(1, 32, 128, 1292),
          encoder_layer(32, 64, 64, 646),
          encoder_layer(64, 128, 32, 323),
          encoder_layer(128, 256, 16, 161),
          decoder_layer(256, 128, 8, 80),
          decoder_layer(128, 64, 16, 160),
          decoder_layer(64, 32, 32, 320),
          decoder_layer(32, 1, 64, 640)};
}

}  // namespace chorale::harness

// SPDX-License-Identifier: MIT
// Pooling, resizing, feature-wise modulation, joined columns and embeddings.
#include <cmath>

#include "kernels/launch.h"
#include "tests/harness/op_case.h"

namespace chorale::harness {
namespace {

double size(const Input& input) { return static_cast<double>(element_count(input.shape)); }

Cost moved_once(double elements, double bytes) { return {2 * elements, elements * bytes}; }

std::int64_t at(const Shape& s, std::int64_t n, std::int64_t row, std::int64_t column, std::int64_t channel) {
  return ((n * s[1] + row) * s[2] + column) * s[3] + channel;
}

using Images = Var (*)(const Var&, std::int64_t, std::int64_t);

/// Images to a fixed height and width. The reference is given for one result pixel: visit(row, column,
/// weight) for what it reads.
template <class Reads>
OpCase resample(const std::string& name, Images op, std::int64_t height, std::int64_t width, Reads reads) {
  OpCase c;
  c.name = name;
  c.precision = PrecisionClass::stat;
  c.variants = {plain("one", {{1, 1, 1, 1}}),          plain("odd", {{2, 5, 7, 3}}),
                plain("row", {{3, 1, 9, 1}}),          plain("packs", {{2, 6, 11, 24}}),
                plain("empty", {{0, 4, 5, 2}}),        plain("channels", {{1, 3, 4, 1100}}),
                plain("large_bins", {{1, 41, 37, 9}}), plain("large", {{3, 64, 81, 12}}, true)};
  c.run = [=](const Run& run) { return std::vector{op(run.x[0], height, width)}; };
  c.reference = [=](const Arrays& x) {
    const Shape& from = x[0].shape;
    Array y({from[0], height, width, from[3]});
    for (std::int64_t n = 0; n < from[0]; ++n)
      for (std::int64_t i = 0; i < height; ++i)
        for (std::int64_t j = 0; j < width; ++j)
          reads(from, i, j, height, width, [&](std::int64_t row, std::int64_t column, double weight) {
            for (std::int64_t channel = 0; channel < from[3]; ++channel)
              y[at(y.shape, n, i, j, channel)] += weight * x[0][at(from, n, row, column, channel)];
          });
    return Arrays{y};
  };
  return c;
}

/// Means over torch.nn.AdaptiveAvgPool2d's bins.
OpCase average_pool(const std::string& name, std::int64_t height, std::int64_t width) {
  OpCase c = resample(name, autograd::average_pool, height, width,
                      [](const Shape& from, std::int64_t i, std::int64_t j, std::int64_t height,
                         std::int64_t width, const auto& visit) {
                        const auto first = [](std::int64_t bin, std::int64_t bins, std::int64_t pixels) {
                          return static_cast<std::int64_t>(
                              std::floor(static_cast<double>(bin * pixels) / static_cast<double>(bins)));
                        };
                        const auto last = [](std::int64_t bin, std::int64_t bins, std::int64_t pixels) {
                          return static_cast<std::int64_t>(
                              std::ceil(static_cast<double>((bin + 1) * pixels) / static_cast<double>(bins)));
                        };
                        const std::int64_t top = first(i, height, from[1]), bottom = last(i, height, from[1]);
                        const std::int64_t left = first(j, width, from[2]), right = last(j, width, from[2]);
                        for (std::int64_t row = top; row < bottom; ++row)
                          for (std::int64_t column = left; column < right; ++column)
                            visit(row, column, 1.0 / static_cast<double>((bottom - top) * (right - left)));
                      });
  c.bench = plain("32x32x323x64", {{32, 32, 323, 64}}, true);
  c.cost = [=](const std::vector<Input>& x, double bytes) {
    return moved_once(size(x[0]) + static_cast<double>(32 * 64 * height * width), bytes);
  };
  return c;
}

/// torch.nn.functional.interpolate(mode="bilinear", align_corners=False).
OpCase resize_bilinear(const std::string& name, std::int64_t height, std::int64_t width, bool measured) {
  OpCase c = resample(name, autograd::resize_bilinear, height, width,
                      [](const Shape& from, std::int64_t i, std::int64_t j, std::int64_t height,
                         std::int64_t width, const auto& visit) {
                        const auto place = [](std::int64_t k, std::int64_t pixels, std::int64_t results) {
                          const double ratio = static_cast<double>(pixels) / static_cast<double>(results);
                          return std::fmax((static_cast<double>(k) + 0.5) * ratio - 0.5, 0.0);
                        };
                        const double y = place(i, from[1], height), x = place(j, from[2], width);
                        const auto top = static_cast<std::int64_t>(y), left = static_cast<std::int64_t>(x);
                        const double v = y - static_cast<double>(top), u = x - static_cast<double>(left);
                        const std::int64_t bottom = std::min(top + 1, from[1] - 1),
                                           right = std::min(left + 1, from[2] - 1);
                        visit(top, left, (1 - v) * (1 - u));
                        visit(top, right, (1 - v) * u);
                        visit(bottom, left, v * (1 - u));
                        visit(bottom, right, v * u);
                      });
  if (measured) {
    c.variants = {plain("one_row", {{1, 1, 1280, 1}}, true)};
    c.bench = plain("32x128x1280x1", {{32, 128, 1280, 1}}, true);
  }
  c.cost = [=](const std::vector<Input>& x, double bytes) {
    return moved_once(size(x[0]) + static_cast<double>(32 * height * width), bytes);
  };
  return c;
}

OpCase film() {
  const auto inputs = [](const Shape& shape) {
    return std::vector<Input>{{shape}, {{shape[0], 2 * shape.back()}}};
  };
  OpCase c;
  c.name = "film";
  c.precision = PrecisionClass::stat;
  c.variants = {{"one", inputs({1, 1})},         {"odd", inputs({3, 5, 3, 7})},
                {"vectors", inputs({9, 13})},    {"packs", inputs({2, 9, 7, 24})},
                {"empty", inputs({0, 3, 4})},    {"wide", inputs({2, 3, 1100})},
                {"pieces", inputs({2, 900, 8})}, {"large", inputs({3, 47, 51, 12}), true}};
  c.run = [](const Run& run) { return std::vector{autograd::film(run.x[0], run.x[1])}; };
  c.reference = [](const Arrays& x) {
    Array y(x[0].shape);
    const std::int64_t channels = y.shape.back(), each = y.size() ? y.size() / y.dim(0) : 1;
    for (std::int64_t i = 0; i < y.size(); ++i) {
      const std::int64_t film = i / each * 2 * channels + i % channels;
      y[i] = x[0][i] * (1 + x[1][film]) + x[1][film + channels];
    }
    return Arrays{y};
  };
  c.bench = {"32x32x323x64", inputs({32, 32, 323, 64}), true};
  c.cost = [](const std::vector<Input>& x, double bytes) { return moved_once(2 * size(x[0]), bytes); };
  return c;
}

OpCase concat() {
  OpCase c;
  c.name = "concat";
  c.exact = true;
  c.variants = {plain("one", {{1, 1}, {1, 1}}),     plain("odd", {{5, 7}, {5, 3}}),
                plain("words", {{9, 16}, {9, 24}}), plain("empty", {{0, 2}, {0, 3}}),
                plain("nothing", {{4, 0}, {4, 3}}), plain("large", {{700, 130}, {700, 65}}, true)};
  c.run = [](const Run& run) { return std::vector{autograd::concat(run.x[0], run.x[1])}; };
  c.reference = [](const Arrays& x) {
    const std::int64_t n = x[0].dim(0), a = x[0].dim(1), b = x[1].dim(1);
    Array y({n, a + b});
    for (std::int64_t r = 0; r < n; ++r) {
      for (std::int64_t i = 0; i < a; ++i) y[r * (a + b) + i] = x[0][r * a + i];
      for (std::int64_t i = 0; i < b; ++i) y[r * (a + b) + a + i] = x[1][r * b + i];
    }
    return Arrays{y};
  };
  c.bench = plain("4096x512", {{4096, 512}, {4096, 512}}, true);
  c.cost = [](const std::vector<Input>& x, double bytes) { return moved_once(4 * size(x[0]), bytes); };
  return c;
}

/// weight [v, d] and indices within it.
std::vector<Input> table(std::int64_t v, std::int64_t d, std::int64_t n) {
  return {{{v, d}}, {{n}, 0, static_cast<double>(v - 1), false, Storage::i64}};
}

OpCase embedding() {
  OpCase c;
  c.name = "embedding";
  c.precision = PrecisionClass::stat;
  c.variants = {{"one", table(1, 1, 1)},
                {"odd", table(5, 7, 9)},
                {"repeated", table(2, 33, 300)},
                {"long", table(3, 1030, 4)},
                {"large", table(700, 65, 900), true}};
  c.run = [](const Run& run) { return std::vector{autograd::embedding(run.x[0], run.tensor(1))}; };
  c.reference = [](const Arrays& x) {
    const std::int64_t d = x[0].dim(1);
    Array y({x[1].dim(0), d});
    for (std::int64_t i = 0; i < y.size(); ++i)
      y[i] = x[0][static_cast<std::int64_t>(x[1][i / d]) * d + i % d];
    return Arrays{y};
  };
  c.bench = {"1000x64/4096", table(1000, 64, 4096), true};
  c.cost = [](const std::vector<Input>& x, double bytes) {
    return moved_once(2 * size(x[1]) * static_cast<double>(x[0].shape[1]), bytes);
  };
  return c;
}

/// What is in dw already counts beta times; indices outside the table are left out. dw f32 and the storage
/// type.
OpCase embedding_gradient() {
  OpCase c;
  c.name = "embedding_gradient";
  c.precision = PrecisionClass::stat;
  c.differentiable = false;
  const auto inputs = [](std::int64_t v, std::int64_t d, std::int64_t n) {
    return std::vector<Input>{{{n, d}}, {{n}, -1, static_cast<double>(v), false, Storage::i64}, {{v, d}}};
  };
  c.variants = {{"odd", inputs(5, 7, 19)}, {"rows", inputs(3, 4, 600)}, {"empty", inputs(4, 3, 0)}};
  c.run = [](const Run& run) {
    Tensor wide = run.tensor(2).to(DType::f32).clone(), same = run.tensor(2).clone();
    kernel::embedding_backward(current_context(), run.tensor(0), run.tensor(1), wide, 0.5f);
    kernel::embedding_backward(current_context(), run.tensor(0), run.tensor(1), same, 0.0f);
    return std::vector{Var(wide), Var(same)};
  };
  c.reference = [](const Arrays& x) {
    const std::int64_t v = x[2].dim(0), d = x[2].dim(1);
    Array fresh({v, d});
    for (std::int64_t r = 0; r < x[1].size(); ++r)
      if (x[1][r] >= 0 && x[1][r] < static_cast<double>(v))
        for (std::int64_t i = 0; i < d; ++i)
          fresh[static_cast<std::int64_t>(x[1][r]) * d + i] += x[0][r * d + i];
    Array added = fresh;
    for (std::int64_t i = 0; i < added.size(); ++i) added[i] += 0.5 * x[2][i];
    return Arrays{added, fresh};
  };
  return c;
}

}  // namespace

std::vector<OpCase> image_cases() {
  return {average_pool("average_pool_global", 1, 1),
          average_pool("average_pool", 4, 3),
          average_pool("average_pool_more_bins", 9, 40),
          resize_bilinear("resize_bilinear_larger", 11, 17, false),
          resize_bilinear("resize_bilinear_smaller", 3, 4, false),
          resize_bilinear("resize_bilinear_much_larger", 2, 230, false),
          resize_bilinear("resize_bilinear", 128, 1292, true),
          film(),
          concat(),
          embedding(),
          embedding_gradient()};
}

}  // namespace chorale::harness

// SPDX-License-Identifier: MIT
// Batch and group normalisation with activation and dropout, and softmax.
#include <cmath>

#include "kernels/launch.h"
#include "tests/cases/philox_reference.h"
#include "tests/harness/op_case.h"

namespace chorale::harness {
namespace {

double size(const Input& input) { return static_cast<double>(element_count(input.shape)); }

constexpr float slope = 0.2f, momentum = 0.1f, epsilon = 1e-5f;
constexpr std::uint32_t stream = 23;

/// x of any shape whose last dimension are the channels, gamma, beta, running mean and variance.
std::vector<Input> batch(const Shape& shape) {
  const std::int64_t channels = shape.back();
  return {{shape, -1, 3},
          {{channels}, 0.5, 1.5, true, Storage::f32},
          {{channels}, -1, 1, true, Storage::f32},
          {{channels}, -1, 1, false, Storage::f32},
          {{channels}, 0.5, 2, false, Storage::f32}};
}

double activate(Activation activation, double x) {
  switch (activation) {
    case Activation::relu:
      return x > 0 ? x : 0;
    case Activation::leaky_relu:
      return x > 0 ? x : static_cast<double>(slope) * x;
    case Activation::tanh:
      return std::tanh(x);
    case Activation::gelu:
      return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
    default:
      return x;
  }
}

/// How a case drops: not at all, every element for itself, or a sample's channels as a whole.
enum class Drop { nothing, elements, channels };

ChannelDropout dropout_of(Drop drop, const Shape& shape) {
  if (drop == Drop::nothing) return {};
  return {0.3f, stream, drop == Drop::elements ? 1 : shape[1] * shape[2]};
}

/// What dropout multiplies element i of x with.
double factor_of(const ChannelDropout& dropout, std::int64_t i, std::int64_t channels) {
  if (dropout.p == 0) return 1;
  const double p = static_cast<double>(dropout.p);
  const std::int64_t sample = i / channels / dropout.rows_per_sample;
  return reference_uniform(case_state(), stream, sample * channels + i % channels) < p ? 0 : 1 / (1 - p);
}

/// Outputs y, running mean, running variance.
OpCase batch_norm(const std::string& name, Activation activation, Drop drop = Drop::nothing) {
  OpCase c;
  c.name = name;
  c.precision = PrecisionClass::stat;
  // With few rows xhat is +-1 whatever x is, and the gradient is a difference of equal numbers.
  c.variants = {{"odd", batch({9, 7})},          {"tile", batch({33, 65})},
                {"tall", batch({150, 3})},       {"wide", batch({6, 1100})},
                {"image", batch({3, 5, 7, 24})}, {"large", batch({2100, 33}), true}};
  if (drop == Drop::channels)
    c.variants = {{"one_channel", batch({4, 3, 5, 1})},
                  {"odd", batch({3, 5, 3, 7})},
                  {"packs", batch({9, 4, 3, 24})},
                  {"wide", batch({3, 2, 3, 1100})},
                  {"large", batch({5, 40, 33, 8}), true}};
  if (activation == Activation::none && drop == Drop::nothing) {
    c.variants.push_back({"one_row", batch({1, 5})});
    c.variants.back().inputs[0].gradient = false;
  }
  c.run = [=](const Run& run) {
    autograd::BatchNormState state{run.tensor(3).clone(), run.tensor(4).clone(), momentum, epsilon, true};
    Var y = autograd::batch_norm(run.x[0], run.x[1], run.x[2], state, activation, slope,
                                 dropout_of(drop, run.x[0].shape()), run.state);
    return std::vector{y, Var(state.running_mean), Var(state.running_variance)};
  };
  c.reference = [=](const Arrays& x) {
    const std::int64_t channels = x[0].shape.back(), n = x[0].size() / channels;
    const ChannelDropout dropout = dropout_of(drop, x[0].shape);
    Arrays results{Array(x[0].shape), Array({channels}), Array({channels})};
    for (std::int64_t j = 0; j < channels; ++j) {
      double mean = 0, variance = 0;
      for (std::int64_t r = 0; r < n; ++r) mean += x[0][r * channels + j] / static_cast<double>(n);
      for (std::int64_t r = 0; r < n; ++r) variance += std::pow(x[0][r * channels + j] - mean, 2);
      const double unbiased = variance / static_cast<double>(std::max<std::int64_t>(1, n - 1));
      variance /= static_cast<double>(n);
      const double take = static_cast<double>(momentum);
      results[1][j] = (1 - take) * x[3][j] + take * mean;
      results[2][j] = (1 - take) * x[4][j] + take * unbiased;
      for (std::int64_t r = 0; r < n; ++r) {
        const double xhat =
            (x[0][r * channels + j] - mean) / std::sqrt(variance + static_cast<double>(epsilon));
        results[0][r * channels + j] =
            activate(activation, x[1][j] * xhat + x[2][j]) * factor_of(dropout, r * channels + j, channels);
      }
    }
    return results;
  };
  c.bench = {"1024x1024", batch({1024, 1024}), true};
  if (drop == Drop::channels) c.bench = {"32x64x646x32", batch({32, 64, 646, 32}), true};
  c.cost = [](const std::vector<Input>& x, double bytes) {
    return Cost{8 * size(x[0]), 3 * size(x[0]) * bytes};
  };
  return c;
}

/// A feature that never changes has variance 0: y = activation(beta), nothing is infinite.
OpCase batch_norm_constant() {
  OpCase c = batch_norm("batch_norm_constant", Activation::none);
  c.differentiable = false;
  c.variants = {{"odd", batch({9, 7})}, {"large", batch({2100, 33}), true}};
  for (Variant& variant : c.variants) variant.inputs[0].low = variant.inputs[0].high = 1.75;
  c.bench = {};
  return c;
}

OpCase batch_norm_inference(const std::string& name, Activation activation) {
  OpCase c;
  c.name = name;
  c.precision = PrecisionClass::stat;
  c.differentiable = false;
  c.variants = {{"one", batch({1, 1})},
                {"odd", batch({9, 7})},
                {"wide", batch({2, 1100})},
                {"large", batch({2100, 33}), true}};
  c.run = [activation](const Run& run) {
    autograd::BatchNormState state{run.tensor(3).clone(), run.tensor(4).clone(), momentum, epsilon, false};
    return std::vector{autograd::batch_norm(run.x[0], run.x[1], run.x[2], state, activation, slope)};
  };
  c.reference = [activation](const Arrays& x) {
    Array y(x[0].shape);
    for (std::int64_t i = 0; i < y.size(); ++i) {
      const std::int64_t j = i % y.dim(1);
      const double xhat = (x[0][i] - x[3][j]) / std::sqrt(x[4][j] + static_cast<double>(epsilon));
      y[i] = activate(activation, x[1][j] * xhat + x[2][j]);
    }
    return Arrays{y};
  };
  c.bench = {"1024x1024", batch({1024, 1024}), true};
  c.cost = [](const std::vector<Input>& x, double bytes) {
    return Cost{4 * size(x[0]), 2 * size(x[0]) * bytes};
  };
  return c;
}

/// With rows_per_sample = 1 the mask is that of the row `dropout`, bit for bit.
OpCase batch_norm_then_dropout() {
  OpCase c;
  c.name = "batch_norm_then_dropout";
  c.differentiable = false;
  c.exact = true;
  c.sixteen_bit = false;  // apart, y is rounded twice
  c.variants = {{"odd", batch({9, 7})}, {"tile", batch({33, 65})}, {"packs", batch({40, 24})}};
  c.run = [](const Run& run) {
    const auto normalise = [&](const ChannelDropout& dropout) {
      autograd::BatchNormState state{run.tensor(3).clone(), run.tensor(4).clone(), momentum, epsilon, true};
      return autograd::batch_norm(run.x[0], run.x[1], run.x[2], state, Activation::leaky_relu, slope, dropout,
                                  run.state);
    };
    const Var apart = autograd::dropout(normalise({}), run.state, stream, 0.3f);
    return std::vector{autograd::sub(normalise({0.3f, stream, 1}), apart)};
  };
  c.reference = [](const Arrays& x) { return Arrays{Array(x[0].shape)}; };
  return c;
}

OpCase group_norm(const std::string& name, Activation activation, std::int64_t groups) {
  OpCase c;
  c.name = name;
  c.precision = PrecisionClass::stat;
  const auto inputs = [](const Shape& shape) {
    std::vector<Input> all = batch(shape);
    all.resize(3);
    return all;
  };
  c.variants = {{"vectors", inputs({4, 12 * groups})},
                {"odd", inputs({2, 5, 7, 3 * groups})},
                {"one_sample", inputs({1, 3, 4, groups * 2})},
                {"packs", inputs({3, 9, 4, 8 * groups})},
                {"wide", inputs({2, 6, 1100})},
                {"large", inputs({2, 47, 31, 4 * groups}), true}};
  c.run = [=](const Run& run) {
    return std::vector{
        autograd::group_norm(run.x[0], run.x[1], run.x[2], groups, epsilon, activation, slope)};
  };
  c.reference = [=](const Arrays& x) {
    const std::int64_t n = x[0].dim(0), channels = x[0].shape.back(), width = channels / groups;
    const std::int64_t pixels = x[0].size() / channels / n;
    Array y(x[0].shape);
    for (std::int64_t s = 0; s < n; ++s)
      for (std::int64_t g = 0; g < groups; ++g) {
        const auto over = [&](const auto& visit) {
          for (std::int64_t p = 0; p < pixels; ++p)
            for (std::int64_t j = g * width; j < (g + 1) * width; ++j)
              visit((s * pixels + p) * channels + j, j);
        };
        const double count = static_cast<double>(pixels * width);
        double mean = 0, variance = 0;
        over([&](std::int64_t i, std::int64_t) { mean += x[0][i] / count; });
        over([&](std::int64_t i, std::int64_t) { variance += std::pow(x[0][i] - mean, 2) / count; });
        over([&](std::int64_t i, std::int64_t j) {
          const double xhat = (x[0][i] - mean) / std::sqrt(variance + static_cast<double>(epsilon));
          y[i] = activate(activation, x[1][j] * xhat + x[2][j]);
        });
      }
    return Arrays{y};
  };
  c.bench = {"32x32x323x64", inputs({32, 32, 323, 64}), true};
  c.cost = [](const std::vector<Input>& x, double bytes) {
    return Cost{8 * size(x[0]), 3 * size(x[0]) * bytes};
  };
  return c;
}

OpCase softmax(const std::string& name, Var (*op)(const Var&), bool logarithm) {
  OpCase c;
  c.name = name;
  c.precision = PrecisionClass::stat;
  Input huge{{4, 9}, -3e4, 3e4}, specials{{6, 9}};
  specials.specials = true;
  c.variants = {
      plain("one", {{1, 1}}),   plain("odd", {{7, 13}}),    plain("rank_3", {{2, 3, 50}}),
      plain("empty", {{0, 4}}), plain("long", {{3, 1500}}), plain("large", {{2000, 37}}, true),
      {"huge", {huge}},         {"specials", {specials}},   plain("large_long", {{2, 20011}}, true)};
  c.run = [op](const Run& run) { return std::vector{op(run.x[0])}; };
  c.reference = [logarithm](const Arrays& x) {
    Array y(x[0].shape);
    const std::int64_t columns = y.shape.back();
    for (std::int64_t r = 0; columns && r < y.size() / columns; ++r) {
      double maximum = -INFINITY, total = 0;
      for (std::int64_t i = 0; i < columns; ++i) maximum = std::fmax(maximum, x[0][r * columns + i]);
      for (std::int64_t i = 0; i < columns; ++i) total += std::exp(x[0][r * columns + i] - maximum);
      for (std::int64_t i = 0; i < columns; ++i) {
        const double shifted = x[0][r * columns + i] - maximum;
        y[r * columns + i] = logarithm ? shifted - std::log(total) : std::exp(shifted) / total;
      }
    }
    return Arrays{y};
  };
  c.bench = plain("4096x512", {{4096, 512}}, true);
  c.cost = [](const std::vector<Input>& x, double bytes) {
    return Cost{4 * size(x[0]), 2 * size(x[0]) * bytes};
  };
  return c;
}

/// A row in which everything is masked out: NaN, as in PyTorch; other rows are untouched.
OpCase softmax_masked() {
  OpCase c = softmax("softmax_masked", autograd::softmax, false);
  c.differentiable = false;
  c.variants = {plain("odd", {{5, 13}})};
  const auto unmasked = c.reference;
  c.run = [](const Run& run) {
    Tensor x = run.tensor(0).clone();
    x[1].fill(-INFINITY);
    x.slice(0, 3, 4).reshape({13}).slice(0, 2, 9).fill(-INFINITY);
    return std::vector{autograd::softmax(Var(x))};
  };
  c.reference = [unmasked](const Arrays& x) {
    Array masked = x[0];
    for (std::int64_t i = 0; i < 13; ++i) masked[13 + i] = -INFINITY;
    for (std::int64_t i = 2; i < 9; ++i) masked[3 * 13 + i] = -INFINITY;
    return unmasked({masked});
  };
  c.bench = {};
  return c;
}

}  // namespace

std::vector<OpCase> normalisation_cases() {
  return {batch_norm("batch_norm", Activation::none),
          batch_norm("batch_norm_relu", Activation::relu),
          batch_norm("batch_norm_leaky_relu", Activation::leaky_relu),
          batch_norm("batch_norm_dropout", Activation::leaky_relu, Drop::elements),
          batch_norm("batch_norm_channel_dropout", Activation::leaky_relu, Drop::channels),
          batch_norm_constant(),
          batch_norm_then_dropout(),
          batch_norm_inference("batch_norm_inference", Activation::none),
          batch_norm_inference("batch_norm_inference_gelu", Activation::gelu),
          batch_norm_inference("batch_norm_inference_tanh", Activation::tanh),
          group_norm("group_norm", Activation::none, 4),
          group_norm("group_norm_leaky_relu", Activation::leaky_relu, 2),
          softmax("softmax", autograd::softmax, false),
          softmax("log_softmax", autograd::log_softmax, true),
          softmax_masked()};
}

}  // namespace chorale::harness

// SPDX-License-Identifier: MIT
// Matrix products: plain, as a linear layer, as the last layer with its loss, and the norm of a product.
#include <cmath>

#include "kernels/launch.h"
#include "tests/cases/likelihood_reference.h"
#include "tests/harness/op_case.h"

namespace chorale::harness {
namespace {

double size(const Input& input) { return static_cast<double>(element_count(input.shape)); }

OpCase matmul(const std::string& name, bool transpose_a, bool transpose_b) {
  const auto inputs = [=](std::int64_t m, std::int64_t n, std::int64_t k) {
    return std::vector<Input>{{transpose_a ? Shape{k, m} : Shape{m, k}},
                              {transpose_b ? Shape{n, k} : Shape{k, n}}};
  };
  OpCase c;
  c.name = name;
  c.precision = PrecisionClass::stat;
  c.variants = {{"one", inputs(1, 1, 1)},
                {"odd", inputs(5, 7, 9)},
                {"tile", inputs(33, 65, 47)},
                {"row", inputs(1, 19, 300)},
                {"large", inputs(130, 70, 257), true}};
  c.run = [=](const Run& run) {
    return std::vector{autograd::matmul(run.x[0], run.x[1], transpose_a, transpose_b)};
  };
  c.reference = [=](const Arrays& x) {
    const std::int64_t m = x[0].dim(transpose_a ? 1 : 0), k = x[0].dim(transpose_a ? 0 : 1);
    const std::int64_t n = x[1].dim(transpose_b ? 0 : 1);
    Array c_({m, n});
    for (std::int64_t i = 0; i < m; ++i)
      for (std::int64_t j = 0; j < n; ++j)
        for (std::int64_t p = 0; p < k; ++p)
          c_[i * n + j] +=
              x[0][transpose_a ? p * m + i : i * k + p] * x[1][transpose_b ? j * k + p : p * n + j];
    return Arrays{c_};
  };
  c.bench = {"512x512x512", inputs(512, 512, 512), true};
  c.cost = [](const std::vector<Input>& x, double bytes) {
    return Cost{2 * 512.0 * 512 * 512, (size(x[0]) + size(x[1]) + 512.0 * 512) * bytes};
  };
  return c;
}

/// alpha and beta, on a target that already holds something.
OpCase matmul_accumulate() {
  OpCase c;
  c.name = "matmul_accumulate";
  c.precision = PrecisionClass::stat;
  c.differentiable = false;
  c.variants = {plain("odd", {{5, 9}, {9, 7}, {5, 7}}), plain("tile", {{33, 47}, {47, 65}, {33, 65}})};
  c.run = [](const Run& run) {
    Tensor c_ = run.tensor(2).clone();
    kernel::matmul(current_context(), run.tensor(0), run.tensor(1), c_, false, false, 0.5f, -2.0f);
    return std::vector{Var(c_)};
  };
  c.reference = [](const Arrays& x) {
    Array c_ = x[2];
    const std::int64_t m = c_.dim(0), n = c_.dim(1), k = x[0].dim(1);
    for (std::int64_t i = 0; i < m; ++i)
      for (std::int64_t j = 0; j < n; ++j) {
        c_[i * n + j] *= -2;
        for (std::int64_t p = 0; p < k; ++p) c_[i * n + j] += 0.5 * x[0][i * k + p] * x[1][p * n + j];
      }
    return Arrays{c_};
  };
  return c;
}

Array affine(const Arrays& x, bool bias) {
  const std::int64_t n = x[0].dim(0), in = x[0].dim(1), out = x[1].dim(0);
  Array y({n, out});
  for (std::int64_t r = 0; r < n; ++r)
    for (std::int64_t o = 0; o < out; ++o) {
      double total = bias ? x[2][o] : 0;
      for (std::int64_t i = 0; i < in; ++i) total += x[0][r * in + i] * x[1][o * in + i];
      y[r * out + o] = total;
    }
  return y;
}

std::vector<Input> layer(std::int64_t n, std::int64_t in, std::int64_t out, double weights = 0.5) {
  return {{{n, in}}, {{out, in}, -weights, weights}, {{out}}};
}

Cost layer_cost(const std::vector<Input>& x, double bytes) {
  const auto n = static_cast<double>(x[0].shape[0]), out = static_cast<double>(x[1].shape[0]);
  return {2 * size(x[0]) * out, (size(x[0]) + size(x[1]) + n * out) * bytes};
}

OpCase linear(const std::string& name, Activation activation, bool bias) {
  OpCase c;
  c.name = name;
  c.precision = PrecisionClass::stat;
  c.variants = {{"one", layer(1, 1, 1)},
                {"odd", layer(5, 9, 7)},
                {"tile", layer(33, 65, 47)},
                {"batch_1", layer(1, 300, 20)},
                {"large", layer(32, 515, 130), true}};
  c.run = [=](const Run& run) {
    return std::vector{autograd::linear(run.x[0], run.x[1], bias ? run.x[2] : Var(), activation)};
  };
  c.reference = [=](const Arrays& x) {
    Array y = affine(x, bias);
    for (double& value : y.values) {
      if (activation == Activation::relu) value = std::fmax(value, 0);
      if (activation == Activation::tanh) value = std::tanh(value);
    }
    return Arrays{y};
  };
  c.bench = {"32x1024x512", layer(32, 1024, 512), true};
  c.cost = layer_cost;
  if (!bias)
    for (Variant& variant : c.variants) variant.inputs.pop_back();
  if (!bias) c.bench.inputs.pop_back();
  return c;
}

/// The activations that `linear` offers at kernel level only: their backward needs the input.
OpCase linear_forward(const std::string& name, Activation activation) {
  OpCase c = linear(name, activation, true);
  c.differentiable = false;
  c.run = [=](const Run& run) {
    Tensor y({run.tensor(0).dim(0), run.tensor(1).dim(0)}, run.dtype);
    kernel::linear_forward(current_context(), run.tensor(0), run.tensor(1), run.tensor(2), activation, y);
    return std::vector{Var(y)};
  };
  c.reference = [](const Arrays& x) {
    Array y = affine(x, true);
    for (double& value : y.values) value = value * 0.5 * std::erfc(-value / std::sqrt(2.0));
    return Arrays{y};
  };
  return c;
}

OpCase outer_square_sum() {
  OpCase c;
  c.name = "outer_square_sum";
  c.precision = PrecisionClass::stat;
  c.differentiable = false;
  c.variants = {plain("one", {{1, 1}, {1, 1}}), plain("odd", {{5, 9}, {5, 7}}),
                plain("batch", {{33, 40}, {33, 70}}), plain("large", {{32, 300}, {32, 2500}}, true)};
  c.run = [](const Run& run) {
    Tensor out = Tensor::full({1}, 3.0, DType::f64);
    kernel::outer_square_sum(current_context(), run.tensor(0), run.tensor(1), out);
    return std::vector{Var(out)};
  };
  c.reference = [](const Arrays& x) {
    Array y({1}, 3);
    const std::int64_t n = x[0].dim(0), out = x[0].dim(1), in = x[1].dim(1);
    for (std::int64_t o = 0; o < out; ++o)
      for (std::int64_t i = 0; i < in; ++i) {
        double element = 0;
        for (std::int64_t r = 0; r < n; ++r) element += x[0][r * out + o] * x[1][r * in + i];
        y[0] += element * element;
      }
    return Arrays{y};
  };
  c.bench = plain("32x512x163840", {{32, 512}, {32, 163840}}, true);
  c.cost = [](const std::vector<Input>& x, double bytes) {
    return Cost{2.0 * 32 * (size(x[0]) + size(x[1])), (size(x[0]) + size(x[1])) * bytes};
  };
  return c;
}

OpCase linear_reconstruction(Likelihood kind) {
  const auto inputs = [](std::int64_t n, std::int64_t in, std::int64_t out) {
    std::vector<Input> x = layer(n, in, out);
    x.push_back({{n, out}, 0, 1, false});
    return x;
  };
  const LikelihoodParams params{kind, 0.7f};
  OpCase c;
  c.name = "linear_reconstruction_" + likelihood_name(kind);
  c.precision = PrecisionClass::stat;
  c.rounds_inside = true;
  // Laplace's derivative is a sign, which rounding y may flip.
  c.sixteen_bit = kind != Likelihood::laplace;
  c.variants = {{"tiny", inputs(1, 2, 3)},
                {"odd", inputs(5, 9, 7)},
                {"tile", inputs(18, 33, 65)},
                {"large", inputs(16, 48, 3001), true}};
  c.run = [params](const Run& run) {
    return std::vector{autograd::linear_reconstruction(run.x[0], run.x[1], run.x[2], run.tensor(3), params)};
  };
  c.reference = [params](const Arrays& x) {
    const Array y = affine(x, true);
    Array nll({y.dim(0)});
    for (std::int64_t i = 0; i < y.size(); ++i)
      nll[i / y.dim(1)] += negative_log_likelihood(params, y[i], x[3][i]);
    return Arrays{nll};
  };
  c.bench = {"32x512x20480", inputs(32, 512, 20480), true};
  c.cost = layer_cost;
  return c;
}

}  // namespace

std::vector<OpCase> matrix_cases() {
  return {matmul("matmul", false, false),
          matmul("matmul_tn", true, false),
          matmul("matmul_nt", false, true),
          matmul("matmul_tt", true, true),
          matmul_accumulate(),
          linear("linear", Activation::none, true),
          linear("linear_without_bias", Activation::none, false),
          linear("linear_relu", Activation::relu, true),
          linear("linear_tanh", Activation::tanh, true),
          linear_forward("linear_gelu", Activation::gelu),
          outer_square_sum(),
          linear_reconstruction(Likelihood::gaussian),
          linear_reconstruction(Likelihood::squared_error),
          linear_reconstruction(Likelihood::bernoulli),
          linear_reconstruction(Likelihood::laplace)};
}

}  // namespace chorale::harness

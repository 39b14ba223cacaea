// SPDX-License-Identifier: MIT
// Cases for every row of unary.def and binary.def. A new row needs a function of its name in `reference` and,
// where the default range does not suit it, a line in `range` or `parameters`.
#include <cmath>
#include <map>

#include "tests/harness/op_case.h"

namespace chorale::harness {
namespace {

namespace reference {
double relu(double x, double, double) { return std::isnan(x) ? x : std::fmax(x, 0); }
double leaky_relu(double x, double a, double) { return x < 0 ? a * x : x; }
double tanh(double x, double, double) { return std::tanh(x); }
double sigmoid(double x, double, double) {
  return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
}
double softplus(double x, double, double) { return x > 30 ? x : std::log1p(std::exp(x)); }
double gelu(double x, double, double) { return x * 0.5 * std::erfc(-x / std::sqrt(2.0)); }
double exp(double x, double, double) { return std::exp(x); }
double log(double x, double, double) { return std::log(x); }
double sqrt(double x, double, double) { return std::sqrt(x); }
double square(double x, double, double) { return std::pow(x, 2); }
double abs(double x, double, double) { return std::fabs(x); }
double clamp(double x, double a, double b) { return std::isnan(x) ? x : std::fmin(std::fmax(x, a), b); }
double affine(double x, double a, double b) { return x * a + b; }
double add(double x, double y) { return x + y; }
double sub(double x, double y) { return x - y; }
double mul(double x, double y) { return x * y; }
double div(double x, double y) { return x / y; }
double maximum(double x, double y) { return std::isnan(x) || std::isnan(y) ? NAN : std::fmax(x, y); }
double minimum(double x, double y) { return std::isnan(x) || std::isnan(y) ? NAN : std::fmin(x, y); }
}  // namespace reference

struct Range {
  double low = -3, high = 3;
};

Range range(const std::string& name) {
  static const std::map<std::string, Range> ranges{{"log", {0.1, 4}}, {"sqrt", {0.1, 4}}, {"div", {0.5, 3}}};
  const auto found = ranges.find(name);
  return found == ranges.end() ? Range{} : found->second;
}

/// Parameters a and b; kinks lie off the grid of every storage type.
std::pair<float, float> parameters(const std::string& name) {
  static const std::map<std::string, std::pair<float, float>> values{
      {"leaky_relu", {0.1f, 0}}, {"clamp", {-0.7f, 0.9f}}, {"affine", {1.5f, -0.25f}}};
  const auto found = values.find(name);
  return found == values.end() ? std::pair{0.0f, 0.0f} : found->second;
}

OpCase unary(const std::string& name, Var (*op)(const Var&, float, float),
             double (*f)(double, double, double)) {
  const auto [low, high] = range(name);
  const auto [a, b] = parameters(name);
  const auto input = [low = low, high = high](Shape shape) { return Input{std::move(shape), low, high}; };
  OpCase c;
  c.name = name;
  Input specials = input({41});
  specials.specials = true;
  c.variants = {{"one", {input({1})}},          {"odd", {input({7, 13})}},         {"empty", {input({0, 5})}},
                {"blocks", {input({3, 1031})}}, {"large", {input({70001})}, true}, {"specials", {specials}}};
  c.run = [op, a = a, b = b](const Run& run) { return std::vector{op(run.x[0], a, b)}; };
  c.reference = [f, a = a, b = b](const Arrays& x) {
    Array y(x[0].shape);
    for (std::int64_t i = 0; i < y.size(); ++i)
      y[i] = f(x[0][i], static_cast<double>(a), static_cast<double>(b));
    return Arrays{y};
  };
  c.bench = {"4M", {input({4 << 20})}, true};
  c.cost = [](const std::vector<Input>& x, double bytes) {
    const auto n = static_cast<double>(element_count(x[0].shape));
    return Cost{n, 2 * n * bytes};
  };
  return c;
}

OpCase binary(const std::string& name, Var (*op)(const Var&, const Var&), double (*f)(double, double)) {
  const auto [low, high] = range(name);
  const auto pair = [low = low, high = high](Shape x, Shape y) {
    return std::vector<Input>{{std::move(x), -3, 3}, {std::move(y), low, high}};
  };
  OpCase c;
  c.name = name;
  std::vector<Input> specials = pair({5, 27}, {27});
  specials[0].specials = true;
  c.variants = {{"one", pair({1}, {1})},
                {"odd", pair({7, 13}, {7, 13})},
                {"row", pair({9, 37}, {37})},
                {"suffix", pair({3, 5, 2, 7}, {2, 7})},
                {"scalar", pair({6, 11}, {1})},
                {"empty", pair({0, 4}, {4})},
                {"blocks", pair({4, 1031}, {1031})},
                {"large", pair({70, 1001}, {70, 1001}), true},
                {"large_row", pair({2100, 33}, {33}), true},
                {"specials", specials}};
  c.run = [op](const Run& run) { return std::vector{op(run.x[0], run.x[1])}; };
  c.reference = [f](const Arrays& x) {
    Array out(x[0].shape);
    for (std::int64_t i = 0; i < out.size(); ++i) out[i] = f(x[0][i], x[1][i % x[1].size()]);
    return Arrays{out};
  };
  c.bench = {"4M", pair({4096, 1024}, {4096, 1024}), true};
  c.cost = [](const std::vector<Input>& x, double bytes) {
    const auto n = static_cast<double>(element_count(x[0].shape)),
               m = static_cast<double>(element_count(x[1].shape));
    return Cost{n, (2 * n + m) * bytes};
  };
  return c;
}

}  // namespace

std::vector<OpCase> unary_cases() {
  return {
#define UNARY(name) unary(#name, autograd::name, reference::name),
#include "kernels/unary.def"
#undef UNARY
  };
}

std::vector<OpCase> binary_cases() {
  return {
#define BINARY(name) binary(#name, autograd::name, reference::name),
#include "kernels/binary.def"
#undef BINARY
  };
}

}  // namespace chorale::harness

// SPDX-License-Identifier: MIT
// Reductions over one dimension, their backward, and sums into f64 scalars.
#include <cmath>

#include "kernels/launch.h"
#include "tests/harness/op_case.h"

namespace chorale::harness {
namespace {

double size(const Input& input) { return static_cast<double>(element_count(input.shape)); }

std::vector<Variant> shapes() {
  // Rows (inner 1), columns (outer 1), both; short, odd, longer than one block, and no terms at all.
  return {plain("one", {{1, 1, 1}}),
          plain("rows", {{5, 37, 1}}),
          plain("columns", {{1, 70, 9}}),
          plain("both", {{3, 11, 5}}),
          plain("long_row", {{1, 3001, 1}}),
          plain("wide", {{1, 3, 1500}}),
          plain("no_terms", {{2, 0, 3}}),
          plain("large_row", {{2, 40001, 1}}, true),
          plain("large_columns", {{1, 2003, 37}}, true),
          plain("large_wide", {{2, 9, 5003}}, true)};
}

OpCase sum() {
  OpCase c;
  c.name = "sum";
  c.precision = PrecisionClass::stat;
  c.variants = shapes();
  c.run = [](const Run& run) { return std::vector{autograd::sum(run.x[0], 1)}; };
  c.reference = [](const Arrays& x) {
    const std::int64_t outer = x[0].dim(0), middle = x[0].dim(1), inner = x[0].dim(2);
    Array y({outer, inner});
    for (std::int64_t i = 0; i < outer * middle * inner; ++i)
      y[i / inner / middle * inner + i % inner] += x[0][i];
    return Arrays{y};
  };
  c.bench = plain("1x128x16384", {{1, 128, 16384}}, true);
  c.cost = [](const std::vector<Input>& x, double bytes) {
    const Shape& s = x[0].shape;
    return Cost{size(x[0]), size(x[0]) * bytes + static_cast<double>(s[0] * s[2]) * 4};
  };
  return c;
}

OpCase total(const std::string& name, Var (*op)(const Var&), bool mean) {
  OpCase c;
  c.name = name;
  c.precision = PrecisionClass::stat;
  c.variants = {plain("one", {{1}}), plain("odd", {{7, 13}}), plain("blocks", {{3001}}),
                plain("large", {{70001}}, true)};
  c.run = [op](const Run& run) { return std::vector{op(run.x[0])}; };
  c.reference = [mean](const Arrays& x) {
    Array y({1});
    for (const double value : x[0].values) y[0] += value;
    if (mean) y[0] /= static_cast<double>(x[0].size());
    return Arrays{y};
  };
  c.bench = plain("4M", {{4 << 20}}, true);
  c.cost = [](const std::vector<Input>& x, double bytes) { return Cost{size(x[0]), size(x[0]) * bytes}; };
  return c;
}

OpCase reduce_max() {
  OpCase c;
  c.name = "reduce_max";
  c.precision = PrecisionClass::stat;
  c.differentiable = false;
  c.exact = true;
  c.variants = shapes();
  Input specials{{3, 14, 2}};
  specials.specials = true;
  c.variants.push_back({"specials", {specials}});
  c.run = [](const Run& run) {
    const Shape& s = run.tensor(0).shape();
    Tensor y({s[0], s[2]}, run.dtype);
    kernel::reduce_max(current_context(), run.tensor(0), y);
    return std::vector{Var(y)};
  };
  c.reference = [](const Arrays& x) {
    const std::int64_t outer = x[0].dim(0), middle = x[0].dim(1), inner = x[0].dim(2);
    Array y({outer, inner}, -INFINITY);
    for (std::int64_t i = 0; i < outer * middle * inner; ++i) {
      double& best = y[i / inner / middle * inner + i % inner];
      best = std::isnan(best) || std::isnan(x[0][i]) ? NAN : std::fmax(best, x[0][i]);
    }
    return Arrays{y};
  };
  c.bench = plain("1x128x16384", {{1, 128, 16384}}, true);
  c.cost = [](const std::vector<Input>& x, double bytes) { return Cost{size(x[0]), size(x[0]) * bytes}; };
  return c;
}

OpCase broadcast_middle() {
  const auto inputs = [](Shape full) { return std::vector<Input>{{{full[0], full[2]}}, {std::move(full)}}; };
  OpCase c;
  c.name = "broadcast_middle";
  c.differentiable = false;
  c.variants = {{"one", inputs({1, 1, 1})},           {"rows", inputs({5, 37, 1})},
                {"columns", inputs({1, 70, 9})},      {"both", inputs({3, 11, 5})},
                {"wide", inputs({2, 3, 1500})},       {"empty", inputs({2, 0, 3})},
                {"large", inputs({3, 700, 37}), true}};
  c.run = [](const Run& run) {
    Tensor y(run.tensor(1).shape(), run.dtype);
    kernel::broadcast_middle(current_context(), run.tensor(0), 0.3f, y);
    return std::vector{Var(y)};
  };
  c.reference = [](const Arrays& x) {
    Array y(x[1].shape);
    const std::int64_t middle = y.dim(1), inner = y.dim(2);
    for (std::int64_t i = 0; i < y.size(); ++i)
      y[i] = static_cast<double>(0.3f) * x[0][i / inner / middle * inner + i % inner];
    return Arrays{y};
  };
  c.bench = {"16x256x1024", inputs({16, 256, 1024}), true};
  c.cost = [](const std::vector<Input>& x, double bytes) {
    return Cost{size(x[1]), (size(x[0]) + size(x[1])) * bytes};
  };
  return c;
}

/// Added to what is there.
OpCase square_sum() {
  OpCase c;
  c.name = "square_sum";
  c.precision = PrecisionClass::stat;
  c.differentiable = false;
  Input specials{{41}};
  specials.specials = true;
  c.variants = {plain("one", {{1}}),       plain("odd", {{7, 13}}),         plain("empty", {{0}}),
                plain("blocks", {{3001}}), plain("large", {{70001}}, true), {"specials", {specials}}};
  c.run = [](const Run& run) {
    Tensor out = Tensor::full({1}, 3.0, DType::f64);
    kernel::square_sum(current_context(), run.tensor(0), out);
    return std::vector{Var(out)};
  };
  c.reference = [](const Arrays& x) {
    Array y({1}, 3);
    for (const double value : x[0].values) y[0] += value * value;
    return Arrays{y};
  };
  c.bench = plain("4M", {{4 << 20}}, true);
  c.cost = [](const std::vector<Input>& x, double bytes) { return Cost{2 * size(x[0]), size(x[0]) * bytes}; };
  return c;
}

OpCase accumulate_metrics() {
  OpCase c = statistics_case("accumulate_metrics");
  Input specials{{7}};
  specials.specials = true;
  c.variants = {plain("one", {{1}}), plain("several", {{5}}), {"specials", {specials}}};
  c.run = [](const Run& run) {
    Tensor sums = Tensor::full({run.tensor(0).size() + 1}, 0.5, DType::f64);
    kernel::accumulate_metrics(current_context(), run.tensor(0), 32.0, sums);
    kernel::accumulate_metrics(current_context(), run.tensor(0), 7.0, sums);
    return std::vector{Var(sums)};
  };
  c.reference = [](const Arrays& x) {
    Array sums({x[0].size() + 1}, 0.5);
    for (std::int64_t i = 0; i < x[0].size(); ++i)
      if (std::isfinite(x[0][i])) sums[i] += 39 * x[0][i];
    sums[x[0].size()] += 39;
    return Arrays{sums};
  };
  return c;
}

}  // namespace

std::vector<OpCase> reduce_cases() {
  return {sum(),
          total("sum_all", autograd::sum, false),
          total("mean", autograd::mean, true),
          reduce_max(),
          broadcast_middle(),
          square_sum(),
          accumulate_metrics()};
}

}  // namespace chorale::harness

// SPDX-License-Identifier: MIT
// Optimizer updates, against torch.optim's rules in f64: from a gradient, and from the two factors of one.
#include <cmath>

#include "kernels/launch.h"
#include "tests/harness/op_case.h"

namespace chorale::harness {
namespace {

double size(const Input& input) { return static_cast<double>(element_count(input.shape)); }

/// Results p, m, v and the shadow for gradient g (not yet multiplied).
Arrays updated(const OptimizerParams& params, const Array& g, const Array& p, const Array& m,
               const Array& v) {
  const StepState state = case_state();
  const auto rate = static_cast<double>(state.learning_rate),
             decay = static_cast<double>(params.weight_decay);
  const auto b1 = static_cast<double>(params.beta1), b2 = static_cast<double>(params.beta2);
  Arrays out{p, m, v, p};
  for (std::int64_t i = 0; i < p.size(); ++i) {
    double gradient = g[i] * static_cast<double>(state.gradient_multiplier), value = p[i];
    if (params.kind == OptimizerKind::adamw)
      value -= rate * decay * value;
    else
      gradient += decay * value;
    if (params.kind == OptimizerKind::sgd) {
      out[1][i] = b1 * m[i] + gradient;
      value -= rate * (params.nesterov ? gradient + b1 * out[1][i] : out[1][i]);
    } else {
      out[1][i] = m[i] + (1 - b1) * (gradient - m[i]);
      out[2][i] = v[i] + (1 - b2) * (gradient * gradient - v[i]);
      const double first = out[1][i] / static_cast<double>(state.bias_correction1);
      const double second = out[2][i] / static_cast<double>(state.bias_correction2);
      value -= rate * first / (std::sqrt(second) + static_cast<double>(params.epsilon));
    }
    out[0][i] = out[3][i] = value;
  }
  if (params.kind == OptimizerKind::sgd) out.erase(out.begin() + 2);
  return out;
}

std::vector<Input> moments(const Shape& shape) {
  return {{shape, -2, 2, false, Storage::f32},
          {shape, -0.5, 0.5, false, Storage::f32},
          {shape, 0.01, 0.5, false, Storage::f32}};
}

/// Runs `step(p, m, v, shadow)` on copies and gives what it wrote.
template <class Step>
std::vector<Var> run_update(const Run& run, std::size_t first, OptimizerKind kind, const Step& step) {
  Tensor p = run.tensor(first).clone(), m = run.tensor(first + 1).clone(), v = run.tensor(first + 2).clone();
  Tensor shadow(p.shape(), run.dtype);
  if (run.dtype == DType::f32) shadow.fill(0);
  const bool sgd = kind == OptimizerKind::sgd;
  step(p, m, sgd ? View() : v.view(), shadow.view());
  std::vector<Var> results{Var(p), Var(m)};
  if (!sgd) results.emplace_back(v);
  results.emplace_back(shadow);
  return results;
}

OpCase step(const std::string& name, const OptimizerParams& params) {
  const auto inputs = [](Shape shape) {
    std::vector<Input> x{{shape, -3, 3, false}};
    for (Input& input : moments(shape)) x.push_back(std::move(input));
    return x;
  };
  OpCase c;
  c.name = name;
  c.precision = PrecisionClass::stat;
  c.differentiable = false;
  c.variants = {{"one", inputs({1})},
                {"odd", inputs({137})},
                {"blocks", inputs({3001})},
                {"large", inputs({70001}), true}};
  c.run = [params](const Run& run) {
    return run_update(run, 1, params.kind, [&](const Tensor& p, const Tensor& m, View v, View shadow) {
      kernel::optimizer_step(current_context(), run.state, params, run.tensor(0), p, m, v, shadow);
    });
  };
  c.reference = [params](const Arrays& x) { return updated(params, x[0], x[1], x[2], x[3]); };
  c.bench = {"4M", inputs({4 << 20}), true};
  c.cost = [](const std::vector<Input>& x, double bytes) {
    return Cost{15 * size(x[0]), size(x[0]) * (24 + 2 * bytes)};
  };
  return c;
}

OpCase step_outer(const std::string& name, const OptimizerParams& params) {
  const auto inputs = [](std::int64_t n, std::int64_t out, std::int64_t in) {
    std::vector<Input> x{{{n, out}, -1, 1, false}, {{n, in}, -1, 1, false}};
    for (Input& input : moments({out, in})) x.push_back(std::move(input));
    return x;
  };
  OpCase c;
  c.name = name;
  c.precision = PrecisionClass::stat;
  c.differentiable = false;
  c.variants = {{"one", inputs(1, 1, 1)},
                {"odd", inputs(5, 7, 9)},
                {"tile", inputs(33, 65, 47)},
                {"large", inputs(32, 130, 1030), true}};
  c.run = [params](const Run& run) {
    return run_update(run, 2, params.kind, [&](const Tensor& p, const Tensor& m, View v, View shadow) {
      kernel::optimizer_step_outer(current_context(), run.state, params, run.tensor(0), run.tensor(1), p, m,
                                   v, shadow);
    });
  };
  c.reference = [params](const Arrays& x) {
    const std::int64_t n = x[0].dim(0), out = x[0].dim(1), in = x[1].dim(1);
    Array g({out, in});
    for (std::int64_t i = 0; i < out * in; ++i)
      for (std::int64_t r = 0; r < n; ++r) g[i] += x[0][r * out + i / in] * x[1][r * in + i % in];
    return updated(params, g, x[2], x[3], x[4]);
  };
  c.bench = {"32x512x20480", inputs(32, 512, 20480), true};
  c.cost = [](const std::vector<Input>& x, double bytes) {
    const double weights = size(x[2]);
    return Cost{weights * (2.0 * static_cast<double>(x[0].shape[0]) + 15),
                weights * (24 + bytes) + (size(x[0]) + size(x[1])) * bytes};
  };
  return c;
}

/// With found_inf set nothing is written: p, m, v and the shadow stay as they were, bit for bit.
OpCase skipped_step() {
  OpCase c = step("optimizer_step_skipped", {});
  c.exact = true;
  c.variants = {{"odd", c.variants[1].inputs}};
  c.run = [](const Run& run) {
    StepState state = case_state();
    state.found_inf = 1;
    const autograd::TrainState skipped(state);
    return run_update(
        run, 1, OptimizerKind::adamw, [&](const Tensor& p, const Tensor& m, View v, View shadow) {
          kernel::cast(current_context(), run.tensor(0), shadow);
          kernel::optimizer_step(current_context(), static_cast<const StepState*>(skipped.device()),
                                 OptimizerParams{}, run.tensor(0), p, m, v, shadow);
        });
  };
  c.reference = [](const Arrays& x) { return Arrays{x[1], x[2], x[3], x[0]}; };
  c.bench = {};
  return c;
}

}  // namespace

std::vector<OpCase> optimizer_cases() {
  const OptimizerParams adamw{.kind = OptimizerKind::adamw, .weight_decay = 0.05f};
  const OptimizerParams adam{
      .kind = OptimizerKind::adam, .beta1 = 0.8f, .beta2 = 0.95f, .weight_decay = 0.05f};
  const OptimizerParams sgd{.kind = OptimizerKind::sgd, .weight_decay = 0.05f};
  const OptimizerParams nesterov{.kind = OptimizerKind::sgd, .weight_decay = 0.0f, .nesterov = true};
  return {step("optimizer_step_adamw", adamw),
          step("optimizer_step_adam", adam),
          step("optimizer_step_sgd", sgd),
          step("optimizer_step_nesterov", nesterov),
          step_outer("optimizer_step_outer_adamw", adamw),
          step_outer("optimizer_step_outer_sgd", nesterov),
          skipped_step()};
}

}  // namespace chorale::harness

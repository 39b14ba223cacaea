// SPDX-License-Identifier: MIT
// Optimizer updates: trajectories of torch.optim (tests/golden/optimizers.py), the update with the gradient's
// product inside against the product and the update apart, and a skipped step that changes nothing.
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/kernels_linear/support.h"

namespace chorale::testing {
namespace {

class Optimizers : public KernelTest {};

StepState state_at(std::int64_t step, const OptimizerParams& params, double learning_rate) {
  StepState state;
  state.step = step;
  state.learning_rate = static_cast<float>(learning_rate);
  state.gradient_multiplier = 1.0f;
  state.bias_correction1 = static_cast<float>(1 - std::pow(params.beta1, static_cast<double>(step)));
  state.bias_correction2 = static_cast<float>(1 - std::pow(params.beta2, static_cast<double>(step)));
  return state;
}

void expect_relative(const Tensor& actual, const std::vector<double>& expected, const char* what) {
  const auto a = values_of(actual);
  double scale = 0;
  for (const double e : expected) scale = std::max(scale, std::abs(e));
  for (std::size_t i = 0; i < a.size(); ++i)
    ASSERT_NEAR(a[i], expected[i], 1e-6 * std::max(std::abs(expected[i]), 0.3 * scale))
        << what << ", element " << i;
}

TEST_F(Optimizers, FollowTorch) {
  std::ifstream file(CHORALE_SOURCE_DIR "/tests/golden/optimizers.json");
  const auto golden = nlohmann::json::parse(file);
  const auto start = golden["start"].get<std::vector<float>>();
  const auto size = static_cast<std::int64_t>(start.size());
  for (const auto& [name, trajectory] : golden["trajectories"].items()) {
    SCOPED_TRACE(name);
    OptimizerParams params;
    params.weight_decay = golden["weight_decay"].get<float>();
    params.kind = name == "adamw"  ? OptimizerKind::adamw
                  : name == "adam" ? OptimizerKind::adam
                                   : OptimizerKind::sgd;
    params.nesterov = name == "sgd_nesterov";
    const bool sgd = params.kind == OptimizerKind::sgd;
    const Tensor p = Tensor::from_host(start, {size}), m = Tensor::zeros({size}), v = Tensor::zeros({size});
    std::int64_t step = 0;
    for (const auto& gradient : golden["gradients"]) {
      const StepState state = state_at(++step, params, golden["learning_rate"].get<double>());
      // Half of the gradient, twice the multiplier.
      auto g = gradient.get<std::vector<float>>();
      for (float& x : g) x *= 0.5f;
      StepState doubled = state;
      doubled.gradient_multiplier = 2.0f;
      kernel::optimizer_step(context, &doubled, params, Tensor::from_host(g, {size}), p, m,
                             sgd ? View() : View(v), View());
      expect_relative(p, trajectory["p"][static_cast<std::size_t>(step - 1)].get<std::vector<double>>(), "p");
    }
    EXPECT_EQ(step, 20);
    expect_relative(m, trajectory["m"].get<std::vector<double>>(), "m");
    if (!sgd) expect_relative(v, trajectory["v"].get<std::vector<double>>(), "v");
  }
}

TEST_F(Optimizers, OuterEqualsProductThenStep) {
  int turn = 0;
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    for (const auto& [n, out, in] : std::vector<std::array<std::int64_t, 3>>{{1, 1, 1},
                                                                             {3, 5, 7},
                                                                             {32, 16, 3001},
                                                                             {32, 3001, 16},
                                                                             {31, 67, 130},
                                                                             {33, 13, 257},
                                                                             {600, 40, 70},
                                                                             {32, 2, 66001}}) {
      SCOPED_TRACE(std::string(dtype_name(dtype)) + " " + std::to_string(n) + " " + std::to_string(out) +
                   " " + std::to_string(in));
      OptimizerParams params;
      params.kind = static_cast<OptimizerKind>(turn % 3);
      params.weight_decay = 0.1f;
      const bool sgd = params.kind == OptimizerKind::sgd;
      const DType copy = dtype == DType::f32 ? DType::f32 : dtype;
      const bool with_shadow = turn++ % 4 != 3;
      StepState state = state_at(3, params, 1e-2);
      state.gradient_multiplier = 0.4f;
      const Operand dy = operand({n, out}, dtype, 1), x = operand({n, in}, dtype, 2);
      const Operand p = operand({out, in}, DType::f32, 3), m = operand({out, in}, DType::f32, 4);
      const Tensor v = operand({out, in}, DType::f32, 5).tensor;
      kernel::square_forward(context, v, v, 0.0f, 0.0f);
      const Tensor p1 = p.tensor.clone(), m1 = m.tensor.clone(), v1 = v.clone(),
                   s1 = garbage({out, in}, copy);
      const Tensor p2 = p.tensor.clone(), m2 = m.tensor.clone(), v2 = v.clone(),
                   s2 = garbage({out, in}, copy);
      const Tensor g = garbage({out, in});
      kernel::linear_backward_weight(context, dy, x, g, View(), 0.0f);
      kernel::optimizer_step(context, &state, params, g, p1, m1, sgd ? View() : View(v1),
                             with_shadow ? View(s1) : View());
      kernel::optimizer_step_outer(context, &state, params, dy, x, p2, m2, sgd ? View() : View(v2),
                                   with_shadow ? View(s2) : View());
      expect_relative(p2, values_of(p1), "p");
      expect_relative(m2, values_of(m1), "m");
      if (!sgd) expect_relative(v2, values_of(v1), "v");
      if (with_shadow) {
        EXPECT_TRUE(same_bits(s2, p2.to(copy)));
        EXPECT_TRUE(same_bits(s1, p1.to(copy)));
      }
      EXPECT_FALSE(same_bits(p2, p.tensor));
      for (const int threads : {1, 5}) {
        set_threads(threads);
        const Tensor p3 = p.tensor.clone(), m3 = m.tensor.clone(), v3 = v.clone();
        kernel::optimizer_step_outer(context, &state, params, dy, x, p3, m3, sgd ? View() : View(v3), View());
        EXPECT_TRUE(same_bits(p3, p2) && same_bits(m3, m2) && (sgd || same_bits(v3, v2)))
            << threads << " threads";
      }
    }
  }
}

TEST_F(Optimizers, ASkippedStepChangesNothing) {
  StepState state = state_at(1, {}, 1.0);
  state.found_inf = 1;
  const Tensor p = Tensor::full({5, 9}, 1.0), m = Tensor::full({5, 9}, 2.0), v = Tensor::full({5, 9}, 3.0);
  const Tensor shadow = Tensor::full({5, 9}, 4.0, DType::bf16), bad = garbage({2, 9}), dy = garbage({2, 5});
  kernel::optimizer_step_outer(context, &state, OptimizerParams{}, dy, bad, p, m, v, shadow);
  kernel::optimizer_step(context, &state, OptimizerParams{}, garbage({5, 9}), p, m, v, shadow);
  for (const double x : values_of(p)) EXPECT_EQ(x, 1.0);
  for (const double x : values_of(m)) EXPECT_EQ(x, 2.0);
  for (const double x : values_of(v)) EXPECT_EQ(x, 3.0);
  for (const double x : values_of(shadow)) EXPECT_EQ(x, 4.0);
}

}  // namespace
}  // namespace chorale::testing

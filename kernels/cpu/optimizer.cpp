// SPDX-License-Identifier: MIT
// One optimizer update over flat f32 buffers, torch.optim semantics.
//
//   g  = gradient gradient_multiplier
//   adamw: p = p (1 - lr decay)   adam, sgd: g = g + decay p
//   adam, adamw: m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2,
//                p = p - lr (m / correction1) / (sqrt(v / correction2) + epsilon)
//   sgd: m = momentum m + g, p = p - lr (nesterov ? g + momentum m : m)
#include <cmath>
#include <vector>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/storage.h"

namespace chorale::cpu {
namespace {

void check(const char* kernel, const OptimizerParams& params, const View& p, const View& m, const View& v,
           const View& shadow) {
  const bool sgd = params.kind == OptimizerKind::sgd;
  require(p.dtype == DType::f32 && present(p) && m.dtype == DType::f32 && m.size() == p.size(), kernel,
          "p and m must be f32 of one size", p, m);
  require(sgd || (v.dtype == DType::f32 && v.size() == p.size()), kernel, "v must be f32 of p's size", p, v);
  require(!shadow || (is_storage(shadow.dtype) && shadow.size() == p.size()), kernel,
          "shadow must have p's size", p, shadow);
}

void update(const StepState& state, const OptimizerParams& params, std::int64_t i, float gradient,
            const View& p, const View& m, const View& v, const View& shadow) {
  const float rate = state.learning_rate;
  float g = gradient * state.gradient_multiplier;
  float value = p.as<float>()[i];
  float& first = m.as<float>()[i];
  if (params.kind == OptimizerKind::adamw)
    value *= 1.0f - rate * params.weight_decay;
  else
    g += params.weight_decay * value;
  if (params.kind == OptimizerKind::sgd) {
    first = params.beta1 * first + g;
    value -= rate * (params.nesterov ? g + params.beta1 * first : first);
  } else {
    float& second = v.as<float>()[i];
    first = params.beta1 * first + (1.0f - params.beta1) * g;
    second = params.beta2 * second + (1.0f - params.beta2) * g * g;
    const float denominator = std::sqrt(second) / std::sqrt(state.bias_correction2) + params.epsilon;
    value -= rate / state.bias_correction1 * first / denominator;
  }
  p.as<float>()[i] = value;
  if (shadow) store_one(shadow, i, value);
}

}  // namespace

void optimizer_step(Context&, const StepState* state, OptimizerParams params, ConstView g, View p, View m,
                    View v, View shadow) {
  check("optimizer_step", params, p, m, v, shadow);
  require_storage("optimizer_step", g);
  require(g.size() == p.size(), "optimizer_step", "g must have p's size", g, p);
  if (state->found_inf) return;
  parallel_blocks(p.size(), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) update(*state, params, i, load_one(g, i), p, m, v, shadow);
  });
}

void optimizer_step_outer(Context&, const StepState* state, OptimizerParams params, ConstView dy, ConstView x,
                          View p, View m, View v, View shadow) {
  check("optimizer_step_outer", params, p, m, v, shadow);
  require_storage("optimizer_step_outer", dy, x);
  const std::int64_t n = dy.rows(), out = dy.columns(), in = x.columns();
  require(x.rows() == n && p.size() == out * in, "optimizer_step_outer",
          "p must be [out, in] for dy [n, out], x [n, in]", dy, x, p);
  if (state->found_inf) return;
  parallel_tasks(out, out * in, [&](std::int64_t o) {
    std::vector<float> row(static_cast<std::size_t>(in));
    for (std::int64_t r = 0; r < n; ++r) {
      const float factor = load_one(dy, r * out + o);
      for (std::int64_t i = 0; i < in; ++i)
        row[static_cast<std::size_t>(i)] += factor * load_one(x, r * in + i);
    }
    for (std::int64_t i = 0; i < in; ++i)
      update(*state, params, o * in + i, row[static_cast<std::size_t>(i)], p, m, v, shadow);
  });
}

}  // namespace chorale::cpu

// SPDX-License-Identifier: MIT
// One optimizer update of a run of consecutive parameters, torch.optim semantics, f32:
//
//   g = gradient * gradient_multiplier
//   adamw: p = p (1 - lr decay)   adam, sgd: g = g + decay p
//   adam, adamw: m = m + (1 - b1) (g - m), v = b2 v + (1 - b2) g^2,
//                p = p - (lr / correction1) m / (sqrt(v) / sqrt(correction2) + epsilon)
//   sgd: m = momentum m + g, p = p - lr (nesterov ? g + momentum m : m)
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/storage.h"
#include "kernels/params.h"

namespace chorale::cpu {

/// The numbers of one step, derived once from the state.
struct UpdateFactors {
  float multiplier, keep, decay, beta1, rest1, beta2, rest2, step_size, inverse_root2, epsilon, learning_rate;
  UpdateFactors(const StepState& state, const OptimizerParams& params)
      : multiplier(state.gradient_multiplier),
        keep(static_cast<float>(1.0 - rate(state, params) * static_cast<double>(params.weight_decay))),
        decay(params.weight_decay),
        beta1(static_cast<float>(params.beta1)),
        rest1(static_cast<float>(1.0 - params.beta1)),
        beta2(static_cast<float>(params.beta2)),
        rest2(static_cast<float>(1.0 - params.beta2)),
        step_size(static_cast<float>(rate(state, params) / static_cast<double>(state.bias_correction1))),
        inverse_root2(static_cast<float>(1.0 / std::sqrt(static_cast<double>(state.bias_correction2)))),
        epsilon(params.epsilon),
        learning_rate(static_cast<float>(rate(state, params))) {}

 private:
  static double rate(const StepState& state, const OptimizerParams& params) {
    return static_cast<double>(state.learning_rate) * static_cast<double>(params.rate_scale);
  }
};

template <OptimizerKind kind, bool nesterov>
inline void update_run(const UpdateFactors& f, const float* __restrict g, float* __restrict p,
                       float* __restrict m, float* __restrict v, std::int64_t count) {
  const UpdateFactors c = f;
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    float gradient = g[i] * c.multiplier, value = p[i];
    if constexpr (kind == OptimizerKind::adamw) {
      value *= c.keep;
    } else {
      gradient += c.decay * value;
    }
    if constexpr (kind == OptimizerKind::sgd) {
      const float momentum = c.beta1 * m[i] + gradient;
      m[i] = momentum;
      value -= c.learning_rate * (nesterov ? gradient + c.beta1 * momentum : momentum);
    } else {
      const float first = m[i] + c.rest1 * (gradient - m[i]);
      const float second = c.beta2 * v[i] + c.rest2 * gradient * gradient;
      m[i] = first;
      v[i] = second;
      value -= c.step_size * (first / (std::sqrt(second) * c.inverse_root2 + c.epsilon));
    }
    p[i] = value;
  }
}

using UpdateFunction = void (*)(const UpdateFactors&, const float*, float*, float*, float*, std::int64_t);

inline UpdateFunction update_function(const OptimizerParams& params) {
  switch (params.kind) {
    case OptimizerKind::adamw:
      return update_run<OptimizerKind::adamw, false>;
    case OptimizerKind::adam:
      return update_run<OptimizerKind::adam, false>;
    case OptimizerKind::sgd:
      return params.nesterov ? update_run<OptimizerKind::sgd, true> : update_run<OptimizerKind::sgd, false>;
  }
  return nullptr;
}

/// Copies `count` updated parameters, starting at element `first`, into the 16-bit (or f32) shadow.
inline void write_shadow(const View& shadow, std::int64_t first, const float* p, std::int64_t count) {
  if (shadow.dtype == DType::f32) {
    std::copy_n(p, count, shadow.as<float>() + first);
  } else {
    store(p, shadow, first, count);
  }
}

inline void require_optimizer_views(const char* kernel, const OptimizerParams& params, const View& p,
                                    const View& m, const View& v, const View& shadow) {
  const bool sgd = params.kind == OptimizerKind::sgd;
  require(p.dtype == DType::f32 && present(p) && m.dtype == DType::f32 && m.size() == p.size(), kernel,
          "p and m must be f32 of one size", p, m);
  require(sgd || (v.dtype == DType::f32 && v.size() == p.size()), kernel, "v must be f32 of p's size", p, v);
  require(!shadow || (is_storage(shadow.dtype) && shadow.size() == p.size()), kernel,
          "shadow must have p's size", p, shadow);
}

}  // namespace chorale::cpu

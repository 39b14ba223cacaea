// SPDX-License-Identifier: MIT
// The update of one parameter, torch.optim semantics; shared by optimizer_step and optimizer_step_outer.
#pragma once
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/vector.cuh"
#include "kernels/params.h"

namespace chorale::cuda {

/// Everything about a step that is the same for all parameters, in registers.
struct UpdateRule {
  OptimizerParams params;
  float rate, multiplier, keep, step_size, inverse_root_correction2, beta1, rest1, beta2, rest2;

  __device__ UpdateRule(const StepState& state, const OptimizerParams& p)
      : params(p),
        rate(state.learning_rate * p.rate_scale),
        multiplier(state.gradient_multiplier),
        keep(p.kind == OptimizerKind::adamw ? 1.0f - rate * p.weight_decay : 1.0f),
        step_size(rate / state.bias_correction1),
        inverse_root_correction2(1.0f / sqrtf(state.bias_correction2)),
        beta1(static_cast<float>(p.beta1)),
        rest1(static_cast<float>(1.0 - p.beta1)),
        beta2(static_cast<float>(p.beta2)),
        rest2(static_cast<float>(1.0 - p.beta2)) {}

  /// `g` is the gradient as it was computed, loss scale included; v is left alone by sgd.
  __device__ void apply(float g, float& p, float& m, float& v) const {
    g *= multiplier;
    if (params.kind == OptimizerKind::adamw) {
      p *= keep;
    } else {
      g += params.weight_decay * p;
    }
    if (params.kind == OptimizerKind::sgd) {
      m = beta1 * m + g;
      p -= rate * (params.nesterov ? g + beta1 * m : m);
    } else {
      m = beta1 * m + rest1 * g;
      v = beta2 * v + rest2 * g * g;
      p -= step_size * m / (sqrtf(v) * inverse_root_correction2 + params.epsilon);
    }
  }
};

/// What an update touches; v is null for sgd, shadow if there is none.
template <class S>
struct Parameters {
  float* p;
  float* m;
  float* v;
  S* shadow;

  /// Updates four neighbours, element 4 `pack` on; addresses allow 16-byte access.
  __device__ void update_pack(const UpdateRule& rule, std::int64_t pack, const float g[4]) const {
    Pack<float, 4> ps = load_pack<4>(p, pack), ms = load_pack<4>(m, pack), vs{};
    if (v) vs = load_pack<4>(v, pack);
    Pack<S, 4> rounded;
    for (int j = 0; j < 4; ++j) {
      rule.apply(g[j], ps.value[j], ms.value[j], vs.value[j]);
      rounded.value[j] = from_float<S>(ps.value[j]);
    }
    store_pack(p, pack, ps);
    store_pack(m, pack, ms);
    if (v) store_pack(v, pack, vs);
    if (shadow) store_pack(shadow, pack, rounded);
  }

  __device__ void update_one(const UpdateRule& rule, std::int64_t i, float g) const {
    float second = v ? v[i] : 0.0f;
    rule.apply(g, p[i], m[i], second);
    if (v) v[i] = second;
    if (shadow) shadow[i] = from_float<S>(p[i]);
  }
};

template <class S>
Parameters<S> parameters_of(const OptimizerParams& params, const View& p, const View& m, const View& v,
                            const View& shadow) {
  return {p.as<float>(), m.as<float>(), params.kind == OptimizerKind::sgd ? nullptr : v.as<float>(),
          shadow.as<S>()};
}

template <class S>
bool parameters_packable(const Parameters<S>& x) {
  return packable<4>(x.p) && packable<4>(x.m) && packable<4>(x.v) && packable<4>(x.shadow);
}

/// Checks the buffers of an update and calls f(Type<S>{}) with the shadow's dtype.
template <class F>
void with_parameters(const char* op, const OptimizerParams& params, const View& p, const View& m,
                     const View& v, const View& shadow, F&& f) {
  require_dtype(p, DType::f32, op, "p");
  require_dtype(m, DType::f32, op, "m");
  require_size(m, p.size(), op, "m");
  if (params.kind != OptimizerKind::sgd) {
    require_dtype(v, DType::f32, op, "v");
    require_size(v, p.size(), op, "v");
  }
  if (!shadow) return f(Type<float>{});
  require_size(shadow, p.size(), op, "shadow");
  dispatch_floating(op, shadow.dtype, f);
}

}  // namespace chorale::cuda

// SPDX-License-Identifier: MIT
// Negative log-likelihoods of one element and their derivatives by y; see LikelihoodParams.
#pragma once
#include <cmath>

#include "kernels/params.h"

namespace chorale::cpu {

/// Calls body with a functor {value(y, x), derivative(y, x)} for the kind.
template <class Body>
void with_likelihood(const LikelihoodParams& params, const Body& body) {
  struct SquaredError {
    float value(float y, float x) const { return (x - y) * (x - y); }
    float derivative(float y, float x) const { return 2.0f * (y - x); }
  };
  struct Gaussian {
    float inverse_scale, constant;
    float value(float y, float x) const {
      const float d = (x - y) * inverse_scale;
      return 0.5f * d * d + constant;
    }
    float derivative(float y, float x) const { return (y - x) * inverse_scale * inverse_scale; }
  };
  struct Laplace {
    float inverse_scale, constant;
    float value(float y, float x) const { return std::fabs(x - y) * inverse_scale + constant; }
    float derivative(float y, float x) const {
      const float d = y - x;
      // The sign by arithmetic: that of a residual cannot be predicted, and a branch would keep the loop
      // scalar.
      const float sign = static_cast<float>(static_cast<int>(d > 0.0f) - static_cast<int>(d < 0.0f));
      return d == d ? inverse_scale * sign : d;
    }
  };
  struct Bernoulli {
    float value(float y, float x) const {
      return (y > 0.0f ? y : y * 0.0f) - x * y + ::log1pf(::expf(-std::fabs(y)));
    }
    float derivative(float y, float x) const { return 1.0f / (1.0f + ::expf(-y)) - x; }
  };
  switch (params.kind) {
    case Likelihood::squared_error:
      return body(SquaredError{});
    case Likelihood::gaussian:
      return body(Gaussian{1.0f / params.scale, ::logf(params.scale) + 0.91893853f});
    case Likelihood::laplace:
      return body(Laplace{1.0f / params.scale, ::logf(2.0f * params.scale)});
    case Likelihood::bernoulli:
      return body(Bernoulli{});
  }
}

}  // namespace chorale::cpu

// SPDX-License-Identifier: MIT
// Negative log-likelihoods in f64, from their densities.
#pragma once
#include <cmath>
#include <numbers>
#include <string>

#include "kernels/params.h"

namespace chorale::harness {

inline std::string likelihood_name(Likelihood kind) {
  switch (kind) {
    case Likelihood::squared_error:
      return "squared_error";
    case Likelihood::gaussian:
      return "gaussian";
    case Likelihood::bernoulli:
      return "bernoulli";
    case Likelihood::laplace:
      return "laplace";
  }
  return "?";
}

inline double negative_log_likelihood(const LikelihoodParams& params, double y, double x) {
  const double scale = static_cast<double>(params.scale);
  switch (params.kind) {
    case Likelihood::squared_error:
      return (y - x) * (y - x);
    case Likelihood::gaussian:
      return (y - x) * (y - x) / (2 * scale * scale) + std::log(scale * std::sqrt(2 * std::numbers::pi));
    case Likelihood::laplace:
      return std::fabs(y - x) / scale + std::log(2 * scale);
    case Likelihood::bernoulli: {
      const double log_p = y > 0 ? -std::log1p(std::exp(-y)) : y - std::log1p(std::exp(y));
      const double log_q = y > 0 ? -y - std::log1p(std::exp(-y)) : -std::log1p(std::exp(y));
      return -(x * log_p + (1 - x) * log_q);
    }
  }
  return NAN;
}

}  // namespace chorale::harness

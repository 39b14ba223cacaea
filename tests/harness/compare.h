// SPDX-License-Identifier: MIT
// The one comparison of two arrays in the tests: aware of NaN and infinities, and it names the worst element.
#pragma once
#include <cmath>
#include <cstdio>
#include <span>
#include <string>

#include "tests/harness/tolerance.h"

namespace chorale::harness {

/// What a value that is too large for `dtype` becomes.
inline double saturate(double value, DType dtype) {
  const double limit = dtype == DType::f16    ? 65520.0
                       : dtype == DType::f32  ? 0x1.ffffffp127
                       : dtype == DType::bf16 ? 0x1.ffp127
                                              : INFINITY;
  return std::fabs(value) >= limit ? std::copysign(INFINITY, value) : value;
}

/// Empty if `actual` agrees with `expected`, else one line: how many elements differ and the worst of them.
/// NaN agrees with NaN only, an infinity with the same infinity only.
inline std::string compare(std::span<const double> actual, std::span<const double> expected,
                           Tolerance tolerance, DType dtype = DType::f64) {
  if (actual.size() != expected.size())
    return "sizes differ: " + std::to_string(actual.size()) + ", expected " + std::to_string(expected.size());
  double scale = 0;
  for (const double value : expected)
    if (std::isfinite(value) && std::fabs(value) > scale) scale = std::fabs(value);
  std::size_t wrong = 0, worst = 0;
  double worst_ratio = -1;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double a = actual[i], e = saturate(expected[i], dtype);
    double ratio;
    if (std::isnan(a) || std::isnan(e))
      ratio = std::isnan(a) && std::isnan(e) ? 0 : INFINITY;
    else if (std::isinf(a) || std::isinf(e))
      ratio = a == e ? 0 : INFINITY;
    else {
      const double error = std::fabs(a - e),
                   allowed = tolerance.relative * std::fabs(e) + tolerance.absolute * scale;
      ratio = error == 0 ? 0 : (allowed > 0 ? error / allowed : INFINITY);
    }
    if (ratio > 1) ++wrong;
    if (ratio > worst_ratio) {
      worst_ratio = ratio;
      worst = i;
    }
  }
  if (wrong == 0) return "";
  char text[256];
  std::snprintf(
      text, sizeof text,
      "%zu of %zu elements differ; worst at %zu: %.9g, expected %.9g (%.3g times the tolerance, scale %.3g)",
      wrong, actual.size(), worst, actual[worst], expected[worst], worst_ratio, scale);
  return text;
}

}  // namespace chorale::harness

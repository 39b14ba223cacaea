// SPDX-License-Identifier: MIT
// The filter of resample_ratio: a sinc of cut-off 0.95 of the band under a Kaiser window of beta 9.6 that
// reaches 64 samples to both sides (Smith, Digital Audio Resampling). Measured on its impulse response: flat
// within 0.0002 dB up to 0.90 of the band, 95 dB down from its end on. Where the output's rate is the lower
// one, the filter is as much longer as the band is narrower.
#pragma once
#include <cmath>
#include <cstdint>

#include "kernels/macros.h"

namespace chorale::windowed_sinc {

constexpr double half_width = 64;  ///< samples of the lower one of the two rates
constexpr double cut_off = 0.95;   ///< of its band
constexpr double beta = 9.6;

/// The filter is tabulated at so many places between two input samples, and interpolated linearly between
/// those: images lie 116 dB down.
constexpr std::int64_t phases = 512;

/// I0(beta sqrt(v)) / I0(beta) as a polynomial of v: the power series, whose terms all are positive.
constexpr int window_terms = 22;
struct WindowSeries {
  float term[window_terms];
};
CHORALE_HD constexpr WindowSeries window_series() {
  double term[window_terms] = {1.0}, sum = 1;
  for (int k = 1; k < window_terms; ++k) {
    term[k] = term[k - 1] * (beta * beta / 4) / (static_cast<double>(k) * k);
    sum += term[k];
  }
  WindowSeries series{};
  for (int k = 0; k < window_terms; ++k) series.term[k] = static_cast<float>(term[k] / sum);
  return series;
}

/// How far the filter reaches, in input samples, where the output takes every `step`-th of them.
CHORALE_HD constexpr std::int64_t reach(double step) {
  const double samples = half_width * (step > 1 ? step : 1);
  const std::int64_t whole = static_cast<std::int64_t>(samples);
  return whole + (static_cast<double>(whole) < samples ? 1 : 0);
}

/// The filter `distance` input samples from its middle.
CHORALE_HD inline float value(double distance, double step) {
  constexpr WindowSeries series = window_series();
  const double scale = step > 1 ? 1 / step : 1;
  const double x = distance * scale, u = x / half_width;
  const float v = static_cast<float>(1 - u * u);
  float window = series.term[window_terms - 1];
  for (int k = window_terms - 2; k >= 0; --k) window = window * v + series.term[k];
  // sin(pi z) with z reduced to half a turn in f64.
  const double z = cut_off * x, turns = ::floor(z * 0.5 + 0.5), rest = z - 2 * turns;  // in [-1, 1]
  const float angle = 3.14159265358979f * static_cast<float>(rest);
  const float sinc = z * z < 1e-12 ? 1.0f : ::sinf(angle) / (3.14159265358979f * static_cast<float>(z));
  return v > 0 ? static_cast<float>(cut_off * scale) * sinc * window : 0.0f;
}

/// Where output sample j lies.
struct Place {
  std::int64_t sample;  ///< the input sample at or before it
  std::int64_t phase;   ///< row of the table at or before it
  float part;           ///< from there to the next row
};
CHORALE_HD inline Place place(std::int64_t j, double step) {
  const double at = static_cast<double>(j) * step, whole = ::floor(at), phase = (at - whole) * phases;
  std::int64_t row = static_cast<std::int64_t>(phase);
  if (row > phases - 1) row = phases - 1;
  return {static_cast<std::int64_t>(whole), row, static_cast<float>(phase - static_cast<double>(row))};
}

}  // namespace chorale::windowed_sinc

// SPDX-License-Identifier: MIT
// How perplexity_weights and fuzzy_weights look for the width of a point's neighbourhood, read by both
// compilers: steps, tolerance and starting values of scikit-learn and umap-learn.
#pragma once
#include <cstdint>

#include "kernels/macros.h"

namespace chorale::neighbour_widths {

constexpr double tolerance = 1e-5;
constexpr int gaussian_steps = 100, fuzzy_steps = 64;
constexpr double smallest_share = 1e-3;  ///< of the mean distance: the least sigma of a fuzzy set

/// Bisection from 1 on numbers above 0, doubling while there is no upper end.
struct Search {
  double value = 1, low = 0, high = -1;  // -1: none yet
  CHORALE_HD void raise() {
    low = value;
    value = high < 0 ? 2 * value : (value + high) / 2;
  }
  CHORALE_HD void lower() {
    high = value;
    value = (low + value) / 2;
  }
};

/// The distance to neighbour `connectivity` of those at a distance, of k ascending ones; between two of them
/// where it is no integer; if they are fewer, to the last.
CHORALE_HD inline double local_radius(const float* distance, std::int64_t k, double connectivity) {
  std::int64_t first = 0;
  while (first < k && !(distance[first] > 0)) ++first;
  const std::int64_t count = k - first, whole = static_cast<std::int64_t>(connectivity);
  if (count == 0) return 0;
  if (static_cast<double>(count) < connectivity) return static_cast<double>(distance[k - 1]);
  const double share = connectivity - static_cast<double>(whole);
  if (whole == 0) return share * static_cast<double>(distance[first]);
  const double at = static_cast<double>(distance[first + whole - 1]);
  return share > 1e-5 ? at + share * (static_cast<double>(distance[first + whole]) - at) : at;
}

/// What of a distance lies beyond the radius.
CHORALE_HD inline float distance_beyond(float distance, double radius) {
  const double beyond = static_cast<double>(distance) - radius;
  return beyond > 0 ? static_cast<float>(beyond) : 0.0f;
}

}  // namespace chorale::neighbour_widths

// SPDX-License-Identifier: MIT
// How far points lie from the centroids of their clusters, and the metrics of that.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cluster/metrics.h"
#include "cluster/segments.h"

namespace chorale::cluster {

struct DispersionScores {
  Metric calinski_harabasz, davies_bouldin;
};

/// The rows of a clustering that are no noise, sorted by cluster on the current context's device. Sums are
/// f64 in an order of their own.
class Dispersion {
 public:
  /// Of x f32 (n, d), whose segments those are. InputError naming the first element that is not finite.
  Dispersion(const Tensor& x, const Segments& segments, const std::string& name);

  /// Each row once.
  DispersionScores scores() const;
  /// For each of `resamples`, row i as often as its weights (resamples, n) say; of at most at_once().
  std::vector<DispersionScores> scores(std::span<const std::int32_t> weights, std::int64_t resamples) const;
  /// Resamples whose weights and sums fill a few hundred megabytes at the most; at least one.
  std::int64_t at_once() const;

 private:
  std::vector<DispersionScores> evaluate(ConstView weights, std::int64_t resamples) const;

  std::vector<std::int64_t> order_;  ///< rows of x that x_ has, where scores are defined
  std::string undefined_;
  std::int64_t n_, clusters_;
  Tensor x_;        ///< f32 (points, d)
  Tensor offsets_;  ///< i64 (clusters + 1)
};

}  // namespace chorale::cluster

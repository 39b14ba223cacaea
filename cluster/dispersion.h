// SPDX-License-Identifier: MIT
// How far points lie from the centroids of their clusters, and the metrics of that.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cluster/metrics.h"

namespace chorale::cluster {

/// InputError unless x is a matrix and there is one label a row.
void check_labels(const Tensor& x, Labels labels, const std::string& name);
/// Why metrics of the data do not exist for so many points that are no noise; empty if they do.
std::string why_undefined(std::size_t clusters, std::int64_t points);

struct DispersionScores {
  Metric calinski_harabasz, davies_bouldin;
};

/// The rows of a clustering that are no noise, in host memory; sums in f64 in the order of the rows.
class Dispersion {
 public:
  Dispersion(const Tensor& x, Labels labels, const std::string& name);

  /// Each row as often as `weights` (n) says; empty: once.
  DispersionScores scores(std::span<const std::int32_t> weights = {}) const;

 private:
  std::vector<float> x_;               ///< centred
  std::vector<std::int32_t> cluster_;  ///< of each row, 0 to clusters_ - 1; -1: noise
  std::size_t d_, clusters_ = 0;
};

}  // namespace chorale::cluster

// SPDX-License-Identifier: MIT
// How far a clustering's metrics would move if other points had been drawn.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "cluster/metrics.h"

namespace chorale::cluster {

struct BootstrapOptions {
  std::int64_t n_resamples = 1000;
  double confidence = 0.95;  ///< share of the resamples that lie within the interval
  std::uint64_t random_state = 0;
};

/// Limits, or why there are none.
struct Interval {
  std::optional<double> low, high;
  std::string reason;
};

/// Percentile bootstrap (Efron, 1979) of each metric, in the order of metric_names: rows are drawn anew with
/// replacement and keep their clusters, quantiles of the resamples' values are numpy.quantile's. A row keeps
/// its silhouette, that of `evaluation`, which evaluate() gave for the same x f32 (n, d), clusters and
/// classes (empty: none). No interval where the metric is undefined, or in more than a tenth of the
/// resamples. Same bits for any number of threads. UsageError for options out of range.
std::array<Interval, metric_names.size()> bootstrap(const Evaluation& evaluation, const Tensor& x,
                                                    Labels predicted, Labels truth,
                                                    const BootstrapOptions& options = {},
                                                    const std::string& name = "x");

}  // namespace chorale::cluster

// SPDX-License-Identifier: MIT
// How good clusterings are, as tables and as JSON.
#pragma once
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cluster/bootstrap.h"
#include "cluster/metrics.h"
#include "tools/clustering/algorithms.h"

namespace chorale::tools {

/// One algorithm's clusters and what they are worth.
struct Judged {
  using Intervals = std::array<cluster::Interval, cluster::metric_names.size()>;
  Clustering clustering;
  cluster::Evaluation evaluation;
  std::optional<Intervals> intervals;
  std::optional<cluster::Contingency> table;  ///< with known labels: rows of each class in each cluster
  double cluster_s = 0, metrics_s = 0;
};

/// "all", "fast" or "none" of the metrics of the data alone, as `--metrics` has them.
cluster::DataMetrics data_metrics_of(const std::string& choice);

/// One clustering: every metric, with its interval if there is one.
void print_metrics(const Judged& judged);
/// Several clusterings: a line each, with the metrics that the result files have.
void print_comparison(const std::vector<Judged>& all, bool with_truth);
nlohmann::ordered_json to_json(const Judged& judged, double read_s);

}  // namespace chorale::tools

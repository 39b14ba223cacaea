// SPDX-License-Identifier: MIT
// The rows of a clustering sorted by cluster, as the metrics of the data take them.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "cluster/metrics.h"

namespace chorale::cluster {

/// The points that are no noise, sorted by cluster and within it by row.
struct Segments {
  std::vector<std::int64_t> order;
  std::vector<std::int64_t> offsets{0};  ///< cluster c owns order[offsets[c]] to order[offsets[c + 1]]
  std::string undefined;                 ///< why metrics of the data do not exist, or empty

  /// InputError unless x is a matrix and there is one label a row.
  Segments(const Tensor& x, Labels labels, const std::string& name);
  std::int64_t points() const { return static_cast<std::int64_t>(order.size()); }
  std::int64_t clusters() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
};

/// Why metrics of the data do not exist for so many points that are no noise; empty if they do.
std::string why_undefined(std::int64_t clusters, std::int64_t points);

}  // namespace chorale::cluster

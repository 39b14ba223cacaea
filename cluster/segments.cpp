// SPDX-License-Identifier: MIT
#include "cluster/segments.h"

#include <algorithm>

#include "cluster/rows.h"

namespace chorale::cluster {

std::string why_undefined(std::int64_t clusters, std::int64_t points) {
  if (points == 0) return "all points are noise";
  if (clusters == 1) return "there is only one cluster";
  if (clusters == points) return "every point is a cluster of its own";
  return {};
}

Segments::Segments(const Tensor& x, Labels labels, const std::string& name) {
  check_matrix(x, name);
  if (x.dim(0) != static_cast<std::int64_t>(labels.size()))
    throw InputError(name + ": one label a row is needed: " + std::to_string(labels.size()) + " labels for " +
                     std::to_string(x.dim(0)) + " rows (allowed the same number)");
  std::vector<std::int32_t> values(labels.begin(), labels.end());
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  std::erase(values, -1);
  const auto cluster_of = [&](std::int32_t label) {
    return static_cast<std::size_t>(std::lower_bound(values.begin(), values.end(), label) - values.begin());
  };
  std::vector<std::int64_t> place(values.size() + 1);  // first of each cluster, one cluster ahead
  for (const std::int32_t label : labels)
    if (label != -1) ++place[cluster_of(label) + 1];
  for (std::size_t c = 1; c < place.size(); ++c) place[c] += place[c - 1];
  offsets = place;
  order.resize(static_cast<std::size_t>(offsets.back()));
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels[i] != -1)
      order[static_cast<std::size_t>(place[cluster_of(labels[i])]++)] = static_cast<std::int64_t>(i);
  undefined = why_undefined(clusters(), points());
}

}  // namespace chorale::cluster

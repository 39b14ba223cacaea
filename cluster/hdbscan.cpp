// SPDX-License-Identifier: MIT
#include "cluster/hdbscan.h"

#include <cmath>

#include "cluster/condensed_tree.h"
#include "cluster/reachability_tree.h"

namespace chorale::cluster {
namespace {

void check_options(const HdbscanOptions& o, std::int64_t n) {
  const auto refuse = [](const char* option, const std::string& value, const std::string& allowed) {
    throw UsageError(std::string(option) + ": out of range: " + value + " (allowed " + allowed + ")");
  };
  if (o.min_cluster_size < 2) refuse("min_cluster_size", std::to_string(o.min_cluster_size), "2 or more");
  const std::int64_t min_samples = o.min_samples ? o.min_samples : o.min_cluster_size;
  if (min_samples < 1 || min_samples > n)
    refuse("min_samples", std::to_string(min_samples), "1 to the number of rows, " + std::to_string(n));
  if (!(o.cluster_selection_epsilon >= 0) || std::isinf(o.cluster_selection_epsilon))
    refuse("cluster_selection_epsilon", std::to_string(o.cluster_selection_epsilon),
           "finite numbers, 0 or more");
  if (o.max_cluster_size < 0)
    refuse("max_cluster_size", std::to_string(o.max_cluster_size), "1 or more, 0 for no limit");
  if (!(o.alpha > 0) || std::isinf(o.alpha))
    refuse("alpha", std::to_string(o.alpha), "finite numbers above 0");
}

}  // namespace

HdbscanResult hdbscan(const Tensor& x, const HdbscanOptions& options, const std::string& name) {
  check_matrix(x, name);
  const std::int64_t n = x.dim(0);
  check_options(options, n);
  const PointSet points(x, name);
  std::vector<ReachabilityEdge> edges;
  if (n > 1)
    edges = reachability_tree(points, options.min_samples ? options.min_samples : options.min_cluster_size,
                              options.alpha);
  const CondensedTree::Flat flat = CondensedTree(edges, options.min_cluster_size).flatten(options);
  return {Tensor::from_host(flat.labels, {n}), Tensor::from_host(flat.probabilities, {n})};
}

}  // namespace chorale::cluster

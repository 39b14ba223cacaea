// SPDX-License-Identifier: MIT
// The minimum spanning tree of mutual reachability, in which HDBSCAN finds its clusters.
#pragma once
#include <cstdint>
#include <vector>

#include "cluster/point_order.h"

namespace chorale::cluster {

/// An edge between two rows, by its squared weight max(core_a, core_b, |a - b| / alpha)^2; of equal weight by
/// rows.
struct ReachabilityEdge {
  double square;
  std::int32_t a, b;
  bool operator<(const ReachabilityEdge& other) const {
    return square != other.square ? square < other.square : a != other.a ? a < other.a : b < other.b;
  }
};

/// The n - 1 edges of a minimum spanning tree, ascending, a the end that is nearer to row 0 along the tree.
/// Of trees of the same weight that which grows from row 0 on all pairs, if no two distances between distinct
/// rows are equal. The core distance of a row is that to its min_samples-th nearest, itself counted; 1 <=
/// min_samples <= n, n >= 2. O(n (d + min_samples)) memory; time that of the distinct rows.
std::vector<ReachabilityEdge> reachability_tree(const PointSet& points, std::int64_t min_samples,
                                                double alpha);

}  // namespace chorale::cluster

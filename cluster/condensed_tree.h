// SPDX-License-Identifier: MIT
// From a minimum spanning tree to HDBSCAN's flat clustering: single linkage, condensed by a least cluster
// size, and a choice of its clusters (Campello et al., PAKDD 2013; Malzer & Baum, MFI 2020 for the threshold
// on distances).
#pragma once
#include <cstdint>
#include <vector>

#include "cluster/hdbscan.h"
#include "cluster/reachability_tree.h"

namespace chorale::cluster {

/// The hierarchy of clusters of at least some size. Clusters are numbered from the root, 0, level by level,
/// as they split in two; lambda = 1 / distance is when something leaves its parent.
class CondensedTree {
 public:
  /// `edges`: the n - 1 edges of a spanning tree on n rows, ascending, as reachability_tree gives them.
  CondensedTree(const std::vector<ReachabilityEdge>& edges, std::int64_t min_cluster_size);

  struct Flat {
    std::vector<std::int32_t> labels;  ///< (n); -1: noise
    std::vector<float> probabilities;  ///< (n)
  };
  /// The clusters that the options select, numbered in the order of the tree.
  Flat flatten(const HdbscanOptions& options) const;

 private:
  struct Cluster {
    std::int64_t parent = -1, first_child = -1;  ///< children come in pairs
    std::int64_t size = 0;
    double birth = 0, death = 0;  ///< lambda at which it splits off, and at which the last of it does
    double stability = 0;         ///< sum over what leaves it of size (lambda - birth)
  };
  struct Point {
    std::int64_t cluster = 0;
    double lambda = 0;
  };

  void leave(std::int64_t cluster, double lambda, std::int64_t size);
  std::vector<bool> by_excess_of_mass(const HdbscanOptions& options) const;
  std::vector<bool> leaves() const;
  std::vector<bool> merge_near(const std::vector<bool>& selected, const HdbscanOptions& options) const;

  std::vector<Cluster> clusters_;
  std::vector<Point> points_;
};

}  // namespace chorale::cluster

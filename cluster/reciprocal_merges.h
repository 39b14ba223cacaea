// SPDX-License-Identifier: MIT
// Agglomeration by reciprocal nearest neighbours, the form of the nearest-neighbour chain that works on many
// clusters at once (Murtagh 1983; Müllner 2011).
//
// Where merging two nearest clusters brings them no nearer to any third one (Ward, complete and average
// linkage), any two clusters that are nearest to each other may be merged at once, in any order: the tree is
// that of merging the nearest pair of all again and again. So each round lets some clusters look for their
// nearest neighbour and merges every pair found to be reciprocal. A cluster's neighbour stays right until
// that neighbour is merged. Who looks next: the merged clusters, whoever a cluster that looked last would
// merge with but whose own neighbour is out of date, and a fixed number of others for each merge. That bounds
// all searches to a few for each point, as in the chain, whatever the data, and most are made many at a time.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "cluster/linkage.h"

namespace chorale::cluster {

/// Clusters in columns 0 to m - 1, on the device. A merge leaves the union in the lower column and nothing in
/// the other one.
class ClusterStore {
 public:
  struct Pair {
    std::int32_t first, second;  ///< columns, first < second
    std::int64_t first_size, second_size;
    float distance;  ///< as `nearest` gave it
  };
  virtual ~ClusterStore() = default;
  /// The nearest other cluster of each of `listed`, the lowest column of equals. Distances may be in any unit
  /// that keeps their order, and that of a and b must be that of b and a to the bit. A store that errs about
  /// the order is forgiven: clusters that name each other in a circle are merged at the shortest of its
  /// sides.
  virtual void nearest(std::span<const std::int32_t> listed, std::vector<std::int32_t>& columns,
                       std::vector<float>& distances) = 0;
  /// Merges disjoint pairs, ordered by first column; returns their heights in the tree.
  virtual std::vector<double> merge(std::span<const Pair> pairs) = 0;
  /// Leaves out all columns but `kept`, which are ascending.
  virtual void compact(std::span<const std::int32_t> kept) = 0;
};

/// Merges the n points of `store` until one cluster is left. Heights never decrease from a cluster to one
/// that contains it.
std::vector<Merge> merge_reciprocal_neighbours(ClusterStore& store, std::int64_t n);

}  // namespace chorale::cluster

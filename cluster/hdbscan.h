// SPDX-License-Identifier: MIT
// HDBSCAN (Campello, Moulavi & Sander, PAKDD 2013) with scikit-learn's names and semantics.
#pragma once
#include <cstdint>
#include <string>

#include "tensor/tensor.h"

namespace chorale::cluster {

enum class ClusterSelection : std::uint8_t {
  eom,   ///< excess of mass: the set of disjoint clusters of largest total stability
  leaf,  ///< the leaves of the condensed tree: more and smaller clusters
};

/// Parameters of sklearn.cluster.HDBSCAN(metric="euclidean"), with its meanings.
struct HdbscanOptions {
  std::int64_t min_cluster_size = 5;  ///< smaller groups are noise; 2 or more
  /// A point's core distance is that to its min_samples-th nearest, itself counted; 0: min_cluster_size.
  std::int64_t min_samples = 0;
  double cluster_selection_epsilon = 0;  ///< clusters that split below this distance are merged
  std::int64_t max_cluster_size = 0;     ///< larger ones are split where eom allows; 0: no limit
  double alpha = 1;                      ///< distances, but not core distances, are divided by this
  ClusterSelection cluster_selection_method = ClusterSelection::eom;
  bool allow_single_cluster = false;
};

struct HdbscanResult {
  Tensor labels_;         ///< i32 (n): cluster of each row, numbered as scikit-learn does; -1: noise
  Tensor probabilities_;  ///< f32 (n): strength of membership, 0 for noise and 1 in the heart of a cluster
};

/// Clusters the rows of x, f32 (n, d), on the current context's device. The minimum spanning tree of mutual
/// reachability is exact, its weights compared in f64. With min_samples of 2 or more some weights are always
/// equal, so labels are those of scikit-learn once its sort of the edges is stable
/// (np.argsort(kind="stable")); as it is not, its own labels depend on the order of the rows. Where distances
/// between distinct rows are equal as well, another minimum tree than its may be chosen. Same bits for any
/// number of threads. Time O(n^2 d) at most, less where the rows lie in few dimensions or in groups; memory
/// O(n (d + min_samples)). `name` stands for x in errors. UsageError for options out of range (min_samples
/// above n is), InputError for x that is empty, not finite or out of the range of squares in f32.
HdbscanResult hdbscan(const Tensor& x, const HdbscanOptions& options = {}, const std::string& name = "x");

}  // namespace chorale::cluster

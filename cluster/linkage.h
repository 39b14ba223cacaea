// SPDX-License-Identifier: MIT
// Merge trees of hierarchical clustering in SciPy's form, and the flat clusterings that cuts of them give.
#pragma once
#include <cstdint>
#include <vector>

#include "tensor/tensor.h"

namespace chorale::cluster {

/// Two clusters become one. Each is named by any of its points.
struct Merge {
  std::int32_t first, second;
  double height;
};

/// The linkage matrix f64 (n - 1, 4) of scipy.cluster.hierarchy: one merge a row, in the order of their
/// heights, equal heights in the order given: ids of the two clusters, the lower one first, height, number of
/// points. Point i is cluster i, row r makes cluster n + r. ContractError unless the n - 1 merges join all n
/// points.
Tensor linkage_matrix(std::vector<Merge> merges, std::int64_t n);

/// Labels i32 (n) of the n_clusters clusters that are left when the last n_clusters - 1 merges are undone,
/// numbered from 0 as scikit-learn's AgglomerativeClustering numbers them. UsageError unless 1 <= n_clusters
/// <= n.
Tensor cut_tree(const Tensor& linkage, std::int64_t n_clusters);

/// Clusters that merges below `threshold` make: scikit-learn's number of clusters for a distance_threshold.
std::int64_t count_clusters(const Tensor& linkage, double threshold);

}  // namespace chorale::cluster

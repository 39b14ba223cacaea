// SPDX-License-Identifier: MIT
// DBSCAN (Ester, Kriegel, Sander & Xu, KDD 1996) with scikit-learn's names and semantics.
#pragma once
#include <cstdint>
#include <string>

#include "tensor/tensor.h"

namespace chorale::cluster {

/// Parameters of sklearn.cluster.DBSCAN(metric="euclidean"), with its meanings.
struct DbscanOptions {
  double eps = 0.5;              ///< points this near, or nearer, are neighbours
  std::int64_t min_samples = 5;  ///< a point with so many neighbours, itself counted, is a core point
};

struct DbscanResult {
  Tensor labels_;               ///< i32 (n): clusters in the order of their first core points; -1: noise
  Tensor core_sample_indices_;  ///< i32 (number of core points), ascending
};

/// Clusters the rows of x, f32 (n, d), on the current context's device. Exact: distances at the boundary are
/// compared in f64, so labels are those of scikit-learn; a point between clusters belongs to the first of
/// them. Time at most O(n^2 d), less where the rows lie in few dimensions or in groups; memory O(n (d +
/// min_samples)). `name` stands for x in errors. UsageError for options out of range, InputError for x that
/// is empty or not finite.
DbscanResult dbscan(const Tensor& x, const DbscanOptions& options = {}, const std::string& name = "x");

/// An eps for `min_samples`: the distance of each point to its (2 min_samples - 1)-th nearest other, or the
/// last of fewer, is sorted, and the value where the curve lies farthest below the chord from its first to
/// its last point is returned (the knee of Satopaa et al., ICDCSW 2011). Twice min_samples, for at the knee
/// of min_samples itself dense regions of uneven density fall apart. UsageError for min_samples below 2,
/// InputError where all rows are equal.
double suggest_eps(const Tensor& x, std::int64_t min_samples = 5, const std::string& name = "x");

}  // namespace chorale::cluster

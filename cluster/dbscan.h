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
/// is empty, not finite or out of the range of squares in f32.
DbscanResult dbscan(const Tensor& x, const DbscanOptions& options = {}, const std::string& name = "x");

/// What decided on an eps.
enum class EpsRule : std::uint8_t {
  knee,     ///< of the curve of distances to neighbours
  plateau,  ///< a range of eps in which the number of large clusters is the same
  copies,   ///< most rows have so many copies that those distances are all 0
};

struct SuggestedEps {
  double eps;
  EpsRule rule;
  std::int64_t n_clusters;  ///< large clusters there: of 2 % of the rows, and of min_samples and 2, or more
};

/// An eps for `min_samples`, from the rows x, f32 (n, d), alone.
///
/// The knee: the distance of each row to its (2 min_samples - 1)-th nearest other, or the last of fewer, is
/// sorted, and the value taken where the curve lies farthest below the chord from its first to its last point
/// (Satopaa et al., ICDCSW 2011). Twice min_samples, for at the knee of min_samples itself dense regions of
/// uneven density fall apart.
///
/// Where that leaves fewer than two large clusters, the plateau: of the ranges of eps in which the number of
/// large clusters is the same, two or more, that with the greatest length in log eps times the square of the
/// share of rows in them; three quarters up the range (the lifetime criterion of Fred & Jain, TPAMI 2005, for
/// DBSCAN). It counts if those clusters hold half of the rows, and if a ball grows by half in volume over the
/// range, in the dimension that the rows have locally; else there is no sign of more than one cluster, and
/// the knee stays.
///
/// Where the distances of the curve are all 0, half the least distance between groups of copies, or 1 if all
/// rows are equal or there is one. Costs a search for neighbours and a run of dbscan, for a plateau also the
/// tree of hdbscan. UsageError for min_samples below 1; InputError as dbscan.
SuggestedEps suggest_eps(const Tensor& x, std::int64_t min_samples = 5, const std::string& name = "x");

}  // namespace chorale::cluster

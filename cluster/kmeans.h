// SPDX-License-Identifier: MIT
// k-means clustering (Lloyd's algorithm) with scikit-learn's names and semantics; of matrices in memory.
#pragma once
#include <cstdint>
#include <string>

#include "tensor/tensor.h"

namespace chorale::cluster {

/// Parameters of sklearn.cluster.KMeans, with its meanings.
struct KMeansOptions {
  std::int64_t n_clusters = 8;
  /// How a restart's first centers are chosen. "k-means++": greedy, with 2 + floor(log n_clusters) trials a
  /// center (Arthur & Vassilvitskii, SODA 2007). "k-means||": in a few passes over the rows (Bahmani et al.,
  /// VLDB 2012), for many clusters. "random": distinct rows.
  std::string init = "k-means++";
  /// Centers f32 (n_clusters, d) to start from, which makes n_init 1 and leaves `init` out.
  Tensor init_centers;
  /// Restarts; the one of lowest inertia is returned. They run together, as one product with n_init *
  /// n_clusters columns, until they converge.
  std::int64_t n_init = 10;
  std::int64_t max_iter = 300;
  /// A restart ends when its centers together moved by less than tol times the mean variance of the columns
  /// (squared distances), or when no label changed.
  double tol = 1e-4;
  std::uint64_t random_state = 0;
  /// "euclidean"; or "cosine", spherical k-means (Dhillon & Modha, Machine Learning 2001): rows and, after
  /// every update, centers are scaled to length 1.
  std::string metric = "euclidean";
  /// Leave out points whose label distance bounds prove (Hamerly, SDM 2010; by how far centers are from where
  /// they were, Newling & Fleuret, ICML 2016). The result is the same bit for bit.
  bool bounds = true;
};

struct KMeansResult {
  Tensor labels_;            ///< i32 (n): the nearest center of each row, the lowest index of equals
  Tensor cluster_centers_;   ///< f32 (n_clusters, d); of length 1 with metric "cosine"
  double inertia_ = 0;       ///< sum over the rows of the squared distance, or 1 - cos, to the nearest center
  std::int64_t n_iter_ = 0;  ///< iterations of the returned restart
};

/// Clusters the rows of x, f32 (n, d), on the current context's device. Same bits for the same options, on
/// the CPU for any number of threads. An empty cluster is given the point farthest from its center, as
/// scikit-learn does; with fewer distinct rows than clusters some clusters stay empty. `name` stands for x in
/// errors. UsageError for options out of range, InputError for x that is empty or not finite, or has a row of
/// zeros where the metric is "cosine".
KMeansResult kmeans(const Tensor& x, const KMeansOptions& options, const std::string& name = "x");

/// Nearest of `centers` f32 (k, d) for each row of x f32 (n, d): labels i32 (n), lowest index of equals.
Tensor kmeans_predict(const Tensor& x, const Tensor& centers, const std::string& name = "x",
                      const std::string& metric = "euclidean");

}  // namespace chorale::cluster

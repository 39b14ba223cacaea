// SPDX-License-Identifier: MIT
// k-means on random batches of rows (Sculley, WWW 2010) with scikit-learn's names and semantics: labels that
// are a little worse than those of kmeans(), in a time that hardly depends on the number of rows.
#pragma once
#include <cstdint>
#include <string>

#include "cluster/kmeans.h"

namespace chorale::cluster {

/// Parameters of sklearn.cluster.MiniBatchKMeans, with its meanings.
struct MiniBatchKMeansOptions {
  std::int64_t n_clusters = 8;
  std::string init = "k-means++";  ///< or "k-means||", "random"; as in KMeansOptions
  Tensor init_centers;             ///< f32 (n_clusters, d) to start from, which makes n_init 1
  std::int64_t max_iter = 100;     ///< times that as many rows as there are may be drawn
  std::int64_t batch_size = 1024;  ///< rows of a step, drawn with replacement; at most all
  /// Ends when the centers together moved by less than tol times the mean variance of the columns (squared
  /// distances); 0: not by that.
  double tol = 0;
  /// Ends after so many steps without a lower smoothed inertia; 0: not by that.
  std::int64_t max_no_improvement = 10;
  /// Rows that starting centers are chosen among, and others that they are compared on; 0: 3 batch_size, or
  /// 3 n_clusters where that is not enough.
  std::int64_t init_size = 0;
  std::int64_t n_init = 3;  ///< starts that are compared; only the best one is continued
  /// Centers with fewer rows than this share of the largest one's move to random rows now and then.
  double reassignment_ratio = 0.01;
  std::uint64_t random_state = 0;
  std::string metric = "euclidean";  ///< or "cosine"; as in KMeansOptions
};

struct MiniBatchKMeansResult : KMeansResult {
  std::int64_t n_steps_ = 0;  ///< batches; n_iter_ is how often as many rows as there are were drawn
};

/// Clusters the rows of x, f32 (n, d), on the current context's device. Each center is the mean of all rows
/// that came to it so far, which is a learning rate of 1 / count of each. labels_ and inertia_ are those of
/// all rows. Same bits for the same options, on the CPU for any number of threads. UsageError for options
/// out of range, InputError as of kmeans().
MiniBatchKMeansResult mini_batch_kmeans(const Tensor& x, const MiniBatchKMeansOptions& options,
                                        const std::string& name = "x");

}  // namespace chorale::cluster

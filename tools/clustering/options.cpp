// SPDX-License-Identifier: MIT
#include <limits>

#include "tools/clustering/algorithms.h"

namespace chorale::tools {

void add_algorithm_options(Options& options, AlgorithmOptions& o) {
  constexpr double most = std::numeric_limits<std::int32_t>::max();
  options.group("Algorithms");
  options.add("--n-clusters", &o.n_clusters, "kmeans, gmm, agglomerative: number of clusters, at most n",
              {1, most});
  options.add("--n-init", &o.n_init, "kmeans, gmm: starts, of which the best counts", {1, 10000})
      .shown_default("kmeans: 10, in mini-batches 3; gmm: 1");
  options.add("--max-iter", &o.max_iter, "kmeans, gmm: most iterations of a start", {1, 1e9})
      .shown_default("kmeans: 300, in mini-batches 100; gmm: 100");
  options
      .add("--tol", &o.tol,
           "kmeans: move of the centers, relative to the variance, that ends a start; gmm: gain of the mean "
           "log-likelihood that does",
           {0, 1e30})
      .shown_default("kmeans: 1e-4, in mini-batches 0; gmm: 1e-3");
  options.add("--init", &o.init, "kmeans: how the first centers are chosen",
              {"k-means++", "k-means||", "random"});
  options.add("--metric", &o.metric, "kmeans: cosine is spherical k-means", {"euclidean", "cosine"});
  options.add("--batch-size", &o.batch_size, "kmeans: rows of a mini-batch; 0: all rows in each iteration",
              {0, most});
  options.add("--covariance-type", &o.covariance_type, "gmm: of the components",
              {"full", "tied", "diag", "spherical"});
  options.add("--reg-covar", &o.reg_covar, "gmm: added to every variance", {0, 1e30});
  options.add("--linkage", &o.linkage, "agglomerative: distance of two clusters",
              {"ward", "complete", "average", "single"});
  options
      .add("--distance-threshold", &o.distance_threshold,
           "agglomerative: clusters at this distance or above stay apart; instead of --n-clusters",
           {0, 1e300})
      .shown_default("none");
  options
      .add("--eps", &o.eps,
           "dbscan: points this near are neighbours; auto: at the knee of the sorted distances to "
           "neighbours, or where the number of large clusters changes least")
      .placeholder("E");
  options
      .add("--min-samples", &o.min_samples,
           "dbscan, hdbscan: neighbours, itself counted, that make a core point", {1, most})
      .shown_default("dbscan: 5; hdbscan: --min-cluster-size");
  options.add("--min-cluster-size", &o.min_cluster_size, "hdbscan: smaller groups are noise", {2, most});
  options.add("--cluster-selection-method", &o.cluster_selection_method,
              "hdbscan: clusters of the most excess of mass, or the leaves of the tree", {"eom", "leaf"});
  options.add("--cluster-selection-epsilon", &o.cluster_selection_epsilon,
              "hdbscan: clusters that split below this distance are one", {0, 1e300});
  options.add("--allow-single-cluster", &o.allow_single_cluster, "hdbscan: all points may be one cluster");
}

}  // namespace chorale::tools

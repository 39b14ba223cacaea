// SPDX-License-Identifier: MIT
// Clusterings of feature vectors and their quality, as rows of results/metrics/*.csv.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace chorale::report {

/// Quality of one clustering. A metric that is undefined (one cluster, as many as points) is empty.
struct ClusteringRow {
  std::string method;  ///< "kmeans/genre": points and algorithm, and the labels it is compared with
  std::int64_t n_clusters = 0;
  std::optional<double> silhouette_score, calinski_harabasz_index, davies_bouldin_index;
  std::optional<double> adjusted_rand_index, normalized_mutual_info, cluster_purity, cluster_accuracy;
};

struct EvaluationOptions {
  std::vector<std::int64_t> n_clusters = {5, 10, 15, 20, 30, 45, 50};
  std::int64_t n_init = 10;
  std::int64_t max_iter = 300;
  std::uint64_t seed = 42;
};

/// Names of one kind of label ("language", "genre"), one per point.
struct Labelling {
  std::string name;
  std::vector<std::string> values;
};

/// k-means on `points` f32 (n, d) for every k of the options that is smaller than n, compared with each
/// labelling: one row per (k, labelling), named "<method>/<labelling>". Reasons
/// for empty metrics are appended to `notices`.
std::vector<ClusteringRow> evaluate_clusterings(const std::string& method, const Tensor& points,
                                                const std::vector<Labelling>& labellings,
                                                const EvaluationOptions& options,
                                                std::vector<std::string>& notices);

/// The columns of the metrics files, and rows as CSV lines below them.
std::string clustering_csv(const std::vector<ClusteringRow>& rows);

/// Names to numbers in order of first appearance.
std::vector<std::int32_t> encode_labels(const std::vector<std::string>& values);

}  // namespace chorale::report

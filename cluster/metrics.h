// SPDX-License-Identifier: MIT
// How good a clustering is: by the data alone (silhouette, Calinski-Harabasz, Davies-Bouldin) and against
// known labels (pair counts, mutual information, purity, accuracy). Definitions are scikit-learn's where it
// has them.
//
// Labels are any integers, one a row; -1 is noise. Metrics of the data leave noise out; metrics against known
// labels count it as one more cluster, as scikit-learn does.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/tensor.h"

namespace chorale::cluster {

using Labels = std::span<const std::int32_t>;

/// A number, or why there is none: one cluster, only noise, every point a cluster of its own. Never NaN.
struct Metric {
  std::optional<double> value;
  std::string reason;  ///< empty when there is a value
};

/// Counts of each (class, cluster) pair; rows and columns in ascending order of the labels that occur.
struct Contingency {
  std::vector<std::int32_t> classes, clusters;
  std::vector<std::int64_t> counts;  ///< [class, cluster]
  std::int64_t n = 0;

  Contingency() = default;
  /// ContractError when the lengths differ.
  Contingency(Labels truth, Labels predicted);
  std::int64_t at(std::size_t row, std::size_t column) const {
    return counts[row * clusters.size() + column];
  }
};

struct Silhouette {
  Metric mean;
  std::vector<float>
      samples;  ///< (n) in the order of the rows, 0 for noise; empty when the mean is undefined
};

/// Exact mean silhouette with Euclidean distances and its value for each row (Rousseeuw, 1987), on the
/// current context's device; x f32 (n, d). Time O(n^2 d), memory O(n d). Equal to
/// sklearn.metrics.silhouette_samples.
Silhouette silhouette(const Tensor& x, Labels labels, const std::string& name = "x");
/// sklearn.metrics.calinski_harabasz_score: between-cluster over within-cluster dispersion, larger is better.
Metric calinski_harabasz(const Tensor& x, Labels labels, const std::string& name = "x");
/// sklearn.metrics.davies_bouldin_score: mean over clusters of the worst (s_i + s_j) / d_ij, smaller is
/// better.
Metric davies_bouldin(const Tensor& x, Labels labels, const std::string& name = "x");

// Against known labels, each from the table: adjusted_rand_index({truth, predicted}).

/// sklearn.metrics.adjusted_rand_score (Hubert & Arabie, 1985).
Metric adjusted_rand_index(const Contingency& table);
/// sklearn.metrics.fowlkes_mallows_score (Fowlkes & Mallows, 1983).
Metric fowlkes_mallows_index(const Contingency& table);
/// Share of points whose class is the most frequent one of their cluster.
Metric cluster_purity(const Contingency& table);
/// Share of points classified right under the best one-to-one mapping of clusters to classes.
Metric cluster_accuracy(const Contingency& table);

/// Of the two entropies, what a mutual information is divided by.
enum class Average : std::uint8_t { minimum, geometric, arithmetic, maximum };

/// sklearn.metrics.mutual_info_score, in nats.
Metric mutual_info(const Contingency& table);
/// sklearn.metrics.normalized_mutual_info_score.
Metric normalized_mutual_info(const Contingency& table, Average average = Average::arithmetic);
/// sklearn.metrics.adjusted_mutual_info_score: corrected for chance under the hypergeometric model (Vinh,
/// Epps & Bailey, JMLR 2010).
Metric adjusted_mutual_info(const Contingency& table, Average average = Average::arithmetic);
/// sklearn.metrics.homogeneity_score, completeness_score and v_measure_score (Rosenberg & Hirschberg, 2007).
Metric homogeneity(const Contingency& table);
Metric completeness(const Contingency& table);
Metric v_measure(const Contingency& table, double beta = 1);

/// The assignment of rows to different columns with the largest total of `weights` [rows, columns],
/// row-major; -1 for a row without a column. O(min(rows, columns)^2 max(rows, columns)), the Hungarian method
/// with potentials (Kuhn, 1955; Munkres, 1957).
std::vector<std::int64_t> maximum_assignment(std::span<const std::int64_t> weights, std::size_t rows,
                                             std::size_t columns);

/// The first data_metrics are of the data alone, the first seven the columns of the result files.
constexpr std::array<std::string_view, 15> metric_names = {"silhouette_score",
                                                           "calinski_harabasz_index",
                                                           "davies_bouldin_index",
                                                           "adjusted_rand_index",
                                                           "normalized_mutual_info",
                                                           "cluster_purity",
                                                           "cluster_accuracy",
                                                           "adjusted_mutual_info",
                                                           "normalized_mutual_info_min",
                                                           "normalized_mutual_info_geometric",
                                                           "normalized_mutual_info_max",
                                                           "homogeneity",
                                                           "completeness",
                                                           "v_measure",
                                                           "fowlkes_mallows_index"};
constexpr std::size_t data_metrics = 3;

/// All metrics of one clustering, in the order of metric_names.
struct Evaluation {
  std::int64_t n_clusters = 0;  ///< without noise
  std::int64_t n_noise = 0;
  std::array<Metric, metric_names.size()> metrics;
  std::vector<float> silhouette_samples;  ///< (n), see Silhouette
};

/// Which metrics of the data alone: the silhouette takes O(n^2 d) time, the others O(n d).
enum class DataMetrics : std::uint8_t { all, fast, none };
/// The reason of a metric that was left out.
constexpr std::string_view not_asked_for = "not asked for";

/// `truth` empty: metrics against known labels are undefined.
Evaluation evaluate(const Tensor& x, Labels predicted, Labels truth = {}, const std::string& name = "x",
                    DataMetrics data = DataMetrics::all);

/// The metrics against known labels, in the order of metric_names from data_metrics on.
std::array<Metric, metric_names.size() - data_metrics> agreement(const Contingency& table);

}  // namespace chorale::cluster

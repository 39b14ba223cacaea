// SPDX-License-Identifier: MIT
#include "report/evaluation.h"

#include <charconv>
#include <map>

#include "cluster/kmeans.h"
#include "cluster/metrics.h"

namespace chorale::report {
namespace {

std::string cell(const std::optional<double>& value) {
  if (!value) return "";
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, *value, std::chars_format::general, 7);
  return {text, end.ptr};
}

}  // namespace

std::vector<std::int32_t> encode_labels(const std::vector<std::string>& values) {
  std::map<std::string, std::int32_t> numbers;
  std::vector<std::int32_t> labels;
  for (const std::string& value : values)
    labels.push_back(numbers.emplace(value, static_cast<std::int32_t>(numbers.size())).first->second);
  return labels;
}

std::vector<ClusteringRow> evaluate_clusterings(const std::string& method, const Tensor& points,
                                                const std::vector<Labelling>& labellings,
                                                const EvaluationOptions& options,
                                                std::vector<std::string>& notices) {
  std::vector<ClusteringRow> rows;
  for (const std::int64_t k : options.n_clusters) {
    if (k >= points.dim(0)) {
      notices.push_back(method + ": " + std::to_string(k) + " clusters left out: only " +
                        std::to_string(points.dim(0)) + " songs");
      continue;
    }
    cluster::KMeansOptions kmeans;
    kmeans.n_clusters = k;
    kmeans.n_init = options.n_init;
    kmeans.max_iter = options.max_iter;
    kmeans.random_state = options.seed;
    const auto labels = cluster::kmeans(points, kmeans, method).labels_.to_host<std::int32_t>();
    const auto take = [&](const cluster::Metric& metric, const char* what) {
      if (!metric.value)
        notices.push_back(method + ", " + std::to_string(k) + " clusters: " + what +
                          " is undefined: " + metric.reason);
      return metric.value;
    };
    ClusteringRow row;
    row.n_clusters = k;
    row.silhouette_score = take(cluster::silhouette(points, labels, method).mean, "silhouette");
    row.calinski_harabasz_index =
        take(cluster::calinski_harabasz(points, labels, method), "Calinski-Harabasz");
    row.davies_bouldin_index = take(cluster::davies_bouldin(points, labels, method), "Davies-Bouldin");
    for (const Labelling& labelling : labellings) {
      const auto truth = encode_labels(labelling.values);
      row.method = method + "/" + labelling.name;
      row.adjusted_rand_index = take(cluster::adjusted_rand_index({truth, labels}), "ARI");
      row.normalized_mutual_info = take(cluster::normalized_mutual_info({truth, labels}), "NMI");
      row.cluster_purity = take(cluster::cluster_purity({truth, labels}), "purity");
      row.cluster_accuracy = take(cluster::cluster_accuracy({truth, labels}), "accuracy");
      rows.push_back(row);
    }
  }
  return rows;
}

std::string clustering_csv(const std::vector<ClusteringRow>& rows) {
  std::string text =
      "method,n_clusters,silhouette_score,calinski_harabasz_index,davies_bouldin_index,adjusted_rand_index,"
      "normalized_mutual_info,cluster_purity,cluster_accuracy\n";
  for (const ClusteringRow& r : rows) {
    text += r.method + "," + std::to_string(r.n_clusters);
    for (const auto& value :
         {r.silhouette_score, r.calinski_harabasz_index, r.davies_bouldin_index, r.adjusted_rand_index,
          r.normalized_mutual_info, r.cluster_purity, r.cluster_accuracy})
      text += "," + cell(value);
    text += "\n";
  }
  return text;
}

}  // namespace chorale::report

// SPDX-License-Identifier: MIT
// Metrics of a clustering by the data alone.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "cluster/metrics.h"
#include "cluster/rows.h"
#include "kernels/launch.h"

namespace chorale::cluster {
namespace {

/// The points that are no noise, sorted by cluster and within it by row.
struct Segments {
  std::vector<std::int64_t> order;
  std::vector<std::int64_t> offsets;  ///< cluster c owns order[offsets[c]] to order[offsets[c + 1]]
  std::string undefined;              ///< why metrics of the data do not exist, or empty
  std::size_t clusters() const { return offsets.size() - 1; }
};

Segments sort_by_cluster(const Tensor& x, Labels labels, const std::string& name) {
  check_matrix(x, name);
  if (x.dim(0) != static_cast<std::int64_t>(labels.size()))
    throw InputError(name + ": one label a row is needed: " + std::to_string(labels.size()) + " labels for " +
                     std::to_string(x.dim(0)) + " rows (allowed the same number)");
  Segments s;
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels[i] != -1) s.order.push_back(static_cast<std::int64_t>(i));
  std::stable_sort(s.order.begin(), s.order.end(), [&](std::int64_t a, std::int64_t b) {
    return labels[static_cast<std::size_t>(a)] < labels[static_cast<std::size_t>(b)];
  });
  for (std::size_t i = 0; i < s.order.size(); ++i)
    if (i == 0 ||
        labels[static_cast<std::size_t>(s.order[i])] != labels[static_cast<std::size_t>(s.order[i - 1])])
      s.offsets.push_back(static_cast<std::int64_t>(i));
  s.offsets.push_back(static_cast<std::int64_t>(s.order.size()));
  if (s.order.empty()) {
    s.undefined = "all points are noise";
  } else if (s.clusters() == 1) {
    s.undefined = "there is only one cluster";
  } else if (s.clusters() == s.order.size()) {
    s.undefined = "every point is a cluster of its own";
  }
  return s;
}

/// Points in f64 with their clusters' centroids, for the metrics that need one pass over the data.
struct Dispersion {
  std::int64_t d;
  std::vector<float> x;           // centred, in the order of the rows
  std::vector<double> centroids;  // [cluster, d]
  std::vector<double> mean;       // of all points that are no noise

  Dispersion(const Tensor& tensor, const Segments& s, const std::string& name)
      : d(tensor.dim(1)),
        x(center_rows(tensor, name).x.to_host<float>()),
        centroids(s.clusters() * static_cast<std::size_t>(d)),
        mean(static_cast<std::size_t>(d)) {
    for (std::size_t c = 0; c < s.clusters(); ++c) {
      double* centroid = centroids.data() + c * mean.size();
      for (std::int64_t i = s.offsets[c]; i < s.offsets[c + 1]; ++i) {
        const float* row = point(s, i);
        for (std::size_t j = 0; j < mean.size(); ++j) centroid[j] += static_cast<double>(row[j]);
      }
      for (std::size_t j = 0; j < mean.size(); ++j) {
        mean[j] += centroid[j];
        centroid[j] /= static_cast<double>(s.offsets[c + 1] - s.offsets[c]);
      }
    }
    for (double& value : mean) value /= static_cast<double>(s.order.size());
  }

  const float* point(const Segments& s, std::int64_t i) const {
    return x.data() + s.order[static_cast<std::size_t>(i)] * d;
  }
  template <class A, class B>
  double square_distance(const A* a, const B* b) const {
    double sum = 0;
    for (std::int64_t j = 0; j < d; ++j) {
      const double difference = static_cast<double>(a[j]) - static_cast<double>(b[j]);
      sum += difference * difference;
    }
    return sum;
  }
  const double* centroid(std::size_t c) const { return centroids.data() + c * mean.size(); }
};

}  // namespace

Silhouette silhouette(const Tensor& x, Labels labels, const std::string& name) {
  const Segments s = sort_by_cluster(x, labels, name);
  if (!s.undefined.empty()) return {Metric{std::nullopt, s.undefined}, {}};
  const CenteredRows rows = center_rows(x, name);
  Context& context = current_context();
  const auto n = static_cast<std::int64_t>(s.order.size());
  const Tensor order = Tensor::from_host(s.order, {n});
  const Tensor offsets = Tensor::from_host(s.offsets, {static_cast<std::int64_t>(s.offsets.size())});
  const Tensor samples({n}, DType::f32);
  kernel::silhouette_samples(context, rows.x.gather_rows(order), rows.norms.gather_rows(order), offsets,
                             samples);
  const std::vector<float> values = samples.to_host<float>();
  Silhouette result;
  result.samples.resize(labels.size());
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    result.samples[static_cast<std::size_t>(s.order[i])] = values[i];
    sum += static_cast<double>(values[i]);
  }
  result.mean.value = sum / static_cast<double>(n);
  return result;
}

Metric calinski_harabasz(const Tensor& x, Labels labels, const std::string& name) {
  const Segments s = sort_by_cluster(x, labels, name);
  if (!s.undefined.empty()) return {std::nullopt, s.undefined};
  const Dispersion points(x, s, name);
  double between = 0, within = 0;
  for (std::size_t c = 0; c < s.clusters(); ++c) {
    between += static_cast<double>(s.offsets[c + 1] - s.offsets[c]) *
               points.square_distance(points.centroid(c), points.mean.data());
    for (std::int64_t i = s.offsets[c]; i < s.offsets[c + 1]; ++i)
      within += points.square_distance(points.point(s, i), points.centroid(c));
  }
  if (within == 0) return {1.0, ""};
  return {between * static_cast<double>(s.order.size() - s.clusters()) /
              (within * static_cast<double>(s.clusters() - 1)),
          ""};
}

Metric davies_bouldin(const Tensor& x, Labels labels, const std::string& name) {
  const Segments s = sort_by_cluster(x, labels, name);
  if (!s.undefined.empty()) return {std::nullopt, s.undefined};
  const Dispersion points(x, s, name);
  const std::size_t k = s.clusters();
  std::vector<double> spread(k), worst(k, 0.0);
  for (std::size_t c = 0; c < k; ++c) {
    for (std::int64_t i = s.offsets[c]; i < s.offsets[c + 1]; ++i)
      spread[c] += std::sqrt(points.square_distance(points.point(s, i), points.centroid(c)));
    spread[c] /= static_cast<double>(s.offsets[c + 1] - s.offsets[c]);
  }
  for (std::size_t a = 0; a < k; ++a)
    for (std::size_t b = a + 1; b < k; ++b) {
      const double distance = std::sqrt(points.square_distance(points.centroid(a), points.centroid(b)));
      if (distance == 0) continue;  // as scikit-learn: clusters on one spot do not count against each other
      const double ratio = (spread[a] + spread[b]) / distance;
      worst[a] = std::max(worst[a], ratio);
      worst[b] = std::max(worst[b], ratio);
    }
  return {std::accumulate(worst.begin(), worst.end(), 0.0) / static_cast<double>(k), ""};
}

Evaluation evaluate(const Tensor& x, Labels predicted, Labels truth, const std::string& name) {
  Evaluation e;
  std::vector<std::int32_t> found(predicted.begin(), predicted.end());
  e.n_noise = std::count(found.begin(), found.end(), -1);
  std::sort(found.begin(), found.end());
  e.n_clusters = std::unique(found.begin(), found.end()) - found.begin() - (e.n_noise > 0);
  e.metrics[0] = silhouette(x, predicted, name).mean;
  e.metrics[1] = calinski_harabasz(x, predicted, name);
  e.metrics[2] = davies_bouldin(x, predicted, name);
  if (truth.empty()) {
    for (std::size_t m = 3; m < e.metrics.size(); ++m)
      e.metrics[m] = {std::nullopt, "no labels to compare with"};
  } else {
    e.metrics[3] = adjusted_rand_index(truth, predicted);
    e.metrics[4] = normalized_mutual_info(truth, predicted);
    e.metrics[5] = cluster_purity(truth, predicted);
    e.metrics[6] = cluster_accuracy(truth, predicted);
  }
  return e;
}

}  // namespace chorale::cluster

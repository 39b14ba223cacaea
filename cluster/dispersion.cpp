// SPDX-License-Identifier: MIT
#include "cluster/dispersion.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cluster/rows.h"

namespace chorale::cluster {
namespace {

template <class A, class B>
double square_distance(const A* a, const B* b, std::size_t d) {
  double sum = 0;
  for (std::size_t j = 0; j < d; ++j) {
    const double difference = static_cast<double>(a[j]) - static_cast<double>(b[j]);
    sum += difference * difference;
  }
  return sum;
}

/// Mean over the clusters that have points of the worst (s_i + s_j) / d_ij.
double davies_bouldin_of(const std::vector<double>& centroids, const std::vector<double>& spread,
                         const std::vector<std::size_t>& used, std::size_t d) {
  std::vector<double> worst(used.size(), 0.0);
  for (std::size_t a = 0; a < used.size(); ++a)
    for (std::size_t b = a + 1; b < used.size(); ++b) {
      const double distance = std::sqrt(square_distance(&centroids[used[a] * d], &centroids[used[b] * d], d));
      if (distance == 0) continue;  // as scikit-learn: clusters on one spot do not count against each other
      const double ratio = (spread[used[a]] + spread[used[b]]) / distance;
      worst[a] = std::max(worst[a], ratio);
      worst[b] = std::max(worst[b], ratio);
    }
  return std::accumulate(worst.begin(), worst.end(), 0.0) / static_cast<double>(used.size());
}

}  // namespace

void check_labels(const Tensor& x, Labels labels, const std::string& name) {
  check_matrix(x, name);
  if (x.dim(0) != static_cast<std::int64_t>(labels.size()))
    throw InputError(name + ": one label a row is needed: " + std::to_string(labels.size()) + " labels for " +
                     std::to_string(x.dim(0)) + " rows (allowed the same number)");
}

std::string why_undefined(std::size_t clusters, std::int64_t points) {
  if (points == 0) return "all points are noise";
  if (clusters == 1) return "there is only one cluster";
  if (static_cast<std::int64_t>(clusters) == points) return "every point is a cluster of its own";
  return {};
}

Dispersion::Dispersion(const Tensor& x, Labels labels, const std::string& name) {
  check_labels(x, labels, name);
  d_ = static_cast<std::size_t>(x.dim(1));
  x_ = center_rows(x, name).x.to_host<float>();
  std::vector<std::int32_t> values(labels.begin(), labels.end());
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  std::erase(values, -1);
  clusters_ = values.size();
  cluster_.resize(labels.size(), -1);
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels[i] != -1)
      cluster_[i] = static_cast<std::int32_t>(std::lower_bound(values.begin(), values.end(), labels[i]) -
                                              values.begin());
}

DispersionScores Dispersion::scores(std::span<const std::int32_t> weights) const {
  const auto weight = [&](std::size_t i) { return weights.empty() ? 1.0 : static_cast<double>(weights[i]); };
  // Calls body(row, cluster, weight) for the rows that count, in order.
  const auto for_rows = [&](const auto& body) {
    for (std::size_t i = 0; i < cluster_.size(); ++i)
      if (const double w = weight(i); cluster_[i] >= 0 && w > 0)
        body(&x_[i * d_], static_cast<std::size_t>(cluster_[i]), w);
  };
  std::vector<double> centroids(clusters_ * d_), mean(d_), count(clusters_), spread(clusters_);
  for_rows([&](const float* row, std::size_t c, double w) {
    double* centroid = &centroids[c * d_];
    for (std::size_t j = 0; j < d_; ++j) centroid[j] += w * static_cast<double>(row[j]);
    count[c] += w;
  });
  const double n = std::accumulate(count.begin(), count.end(), 0.0);
  std::vector<std::size_t> used;
  for (std::size_t c = 0; c < clusters_; ++c) {
    if (count[c] == 0) continue;
    used.push_back(c);
    for (std::size_t j = 0; j < d_; ++j) {
      mean[j] += centroids[c * d_ + j] / n;
      centroids[c * d_ + j] /= count[c];
    }
  }
  if (const std::string why = why_undefined(used.size(), static_cast<std::int64_t>(n)); !why.empty())
    return {{std::nullopt, why}, {std::nullopt, why}};
  double within = 0, between = 0;
  for_rows([&](const float* row, std::size_t c, double w) {
    const double square = square_distance(row, &centroids[c * d_], d_);
    within += w * square;
    spread[c] += w * std::sqrt(square);
  });
  for (const std::size_t c : used) {
    between += count[c] * square_distance(&centroids[c * d_], mean.data(), d_);
    spread[c] /= count[c];
  }
  const auto k = static_cast<double>(used.size());
  return {{within == 0 ? 1.0 : between * (n - k) / (within * (k - 1)), ""},
          {davies_bouldin_of(centroids, spread, used, d_), ""}};
}

}  // namespace chorale::cluster

// SPDX-License-Identifier: MIT
// Metrics of a clustering by the data alone.
#include <algorithm>

#include "cluster/dispersion.h"
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
  check_labels(x, labels, name);
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
  s.undefined = why_undefined(s.clusters(), static_cast<std::int64_t>(s.order.size()));
  return s;
}

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
  return Dispersion(x, labels, name).scores().calinski_harabasz;
}

Metric davies_bouldin(const Tensor& x, Labels labels, const std::string& name) {
  return Dispersion(x, labels, name).scores().davies_bouldin;
}

Evaluation evaluate(const Tensor& x, Labels predicted, Labels truth, const std::string& name) {
  Evaluation e;
  std::vector<std::int32_t> found(predicted.begin(), predicted.end());
  e.n_noise = std::count(found.begin(), found.end(), -1);
  std::sort(found.begin(), found.end());
  e.n_clusters = std::unique(found.begin(), found.end()) - found.begin() - (e.n_noise > 0);
  Silhouette s = silhouette(x, predicted, name);
  const DispersionScores dispersion = Dispersion(x, predicted, name).scores();
  e.silhouette_samples = std::move(s.samples);
  e.metrics[0] = s.mean;
  e.metrics[1] = dispersion.calinski_harabasz;
  e.metrics[2] = dispersion.davies_bouldin;
  if (truth.empty()) {
    std::fill(e.metrics.begin() + data_metrics, e.metrics.end(),
              Metric{std::nullopt, "no labels to compare with"});
  } else {
    const auto against = agreement({truth, predicted});
    std::copy(against.begin(), against.end(), e.metrics.begin() + data_metrics);
  }
  return e;
}

}  // namespace chorale::cluster

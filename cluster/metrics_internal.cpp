// SPDX-License-Identifier: MIT
// Metrics of a clustering by the data alone.
#include <algorithm>

#include "cluster/dispersion.h"
#include "cluster/metrics.h"
#include "cluster/rows.h"
#include "cluster/segments.h"
#include "kernels/launch.h"

namespace chorale::cluster {
namespace {

Silhouette silhouette_of(const Tensor& x, const Segments& s, const std::string& name) {
  if (!s.undefined.empty()) return {Metric{std::nullopt, s.undefined}, {}};
  const CenteredRows rows = center_rows(x, name);
  const Tensor order = Tensor::from_host(s.order, {s.points()});
  const Tensor offsets = Tensor::from_host(s.offsets, {s.clusters() + 1});
  const Tensor samples({s.points()}, DType::f32);
  kernel::silhouette_samples(current_context(), x.contiguous().gather_rows(order), rows.x.gather_rows(order),
                             rows.norms.gather_rows(order), offsets, samples);
  const std::vector<float> values = samples.to_host<float>();
  Silhouette result;
  result.samples.resize(static_cast<std::size_t>(x.dim(0)));
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    result.samples[static_cast<std::size_t>(s.order[i])] = values[i];
    sum += static_cast<double>(values[i]);
  }
  result.mean.value = sum / static_cast<double>(s.points());
  return result;
}

}  // namespace

Silhouette silhouette(const Tensor& x, Labels labels, const std::string& name) {
  return silhouette_of(x, Segments(x, labels, name), name);
}

Metric calinski_harabasz(const Tensor& x, Labels labels, const std::string& name) {
  return Dispersion(x, Segments(x, labels, name), name).scores().calinski_harabasz;
}

Metric davies_bouldin(const Tensor& x, Labels labels, const std::string& name) {
  return Dispersion(x, Segments(x, labels, name), name).scores().davies_bouldin;
}

Evaluation evaluate(const Tensor& x, Labels predicted, Labels truth, const std::string& name,
                    DataMetrics data) {
  const Segments segments(x, predicted, name);
  const Metric left_out{std::nullopt, std::string(not_asked_for)};
  Silhouette s{left_out, {}};
  if (data == DataMetrics::all) s = silhouette_of(x, segments, name);
  DispersionScores dispersion{left_out, left_out};
  if (data != DataMetrics::none) dispersion = Dispersion(x, segments, name).scores();
  Evaluation e;
  e.n_noise = x.dim(0) - segments.points();
  e.n_clusters = segments.clusters();
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

// SPDX-License-Identifier: MIT
#include "cluster/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "cluster/dispersion.h"
#include "kernels/philox.h"

namespace chorale::cluster {
namespace {

using Values = std::array<std::optional<double>, metric_names.size()>;

/// The table of the rows drawn, cut down to the classes and clusters that are left.
class ResampledTable {
 public:
  ResampledTable(Labels truth, Labels predicted) : whole_(truth, predicted), cell_(truth.size()) {
    const auto place = [](const std::vector<std::int32_t>& values, std::int32_t value) {
      return static_cast<std::size_t>(std::lower_bound(values.begin(), values.end(), value) - values.begin());
    };
    for (std::size_t i = 0; i < cell_.size(); ++i)
      cell_[i] =
          place(whole_.classes, truth[i]) * whole_.clusters.size() + place(whole_.clusters, predicted[i]);
  }

  Contingency operator()(std::span<const std::int32_t> weights) const {
    Contingency full = whole_;
    std::fill(full.counts.begin(), full.counts.end(), 0);
    for (std::size_t i = 0; i < cell_.size(); ++i) full.counts[cell_[i]] += weights[i];
    std::vector<bool> row(full.classes.size()), column(full.clusters.size());
    for (std::size_t r = 0; r < row.size(); ++r)
      for (std::size_t c = 0; c < column.size(); ++c)
        if (full.at(r, c) > 0) row[r] = column[c] = true;
    Contingency left;
    left.n = full.n;
    for (std::size_t c = 0; c < column.size(); ++c)
      if (column[c]) left.clusters.push_back(full.clusters[c]);
    for (std::size_t r = 0; r < row.size(); ++r) {
      if (!row[r]) continue;
      left.classes.push_back(full.classes[r]);
      for (std::size_t c = 0; c < column.size(); ++c)
        if (column[c]) left.counts.push_back(full.at(r, c));
    }
    return left;
  }

 private:
  Contingency whole_;
  std::vector<std::size_t> cell_;  ///< of each row
};

/// Adds to weights (n) how often each row is drawn in n draws of resample r.
void draw(std::span<std::int32_t> weights, std::uint64_t seed, std::int64_t r) {
  const std::size_t n = weights.size();
  for (std::size_t i = 0; i < n; i += 2) {
    const philox::Block block = philox::block(seed, static_cast<std::uint64_t>(r), 0, i / 2);
    for (std::size_t j = 0; j < 2 && i + j < n; ++j) {
      const std::uint64_t word = static_cast<std::uint64_t>(block.word[2 * j]) << 32 | block.word[2 * j + 1];
      ++weights[static_cast<std::size_t>(static_cast<double>(word >> 11) * 0x1p-53 * static_cast<double>(n))];
    }
  }
}

std::optional<double> mean_silhouette(const std::vector<float>& samples, Labels predicted,
                                      std::span<const std::int32_t> weights) {
  double sum = 0, count = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (predicted[i] == -1) continue;
    sum += static_cast<double>(weights[i]) * static_cast<double>(samples[i]);
    count += static_cast<double>(weights[i]);
  }
  if (count == 0) return std::nullopt;
  return sum / count;
}

/// Linear between the two nearest of the sorted values.
double quantile(const std::vector<double>& sorted, double q) {
  const double place = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

Interval interval_of(const std::vector<Values>& resamples, std::size_t metric, double confidence) {
  std::vector<double> values;
  for (const Values& resample : resamples)
    if (resample[metric]) values.push_back(*resample[metric]);
  if (10 * values.size() < 9 * resamples.size())
    return {{},
            {},
            "defined in " + std::to_string(values.size()) + " of " + std::to_string(resamples.size()) +
                " resamples only"};
  std::sort(values.begin(), values.end());
  return {quantile(values, 0.5 - 0.5 * confidence), quantile(values, 0.5 + 0.5 * confidence), ""};
}

void check_options(const BootstrapOptions& o) {
  if (o.n_resamples < 1 || o.n_resamples > 1'000'000)
    throw UsageError("n_resamples: out of range: " + std::to_string(o.n_resamples) +
                     " (allowed 1 to 1000000)");
  if (!(o.confidence > 0 && o.confidence < 1))
    throw UsageError("confidence: out of range: " + std::to_string(o.confidence) +
                     " (allowed above 0 and below 1)");
}

}  // namespace

std::array<Interval, metric_names.size()> bootstrap(const Evaluation& evaluation, const Tensor& x,
                                                    Labels predicted, Labels truth,
                                                    const BootstrapOptions& options,
                                                    const std::string& name) {
  check_options(options);
  const Dispersion dispersion(x, Segments(x, predicted, name), name);
  std::optional<ResampledTable> table;
  if (!truth.empty()) table.emplace(truth, predicted);
  const std::size_t n = predicted.size();
  std::vector<Values> resamples(static_cast<std::size_t>(options.n_resamples));
  for (std::int64_t first = 0; first < options.n_resamples; first += dispersion.at_once()) {
    const std::int64_t count = std::min(dispersion.at_once(), options.n_resamples - first);
    std::vector<std::int32_t> weights(static_cast<std::size_t>(count) * n);
#pragma omp parallel for schedule(dynamic)
    for (std::int64_t r = 0; r < count; ++r) {
      const std::span<std::int32_t> own(weights.data() + static_cast<std::size_t>(r) * n, n);
      Values& values = resamples[static_cast<std::size_t>(first + r)];
      draw(own, options.random_state, first + r);
      values[0] = mean_silhouette(evaluation.silhouette_samples, predicted, own);
      if (!table) continue;
      const auto against = agreement((*table)(own));
      for (std::size_t m = 0; m < against.size(); ++m) values[data_metrics + m] = against[m].value;
    }
    const std::vector<DispersionScores> scores = dispersion.scores(weights, count);
    for (std::int64_t r = 0; r < count; ++r) {
      Values& values = resamples[static_cast<std::size_t>(first + r)];
      values[1] = scores[static_cast<std::size_t>(r)].calinski_harabasz.value;
      values[2] = scores[static_cast<std::size_t>(r)].davies_bouldin.value;
    }
  }
  std::array<Interval, metric_names.size()> intervals;
  for (std::size_t m = 0; m < intervals.size(); ++m)
    intervals[m] = evaluation.metrics[m].value ? interval_of(resamples, m, options.confidence)
                                               : Interval{{}, {}, evaluation.metrics[m].reason};
  return intervals;
}

}  // namespace chorale::cluster

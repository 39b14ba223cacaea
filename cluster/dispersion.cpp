// SPDX-License-Identifier: MIT
#include "cluster/dispersion.h"

#include <algorithm>

#include "cluster/rows.h"
#include "kernels/launch.h"

namespace chorale::cluster {

Dispersion::Dispersion(const Tensor& x, const Segments& segments, const std::string& name)
    : order_(segments.order), undefined_(segments.undefined), n_(x.dim(0)), clusters_(segments.clusters()) {
  finite_column_mean(x, name);
  if (!undefined_.empty()) return;
  x_ = x.gather_rows(order_);
  offsets_ = Tensor::from_host(segments.offsets, {clusters_ + 1});
}

std::int64_t Dispersion::at_once() const {
  constexpr std::int64_t most = 64, values = std::int64_t{1} << 25;
  const std::int64_t each = std::max(n_, undefined_.empty() ? clusters_ * x_.dim(1) : 0);
  return std::clamp(values / each, std::int64_t{1}, most);
}

DispersionScores Dispersion::scores() const { return evaluate({}, 1).front(); }

std::vector<DispersionScores> Dispersion::scores(std::span<const std::int32_t> weights,
                                                 std::int64_t resamples) const {
  if (!undefined_.empty()) return evaluate({}, resamples);
  const auto points = static_cast<std::int64_t>(order_.size());
  std::vector<std::int32_t> sorted(static_cast<std::size_t>(resamples * points));
#pragma omp parallel for
  for (std::int64_t r = 0; r < resamples; ++r)
    for (std::int64_t i = 0; i < points; ++i)
      sorted[static_cast<std::size_t>(r * points + i)] =
          weights[static_cast<std::size_t>(r * n_ + order_[static_cast<std::size_t>(i)])];
  return evaluate(Tensor::from_host(sorted, {resamples, points}), resamples);
}

std::vector<DispersionScores> Dispersion::evaluate(ConstView weights, std::int64_t resamples) const {
  const auto without = [](const std::string& why) {
    return DispersionScores{{std::nullopt, why}, {std::nullopt, why}};
  };
  std::vector<DispersionScores> all(static_cast<std::size_t>(resamples), without(undefined_));
  if (!undefined_.empty()) return all;
  Context& context = current_context();
  const Tensor counts({resamples, clusters_}, DType::f64),
      centroids({resamples, clusters_, x_.dim(1)}, DType::f64), spread({resamples, clusters_, 2}, DType::f64),
      scatter({resamples}, DType::f64), worst({resamples, clusters_}, DType::f64);
  kernel::cluster_dispersion(context, x_, offsets_, weights, counts, centroids, spread);
  kernel::centroid_separation(context, counts, centroids, spread, scatter, worst);
  const std::vector<double> count = counts.to_host<double>(), distance = spread.to_host<double>(),
                            between = scatter.to_host<double>(), ratio = worst.to_host<double>();
  for (std::size_t r = 0; r < all.size(); ++r) {
    double n = 0, within = 0, ratios = 0;
    std::int64_t used = 0;
    for (auto c = r * static_cast<std::size_t>(clusters_); c < (r + 1) * static_cast<std::size_t>(clusters_);
         ++c) {
      n += count[c];
      used += count[c] > 0;
      within += distance[2 * c];
      ratios += ratio[c];
    }
    const auto k = static_cast<double>(used);
    if (const std::string why = why_undefined(used, static_cast<std::int64_t>(n)); !why.empty()) {
      all[r] = without(why);
    } else {
      all[r] = {{within == 0 ? 1.0 : between[r] * (n - k) / (within * (k - 1)), ""}, {ratios / k, ""}};
    }
  }
  return all;
}

}  // namespace chorale::cluster

// SPDX-License-Identifier: MIT
#include "cluster/kmeans_drift.h"

#include <algorithm>

#include "kernels/launch.h"

namespace chorale::cluster {
namespace {

/// A margin that proves nothing.
constexpr double unknown = -1;

/// Past assignments that are remembered: points are looked at again at the latest when theirs is forgotten.
/// The centers of all take no more memory than the points, but for two assignments.
std::int64_t remembered(std::int64_t restarts, std::int64_t n, std::int64_t k) {
  return std::clamp<std::int64_t>(n / (restarts * k), 2, 16);
}

}  // namespace

KMeansDrift::KMeansDrift(std::int64_t restarts, std::int64_t n, std::int64_t k, std::int64_t d)
    : place_(-1),
      history_({restarts, remembered(restarts, n, k), k, d}, DType::f32),
      largest_(Tensor::full({restarts, history_.dim(1)}, -1)),
      drift_({restarts, history_.dim(1), k}, DType::f32),
      margins_(Tensor::full({restarts, n}, unknown)),
      stamps_(Tensor::zeros({restarts, n}, DType::u8)) {}

void KMeansDrift::measure(const Tensor& list, const Tensor& centers, const Tensor& half_norms) {
  place_ = (place_ + 1) % history_.dim(1);
  kernel::kmeans_drift(current_context(), list, centers, half_norms, place_, history_, largest_, drift_);
}

void KMeansDrift::forget(std::int64_t restart, std::int64_t point) {
  margins_[restart].slice(0, point, point + 1).fill(unknown);
}

}  // namespace chorale::cluster

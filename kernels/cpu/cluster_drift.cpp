// SPDX-License-Identifier: MIT
// How far the centers of k-means are from where they were at each of the last assignments.
//
// A point whose second nearest center was farther by `margin` keeps its label while its own center and the
// others together have not moved by more: drift[t, c] = |c - c_t| + max over others of |c' - c'_t|. What
// counts is the way from there to here: shorter than the sum of the steps, which is what bounds that are
// carried along add up. f64 sums, results rounded up. Moves r h k d floats, few beside the n d of a pass.
#include <cmath>
#include <limits>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/square_distance.h"

namespace chorale::cpu {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

/// drift [k] of centers [k, d] from `past` [k, d].
void drift_since(const float* past, const float* centers, std::int64_t k, std::int64_t d, float* drift) {
  float first = 0, second = 0;
  std::int64_t farthest = -1;
  for (std::int64_t c = 0; c < k; ++c) {
    const double way = std::sqrt(square_distance(past + c * d, centers + c * d, d));
    drift[c] = static_cast<float>(way * (1.0 + 0x1p-22));
    if (drift[c] > first) {
      second = first;
      first = drift[c];
      farthest = c;
    } else if (drift[c] > second) {
      second = drift[c];
    }
  }
  for (std::int64_t c = 0; c < k; ++c)
    drift[c] = (drift[c] + (c == farthest ? second : first)) * (1.0f + 0x1p-22f);
}

}  // namespace

void kmeans_drift(Context&, ConstView restarts, ConstView centers, ConstView half_norms, std::int64_t place,
                  View history, View largest, View drift) {
  require(restarts.dtype == DType::i32 && centers.dtype == DType::f32 && centers.rank == 3 &&
              history.rank == 4 && history.shape[0] == centers.shape[0] &&
              history.size() == history.shape[1] * centers.size() && drift.rank == 3 &&
              drift.size() * centers.shape[2] == history.size() &&
              largest.size() == history.shape[0] * history.shape[1] && place >= 0 && place < history.shape[1],
          "kmeans_drift", "centers f32 [r, k, d], history f32 [r, h, k, d], largest [r, h], drift [r, h, k]",
          centers, history, largest, drift);
  const std::int64_t places = history.shape[1], k = centers.shape[1], d = centers.shape[2];
  const std::int64_t tasks = restarts.size() * places;
  parallel_tasks(restarts.size(), restarts.size() * k * d, [&](std::int64_t slot) {
    const std::int64_t r = restarts.as<std::int32_t>()[slot], at = r * places + place;
    const float* norms = half_norms.as<float>() + r * k;
    largest.as<float>()[at] = 2.0f * *std::max_element(norms, norms + k);
    std::copy_n(centers.as<float>() + r * k * d, k * d, history.as<float>() + at * k * d);
  });
  parallel_tasks(tasks, tasks * k * d, [&](std::int64_t task) {
    const std::int64_t r = restarts.as<std::int32_t>()[task / places], then = r * places + task % places;
    const float past = largest.as<float>()[then], now = largest.as<float>()[r * places + place];
    float* to = drift.as<float>() + then * k;
    if (task % places == place || past < 0 || now > 2.0f * past) {
      std::fill_n(to, k, infinity);
    } else {
      drift_since(history.as<float>() + then * k * d, centers.as<float>() + r * k * d, k, d, to);
    }
  });
}

}  // namespace chorale::cpu

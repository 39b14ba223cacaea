// SPDX-License-Identifier: MIT
// The kernels that measure a clustering by its data, against their definitions in f64.
#include <algorithm>
#include <cmath>

#include "kernels/launch.h"
#include "tests/cases/cluster_case.h"

namespace chorale::harness {
namespace {

using namespace clustering;

Tensor on_device(const std::vector<Index>& values) {
  return Tensor::from_host(values, {static_cast<Index>(values.size())});
}

/// Clusters of growing size, the first of one point and the second of none.
std::vector<Index> cluster_offsets(Index n) { return {0, 1, 1, 1 + (n - 1) / 7, 1 + (n - 1) / 2, n}; }

OpCase silhouette_samples() {
  OpCase c = cluster_case("silhouette_samples");
  for (const auto& [n, d] : sizes)
    if (n > 1) c.variants.push_back({"rows_" + std::to_string(n), {real({n, d})}});
  c.scaled = true;
  c.run = [](const Run& run) {
    const Tensor& x = run.tensor(0);
    const std::vector<Index> offsets = cluster_offsets(x.dim(0));
    const Tensor samples({x.dim(0)}, DType::f32);
    kernel::silhouette_samples(current_context(), x, squared_norms(x), on_device(offsets), samples);
    return vars({samples});
  };
  c.reference = [](const Arrays& x) {
    const Index n = x[0].dim(0);
    const std::vector<Index> offsets = cluster_offsets(n);
    Array samples({n});
    for (Index i = 1; i < n; ++i) {  // point 0 is alone: 0
      double own = 0, nearest = 1e300;
      for (std::size_t cluster = 0; cluster + 1 < offsets.size(); ++cluster) {
        const Index begin = offsets[cluster], end = offsets[cluster + 1];
        if (begin == end) continue;
        double sum = 0;
        for (Index j = begin; j < end; ++j) sum += std::sqrt(square_distance(x[0], i, x[0], j));
        if (i >= begin && i < end) {
          own = sum / static_cast<double>(end - begin - 1);
        } else {
          nearest = std::min(nearest, sum / static_cast<double>(end - begin));
        }
      }
      samples[i] = (nearest - own) / std::max(nearest, own);
    }
    return Arrays{samples};
  };
  c.bench = {"20000x128", {real({20000, 128})}, true};
  c.cost = [](const std::vector<Input>& x, double) {
    const auto n = static_cast<double>(x[0].shape[0]), d = static_cast<double>(x[0].shape[1]);
    return Cost{2 * n * n * d, 4 * n * d};
  };
  return c;
}

}  // namespace

std::vector<OpCase> cluster_metric_cases() { return {silhouette_samples()}; }

}  // namespace chorale::harness

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

/// Clusters of five points, the last one of as many as are left.
std::vector<Index> small_clusters(Index n) {
  std::vector<Index> offsets;
  for (Index i = 0; i < n; i += 5) offsets.push_back(i);
  offsets.push_back(n);
  return offsets;
}

/// Two clusters of five side by side at each place, and the next place a hundred or ten thousand times as
/// far.
float tight_coordinate(Index row, Index column, double value) {
  const Index place = row / 10, side = row / 5 % 2;
  const double extent = place % 2 == 0 ? 0.1 : 1e-3;
  return static_cast<float>(50 + (7 * place + 3 * column * (place + 1)) % 11 +
                            extent * (value + 2 * static_cast<double>(side)));
}

OpCase silhouette_samples(bool tight) {
  OpCase c = cluster_case(tight ? "silhouette_samples_tight" : "silhouette_samples");
  const auto clusters = tight ? small_clusters : cluster_offsets;
  if (tight) c.precision = PrecisionClass::low;  // no digits are lost however close the points lie
  for (const auto& [n, d] : sizes)
    if (n > 1) c.variants.push_back({"rows_" + std::to_string(n), {real({n, d})}});
  c.variants.push_back({"rows_150", {real({150, 40})}});
  c.scaled = true;
  c.run = [=](const Run& run) {
    Tensor x = run.tensor(0);
    const Index n = x.dim(0), d = x.dim(1);
    if (tight) {
      std::vector<float> values = x.to_host<float>();
      for (Index i = 0; i < n * d; ++i) {
        float& value = values[static_cast<std::size_t>(i)];
        value = tight_coordinate(i / d, i % d, static_cast<double>(value));
      }
      x = Tensor::from_host(values, {n, d});
    }
    const Tensor mean({d}, DType::f64), bad({1}, DType::i64), centered({n, d}, DType::f32),
        norms({n}, DType::f32), total({1}, DType::f64), samples({n}, DType::f32);
    kernel::column_mean(current_context(), x, mean, bad);
    kernel::subtract_mean(current_context(), x, mean, centered, norms, total);
    const std::vector<Index> offsets = clusters(n);
    kernel::silhouette_samples(current_context(), x, centered, norms, on_device(offsets), samples);
    return vars({samples});
  };
  c.reference = [=](const Arrays& inputs) {
    Array x = inputs[0];
    const Index n = x.dim(0), d = x.dim(1);
    if (tight)
      for (Index i = 0; i < n * d; ++i) x[i] = static_cast<double>(tight_coordinate(i / d, i % d, x[i]));
    const std::vector<Index> offsets = clusters(n);
    Array samples({n});
    for (Index i = 0; i < n; ++i) {
      double own = 0, nearest = 1e300;
      bool alone = false;
      for (std::size_t cluster = 0; cluster + 1 < offsets.size(); ++cluster) {
        const Index begin = offsets[cluster], end = offsets[cluster + 1];
        if (begin == end) continue;
        double sum = 0;
        for (Index j = begin; j < end; ++j) sum += std::sqrt(square_distance(x, i, x, j));
        if (i >= begin && i < end) {
          alone = end - begin == 1;
          own = sum / static_cast<double>(end - begin - 1);
        } else {
          nearest = std::min(nearest, sum / static_cast<double>(end - begin));
        }
      }
      if (!alone) samples[i] = (nearest - own) / std::max(nearest, own);
    }
    return Arrays{samples};
  };
  if (tight) return c;
  c.bench = {"20000x128", {real({20000, 128})}, true};
  c.cost = [](const std::vector<Input>& x, double) {
    const auto n = static_cast<double>(x[0].shape[0]), d = static_cast<double>(x[0].shape[1]);
    return Cost{2 * n * n * d, 4 * n * d};
  };
  return c;
}

/// Clusters of one and two rows in turn.
std::vector<Index> small_cluster_offsets(Index n) {
  std::vector<Index> offsets{0};
  while (offsets.back() < n)
    offsets.push_back(std::min<Index>(n, offsets.back() + 1 + offsets.back() % 3 % 2));
  return offsets;
}

/// Resamples of sorted rows, more than share a pass, or all rows once.
OpCase cluster_dispersion(const std::string& name, bool weighted, std::vector<Index> (*offsets_of)(Index)) {
  OpCase c = cluster_case(name);
  const Index r = weighted ? 11 : 1;
  const auto add = [&](Index n, Index d) {
    c.variants.push_back({"rows_" + std::to_string(n), {real({n, d}, 90, 94), integers({r, n}, 0, 3)}});
  };
  for (const auto& [n, d] : sizes) add(n, d);
  add(1300, 40);
  c.run = [=](const Run& run) {
    const Tensor& x = run.tensor(0);
    const std::vector<Index> offsets = offsets_of(x.dim(0));
    const Index k = static_cast<Index>(offsets.size()) - 1;
    const Tensor counts({r, k}, DType::f64), centroids({r, k, x.dim(1)}, DType::f64),
        spread({r, k, 2}, DType::f64), weights = run.tensor(1).to(DType::i32);
    kernel::cluster_dispersion(current_context(), x, on_device(offsets),
                               weighted ? ConstView(weights) : ConstView(), counts, centroids, spread);
    return vars({counts, centroids, spread});
  };
  c.reference = [=](const Arrays& x) {
    const Index n = x[0].dim(0), d = x[0].dim(1);
    const std::vector<Index> offsets = offsets_of(n);
    const Index k = static_cast<Index>(offsets.size()) - 1;
    Array counts({r, k}), centroids({r, k, d}), spread({r, k, 2});
    for (Index at = 0; at < r * k; ++at) {
      const auto for_rows = [&](const auto& body) {
        for (Index i = offsets[static_cast<std::size_t>(at % k)];
             i < offsets[static_cast<std::size_t>(at % k) + 1]; ++i)
          body(i, weighted ? x[1][at / k * n + i] : 1.0);
      };
      for_rows([&](Index, double weight) { counts[at] += weight; });
      if (counts[at] == 0) continue;
      for_rows([&](Index i, double weight) {
        for (Index j = 0; j < d; ++j) centroids[at * d + j] += weight * x[0][i * d + j] / counts[at];
      });
      for_rows([&](Index i, double weight) {
        const double square = square_distance(x[0], i, centroids, at);
        spread[2 * at] += weight * square;
        spread[2 * at + 1] += weight * std::sqrt(square);
      });
    }
    return Arrays{counts, centroids, spread};
  };
  if (offsets_of == cluster_offsets) {
    c.bench = {"20000x128", {real({20000, 128}), integers({r, 20000}, 0, 3)}, true};
    c.cost = [=](const std::vector<Input>& x, double) {
      const auto n = static_cast<double>(x[0].shape[0]), d = static_cast<double>(x[0].shape[1]);
      return Cost{5 * static_cast<double>(r) * n * d, 8 * n * d};
    };
  }
  return c;
}

/// Two centroids on one spot, and clusters without rows.
Array with_equal_centroids(const Array& centroids) {
  Array result = centroids;
  const Index k = centroids.dim(1), d = centroids.dim(2);
  for (Index j = 0; j < d && k > 3; ++j) result[3 * d + j] = result[d + j];
  return result;
}

OpCase centroid_separation() {
  OpCase c = cluster_case("centroid_separation");
  constexpr Index r = 3;
  for (const auto& [k, d] : {std::pair<Index, Index>{1, 1}, {2, 40}, {33, 5}, {70, 3}, {5, 300}})
    c.variants.push_back({"clusters_" + std::to_string(k),
                          {integers({r, k}, 0, 4), real({r, k, d}, -2, 2, Storage::f64),
                           real({r, k, 2}, 0, 9, Storage::f64)}});
  c.run = [](const Run& run) {
    const Tensor counts = run.tensor(0).to(DType::f64), scatter({r}, DType::f64),
                 worst(counts.shape(), DType::f64);
    const Tensor centroids = to_device(with_equal_centroids(to_array(run.tensor(1))), DType::f64);
    kernel::centroid_separation(current_context(), counts, centroids, run.tensor(2), scatter, worst);
    return vars({scatter, worst});
  };
  c.reference = [](const Arrays& x) {
    const Index k = x[0].dim(1), d = x[1].dim(2);
    const Array centroids = with_equal_centroids(x[1]);
    Array scatter({r}), worst({r, k});
    for (Index resample = 0; resample < r; ++resample) {
      Array mean({1, d});
      double n = 0;
      for (Index c = resample * k; c < (resample + 1) * k; ++c) n += x[0][c];
      for (Index c = resample * k; c < (resample + 1) * k; ++c)
        for (Index j = 0; j < d && n > 0; ++j) mean[j] += x[0][c] * centroids[c * d + j] / n;
      for (Index a = resample * k; a < (resample + 1) * k; ++a) {
        scatter[resample] += x[0][a] * square_distance(centroids, a, mean, 0);
        for (Index b = resample * k; b < (resample + 1) * k; ++b) {
          const double distance = std::sqrt(square_distance(centroids, a, centroids, b));
          if (x[0][a] == 0 || x[0][b] == 0 || distance == 0) continue;
          worst[a] = std::max(worst[a], (x[2][2 * a + 1] / x[0][a] + x[2][2 * b + 1] / x[0][b]) / distance);
        }
      }
    }
    return Arrays{scatter, worst};
  };
  c.bench = {"1000x128",
             {integers({r, 1000}, 1, 4), real({r, 1000, 128}, -2, 2, Storage::f64),
              real({r, 1000, 2}, 0, 9, Storage::f64)},
             true};
  c.cost = [](const std::vector<Input>& x, double) {
    const auto clusters = static_cast<double>(x[1].shape[1]), d = static_cast<double>(x[1].shape[2]);
    return Cost{3 * r * clusters * clusters * d, 8 * r * clusters * d};
  };
  return c;
}

}  // namespace

std::vector<OpCase> cluster_metric_cases() {
  return {silhouette_samples(false),
          silhouette_samples(true),
          cluster_dispersion("cluster_dispersion", false, cluster_offsets),
          cluster_dispersion("cluster_dispersion_weighted", true, cluster_offsets),
          cluster_dispersion("cluster_dispersion_small", true, small_cluster_offsets),
          centroid_separation()};
}

}  // namespace chorale::harness

// SPDX-License-Identifier: MIT
#include "cluster/umap.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "cluster/rows.h"
#include "cluster/spectral_layout.h"
#include "kernels/launch.h"
#include "kernels/params.h"
#include "kernels/philox.h"

namespace chorale::cluster {
namespace {

[[noreturn]] void refuse(const char* option, const std::string& what, const std::string& value,
                         const std::string& allowed) {
  throw UsageError(std::string(option) + ": " + what + ": " + value + " (allowed " + allowed + ")");
}

void require_range(const char* option, double value, double low, double high, const std::string& allowed) {
  if (!(value >= low && value <= high)) refuse(option, "out of range", std::to_string(value), allowed);
}

void check_options(const UmapOptions& o) {
  constexpr double most = std::numeric_limits<float>::max();
  if (o.n_neighbors < 2) refuse("n_neighbors", "out of range", std::to_string(o.n_neighbors), "2 or more");
  if (o.n_components != 2) refuse("n_components", "out of range", std::to_string(o.n_components), "2");
  require_range("spread", o.spread, 1e-6, most, "above 0");
  require_range("min_dist", o.min_dist, 0, o.spread, "0 to spread");
  if (o.n_epochs < 0 || o.n_epochs > 1000000)
    refuse("n_epochs", "out of range", std::to_string(o.n_epochs), "1 to 1000000, or 0 for automatic");
  require_range("learning_rate", o.learning_rate, 0, most, "0 or more");
  if (o.negative_sample_rate < 0 || o.negative_sample_rate > 1000)
    refuse("negative_sample_rate", "out of range", std::to_string(o.negative_sample_rate), "0 to 1000");
  require_range("repulsion_strength", o.repulsion_strength, 0, most, "0 or more");
  require_range("set_op_mix_ratio", o.set_op_mix_ratio, 0, 1, "0 to 1");
  require_range("local_connectivity", o.local_connectivity, 0, most, "0 or more");
}

/// The graph with samples an epoch for values; edges that would be sampled less than once are not at all.
Graph sampling_rates(const Graph& graph, std::int64_t n_epochs) {
  std::vector<float> values = graph.values.to_host<float>();
  const float largest = *std::max_element(values.begin(), values.end());
  const float least = largest / static_cast<float>(n_epochs);
  for (float& value : values) value = value >= least && largest > 0 ? value / largest : 0.0f;
  return {graph.offsets, graph.columns, Tensor::from_host(values, graph.values.shape())};
}

/// Largest coordinate 10, with noise against points at the same place.
void scale_with_noise(std::vector<double>& points, std::uint64_t seed) {
  double largest = 0;
  for (const double value : points) largest = std::max(largest, std::fabs(value));
  const std::vector<float> noise = map_normals(static_cast<std::int64_t>(points.size()) / 2, seed, 3);
  for (std::size_t i = 0; i < points.size(); ++i)
    points[i] = (largest > 0 ? 10 * points[i] / largest : 0) + 1e-4 * static_cast<double>(noise[i]);
}

Tensor first_points(const Graph& graph, const Tensor& x, const UmapOptions& o, const std::string& name) {
  const std::int64_t n = x.dim(0);
  std::vector<double> points(static_cast<std::size_t>(2 * n));
  if (o.init == MapInit::spectral) points = spectral_layout(graph, x, o.random_state, name);
  if (o.init == MapInit::pca) {
    const std::vector<float> components = map_components(x, o.random_state, name);
    points.assign(components.begin(), components.end());
  }
  if (o.init == MapInit::random) {
    for (std::size_t i = 0; i < points.size(); ++i)
      points[i] = 20 * static_cast<double>(philox::uniform(philox::word(o.random_state, 0, 0, i))) - 10;
  } else {
    scale_with_noise(points, o.random_state);
  }
  std::vector<float> scaled(points.size());
  for (std::size_t a = 0; a < 2; ++a) {  // each coordinate from 0 to 10
    double low = points[a], high = points[a];
    for (std::size_t i = a; i < points.size(); i += 2) {
      low = std::min(low, points[i]);
      high = std::max(high, points[i]);
    }
    for (std::size_t i = a; i < points.size(); i += 2)
      scaled[i] = static_cast<float>(high > low ? 10 * (points[i] - low) / (high - low) : 0);
  }
  return Tensor::from_host(scaled, {n, 2});
}

}  // namespace

std::pair<double, double> find_umap_curve(double spread, double min_dist) {
  constexpr int count = 300;
  // Levenberg-Marquardt from (1, 1), as scipy's curve_fit.
  const auto errors = [&](double a, double b, double* normal, double* gradient) {
    double sum = 0;
    for (int i = 0; i < count; ++i) {
      const double r = 3 * spread * i / (count - 1), power = r > 0 ? std::pow(r, 2 * b) : 0;
      const double value = 1 / (1 + a * power);
      const double error = value - (r < min_dist ? 1 : std::exp(-(r - min_dist) / spread));
      sum += error * error;
      if (!normal) continue;
      const double by_a = -value * value * power;
      const double by_b = r > 0 ? -value * value * a * power * 2 * std::log(r) : 0;
      normal[0] += by_a * by_a;
      normal[1] += by_a * by_b;
      normal[2] += by_b * by_b;
      gradient[0] += by_a * error;
      gradient[1] += by_b * error;
    }
    return sum;
  };
  double a = 1, b = 1, damping = 1e-3;
  for (int step = 0; step < 200; ++step) {
    double normal[3] = {}, gradient[2] = {};
    const double before = errors(a, b, normal, gradient);
    const double p = normal[0] * (1 + damping), q = normal[1], r = normal[2] * (1 + damping);
    const double determinant = p * r - q * q;
    const double move_a = -(r * gradient[0] - q * gradient[1]) / determinant;
    const double move_b = -(p * gradient[1] - q * gradient[0]) / determinant;
    if (!std::isfinite(move_a) || !std::isfinite(move_b)) break;
    if (a + move_a > 0 && b + move_b > 0 && errors(a + move_a, b + move_b, nullptr, nullptr) <= before) {
      a += move_a;
      b += move_b;
      damping /= 10;
      if (std::fabs(move_a) < 1e-12 * a && std::fabs(move_b) < 1e-12 * b) break;
    } else {
      damping *= 10;
      if (damping > 1e20) break;
    }
  }
  return {a, b};
}

Graph umap_graph(const Tensor& x, const UmapOptions& o, const std::string& name) {
  const std::int64_t n = x.dim(0),
                     k = n > o.n_neighbors ? o.n_neighbors - 1 : std::max<std::int64_t>(1, n - 2);
  const Neighbours near = nearest_neighbours(x, k, name);
  const Tensor means({k}, DType::f64), bad({1}, DType::i64), weights(near.distances.shape(), DType::f32);
  kernel::column_mean(current_context(), near.distances, means, bad);
  const std::vector<double> mean = means.to_host<double>();
  // umap-learn counts the distance 0 of a point to itself.
  const double mean_distance = std::accumulate(mean.begin(), mean.end(), 0.0) / static_cast<double>(k + 1);
  kernel::fuzzy_weights(current_context(), near.distances, o.local_connectivity, mean_distance, weights);
  return symmetric_graph(near.indices, weights, o.set_op_mix_ratio, 1 - 2 * o.set_op_mix_ratio);
}

UmapResult umap(const Tensor& input, const UmapOptions& options, const std::string& name) {
  check_matrix(input, name);
  check_options(options);
  const Tensor x = input.contiguous();
  const std::int64_t n = x.dim(0);
  const auto [a, b] = find_umap_curve(options.spread, options.min_dist);
  if (n == 1) {
    center_rows(x, name);  // which refuses what is not finite
    return {Tensor::zeros({1, 2}), a, b};
  }
  const std::int64_t n_epochs = options.n_epochs ? options.n_epochs : n <= 10000 ? 500 : 200;
  const Graph graph = umap_graph(x, options, name);
  Tensor points = first_points(graph, x, options, name), moved(points.shape(), DType::f32);
  const Graph rates = sampling_rates(graph, n_epochs);
  UmapParams params;
  params.a = static_cast<float>(a);
  params.b = static_cast<float>(b);
  params.repulsion_strength = static_cast<float>(options.repulsion_strength);
  params.negative_samples = static_cast<std::int32_t>(options.negative_sample_rate);
  params.random_state = options.random_state;
  for (std::int64_t epoch = 1; epoch < n_epochs; ++epoch) {
    const double share = 1 - static_cast<double>(epoch - 1) / static_cast<double>(n_epochs);
    params.learning_rate = static_cast<float>(options.learning_rate * share);
    kernel::umap_epoch(current_context(), points, rates.offsets, rates.columns, rates.values, params, epoch,
                       moved);
    std::swap(points, moved);
    if (options.callbacks.report(epoch, options.learning_rate * share)) break;
  }
  return {points, a, b};
}

}  // namespace chorale::cluster

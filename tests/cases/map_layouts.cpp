// SPDX-License-Identifier: MIT
// The kernels that move t-SNE's and UMAP's points, against their definitions in f64.
#include <algorithm>
#include <cmath>

#include "kernels/launch.h"
#include "kernels/philox.h"
#include "tests/cases/map_case.h"

namespace chorale::harness {
namespace {

using namespace maps;

/// force [n, 2] and total [1] of t-SNE over all pairs.
Arrays pair_forces(const Array& points) {
  const Index n = points.dim(0);
  Array force({n, 2}), total({1});
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < n; ++j) {
      if (i == j) continue;
      const double dx = points[2 * i] - points[2 * j], dy = points[2 * i + 1] - points[2 * j + 1];
      const double k = 1 / (1 + dx * dx + dy * dy);
      force[2 * i] += k * k * dx;
      force[2 * i + 1] += k * k * dy;
      total[0] += k;
    }
  return {force, total};
}

OpCase tsne_repulsion() {
  OpCase c = statistics_case("tsne_repulsion");
  for (const Index n : {2, 33, 1500})
    c.variants.push_back({"points_" + std::to_string(n), {real({n, 2}, -9, 9)}});
  c.run = [](const Run& run) {
    const Tensor &points = run.tensor(0), force(points.shape(), DType::f32), total({1}, DType::f64);
    kernel::tsne_repulsion(current_context(), points, force, total);
    return vars({force, total});
  };
  c.reference = [](const Arrays& x) { return pair_forces(x[0]); };
  c.bench = {"10000", {real({10000, 2}, -50, 50)}, true};
  c.cost = [](const std::vector<Input>& x, double) {
    const auto n = static_cast<double>(x[0].shape[0]);
    return Cost{12 * n * n, 24 * n};
  };
  return c;
}

/// How many forces and totals of the grid are off by more than 0.4 % of the forces' root mean square and 0.1
/// %: from a map of 1e-4, where t-SNE starts, to cells of 0.2, with the grid and the spectrum kept from map
/// to map. Fewer points than the first variant's show what interpolation leaves of a point's force on itself.
OpCase tsne_repulsion_grid() {
  OpCase c = statistics_case("tsne_repulsion_grid");
  for (const auto& [n, side] : {std::pair<Index, Index>{60, 64}, {400, 64}, {1200, 96}})
    c.variants.push_back({"points_" + std::to_string(n) + "_side_" + std::to_string(side),
                          {real({n, 2}, -1, 1), real({side})}});
  c.run = [](const Run& run) {
    const Index n = run.tensor(0).dim(0), side = run.tensor(1).dim(0);
    const Tensor grid = Tensor::zeros({4}, DType::f64), spectrum({side + 1, side + 1}, DType::f32);
    const Tensor force({n, 2}, DType::f32), total({1}, DType::f64);
    Array wrong({1});
    for (const double extent : {1e-4, 0.9e-4, 1.0, 1.02, 0.08 * static_cast<double>(side)}) {
      Array points = to_array(run.tensor(0));
      for (double& value : points.values) value = round_to(extent * value + 0.5 * extent, DType::f32);
      kernel::tsne_repulsion_grid(current_context(), to_device(points, DType::f32), grid, spectrum, force,
                                  total);
      const Arrays expected = pair_forces(points);
      double square = 0;
      for (const double f : expected[0].values) square += f * f / static_cast<double>(2 * n);
      const Array found = to_array(force);
      for (Index i = 0; i < 2 * n; ++i)
        wrong[0] += !(std::fabs(found[i] - expected[0][i]) <= 4e-3 * std::sqrt(square));
      wrong[0] += !(std::fabs(total.item() / expected[1][0] - 1) <= 1e-3);
    }
    return vars({to_device(wrong, DType::f32)});
  };
  c.reference = [](const Arrays&) { return Arrays{Array({1})}; };
  return c;
}

OpCase tsne_gradient() {
  OpCase c = statistics_case("tsne_gradient");
  for (const Index n : {2, 90, 1000}) {
    Input total = real({1}, 50, 60);
    total.storage = Storage::f64;
    c.variants.push_back({"points_" + std::to_string(n),
                          {real({n, 2}, -5, 5), real({Graph(n).edges()}, 0, 0.01), real({n, 2}), total}});
  }
  c.run = [](const Run& run) {
    const Tensor& points = run.tensor(0);
    const Graph graph(points.dim(0));
    const Tensor gradient(points.shape(), DType::f32), alone(points.shape(), DType::f32),
        divergence({1}, DType::f64);
    const auto launch = [&](const Tensor& to, View sum) {
      kernel::tsne_gradient(current_context(), points, graph.device_offsets(), graph.device_columns(),
                            run.tensor(1), run.tensor(2), run.tensor(3), 1.5f, to, sum);
    };
    launch(gradient, divergence);
    launch(alone, View());
    return vars({gradient, divergence, alone});
  };
  c.reference = [](const Arrays& x) {
    const Index n = x[0].dim(0);
    Array gradient({n, 2}), divergence({1});
    for (Index i = 0; i < 2 * n; ++i) gradient[i] = -4 * x[2][i] / x[3][0];
    each_edge(n, x[1], [&](Index i, Index j, double value) {
      const double dx = x[0][2 * i] - x[0][2 * j], dy = x[0][2 * i + 1] - x[0][2 * j + 1];
      const double square = 1 + dx * dx + dy * dy;
      gradient[2 * i] += 6 * value * dx / square;
      gradient[2 * i + 1] += 6 * value * dy / square;
      if (value > 0) divergence[0] += value * std::log(value * square * x[3][0]);
    });
    return Arrays{gradient, divergence, gradient};
  };
  return c;
}

OpCase tsne_update() {
  OpCase c = statistics_case("tsne_update");
  for (const Index n : {1, 40, 900})
    c.variants.push_back({"points_" + std::to_string(n),
                          {real({n, 2}), real({n, 2}), real({n, 2}, 0.005, 2), real({n, 2}, -30, 30)}});
  c.run = [](const Run& run) {
    const Tensor velocity = run.tensor(1).clone(), gains = run.tensor(2).clone(),
                 points = run.tensor(3).clone(), square({1}, DType::f64);
    kernel::tsne_update(current_context(), run.tensor(0), 0.8f, 20.0f, velocity, gains, points, square);
    return vars({velocity, gains, points, square});
  };
  c.reference = [](const Arrays& x) {
    Array velocity = x[1], gains = x[2], points = x[3], square({1});
    for (Index i = 0; i < points.size(); ++i) {
      const double g = x[0][i];
      gains[i] = std::max(0.01, g * velocity[i] < 0 ? gains[i] + 0.2 : gains[i] * 0.8);
      velocity[i] = 0.8 * velocity[i] - 20 * gains[i] * g;
      points[i] += velocity[i];
      square[0] += gains[i] * g * gains[i] * g;
    }
    return Arrays{velocity, gains, points, square};
  };
  return c;
}

OpCase umap_epoch() {
  OpCase c = statistics_case("umap_epoch");
  static constexpr UmapParams params{1.5f, 0.9f, 1.25f, 0.1f, 5, 77};
  static constexpr Index epoch = 7;
  for (const Index n : {1, 90, 700})
    c.variants.push_back(
        {"points_" + std::to_string(n), {real({n, 2}, -9, 9), real({Graph(n).edges()}, 0, 1)}});
  c.run = [](const Run& run) {
    const Tensor& points = run.tensor(0);
    const Graph graph(points.dim(0));
    const Tensor moved(points.shape(), DType::f32);
    kernel::umap_epoch(current_context(), points, graph.device_offsets(), graph.device_columns(),
                       run.tensor(1), params, epoch, moved);
    return vars({moved});
  };
  c.reference = [](const Arrays& x) {
    const Index n = x[0].dim(0);
    const double a = static_cast<double>(params.a), b = static_cast<double>(params.b),
                 rate = static_cast<double>(params.learning_rate),
                 strength = static_cast<double>(params.repulsion_strength);
    const auto clip = [](double v) { return std::clamp(v, -4.0, 4.0); };
    Array moved = x[0];
    std::vector<Index> sampled(static_cast<std::size_t>(n));
    each_edge(n, x[1], [&](Index i, Index j, double value) {
      const auto v = static_cast<float>(value);
      if (std::floor(static_cast<float>(epoch) * v) == std::floor(static_cast<float>(epoch - 1) * v)) return;
      ++sampled[static_cast<std::size_t>(i)];
      for (int listing = 0; listing < 2; ++listing) {
        const double dx = moved[2 * i] - x[0][2 * j], dy = moved[2 * i + 1] - x[0][2 * j + 1];
        const double s = dx * dx + dy * dy;
        if (s == 0) continue;
        const double factor = -2 * a * b * std::pow(s, b - 1) / (1 + a * std::pow(s, b));
        moved[2 * i] += rate * clip(factor * dx);
        moved[2 * i + 1] += rate * clip(factor * dy);
      }
    });
    for (Index i = 0; i < n; ++i) {
      double away[2] = {0, 0};
      for (Index t = 0; t < params.negative_samples * sampled[static_cast<std::size_t>(i)]; ++t) {
        const std::uint32_t word = philox::word(params.random_state, epoch, static_cast<std::uint32_t>(i),
                                                static_cast<std::uint64_t>(t));
        const auto j = static_cast<Index>(std::floor((word >> 8) * 0x1p-24 * static_cast<double>(n)));
        const double dx = moved[2 * i] - x[0][2 * j], dy = moved[2 * i + 1] - x[0][2 * j + 1];
        const double s = dx * dx + dy * dy;
        if (j == i || s == 0) continue;
        const double factor = 2 * strength * b / ((0.001 + s) * (1 + a * std::pow(s, b)));
        away[0] += clip(factor * dx);
        away[1] += clip(factor * dy);
      }
      for (int axis = 0; axis < 2; ++axis) moved[2 * i + axis] += rate * away[axis];
    }
    return Arrays{moved};
  };
  return c;
}

}  // namespace

std::vector<OpCase> map_layout_cases() {
  return {tsne_repulsion(), tsne_repulsion_grid(), tsne_gradient(), tsne_update(), umap_epoch()};
}

}  // namespace chorale::harness

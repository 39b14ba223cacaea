// SPDX-License-Identifier: MIT
// The kernels on near points against the definitions over all pairs, in f64.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/launch.h"
#include "tests/cases/cluster_case.h"

namespace chorale::harness {
namespace {

using clustering::cluster_case;
using clustering::Index;
using clustering::square_distance;
using clustering::vars;

/// Two rows, odd sizes, several blocks, more columns than a tile is deep; and many equal distances: points of
/// a grid and copies of one point. `radius` has neighbours for some points and not for others, on the grid at
/// its very edge.
struct Data {
  const char* label;
  Input x;
  double radius;
};

std::vector<Data> data() {
  const auto real = [](Index n, Index d) { return Input{{n, d}, -2, 2, false, Storage::f32}; };
  const auto whole = [](Index n, Index d, double high) {
    return Input{{n, d}, 4 - high, 4, false, Storage::i64};
  };
  return {{"rows_2", real(2, 1), 1},      {"rows_37", real(37, 5), 2.2},  {"rows_530", real(530, 3), 0.6},
          {"rows_70", real(70, 300), 28}, {"grid", whole(400, 2, 19), 1}, {"equal", whole(150, 3, 0), 0.5}};
}

Input value(double value) { return {{1}, value, value, false, Storage::f64}; }

/// Rows by their first column, later ones first among equals.
std::vector<Index> places(const Array& x) {
  const Index d = x.dim(1);
  std::vector<Index> rows(static_cast<std::size_t>(x.dim(0)));
  std::iota(rows.begin(), rows.end(), 0);
  std::sort(rows.begin(), rows.end(),
            [&](Index a, Index b) { return x[a * d] != x[b * d] ? x[a * d] < x[b * d] : a > b; });
  return rows;
}

/// The arguments that all these kernels begin with; boxes of up to three columns.
struct Arranged {
  Tensor x, centered, norms, ids, low, high;
};

Arranged arrange(const Tensor& input) {
  const Tensor x = input.to(DType::f32);
  const Array values = to_array(x);
  const Index n = x.dim(0), d = x.dim(1), blocks = (n + neighbour_block - 1) / neighbour_block;
  const Index directions = std::min<Index>(d, 3);
  const std::vector<Index> rows = places(values);
  Array mean({d}), centered({n, d}), norms({n}), low({blocks, directions}, 1e9),
      high({blocks, directions}, -1e9);
  for (Index i = 0; i < n * d; ++i) mean[i % d] += values[i] / static_cast<double>(n);
  for (Index place = 0; place < n; ++place)
    for (Index j = 0; j < d; ++j) {
      const double value = values[rows[static_cast<std::size_t>(place)] * d + j] - mean[j];
      centered[place * d + j] = value;
      norms[place] += value * value;
      if (j >= directions) continue;
      double& least = low[place / neighbour_block * directions + j];
      double& most = high[place / neighbour_block * directions + j];
      least = std::min(least, value - 1e-6);
      most = std::max(most, value + 1e-6);
    }
  return {x,
          to_device(centered, DType::f32),
          to_device(norms, DType::f32),
          Tensor::from_host(rows, {n}).to(DType::i32),
          to_device(low, DType::f32),
          to_device(high, DType::f32)};
}

OpCase nearest_neighbours() {
  OpCase c = cluster_case("nearest_neighbours");
  for (const Data& d : data())
    for (const double k : {1.0, 12.0})
      c.variants.push_back({std::string(d.label) + "_k_" + (k > 1 ? "12" : "1"), {d.x, value(k)}});
  const auto count = [](double drawn, Index n) { return std::min(static_cast<Index>(drawn), n - 1); };
  c.run = [count](const Run& run) {
    const Arranged p = arrange(run.tensor(0));
    const Index n = p.x.dim(0), k = count(run.tensor(1).item(), n);
    const Tensor distances({n, k}, DType::f32), squares({n, k}, DType::f64), indices({n, k}, DType::i32);
    kernel::nearest_neighbours(current_context(), p.x, p.centered, p.norms, p.ids, p.low, p.high, distances,
                               squares, indices);
    return vars({distances, squares, indices});
  };
  c.reference = [count](const Arrays& x) {
    const Index n = x[0].dim(0), k = count(x[1][0], n);
    Array distances({n, k}), squares({n, k}), indices({n, k});
    for (Index i = 0; i < n; ++i) {
      std::vector<std::pair<double, Index>> others;
      for (Index j = 0; j < n; ++j)
        if (j != i) others.emplace_back(square_distance(x[0], i, x[0], j), j);
      std::sort(others.begin(), others.end());
      for (Index j = 0; j < k; ++j) {
        const auto& [square, index] = others[static_cast<std::size_t>(j)];
        distances[i * k + j] = std::sqrt(square);
        squares[i * k + j] = square;
        indices[i * k + j] = static_cast<double>(index);
      }
    }
    return Arrays{distances, squares, indices};
  };
  c.bench = {
      "20000x128", {{{20000, 128}, -2, 2, false, Storage::f32}, {{1}, 15, 15, false, Storage::i64}}, true};
  c.cost = [](const std::vector<Input>& x, double) {
    const auto n = static_cast<double>(x[0].shape[0]), d = static_cast<double>(x[0].shape[1]);
    return Cost{2 * n * n * d, 4 * n * d};
  };
  return c;
}

OpCase density_components() {
  OpCase c = cluster_case("density_components");
  for (const Data& d : data())
    for (const double min_samples : {1.0, 4.0, 30.0})
      c.variants.push_back({std::string(d.label) + "_of_" + std::to_string(static_cast<int>(min_samples)),
                            {d.x, value(d.radius), value(min_samples)}});
  c.run = [](const Run& run) {
    const Arranged p = arrange(run.tensor(0));
    const Index n = p.x.dim(0);
    const Tensor components({n}, DType::i32), core({n}, DType::u8);
    kernel::density_components(current_context(), p.x, p.centered, p.norms, p.ids, p.low, p.high,
                               run.tensor(1).item(), static_cast<Index>(run.tensor(2).item()), components,
                               core);
    return vars({components, core});
  };
  c.reference = [](const Arrays& x) {
    const Index n = x[0].dim(0);
    const double square = x[1][0] * x[1][0];
    Array components({n}, -1), core({n});
    for (Index i = 0; i < n; ++i) {
      double near = 0;
      for (Index j = 0; j < n; ++j) near += square_distance(x[0], i, x[0], j) <= square;
      core[i] = near >= x[2][0];
    }
    for (Index i = 0; i < n; ++i) {  // a component from its lowest row on
      if (core[i] == 0 || components[i] >= 0) continue;
      std::vector<Index> open{i};
      components[i] = static_cast<double>(i);
      while (!open.empty()) {
        const Index at = open.back();
        open.pop_back();
        for (Index j = 0; j < n; ++j) {
          if (components[j] >= 0 || square_distance(x[0], at, x[0], j) > square) continue;
          components[j] = static_cast<double>(i);
          if (core[j] != 0) open.push_back(j);
        }
      }
    }
    return Arrays{components, core};
  };
  c.bench = {"20000x128", {{{20000, 128}, -2, 2, false, Storage::f32}, value(16.5), value(5)}, true};
  c.cost = [](const std::vector<Input>& x, double) {
    const auto n = static_cast<double>(x[0].shape[0]), d = static_cast<double>(x[0].shape[1]);
    return Cost{n * n * d, 4 * n * d};
  };
  return c;
}

/// The heights of the places: infinity between the trees of a forest.
double height_at(const Array& heights, Index place) {
  return place % 50 == 7 ? std::numeric_limits<double>::infinity() : heights[place];
}

OpCase shorter_edges() {
  OpCase c = cluster_case("shorter_edges");
  static constexpr Index kept = 4;
  static constexpr double scale = 0.64;
  for (const Data& d : data()) {
    const double square = d.radius * d.radius;
    const Index n = d.x.shape[0];
    c.variants.push_back({d.label,
                          {d.x,
                           {{n}, 0.1 * square, square, false, Storage::f64},
                           {{n}, 0, 1.5 * square, false, Storage::f64}}});
  }
  c.run = [](const Run& run) {
    const Arranged p = arrange(run.tensor(0));
    const Index n = p.x.dim(0);
    Array heights = to_array(run.tensor(2));
    for (Index i = 0; i < n; ++i) heights[i] = height_at(heights, i);
    const Tensor squares({n, kept}, DType::f64), partners({n, kept}, DType::i32);
    kernel::shorter_edges(current_context(), p.x, p.centered, p.norms, p.ids, p.low, p.high, run.tensor(1),
                          to_device(heights, DType::f64), scale, squares, partners);
    return vars({squares, partners});
  };
  c.reference = [](const Arrays& x) {
    const Index n = x[0].dim(0);
    const std::vector<Index> rows = places(x[0]);
    Array squares({n, kept}, std::numeric_limits<double>::infinity()), partners({n, kept}, -1);
    for (Index i = 0; i < n; ++i) {
      std::vector<std::pair<double, Index>> edges;
      double height = 0;
      for (Index j = i + 1; j < n; ++j) {
        const Index a = rows[static_cast<std::size_t>(i)], b = rows[static_cast<std::size_t>(j)];
        height = std::max(height, height_at(x[2], j));
        const double weight = std::max({x[1][i], x[1][j], scale * square_distance(x[0], a, x[0], b)});
        if (weight < height) edges.emplace_back(weight, b);
      }
      std::sort(edges.begin(), edges.end());
      for (Index e = 0; e < std::min(kept, static_cast<Index>(edges.size())); ++e) {
        squares[i * kept + e] = edges[static_cast<std::size_t>(e)].first;
        partners[i * kept + e] = static_cast<double>(edges[static_cast<std::size_t>(e)].second);
      }
    }
    return Arrays{squares, partners};
  };
  return c;
}

}  // namespace

std::vector<OpCase> near_point_cases() {
  return {nearest_neighbours(), density_components(), shorter_edges()};
}

}  // namespace chorale::harness

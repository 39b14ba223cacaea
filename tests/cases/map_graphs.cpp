// SPDX-License-Identifier: MIT
// The kernels that make the graphs of t-SNE and UMAP, against their definitions in f64.
#include <algorithm>
#include <cmath>

#include "kernels/launch.h"
#include "tests/cases/map_case.h"

namespace chorale::harness {
namespace {

using namespace maps;

/// Distances of the shape [n, k], each row ascending; every fifth row starts with two duplicates, every
/// seventh is nothing else.
Array neighbour_distances(const Array& values) {
  Array sorted = values;
  const Index n = values.dim(0), k = values.dim(1);
  for (Index i = 0; i < n; ++i) {
    const auto row = sorted.values.begin() + i * k;
    if (i % 5 == 4) std::fill(row, row + std::min<Index>(2, k), 0.0);
    if (i % 7 == 6) std::fill(row, row + k, 0.0);
    std::sort(row, row + k);
  }
  return sorted;
}

/// Bisection from 1, doubling until there is an upper end; excess(value) < 0 asks for more.
template <class Excess>
double bisect(int steps, double sign, const Excess& excess) {
  double value = 1, low = 0, high = INFINITY;
  for (int step = 0; step < steps; ++step) {
    const double e = sign * excess(value);
    if (std::fabs(e) <= 1e-5) break;
    (e > 0 ? low : high) = value;
    value = std::isinf(high) ? 2 * value : (low + high) / 2;
  }
  return value;
}

OpCase perplexity_weights() {
  OpCase c = statistics_case("perplexity_weights");
  for (const auto& [n, k] : {std::pair<Index, Index>{1, 1}, {40, 7}, {300, 90}})
    c.variants.push_back({"neighbours_" + std::to_string(k), {real({n, k}, 0.5, 4)}});
  const auto perplexity = [](Index k) { return std::max(1.0, static_cast<double>(k) / 3); };
  c.run = [perplexity](const Run& run) {
    const Tensor distances = to_device(neighbour_distances(to_array(run.tensor(0))), DType::f32);
    const Tensor weights(distances.shape(), DType::f32);
    kernel::perplexity_weights(current_context(), distances, perplexity(distances.dim(1)), weights);
    return vars({weights});
  };
  c.reference = [perplexity](const Arrays& x) {
    const Array distance = neighbour_distances(x[0]);
    const Index n = distance.dim(0), k = distance.dim(1);
    Array weights({n, k});
    for (Index i = 0; i < n; ++i) {
      const auto sums = [&](double beta, double& spread) {
        double sum = spread = 0;
        for (Index t = 0; t < k; ++t) {
          const double square = std::pow(distance[i * k + t], 2) - std::pow(distance[i * k], 2);
          sum += std::exp(-beta * square);
          spread += square * std::exp(-beta * square);
        }
        return sum;
      };
      double spread = 0;
      const double beta = bisect(100, 1, [&](double b) {
        const double sum = sums(b, spread);
        return std::log(sum) + b * spread / sum - std::log(perplexity(k));
      });
      const double sum = sums(beta, spread);
      for (Index t = 0; t < k; ++t)
        weights[i * k + t] =
            std::exp(-beta * (std::pow(distance[i * k + t], 2) - std::pow(distance[i * k], 2))) / sum;
    }
    return Arrays{weights};
  };
  c.bench = {"100000x90", {real({100000, 90}, 0.5, 4)}, true};
  c.cost = [](const std::vector<Input>& x, double) {
    return Cost{0, 8 * static_cast<double>(x[0].shape[0] * x[0].shape[1])};
  };
  return c;
}

OpCase fuzzy_weights(double connectivity) {
  OpCase c = statistics_case("fuzzy_weights_" + std::to_string(static_cast<int>(100 * connectivity)));
  for (const auto& [n, k] : {std::pair<Index, Index>{1, 1}, {40, 4}, {300, 40}})
    c.variants.push_back({"neighbours_" + std::to_string(k), {real({n, k}, 0.5, 4)}});
  static constexpr double mean_distance = 2;
  c.run = [connectivity](const Run& run) {
    const Tensor distances = to_device(neighbour_distances(to_array(run.tensor(0))), DType::f32);
    const Tensor weights(distances.shape(), DType::f32);
    kernel::fuzzy_weights(current_context(), distances, connectivity, mean_distance, weights);
    return vars({weights});
  };
  c.reference = [connectivity](const Arrays& x) {
    const Array distance = neighbour_distances(x[0]);
    const Index n = distance.dim(0), k = distance.dim(1);
    Array weights({n, k});
    for (Index i = 0; i < n; ++i) {
      std::vector<double> apart;
      double mean = 0;
      for (Index t = 0; t < k; ++t) {
        mean += distance[i * k + t] / static_cast<double>(k + 1);
        if (distance[i * k + t] > 0) apart.push_back(distance[i * k + t]);
      }
      double rho = apart.empty() ? 0 : apart.back();
      if (static_cast<double>(apart.size()) >= connectivity) {
        const auto whole = static_cast<std::size_t>(connectivity);
        const double share = connectivity - static_cast<double>(whole);
        const double below = whole ? apart[whole - 1] : 0;
        rho = share > 0 ? below + share * (apart[whole] - below) : below;
      }
      const auto weight = [&](Index t, double sigma) {
        return std::exp(-std::max(0.0, distance[i * k + t] - rho) / sigma);
      };
      double sigma = bisect(64, -1, [&](double s) {
        double sum = -std::log2(static_cast<double>(k + 1));
        for (Index t = 0; t < k; ++t) sum += weight(t, s);
        return sum;
      });
      sigma = std::max(sigma, 1e-3 * (rho > 0 ? mean : mean_distance));
      for (Index t = 0; t < k; ++t) weights[i * k + t] = weight(t, sigma);
    }
    return Arrays{weights};
  };
  return c;
}

/// Neighbours [n, k] of which about half are neighbours of one side only.
Index neighbour(Index n, Index i, Index t) { return (i + 1 + (i % 3 + t * 2) % (n - 1)) % n; }

std::vector<std::int32_t> neighbours_of(Index n, Index k) {
  std::vector<std::int32_t> list;
  for (Index i = 0; i < n; ++i)
    for (Index t = 0; t < k; ++t) list.push_back(static_cast<std::int32_t>(neighbour(n, i, t)));
  return list;
}

OpCase neighbour_graph() {
  OpCase c = statistics_case("neighbour_graph");
  for (const auto& [n, k] : {std::pair<Index, Index>{2, 1}, {38, 5}, {700, 15}})
    c.variants.push_back({"points_" + std::to_string(n), {real({n, k}, 0, 1)}});
  static constexpr double sum_factor = 0.75, product_factor = -0.5;
  c.run = [](const Run& run) {
    const Tensor& weights = run.tensor(0);
    const Index n = weights.dim(0), k = weights.dim(1);
    const Tensor offsets({n + 1}, DType::i64), columns = Tensor::zeros({2 * n * k}, DType::i32),
                                               values = Tensor::zeros({2 * n * k});
    kernel::neighbour_graph(current_context(), Tensor::from_host(neighbours_of(n, k), {n, k}), weights,
                            sum_factor, product_factor, offsets, columns, values);
    const Index edges = offsets.to_host<Index>().back();
    return vars({offsets, columns.slice(0, 0, edges).clone(), values.slice(0, 0, edges).clone()});
  };
  c.reference = [](const Arrays& x) {
    const Index n = x[0].dim(0), k = x[0].dim(1);
    const auto weight = [&](Index i, Index j) {
      for (Index t = 0; t < k; ++t)
        if (neighbour(n, i, t) == j) return x[0][i * k + t];
      return -1.0;
    };
    Array offsets({n + 1});
    std::vector<double> columns, values;
    const auto add = [&](Index i, Index j) {
      const double a = std::max(0.0, weight(i, j)), b = std::max(0.0, weight(j, i));
      columns.push_back(static_cast<double>(j));
      values.push_back(sum_factor * (a + b) + product_factor * a * b);
    };
    for (Index i = 0; i < n; ++i) {
      for (Index t = 0; t < k; ++t) add(i, neighbour(n, i, t));
      for (Index j = 0; j < n; ++j)
        if (weight(i, j) < 0 && weight(j, i) >= 0) add(i, j);
      offsets[i + 1] = static_cast<double>(columns.size());
    }
    Array column_array({static_cast<Index>(columns.size())}), value_array = column_array;
    column_array.values = columns;
    value_array.values = values;
    return Arrays{offsets, column_array, value_array};
  };
  return c;
}

OpCase graph_product() {
  OpCase c = statistics_case("graph_product");
  for (const auto& [n, b] : {std::pair<Index, Index>{1, 1}, {90, 5}, {1000, 8}})
    c.variants.push_back({"points_" + std::to_string(n),
                          {real({Graph(n).edges()}, 0, 1), real({n}, 0, 1), real({n, b}), real({n, b})}});
  c.run = [](const Run& run) {
    const Tensor& x = run.tensor(2);
    const Graph graph(x.dim(0));
    const Tensor y(x.shape(), DType::f32);
    kernel::graph_product(current_context(), graph.device_offsets(), graph.device_columns(), run.tensor(0),
                          run.tensor(1), x, run.tensor(3), 1.5f, -0.25f, 0.5f, y);
    return vars({y});
  };
  c.reference = [](const Arrays& x) {
    const Index n = x[2].dim(0), b = x[2].dim(1);
    Array y({n, b});
    for (Index i = 0; i < n * b; ++i) y[i] = -0.25 * x[2][i] + 0.5 * x[3][i];
    each_edge(n, x[0], [&](Index i, Index j, double value) {
      for (Index column = 0; column < b; ++column)
        y[i * b + column] += 1.5 * x[1][i] * value * x[1][j] * x[2][j * b + column];
    });
    return Arrays{y};
  };
  return c;
}

}  // namespace

std::vector<OpCase> map_graph_cases() {
  return {perplexity_weights(), fuzzy_weights(1), fuzzy_weights(2.5), neighbour_graph(), graph_product()};
}

}  // namespace chorale::harness

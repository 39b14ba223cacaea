// SPDX-License-Identifier: MIT
// The kernels of agglomerative clustering on a matrix of distances, and of spanning trees, against their
// definitions in f64.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/launch.h"
#include "tests/cases/cluster_case.h"
#include "tests/cases/linkage_case.h"
#include "tests/harness/op_case.h"

namespace chorale::harness {
namespace {

using namespace agglomeration;
using clustering::cluster_case;
using clustering::real;

/// One row, odd sizes, more rows than a tile or a block of points, more columns than a tile is deep.
constexpr Index sizes[][2] = {{1, 1}, {37, 5}, {300, 3}, {70, 300}};

OpCase linkage_distances(bool root) {
  OpCase c = cluster_case(root ? "linkage_distances_root" : "linkage_distances");
  for (const auto& [n, d] : sizes) c.variants.push_back({"rows_" + std::to_string(n), {real({n, d})}});
  c.run = [root](const Run& run) {
    const Index n = run.tensor(0).dim(0);
    const Tensor distances({n, whole_blocks(n)}, DType::f32);
    kernel::linkage_distances(current_context(), run.tensor(0), root, distances);
    return vars({distances});
  };
  c.reference = [root](const Arrays& x) {
    const Index n = x[0].dim(0), stride = whole_blocks(n);
    Array distances({n, stride}, infinity);
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j < n; ++j)
        if (i != j)
          distances[i * stride + j] =
              root ? std::sqrt(square_distance(x[0], i, j)) : square_distance(x[0], i, j);
    return Arrays{distances};
  };
  c.bench = {"20000x128", {real({20000, 128})}, true};
  c.cost = [](const std::vector<Input>& x, double) {
    const auto n = static_cast<double>(x[0].shape[0]), d = static_cast<double>(x[0].shape[1]);
    return Cost{1.5 * n * n * d, 4 * n * n};
  };
  return c;
}

/// Distances between clusters as the definitions have them: every merge changes a row and a column.
struct Clusters {
  Linkage linkage;
  std::vector<std::vector<double>> distance;
  std::vector<double> size;

  void merge(Index a, Index b, double between) {
    const auto i = static_cast<std::size_t>(a), j = static_cast<std::size_t>(b);
    for (std::size_t k = 0; k < size.size(); ++k) {
      const double x = distance[i][k], y = distance[j][k];
      double joined = std::max(x, y);
      if (linkage == Linkage::average) joined = (size[i] * x + size[j] * y) / (size[i] + size[j]);
      if (linkage == Linkage::ward)
        joined = std::max(0.0, ((size[i] + size[k]) * x + (size[j] + size[k]) * y - size[k] * between) /
                                   (size[i] + size[j] + size[k]));
      distance[i][k] = distance[k][i] = k == i || k == j ? infinity : joined;
    }
    for (std::size_t k = 0; k < size.size(); ++k) distance[j][k] = distance[k][j] = infinity;
    size[i] += size[j];
  }
};

/// The log of merges on the device.
struct Log {
  std::vector<std::int32_t> rounds{0}, pairs;
  std::vector<float> terms;

  void add(const Merges& m, const std::vector<float>& size) {
    for (std::size_t i = 0; i < m.first.size(); ++i) {
      pairs.insert(pairs.end(),
                   {static_cast<std::int32_t>(m.first[i]), static_cast<std::int32_t>(m.second[i])});
      terms.insert(terms.end(),
                   {static_cast<float>(m.distance[i]), size[static_cast<std::size_t>(m.first[i])],
                    size[static_cast<std::size_t>(m.second[i])]});
    }
    rounds.push_back(static_cast<std::int32_t>(pairs.size() / 2));
  }
  Tensor round_tensor() const { return Tensor::from_host(rounds, {static_cast<Index>(rounds.size())}); }
  Tensor pair_tensor() const { return Tensor::from_host(pairs, {static_cast<Index>(pairs.size() / 2), 2}); }
  Tensor term_tensor() const { return Tensor::from_host(terms, {static_cast<Index>(terms.size() / 3), 3}); }
};

/// Two rounds, between which some rows are looked at and others are not; then the columns that are left are
/// moved together, and one more round. Each cluster's neighbour at the end, and all distances between them.
OpCase linkage_merge(Linkage linkage, const std::string& name) {
  OpCase c = cluster_case("linkage_merge_" + name);
  c.scaled = true;
  for (const Index n : {Index{4}, Index{41}, Index{700}})
    c.variants.push_back(
        {"clusters_" + std::to_string(n), {real({n, 3}), Input{{n}, 1, 6, false, Storage::i64}}});
  c.run = [linkage](const Run& run) {
    const Tensor& x = run.tensor(0);
    const Index n = x.dim(0);
    Context& context = current_context();
    const Tensor distances({n, whole_blocks(n)}, DType::f32);
    kernel::linkage_distances(context, x, linkage == Linkage::average, distances);
    std::vector<Index> alive = all_below(n);
    Tensor rows = indices(alive), seen = Tensor::zeros({n}, DType::i32);
    Tensor size = run.tensor(1).to(DType::f32).clone();
    Log log;
    const auto nearest = [&](const std::vector<Index>& listed) {
      const Tensor columns({static_cast<Index>(listed.size())}, DType::i32),
          how_far(columns.shape(), DType::f32);
      kernel::linkage_nearest(context, indices(listed), rows, size, linkage, ConstView(), 0.0f,
                              log.round_tensor(), log.pair_tensor(), log.term_tensor(), distances, seen,
                              columns, how_far);
      return vars({columns, how_far});
    };
    const auto merge = [&] {
      const Merges m = merges_of(alive);
      log.add(m, size.to_host<float>());
      kernel::linkage_merge(context, static_cast<Index>(m.first.size()), rows, linkage, log.round_tensor(),
                            log.pair_tensor(), log.term_tensor(), size, distances, seen);
      remove(alive, m.second);
    };
    merge();
    std::vector<Index> some;
    for (std::size_t i = 0; i < alive.size(); i += 2) some.push_back(alive[i]);
    nearest(some);
    merge();
    kernel::linkage_compact(context, indices(alive), rows, size, linkage, log.round_tensor(),
                            log.pair_tensor(), log.term_tensor(), distances, seen);
    std::vector<float> sizes;
    sizes.reserve(alive.size());
    for (const Index column : alive) sizes.push_back(size.to_host<float>()[static_cast<std::size_t>(column)]);
    const auto left = static_cast<Index>(alive.size());
    rows = indices(alive);
    size = Tensor::from_host(sizes, {left});
    seen = Tensor::zeros({left}, DType::i32);
    log = Log();
    const std::vector<Index> row_of = alive;
    alive = all_below(left);
    merge();
    std::vector<Var> results = nearest(alive);
    for (const Index column : alive)
      results.emplace_back(distances[row_of[static_cast<std::size_t>(column)]].slice(0, 0, left).clone());
    results.emplace_back(size);
    return results;
  };
  c.reference = [linkage](const Arrays& x) {
    const Index n = x[0].dim(0);
    Clusters clusters{linkage, {}, x[1].values};
    for (Index i = 0; i < n; ++i) {
      clusters.distance.emplace_back();
      for (Index j = 0; j < n; ++j) {
        const double square = square_distance(x[0], i, j);
        clusters.distance.back().push_back(i == j                        ? infinity
                                           : linkage == Linkage::average ? std::sqrt(square)
                                                                         : square);
      }
    }
    std::vector<Index> alive = all_below(n), left;
    for (int round = 0; round < 3; ++round) {
      const Merges m = merges_of(alive);
      for (std::size_t i = 0; i < m.first.size(); ++i) clusters.merge(m.first[i], m.second[i], m.distance[i]);
      if (round == 1) remove(left = alive, m.second);
      remove(alive, m.second);
    }
    const Index count = static_cast<Index>(left.size());
    Array columns({static_cast<Index>(alive.size())}), how_far(columns.shape, infinity), size({count});
    Arrays rows;
    for (std::size_t a = 0; a < alive.size(); ++a) {
      Array row({count});
      columns[static_cast<Index>(a)] = std::numeric_limits<std::int32_t>::max();
      for (Index k = 0; k < count; ++k) {
        row[k] = clusters.distance[static_cast<std::size_t>(alive[a])]
                                  [static_cast<std::size_t>(left[static_cast<std::size_t>(k)])];
        if (row[k] >= how_far[static_cast<Index>(a)]) continue;
        how_far[static_cast<Index>(a)] = row[k];
        columns[static_cast<Index>(a)] = static_cast<double>(k);
      }
      rows.push_back(row);
    }
    for (Index k = 0; k < count; ++k)
      size[k] = clusters.size[static_cast<std::size_t>(left[static_cast<std::size_t>(k)])];
    Arrays result{columns, how_far};
    result.insert(result.end(), rows.begin(), rows.end());
    result.push_back(size);
    return result;
  };
  return c;
}

OpCase minimum_spanning_tree(bool matrix) {
  OpCase c = cluster_case(matrix ? "minimum_spanning_tree_matrix" : "minimum_spanning_tree");
  for (const auto& [n, d] : {std::pair<Index, Index>{1, 1}, {37, 5}, {130, 3}, {70, 40}})
    c.variants.push_back({"rows_" + std::to_string(n), {real({n, d})}});
  c.variants.push_back({"rows_2500", {real({2500, 4})}, true});
  c.run = [matrix](const Run& run) {
    const Tensor& x = run.tensor(0);
    const Index n = x.dim(0);
    const Tensor edges({n - 1, 2}, DType::i32), lengths({n - 1}, DType::f64);
    const Tensor distances({n, whole_blocks(n)}, DType::f32);
    if (matrix) kernel::linkage_distances(current_context(), x, false, distances);
    kernel::minimum_spanning_tree(current_context(), x, matrix ? ConstView(distances) : ConstView(), edges,
                                  lengths);
    return vars({edges, lengths});
  };
  c.reference = [](const Arrays& x) {
    const Index n = x[0].dim(0);
    Array edges({n - 1, 2}), lengths({n - 1});
    std::vector<double> square(static_cast<std::size_t>(n), infinity);
    std::vector<Index> nearest(static_cast<std::size_t>(n), 0), outside = all_below(n);
    for (Index e = 0, reached = 0; e + 1 < n; ++e) {
      std::erase(outside, reached);
      Index next = outside.front();
      for (const Index i : outside) {
        const auto at = static_cast<std::size_t>(i);
        const double now = square_distance(x[0], reached, i);
        if (now < square[at]) {
          square[at] = now;
          nearest[at] = reached;
        }
        if (square[at] < square[static_cast<std::size_t>(next)]) next = i;
      }
      edges[2 * e] = static_cast<double>(nearest[static_cast<std::size_t>(next)]);
      edges[2 * e + 1] = static_cast<double>(next);
      lengths[e] = std::sqrt(square[static_cast<std::size_t>(next)]);
      reached = next;
    }
    return Arrays{edges, lengths};
  };
  return c;
}

}  // namespace

std::vector<OpCase> linkage_cases() {
  return {linkage_distances(false),
          linkage_distances(true),
          linkage_merge(Linkage::ward, "ward"),
          linkage_merge(Linkage::complete, "complete"),
          linkage_merge(Linkage::average, "average"),
          minimum_spanning_tree(false),
          minimum_spanning_tree(true)};
}

}  // namespace chorale::harness

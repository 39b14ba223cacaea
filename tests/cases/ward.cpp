// SPDX-License-Identifier: MIT
// The kernels of Ward's method on centers, against their definitions in f64, and what f64 decides.
#include <cmath>

#include "kernels/launch.h"
#include "tests/cases/cluster_case.h"
#include "tests/cases/linkage_case.h"

namespace chorale::harness {
namespace {

using namespace agglomeration;
using clustering::cluster_case;
using clustering::real;

/// All clusters, or some of many.
std::vector<Index> listed_of(const std::vector<Index>& alive) {
  std::vector<Index> listed;
  const std::size_t step = alive.size() > 1000 ? 40 : 1;
  for (std::size_t i = 0; i < alive.size(); i += step) listed.push_back(alive[i]);
  return listed;
}

/// Neighbours before and after a round of merges, heights, and the merged centers. Columns have the rows of
/// the centers in reverse, but for the last one, which has none.
OpCase ward_centers() {
  OpCase c = cluster_case("ward_centers");
  c.scaled = true;
  for (const auto& [n, d] : {std::pair<Index, Index>{4, 1}, {37, 5}, {70, 300}, {2300, 2}}) {
    Input centers = real({n, d});
    centers.storage = Storage::f64;
    c.variants.push_back({"rows_" + std::to_string(n), {centers, Input{{n}, 1, 6, false, Storage::i64}}});
  }
  c.run = [](const Run& run) {
    Context& context = current_context();
    const Index n = run.tensor(0).dim(0), d = run.tensor(0).dim(1), m = n - 1;
    const Tensor centers = run.tensor(0).clone();
    std::vector<Index> alive = all_below(m);
    std::vector<Index> row_of(alive.rbegin(), alive.rend());
    const Tensor points({whole_blocks(m) / point_block, d, point_block}, DType::f32),
        rounding({m}, DType::f32);
    const Tensor rows = indices(row_of);
    kernel::ward_points(context, centers, rows, points, rounding);
    std::vector<float> size = run.tensor(1).to(DType::f32).slice(0, 0, m).to_host<float>();
    const auto nearest = [&] {
      const std::vector<Index> listed = listed_of(alive);
      const Tensor columns({static_cast<Index>(listed.size())}, DType::i32),
          squares(columns.shape(), DType::f32);
      kernel::ward_nearest(context, points, rounding, centers, rows, Tensor::from_host(size, {m}),
                           indices(listed), columns, squares);
      return std::pair(columns, squares);
    };
    const auto [columns, squares] = nearest();
    const Merges merges = merges_of(alive);
    std::vector<Index> pairs;
    std::vector<double> sizes;
    for (std::size_t i = 0; i < merges.first.size(); ++i)
      for (const Index column : {merges.first[i], merges.second[i]}) {
        pairs.push_back(column);
        sizes.push_back(static_cast<double>(size[static_cast<std::size_t>(column)]));
      }
    const auto count = static_cast<Index>(merges.first.size());
    const Tensor heights({count}, DType::f64);
    const Tensor in_centers_only = centers.clone(), same_heights({count}, DType::f64);
    kernel::ward_merge(context, indices(pairs).reshape({count, 2}), rows,
                       Tensor::from_host(sizes, {count, 2}), in_centers_only, View(), View(), same_heights);
    kernel::ward_merge(context, indices(pairs).reshape({count, 2}), rows,
                       Tensor::from_host(sizes, {count, 2}), centers, points, rounding, heights);
    for (std::size_t i = 0; i < merges.first.size(); ++i) {
      size[static_cast<std::size_t>(merges.first[i])] += size[static_cast<std::size_t>(merges.second[i])];
      size[static_cast<std::size_t>(merges.second[i])] = 0;
    }
    remove(alive, merges.second);
    const auto [later_columns, later_squares] = nearest();
    return vars({columns, squares, heights, centers, later_columns, later_squares, points, rounding,
                 same_heights, in_centers_only});
  };
  c.reference = [](const Arrays& x) {
    const Index n = x[0].dim(0), d = x[0].dim(1), m = n - 1;
    Array centers = x[0];
    std::vector<double> size = x[1].values;
    std::vector<Index> alive = all_below(m);
    const auto row = [&](Index column) { return m - 1 - column; };
    const auto square = [&](Index a, Index b) {
      const double p = size[static_cast<std::size_t>(a)], q = size[static_cast<std::size_t>(b)];
      return 2 * p * q / (p + q) * square_distance(centers, row(a), row(b));
    };
    const auto nearest = [&] {
      const std::vector<Index> listed = listed_of(alive);
      Array columns({static_cast<Index>(listed.size())}, std::numeric_limits<std::int32_t>::max()),
          squares(columns.shape, infinity);
      for (std::size_t l = 0; l < listed.size(); ++l)
        for (const Index column : alive) {
          const auto at = static_cast<Index>(l);
          if (column == listed[l] || square(listed[l], column) >= squares[at]) continue;
          squares[at] = square(listed[l], column);
          columns[at] = static_cast<double>(column);
        }
      return std::pair(columns, squares);
    };
    const auto [columns, squares] = nearest();
    const Merges merges = merges_of(alive);
    Array heights({static_cast<Index>(merges.first.size())});
    for (std::size_t i = 0; i < merges.first.size(); ++i) {
      const Index a = merges.first[i], b = merges.second[i];
      heights[static_cast<Index>(i)] = std::sqrt(square(a, b));
      double &p = size[static_cast<std::size_t>(a)], &q = size[static_cast<std::size_t>(b)];
      for (Index j = 0; j < d; ++j)
        centers[row(a) * d + j] = (p * centers[row(a) * d + j] + q * centers[row(b) * d + j]) / (p + q);
      p += q;
      q = 0;
    }
    remove(alive, merges.second);
    const auto [later_columns, later_squares] = nearest();
    Array points({whole_blocks(m) / point_block, d, point_block});
    for (Index column = 0; column < m; ++column)
      for (Index j = 0; j < d; ++j)
        points[(column / point_block * d + j) * point_block + column % point_block] =
            centers[row(column) * d + j];
    Array rounding({m});
    for (Index column = 0; column < m; ++column) {
      double lost = 0;
      for (Index j = 0; j < d; ++j) {
        const double center = centers[row(column) * d + j];
        lost += std::pow(center - static_cast<double>(static_cast<float>(center)), 2);
      }
      rounding[column] = std::sqrt(lost) + 0x1p-63;
    }
    return Arrays{columns,       squares, heights,  centers, later_columns,
                  later_squares, points,  rounding, heights, centers};
  };
  return c;
}

/// Neighbours of points on a grid of 125 places, several points to a place, moved by 1e-7 or not at all:
/// distances are equal, or equal as f32 has them. Points are 256 away from the origin, where f32 moves them
/// by 1e-5. Once from centers, once from distances of their f32 copies.
OpCase near_ties() {
  OpCase c = cluster_case("ward_near_ties");
  c.scaled = true;
  for (const auto& [n, d] : {std::pair<Index, Index>{37, 3}, {300, 40}, {2300, 3}})
    for (const double most : {0.0, 1e-7}) {
      Input noise = real({n, d}, -most, most);
      noise.storage = Storage::f64;
      c.variants.push_back({"rows_" + std::to_string(n) + (most > 0 ? "_moved" : "_exact"), {noise}});
    }
  const auto placed = [](Array noise) {
    const Index n = noise.dim(0), d = noise.dim(1);
    for (Index i = 0; i < n; ++i)
      for (Index j = 0, place = i * 7; j < d; ++j, place /= 5)
        noise[i * d + j] += 256.0 + static_cast<double>(j < 3 ? place % 5 : 0);
    return noise;
  };
  c.run = [placed](const Run& run) {
    Context& context = current_context();
    const Tensor centers = to_device(placed(to_array(run.tensor(0))), DType::f64);
    const Index n = centers.dim(0), d = centers.dim(1);
    const std::vector<Index> all = all_below(n), chosen = listed_of(all);
    const auto count = static_cast<Index>(chosen.size());
    const Tensor rows = indices(all), sizes = Tensor::full({n}, 1), listed = indices(chosen);
    const Tensor points({whole_blocks(n) / point_block, d, point_block}, DType::f32),
        rounding({n}, DType::f32);
    const Tensor columns({count}, DType::i32), squares({count}, DType::f32);
    kernel::ward_points(context, centers, rows, points, rounding);
    kernel::ward_nearest(context, points, rounding, centers, rows, sizes, listed, columns, squares);
    const Tensor distances({n, whole_blocks(n)}, DType::f32), seen = Tensor::zeros({n}, DType::i32);
    const Tensor same_columns({count}, DType::i32), same_squares({count}, DType::f32);
    kernel::linkage_distances(context, centers.to(DType::f32), false, distances);
    kernel::linkage_nearest(context, listed, rows, sizes, Linkage::ward, centers, 1e-3f,
                            Tensor::zeros({1}, DType::i32), Tensor({0, 2}, DType::i32),
                            Tensor({0, 3}, DType::f32), distances, seen, same_columns, same_squares);
    return vars({columns, squares, same_columns});
  };
  c.reference = [placed](const Arrays& noise) {
    const Array x = placed(noise[0]);
    const std::vector<Index> all = all_below(x.dim(0)), listed = listed_of(all);
    Array columns({static_cast<Index>(listed.size())}), squares(columns.shape, infinity);
    for (std::size_t l = 0; l < listed.size(); ++l)
      for (const Index column : all) {
        const auto at = static_cast<Index>(l);
        const double square = square_distance(x, listed[l], column);
        if (column == listed[l] || square >= squares[at]) continue;
        squares[at] = square;
        columns[at] = static_cast<double>(column);
      }
    return Arrays{columns, squares, columns};
  };
  return c;
}

}  // namespace

std::vector<OpCase> ward_cases() { return {ward_centers(), near_ties()}; }

}  // namespace chorale::harness

// SPDX-License-Identifier: MIT
// What the cases of agglomerative clustering share.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "kernels/params.h"
#include "tests/harness/op_case.h"

namespace chorale::harness::agglomeration {

using Index = std::int64_t;
inline constexpr double infinity = std::numeric_limits<double>::infinity();

inline Index whole_blocks(Index n) { return (n + point_block - 1) / point_block * point_block; }

inline double square_distance(const Array& x, Index a, Index b) {
  const Index d = x.dim(1);
  double sum = 0;
  for (Index j = 0; j < d; ++j) sum += std::pow(x[a * d + j] - x[b * d + j], 2);
  return sum;
}

inline Tensor indices(const std::vector<Index>& values) {
  return Tensor::from_host(std::vector<std::int32_t>(values.begin(), values.end()),
                           {static_cast<Index>(values.size())});
}

inline std::vector<Index> all_below(Index n) {
  std::vector<Index> values(static_cast<std::size_t>(n));
  std::iota(values.begin(), values.end(), Index{0});
  return values;
}

inline std::vector<Var> vars(std::initializer_list<Tensor> tensors) {
  std::vector<Var> result;
  for (const Tensor& t : tensors) result.emplace_back(t);
  return result;
}

/// Which clusters a round merges, and at what distance: any will do to check the formulas.
struct Merges {
  std::vector<Index> first, second;
  std::vector<double> distance;
};

inline Merges merges_of(const std::vector<Index>& alive) {
  Merges m;
  for (std::size_t i = 0; i + 2 < alive.size(); i += 3) {
    m.first.push_back(alive[i]);
    m.second.push_back(alive[i + 2]);
    m.distance.push_back(0.125 * static_cast<double>(i % 4));
  }
  return m;
}

inline void remove(std::vector<Index>& alive, const std::vector<Index>& merged) {
  std::erase_if(
      alive, [&](Index column) { return std::find(merged.begin(), merged.end(), column) != merged.end(); });
}

}  // namespace chorale::harness::agglomeration

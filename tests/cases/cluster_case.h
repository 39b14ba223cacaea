// SPDX-License-Identifier: MIT
// What the cases of the clustering kernels share.
#pragma once
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "tests/harness/op_case.h"

namespace chorale::harness::clustering {

using Index = std::int64_t;

/// The matrices of most cases: one row, odd sizes, more rows than a block, more columns than a tile is deep.
inline constexpr Index sizes[][2] = {{1, 1}, {37, 5}, {530, 3}, {70, 300}};

inline Input real(Shape shape, double low = -2, double high = 2, Storage storage = Storage::f32) {
  return {std::move(shape), low, high, false, storage};
}

inline Input integers(Shape shape, double low, double high) {
  return real(std::move(shape), low, high, Storage::i64);
}

/// A case of elements that are unrelated numbers.
inline OpCase cluster_case(const std::string& name) {
  OpCase c = statistics_case(name);
  c.scaled = false;
  return c;
}

inline std::vector<Var> vars(std::initializer_list<Tensor> tensors) {
  std::vector<Var> result;
  for (const Tensor& t : tensors) result.emplace_back(t);
  return result;
}

/// Between rows of a and b, which have as many columns.
inline double square_distance(const Array& a, Index row_a, const Array& b, Index row_b) {
  const Index d = a.shape.back();
  double sum = 0;
  for (Index j = 0; j < d; ++j) sum += std::pow(a[row_a * d + j] - b[row_b * d + j], 2);
  return sum;
}

/// Of the rows of x, times factor, f32.
inline Tensor squared_norms(const Tensor& x, double factor = 1) {
  const std::vector<float> values = x.to_host<float>();
  const auto d = static_cast<std::size_t>(x.dim(-1));
  Shape shape = x.shape();
  shape.pop_back();
  std::vector<float> norms(values.size() / d);
  for (std::size_t i = 0; i < norms.size(); ++i) {
    double sum = 0;
    for (std::size_t j = i * d; j < (i + 1) * d; ++j)
      sum += static_cast<double>(values[j]) * static_cast<double>(values[j]);
    norms[i] = static_cast<float>(factor * sum);
  }
  return Tensor::from_host(norms, shape);
}

}  // namespace chorale::harness::clustering

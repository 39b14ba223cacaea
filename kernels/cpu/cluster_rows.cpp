// SPDX-License-Identifier: MIT
// Passes over the rows of a matrix that clustering needs besides products: column means, centring, scaling to
// length 1, and squared distances to each row's own center. Differences are formed directly, sums are f64
// over fixed blocks of rows and added up in block order. Each pass moves n d floats once (those that write y
// twice).
#include <cmath>
#include <vector>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"

namespace chorale::cpu {
namespace {

/// Sum of the squares of element(j), j < d, in eight lanes that are added up pairwise.
template <class Element>
double square_sum_of(std::int64_t d, const Element& element) {
  double lane[8] = {};
  std::int64_t j = 0;
  for (; j + 8 <= d; j += 8)
    for (int l = 0; l < 8; ++l) {
      const double value = element(j + l);
      lane[l] += value * value;
    }
  for (; j < d; ++j) lane[0] += element(j) * element(j);
  return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

/// squares f32 [n] = square(i) of each row; total = their sum before rounding.
template <class Square>
void each_square(Context& context, std::int64_t n, std::int64_t d, const Square& square, View squares,
                 View total) {
  const std::int64_t blocks = block_count(n, kmeans_block);
  const Scratch partial(context, static_cast<std::size_t>(blocks) * sizeof(double));
  parallel_tasks(blocks, n * d, [&](std::int64_t block) {
    double block_total = 0;
    for (std::int64_t i = block * kmeans_block; i < std::min(n, (block + 1) * kmeans_block); ++i) {
      const double value = square(i);
      squares.as<float>()[i] = static_cast<float>(value);
      block_total += value;
    }
    partial.as<double>()[block] = block_total;
  });
  double sum = 0;
  for (std::int64_t block = 0; block < blocks; ++block) sum += partial.as<double>()[block];
  *total.as<double>() = sum;
}

}  // namespace

void column_mean(Context& context, ConstView x, View mean, View bad) {
  require(x.dtype == DType::f32 && x.rank == 2 && mean.dtype == DType::f64 && mean.size() == x.shape[1] &&
              bad.dtype == DType::i64,
          "column_mean", "x f32 [n, d], mean f64 [d], bad i64 [1]", x, mean, bad);
  const std::int64_t n = x.shape[0], d = x.shape[1], blocks = block_count(n, kmeans_block);
  const Scratch partial(context, static_cast<std::size_t>(blocks * d) * sizeof(double));
  const Scratch first_bad(context, static_cast<std::size_t>(blocks) * sizeof(std::int64_t));
  parallel_tasks(blocks, n * d, [&](std::int64_t block) {
    double* sums = partial.as<double>() + block * d;
    std::fill_n(sums, d, 0.0);
    std::int64_t found = -1;
    for (std::int64_t i = block * kmeans_block; i < std::min(n, (block + 1) * kmeans_block); ++i) {
      const float* row = x.as<float>() + i * d;
      float probe = 0;
      for (std::int64_t j = 0; j < d; ++j) sums[j] += static_cast<double>(row[j]);
      for (std::int64_t j = 0; j < d; ++j) probe += row[j] * 0.0f;  // NaN if any element is not finite
      if (!(probe == 0.0f) && found < 0) {
        found = i * d;
        while (std::isfinite(x.as<float>()[found])) ++found;
      }
    }
    first_bad.as<std::int64_t>()[block] = found;
  });
  double* m = mean.as<double>();
  std::fill_n(m, d, 0.0);
  *bad.as<std::int64_t>() = -1;
  for (std::int64_t block = 0; block < blocks; ++block) {
    for (std::int64_t j = 0; j < d; ++j) m[j] += partial.as<double>()[block * d + j];
    if (*bad.as<std::int64_t>() < 0) *bad.as<std::int64_t>() = first_bad.as<std::int64_t>()[block];
  }
  for (std::int64_t j = 0; j < d; ++j) m[j] /= static_cast<double>(n);
}

void subtract_mean(Context& context, ConstView x, ConstView mean, View y, View norms, View total) {
  require(x.dtype == DType::f32 && x.rank == 2 && y.dtype == DType::f32 && y.size() == x.size() &&
              mean.dtype == DType::f64 && mean.size() == x.shape[1] && norms.size() == x.shape[0],
          "subtract_mean", "x, y f32 [n, d], mean f64 [d], norms f32 [n]", x, y, mean, norms);
  const std::int64_t d = x.shape[1];
  const auto center = [&](std::int64_t i) {
    const float* from = x.as<float>() + i * d;
    float* to = y.as<float>() + i * d;
    for (std::int64_t j = 0; j < d; ++j)
      to[j] = static_cast<float>(static_cast<double>(from[j]) - mean.as<double>()[j]);
    return square_sum_of(d, [&](std::int64_t j) { return static_cast<double>(to[j]); });
  };
  each_square(context, x.shape[0], d, center, norms, total);
}

void normalize_rows(Context&, ConstView x, View y, View norms, View zero) {
  require(x.dtype == DType::f32 && x.rank == 2 && y.dtype == DType::f32 && y.size() == x.size() &&
              norms.size() == x.shape[0] && zero.dtype == DType::i64,
          "normalize_rows", "x, y f32 [n, d], norms f32 [n], zero i64 [1]", x, y, norms, zero);
  const std::int64_t n = x.shape[0], d = x.shape[1], blocks = block_count(n, kmeans_block);
  parallel_tasks(blocks, n * d, [&](std::int64_t block) {
    for (std::int64_t i = block * kmeans_block; i < std::min(n, (block + 1) * kmeans_block); ++i) {
      const float* from = x.as<float>() + i * d;
      float* to = y.as<float>() + i * d;
      const double square = square_sum_of(d, [&](std::int64_t j) { return static_cast<double>(from[j]); });
      const double scale = square > 0 ? 1.0 / std::sqrt(square) : 0.0;
      for (std::int64_t j = 0; j < d; ++j) to[j] = static_cast<float>(static_cast<double>(from[j]) * scale);
      norms.as<float>()[i] =
          static_cast<float>(square_sum_of(d, [&](std::int64_t j) { return static_cast<double>(to[j]); }));
    }
  });
  const float* norm = norms.as<float>();
  const float* first = std::find(norm, norm + n, 0.0f);
  *zero.as<std::int64_t>() = first == norm + n ? -1 : first - norm;
}

void kmeans_distances(Context& context, ConstView x, ConstView centers, ConstView labels, View distances,
                      View inertia) {
  require(x.dtype == DType::f32 && x.rank == 2 && centers.rank == 2 && centers.shape[1] == x.shape[1] &&
              labels.dtype == DType::i32 && labels.size() == x.shape[0] && distances.size() == x.shape[0],
          "kmeans_distances", "x f32 [n, d], centers f32 [k, d], labels i32 [n], distances f32 [n]", x,
          centers, labels, distances);
  const std::int64_t d = x.shape[1];
  const auto to_center = [&](std::int64_t i) {
    const float* row = x.as<float>() + i * d;
    const float* center = centers.as<float>() + labels.as<std::int32_t>()[i] * d;
    return square_sum_of(
        d, [&](std::int64_t j) { return static_cast<double>(row[j]) - static_cast<double>(center[j]); });
  };
  each_square(context, x.shape[0], d, to_center, distances, inertia);
}

}  // namespace chorale::cpu

// SPDX-License-Identifier: MIT
// products [d, d] = x^T x of x f32 [n, d], in f64: of columns whose variances lie a factor 10^7 apart, f32
// sums leave nothing of the smaller ones.
//
// Tiles of 32 x 32 products on and above the diagonal, in chunks of 32,768 rows that are added up in order.
// 128 rows at a time are converted to f64 (64 KB for both sides) and multiplied into registers, 4 x 16
// products at once; each product is one chain of multiply-adds over the rows of its chunk. n d^2 flops,
// x read d / 32 times.
#include <cstring>
#include <vector>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"

namespace chorale::cpu {
namespace {

constexpr int side = 32, rows_at_once = 128, lanes = 8, across = 4, vectors = 2;
constexpr std::int64_t chunk_rows = 32768;

typedef double Lanes __attribute__((vector_size(lanes * sizeof(double))));

/// Up to `side` columns of some rows of x, f64; columns beyond are 0.
struct Panel {
  alignas(64) double values[rows_at_once][side];

  void read(const float* x, std::int64_t d, std::int64_t column, std::int64_t rows) {
    const std::int64_t used = std::min<std::int64_t>(side, d - column);
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t c = 0; c < used; ++c) values[r][c] = static_cast<double>(x[r * d + column + c]);
      for (std::int64_t c = used; c < side; ++c) values[r][c] = 0;
    }
  }
};

void multiply(const Panel& left, const Panel& right, std::int64_t rows, double* tile) {
  for (int i = 0; i < side; i += across)
    for (int j = 0; j < side; j += vectors * lanes) {
      Lanes sum[across][vectors];
      for (int a = 0; a < across; ++a) std::memcpy(sum[a], tile + (i + a) * side + j, sizeof sum[a]);
      for (std::int64_t r = 0; r < rows; ++r) {
        Lanes b[vectors];
        std::memcpy(b, &right.values[r][j], sizeof b);
        for (int a = 0; a < across; ++a)
          for (int v = 0; v < vectors; ++v) sum[a][v] += left.values[r][i + a] * b[v];
      }
      for (int a = 0; a < across; ++a) std::memcpy(tile + (i + a) * side + j, sum[a], sizeof sum[a]);
    }
}

}  // namespace

void column_products(Context& context, ConstView x, View products) {
  require(x.dtype == DType::f32 && x.rank == 2 && products.dtype == DType::f64 && products.rank == 2 &&
              products.shape[0] == x.shape[1] && products.shape[1] == x.shape[1],
          "column_products", "x f32 [n, d], products f64 [d, d]", x, products);
  const std::int64_t n = x.shape[0], d = x.shape[1], panels = block_count(d, side),
                     chunks = block_count(n, chunk_rows);
  std::vector<std::pair<std::int64_t, std::int64_t>> tiles;
  for (std::int64_t i = 0; i < panels; ++i)
    for (std::int64_t j = i; j < panels; ++j) tiles.emplace_back(i * side, j * side);
  const auto count = static_cast<std::int64_t>(tiles.size());
  const Scratch sums(context, static_cast<std::size_t>(count * chunks * side * side) * sizeof(double));
  parallel_tasks(count * chunks, n * d * panels, [&](std::int64_t task) {
    const auto [left_column, right_column] = tiles[static_cast<std::size_t>(task / chunks)];
    const std::int64_t begin = task % chunks * chunk_rows, end = std::min(n, begin + chunk_rows);
    double* tile = sums.as<double>() + task * side * side;
    std::fill_n(tile, side * side, 0.0);
    Panel left, right;
    for (std::int64_t first = begin; first < end; first += rows_at_once) {
      const std::int64_t rows = std::min<std::int64_t>(rows_at_once, end - first);
      left.read(x.as<float>() + first * d, d, left_column, rows);
      if (right_column != left_column) right.read(x.as<float>() + first * d, d, right_column, rows);
      multiply(left, right_column != left_column ? right : left, rows, tile);
    }
  });
  parallel_tasks(count, count * chunks * side * side, [&](std::int64_t at) {
    const auto [left_column, right_column] = tiles[static_cast<std::size_t>(at)];
    double* tile = sums.as<double>() + at * chunks * side * side;
    for (std::int64_t e = side * side; e < chunks * side * side; ++e) tile[e % (side * side)] += tile[e];
    for (std::int64_t i = left_column; i < std::min(d, left_column + side); ++i)
      for (std::int64_t j = right_column; j < std::min(d, right_column + side); ++j)
        products.as<double>()[i * d + j] = products.as<double>()[j * d + i] =
            tile[(i - left_column) * side + j - right_column];
  });
}

}  // namespace chorale::cpu

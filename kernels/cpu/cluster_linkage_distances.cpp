// SPDX-License-Identifier: MIT
// The distance matrix of agglomerative clustering: |x_i - x_j|^2 or its root for all pairs of rows, infinite
// on the diagonal and in the columns that pad a row.
//
// A task takes 128 rows against all columns from its own first one on; a tile right of the diagonal is
// written twice, as it is and transposed, so each distance is computed once and the matrix is symmetric to
// the bit. f32, one chain of multiply-adds a distance. 1.5 n^2 d flops; writes 4 n^2 bytes, reads x once for
// every 128 rows.
#include <cmath>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/cluster_squares.h"
#include "kernels/cpu/kernels.h"

namespace chorale::cpu {
namespace {

using tile::lanes;
using tile::tile_columns;
using tile::tile_rows;
using tile::vec;

constexpr std::int64_t row_group = 128;
constexpr int group_tiles = row_group / tile_rows;

struct Matrix {
  const float* x;
  const float* packed;
  float* distances;
  std::int64_t n, d, stride;
  bool root;
  float* at(std::int64_t row, std::int64_t column) const { return distances + row * stride + column; }
};

/// Distances of rows [first, first + tile_rows) to columns [column, column + tile_columns).
void compute_tile(const Matrix& m, std::int64_t first, std::int64_t column, tile::Rows& rows, float* tile) {
  const int count = static_cast<int>(std::min<std::int64_t>(tile_rows, m.n - first));
  const float* columns = m.packed + column / point_block * m.d * point_block + column % point_block;
  for (std::int64_t pass = 0; pass < m.d; pass += tile::depth) {
    const std::int64_t elements = std::min<std::int64_t>(tile::depth, m.d - pass);
    if (m.d > tile::depth) rows.read([&](int r) { return m.x + (first + r) * m.d; }, count, pass, elements);
    tile::add_squares(rows.data(), columns + pass * point_block, elements, pass > 0, tile);
  }
  if (m.root)
    for (int i = 0; i < tile_rows * tile_columns; i += lanes)
      tile::store(tile + i, tile::square_root(tile::load(tile + i)));
}

void write_tile(const Matrix& m, std::int64_t first, std::int64_t column, const float* tile) {
  for (std::int64_t i = 0; i < std::min<std::int64_t>(tile_rows, m.n - first); ++i)
    for (int j = 0; j < tile_columns; j += lanes)
      tile::store(m.at(first + i, column + j), tile::load(tile + i * tile_columns + j));
}

void write_transposed(const Matrix& m, std::int64_t first, std::int64_t column, const float* tile) {
  for (int row = 0; row < tile_rows; row += lanes)
    for (int j = 0; j < tile_columns; j += lanes) {
      vec square[lanes];
      for (int i = 0; i < lanes; ++i) square[i] = tile::load(tile + (row + i) * tile_columns + j);
      tile::transpose(square);
      for (std::int64_t l = 0; l < std::min<std::int64_t>(lanes, m.n - column - j); ++l)
        tile::store(m.at(column + j + l, first + row), square[l]);
    }
}

void compute_group(const Matrix& m, std::int64_t group) {
  const std::int64_t begin = group * row_group, end = std::min(m.n, begin + row_group);
  alignas(64) float tile[tile_rows * tile_columns];
  tile::Rows rows[group_tiles];
  for (int t = 0; t < group_tiles && begin + t * tile_rows < end && m.d <= tile::depth; ++t)
    rows[t].read([&](int r) { return m.x + (begin + t * tile_rows + r) * m.d; },
                 static_cast<int>(std::min<std::int64_t>(tile_rows, end - begin - t * tile_rows)), 0, m.d);
  for (std::int64_t column = begin; column < m.stride; column += tile_columns)
    for (int t = 0; t < group_tiles && begin + t * tile_rows < end; ++t) {
      const std::int64_t first = begin + t * tile_rows;
      compute_tile(m, first, column, rows[t], tile);
      write_tile(m, first, column, tile);
      if (column >= begin + row_group) write_transposed(m, first, column, tile);
    }
}

}  // namespace

void linkage_distances(Context& context, ConstView x, bool root, View distances) {
  require(x.dtype == DType::f32 && x.rank == 2 && distances.dtype == DType::f32 && distances.rank == 2 &&
              distances.shape[0] == x.shape[0] && distances.shape[1] >= x.shape[0] &&
              distances.shape[1] % point_block == 0,
          "linkage_distances", "x f32 [n, d], distances f32 [n, n or more, a multiple of 32]", x, distances);
  const std::int64_t n = x.shape[0], d = x.shape[1], stride = distances.shape[1];
  const std::int64_t blocks = stride / point_block, groups = (n + row_group - 1) / row_group;
  const Scratch packed(context, static_cast<std::size_t>(stride * d) * sizeof(float));
  const Matrix m{x.as<float>(), packed.as<float>(), distances.as<float>(), n, d, stride, root};
#pragma omp parallel for if (n * d > 65536)
  for (std::int64_t block = 0; block < blocks; ++block)
    tile::pack_points([&](std::int64_t i) { return m.x + i * d; }, n, d, block, block + 1,
                      packed.as<float>());
#pragma omp parallel for schedule(dynamic) if (n * n * d > 200000)
  for (std::int64_t group = 0; group < groups; ++group) compute_group(m, group);
#pragma omp parallel for if (n * stride > 65536)
  for (std::int64_t i = 0; i < n; ++i) {
    *m.at(i, i) = std::numeric_limits<float>::infinity();
    std::fill(m.at(i, n), m.at(i, 0) + stride, std::numeric_limits<float>::infinity());
  }
}

}  // namespace chorale::cpu

// SPDX-License-Identifier: MIT
// Tiles of squared distances |x - y|^2, summed from differences: nothing cancels, duplicates are at exactly
// 0, and the distance of x and y has the same bits as that of y and x. Processors that add beside their
// multiply-adds do it about as fast as the product form.
//
// Columns lie in blocks of point_block points, [block][element][point]; a tile is tile_rows rows of x
// against tile_columns columns. Each of its elements is one chain of multiply-adds in the order of the
// elements, so a result does not depend on how rows and columns are grouped.
#pragma once
#include "kernels/cpu/cluster_tile.h"
#include "kernels/params.h"

namespace chorale::cpu::tile {

/// Columns of a tile: every element of a row that is read is used twice.
inline constexpr int tile_columns = 2 * lanes;
inline constexpr int rows_at_once = lanes == 16 ? 8 : 4;

/// Blocks [first, last) of the points row(i), i < n, each of d floats; zeros beyond n.
template <class Row>
void pack_points(const Row& row, std::int64_t n, std::int64_t d, std::int64_t first, std::int64_t last,
                 float* packed) {
  for (std::int64_t block = first; block < last; ++block) {
    float* target = packed + block * d * point_block;
    const std::int64_t used = std::clamp<std::int64_t>(n - block * point_block, 0, point_block);
    for (std::int64_t i = 0; i < used; ++i) {
      const auto* from = row(block * point_block + i);
      for (std::int64_t k = 0; k < d; ++k) target[k * point_block + i] = static_cast<float>(from[k]);
    }
    for (std::int64_t i = used; i < point_block; ++i)
      for (std::int64_t k = 0; k < d; ++k) target[k * point_block + i] = 0.0f;
  }
}

/// squares [tile_rows, tile_columns] (+)= squared differences over `elements`.
inline void add_squares(const float* rows, const float* columns, std::int64_t elements, bool accumulate,
                        float* squares) {
  for (int first = 0; first < tile_rows; first += rows_at_once) {
    float* to = squares + first * tile_columns;
    const float* from = rows + first * row_stride;
    vec left[rows_at_once], right[rows_at_once];
#pragma GCC unroll 8
    for (int i = 0; i < rows_at_once; ++i) {
      left[i] = accumulate ? load(to + i * tile_columns) : vec{};
      right[i] = accumulate ? load(to + i * tile_columns + lanes) : vec{};
    }
    for (std::int64_t k = 0; k < elements; ++k) {
      const vec left_column = load(columns + k * point_block),
                right_column = load(columns + k * point_block + lanes);
#pragma GCC unroll 8
      for (int i = 0; i < rows_at_once; ++i) {
        const vec element = broadcast(from[i * row_stride + k]);
        const vec left_difference = element - left_column, right_difference = element - right_column;
        left[i] += left_difference * left_difference;
        right[i] += right_difference * right_difference;
      }
    }
#pragma GCC unroll 8
    for (int i = 0; i < rows_at_once; ++i) {
      store(to + i * tile_columns, left[i]);
      store(to + i * tile_columns + lanes, right[i]);
    }
  }
}

}  // namespace chorale::cpu::tile

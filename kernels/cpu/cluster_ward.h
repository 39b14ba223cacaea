// SPDX-License-Identifier: MIT
// Ward's distances between clusters in f64, from their centers: what decides between neighbours that f32 does
// not tell apart.
#pragma once
#include <cstdint>
#include <limits>
#include <vector>

namespace chorale::cpu::ward {

/// Clusters by column: column c has row rows[c] of the centers [n, d], and sizes[c] points.
struct Centers {
  const double* centers;
  const std::int32_t* rows;
  const float* sizes;
  std::int64_t d;
};

/// 2 a b / (a + b) |x_a - x_b|^2 for the sizes a, b of two columns, with the same bits for (second, first).
double square_distance(const Centers& c, std::int64_t first, std::int64_t second);

struct Nearest {
  double square = std::numeric_limits<double>::infinity();
  std::int32_t column = std::numeric_limits<std::int32_t>::max();
  void see(double other, std::int32_t other_column) {
    if (other < square || (other == square && other_column < column)) {
      square = other;
      column = other_column;
    }
  }
};

/// The nearest of `candidates`, ascending, to `column`. Of copies of one point the first one ends the search.
inline Nearest nearest_of(const Centers& c, std::int64_t column,
                          const std::vector<std::int32_t>& candidates) {
  Nearest nearest;
  for (const std::int32_t candidate : candidates) {
    nearest.see(square_distance(c, column, candidate), candidate);
    if (nearest.square == 0) break;
  }
  return nearest;
}

}  // namespace chorale::cpu::ward

// SPDX-License-Identifier: MIT
// Pairs of near points: what nearest neighbours, DBSCAN and HDBSCAN share. Points lie in an order in which
// neighbours stand together (cluster/point_order.h), cut into blocks of neighbour_block places; pairs of
// blocks that boxes or thresholds exclude are passed over, the others are multiplied in tiles.
//
// Products are f32 and only exclude: |a|^2 + |b|^2 - 2 a.b of centred rows is off by at most
// (d + 16) u (|a|^2 + |b|^2), u = 2^-24, centring included. With norms lowered by that share it is a lower
// bound; what it does not exclude is decided on the f64 sum of squared differences of the rows as they were
// given.
#pragma once
#if defined(__AVX__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/context.h"
#include "kernels/cpu/checks.h"
#include "kernels/cpu/cluster_tile.h"
#include "kernels/cpu/square_distance.h"
#include "kernels/params.h"

namespace chorale::cpu::blocks {

constexpr std::int64_t side = neighbour_block;
constexpr int row_tiles = static_cast<int>(side) / tile::tile_rows;
constexpr int column_vectors = static_cast<int>(side) / tile::lanes;

/// One bit a lane of a comparison.
inline unsigned bits(tile::ivec mask) {
#if defined(__AVX512DQ__)
  return _mm512_movepi32_mask(reinterpret_cast<__m512i>(mask));
#elif defined(__AVX__)
  return static_cast<unsigned>(_mm256_movemask_ps(reinterpret_cast<__m256>(mask)));
#else
  unsigned result = 0;
  for (int l = 0; l < tile::lanes; ++l) result |= static_cast<unsigned>(mask[l] & 1) << l;
  return result;
#endif
}

/// The arguments that all kernels on ordered points begin with, and the centred rows packed as columns.
class Points {
 public:
  Points(Context& context, const char* kernel, ConstView x, ConstView centered, ConstView norms,
         ConstView ids, ConstView low, ConstView high)
      : n(x.shape[0]),
        d(x.shape[1]),
        count((n + side - 1) / side),
        directions(low.columns()),
        ids(ids.as<std::int32_t>()),
        x_(x.as<float>()),
        centered_(centered.as<float>()),
        low_(low.as<float>()),
        high_(high.as<float>()),
        packed_(context, tile::packed_size(n, d) * sizeof(float)),
        lowered_(static_cast<std::size_t>(count * side), 0.0f) {
    require(x.dtype == DType::f32 && x.rank == 2 && same_shape(x, centered) && norms.size() == n &&
                ids.dtype == DType::i32 && ids.size() == n && same_shape(low, high) && low.rows() == count,
            kernel, "x, centered f32 [n, d], norms f32 [n], ids i32 [n], low, high f32 [blocks, directions]",
            x, centered, norms, ids, low, high);
    const float share = static_cast<float>(d + 16) * 0x1.02p-24f;
    for (std::int64_t i = 0; i < n; ++i)
      lowered_[static_cast<std::size_t>(i)] = norms.as<float>()[i] * (1.0f - share);
    const std::int64_t vectors = tile::vector_count(n), pieces = (vectors + 63) / 64;
#pragma omp parallel for if (n * d > 65536)
    for (std::int64_t piece = 0; piece < pieces; ++piece)
      tile::pack([&](std::int64_t c) { return centered_ + c * d; }, n, d, piece * 64,
                 std::min(vectors, (piece + 1) * 64), packed_.as<float>());
  }

  int size(std::int64_t block) const { return static_cast<int>(std::min(side, n - block * side)); }
  /// |a|^2 less than what rounding may have added to a squared distance.
  const float* lowered(std::int64_t block) const { return lowered_.data() + block * side; }
  /// Times this a lowered length is above the true one by as much.
  float raise() const { return 1.0f + static_cast<float>(d + 16) * 0x1.4p-23f; }
  double square(std::int64_t a, std::int64_t b) const {
    return square_distance(x_ + ids[a] * d, x_ + ids[b] * d, d);
  }
  /// No two points of blocks a and b are nearer than this squared distance.
  float gap(std::int64_t a, std::int64_t b) const {
    const float *low_a = low_ + a * directions, *high_a = high_ + a * directions;
    const float *low_b = low_ + b * directions, *high_b = high_ + b * directions;
    float sum = 0;
    for (std::int64_t j = 0; j < directions; ++j) {
      const float apart = std::max(0.0f, std::max(low_a[j] - high_b[j], low_b[j] - high_a[j]));
      sum += apart * apart;
    }
    return sum * (1.0f - 0x1p-16f);
  }

  std::int64_t n, d, count, directions;
  const std::int32_t* ids;

 private:
  friend class RowBlock;
  const float *x_, *centered_, *low_, *high_;
  const Scratch packed_;
  std::vector<float> lowered_;
};

/// The rows of one block, to be multiplied with the columns of others.
class RowBlock {
 public:
  explicit RowBlock(const Points& p) : p_(p), tiles_(row_tiles) {}

  void read(std::int64_t block) {
    begin_ = block * side;
    count_ = p_.size(block);
    for (int t = 0; p_.d <= tile::depth && t * tile::tile_rows < count_; ++t) read_tile(t, 0, p_.d);
  }

  /// Calls visit(t, v, products) with the products [tile_rows, lanes] of the rows from t * tile_rows on and
  /// the columns from v * lanes on of the block `columns`, wherever wanted(t, v).
  template <class Wanted, class Visit>
  void multiply(std::int64_t columns, const Wanted& wanted, const Visit& visit) {
    const std::int64_t vectors = tile::vector_count(p_.n), first = columns * column_vectors;
    alignas(64) float products[tile::tile_rows * tile::lanes];
    for (int v = 0; v < column_vectors && first + v < vectors; ++v)
      for (int t = 0; t * tile::tile_rows < count_; ++t) {
        if (!wanted(t, v)) continue;
        for (std::int64_t pass = 0; pass < p_.d; pass += tile::depth) {
          const std::int64_t elements = std::min<std::int64_t>(tile::depth, p_.d - pass);
          if (p_.d > tile::depth) read_tile(t, pass, elements);
          tile::multiply(tiles_[static_cast<std::size_t>(t)].data(),
                         p_.packed_.as<float>() + (pass * vectors + (first + v) * elements) * tile::lanes,
                         elements, pass > 0, products);
        }
        visit(t, v, products);
      }
  }

 private:
  void read_tile(int t, std::int64_t pass, std::int64_t elements) {
    const std::int64_t first = begin_ + t * tile::tile_rows;
    tiles_[static_cast<std::size_t>(t)].read([&](int r) { return p_.centered_ + (first + r) * p_.d; },
                                             std::clamp(count_ - t * tile::tile_rows, 0, tile::tile_rows),
                                             pass, elements);
  }

  const Points& p_;
  std::int64_t begin_ = 0;
  int count_ = 0;
  std::vector<tile::Rows> tiles_;
};

/// What the lower bound of a squared distance must not exceed, as the products are compared with it: a pair
/// may be within `square` unless product - lowered(column) / 2 < limit(lowered(row), square).
inline float limit(float lowered_row, float square) { return 0.5f * (lowered_row - square); }
/// A squared distance as f32, rounded up.
inline float above(double square) { return static_cast<float>(square) * (1.0f + 0x1p-20f); }

}  // namespace chorale::cpu::blocks

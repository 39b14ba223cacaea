// SPDX-License-Identifier: MIT
// The tile that every product of the fully connected path is made of:
//
//   c[r, j] (+)= sum over k of a[r, k] b[k, j]      r < rows, j < columns
//
// `a` is read element by element and broadcast, so it may have any strides; `b` and `c` are read in vectors
// along j, so they need unit stride there. Sums stay in registers for the whole length of k: one rounding
// order, whatever the number of threads. b is read up to the next multiple of `lanes` columns; c is written
// exactly.
#pragma once
#include <array>
#include <cstdint>

#include "kernels/cpu/gemm_vector.h"

namespace chorale::cpu::gemm {

constexpr int tile_vectors = 2;
constexpr int tile_rows = vector_registers == 32 ? 12 : 6;
constexpr int tile_columns = tile_vectors * lanes;

/// Element (r, k) is at data[r * row + k * step].
struct Strided {
  const float* data;
  std::int64_t row, step;
  Strided from_row(std::int64_t r) const { return {data + r * row, row, step}; }
  Strided from_step(std::int64_t k) const { return {data + k * step, row, step}; }
};

template <int R, int C>
inline void multiply_tile(const Strided& a, const float* b, std::int64_t b_step, std::int64_t k,
                          Vector (&sum)[R][C]) {
  const float* ap[(R + 3) / 4];
  for (int i = 0; i < (R + 3) / 4; ++i) ap[i] = a.data + 4 * i * a.row;
  const std::int64_t row = a.row, step = a.step;
  for (std::int64_t i = 0; i < k; ++i) {
    Vector bv[C];
#pragma GCC unroll 4
    for (int c = 0; c < C; ++c) bv[c] = load(b + c * lanes);
    b += b_step;
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const Vector av = broadcast(ap[r / 4][(r % 4) * row]);
#pragma GCC unroll 4
      for (int c = 0; c < C; ++c) sum[r][c] += av * bv[c];
    }
#pragma GCC unroll 4
    for (int g = 0; g < (R + 3) / 4; ++g) ap[g] += step;
  }
}

template <int R, int C>
__attribute__((noinline)) void product_tile(Strided a, const float* b, std::int64_t b_step, std::int64_t k,
                                            float* c, std::int64_t c_row, std::int64_t columns,
                                            bool accumulate) {
  Vector sum[R][C] = {};
  multiply_tile<R, C>(a, b, b_step, k, sum);
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < C; ++v) {
      float* p = c + r * c_row + v * lanes;
      const std::int64_t left = columns - v * lanes;
      if (left > 0) store_upto(p, accumulate ? load_upto(p, left) + sum[r][v] : sum[r][v], left);
    }
  }
}

template <int C>
using TileFunction = void (*)(Strided, const float*, std::int64_t, std::int64_t, float*, std::int64_t,
                              std::int64_t, bool);

template <int C, int R = tile_rows>
inline void product_rows(std::int64_t rows, const Strided& a, const float* b, std::int64_t b_step,
                         std::int64_t k, float* c, std::int64_t c_row, std::int64_t columns,
                         bool accumulate) {
  if (rows >= R) {
    product_tile<R, C>(a, b, b_step, k, c, c_row, columns, accumulate);
  } else if constexpr (R > 1) {
    product_rows<C, R - 1>(rows, a, b, b_step, k, c, c_row, columns, accumulate);
  }
}

/// Memory that will be read soon: `rows` runs of `bytes` that lie `stride` bytes apart. Tiles ask for it a
/// few lines at a time, so that it arrives in the second-level cache while they compute.
class Upcoming {
 public:
  Upcoming() = default;
  Upcoming(const void* data, std::int64_t rows, std::int64_t bytes, std::int64_t stride)
      : p_(static_cast<const char*>(data)),
        bytes_(bytes),
        stride_(stride),
        lines_(rows * ((bytes + 63) / 64)) {}
  std::int64_t lines() const { return lines_; }
  void fetch(std::int64_t count) {
    for (count = count < lines_ ? count : lines_; count > 0; --count, --lines_) {
      __builtin_prefetch(p_ + at_, 0, 2);
      at_ += 64;
      if (at_ >= bytes_) {
        at_ = 0;
        p_ += stride_;
      }
    }
  }

 private:
  const char* p_ = nullptr;
  std::int64_t bytes_ = 0, stride_ = 0, lines_ = 0, at_ = 0;
};

using UpcomingList = std::array<Upcoming, 4>;

/// Floats of b [k, columns] in panels: tile_columns columns after another, each panel k-major and, the last
/// one, only as many vectors wide as it needs.
inline std::int64_t panels_size(std::int64_t k, std::int64_t columns) {
  return k * ((columns + lanes - 1) / lanes * lanes);
}

/// c [rows, columns] (+)= a [rows, k] b [k, columns], b in panels. The operand with fewer tiles is walked
/// outside.
inline void product_block(std::int64_t rows, std::int64_t columns, std::int64_t k, const Strided& a,
                          const float* b, float* c, std::int64_t c_row, bool accumulate,
                          UpcomingList upcoming = {}) {
  // Rows are shared out evenly: 32 rows are 11 + 11 + 10 and not 12 + 12 + 8.
  const std::int64_t row_tiles = (rows + tile_rows - 1) / tile_rows, low = rows / row_tiles,
                     more = rows % row_tiles;
  const std::int64_t panels = (columns + tile_columns - 1) / tile_columns;
  std::int64_t share[std::tuple_size_v<UpcomingList>];
  for (std::size_t i = 0; i < upcoming.size(); ++i) share[i] = upcoming[i].lines() / (row_tiles * panels) + 1;
  const auto tile = [&](std::int64_t t, std::int64_t panel) {
    const std::int64_t r = t * low + (t < more ? t : more), j = panel * tile_columns;
    const std::int64_t width = columns - j < tile_columns ? columns - j : tile_columns;
    for (std::size_t i = 0; i < upcoming.size(); ++i) upcoming[i].fetch(share[i]);
    if (width > lanes) {
      product_rows<2>(low + (t < more), a.from_row(r), b + j * k, tile_columns, k, c + r * c_row + j, c_row,
                      width, accumulate);
    } else {
      product_rows<1>(low + (t < more), a.from_row(r), b + j * k, lanes, k, c + r * c_row + j, c_row, width,
                      accumulate);
    }
  };
  if (panels < row_tiles) {
    for (std::int64_t t = 0; t < row_tiles; ++t)
      for (std::int64_t panel = 0; panel < panels; ++panel) tile(t, panel);
  } else {
    for (std::int64_t panel = 0; panel < panels; ++panel)
      for (std::int64_t t = 0; t < row_tiles; ++t) tile(t, panel);
  }
}

}  // namespace chorale::cpu::gemm

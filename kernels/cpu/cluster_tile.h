// SPDX-License-Identifier: MIT
// Matrix-product tiles of the clustering kernels: a few rows of x against packed columns (centers, candidates
// or other points), kept in registers and handed to an epilogue; the product itself is never stored as a
// whole.
//
// Columns are packed in vectors of `lanes`, passes of `depth` elements outermost:
// [pass][vector][element][lane]. A tile is tile_rows x lanes; each of its elements is one chain of
// multiply-adds over the elements in order, so a result does not depend on how rows and columns are grouped.
// Tiles are transposed before they reach the epilogue, which sees one column at a time with rows in the
// lanes.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

namespace chorale::cpu::tile {

#if defined(__AVX512F__)
inline constexpr int lanes = 16;
#elif defined(__AVX__)
inline constexpr int lanes = 8;
#else
inline constexpr int lanes = 4;
#endif
inline constexpr int tile_rows = lanes == 16 ? 16 : 8;  // as many accumulators as hide the latency of one
inline constexpr int row_blocks = tile_rows / lanes;
inline constexpr int depth = 256;
inline constexpr int row_stride = depth + 16;  // not a power of two: rows must not share cache sets
inline constexpr int chunk_vectors = 16;

typedef float vec __attribute__((vector_size(lanes * sizeof(float))));
typedef std::int32_t ivec __attribute__((vector_size(lanes * sizeof(std::int32_t))));

inline vec load(const float* p) {
  vec v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
inline void store(float* p, vec v) { std::memcpy(p, &v, sizeof v); }
inline vec broadcast(float value) { return vec{} + value; }
inline vec minimum(vec a, vec b) { return a < b ? a : b; }
inline vec maximum(vec a, vec b) { return a > b ? a : b; }
inline vec square_root(vec v) {
  alignas(64) float values[lanes];
  store(values, v);
  for (float& value : values) value = __builtin_sqrtf(value);
  return load(values);
}

inline std::int64_t vector_count(std::int64_t columns) { return (columns + lanes - 1) / lanes; }
inline std::size_t packed_size(std::int64_t columns, std::int64_t d) {
  return static_cast<std::size_t>(vector_count(columns) * lanes * d);
}

/// Packs vectors [first, last) of `columns` rows of `source`: row(i) is the address of column i.
template <class Row>
void pack(const Row& row, std::int64_t columns, std::int64_t d, std::int64_t first, std::int64_t last,
          float* packed) {
  const std::int64_t vectors = vector_count(columns);
  for (std::int64_t v = first; v < last; ++v) {
    const float* rows[lanes];
    const int used = static_cast<int>(std::min<std::int64_t>(lanes, columns - v * lanes));
    for (int i = 0; i < used; ++i) rows[i] = row(v * lanes + i);
    for (std::int64_t pass = 0; pass < d; pass += depth) {
      const std::int64_t count = std::min<std::int64_t>(depth, d - pass);
      float* target = packed + (pass * vectors + v * count) * lanes;
      for (std::int64_t k = 0; k < count; ++k, target += lanes) {
        for (int i = 0; i < used; ++i) target[i] = rows[i][pass + k];
        for (int i = used; i < lanes; ++i) target[i] = 0.0f;
      }
    }
  }
}

/// Swaps the blocks of step x step elements that lie across the diagonal of blocks twice as large.
template <int step, std::size_t... j>
inline void swap_blocks(vec (&m)[lanes], std::index_sequence<j...>) {
#pragma GCC unroll 16
  for (int i = 0; i < lanes; ++i) {
    if (i & step) continue;
    const vec a = m[i], b = m[i | step];
    m[i] = __builtin_shufflevector(a, b, (j & step ? lanes + j - step : j)...);
    m[i | step] = __builtin_shufflevector(a, b, (j & step ? lanes + j : j + step)...);
  }
}

/// Transposes a square of lanes x lanes elements.
template <int step = 1>
inline void transpose(vec (&m)[lanes]) {
  swap_blocks<step>(m, std::make_index_sequence<lanes>());
  if constexpr (2 * step < lanes) transpose<2 * step>(m);
}

/// Up to tile_rows rows of x, copied to a fixed stride. Rows beyond `count` repeat the first one.
class Rows {
 public:
  /// row(i) is the address of row i.
  template <class Row>
  void read(const Row& row, int count, std::int64_t pass, std::int64_t elements) {
    for (int i = 0; i < tile_rows; ++i) {
      const float* from = row(i < count ? i : 0) + pass;
      float* to = data_ + i * row_stride;
      std::int64_t j = 0;
      for (; j + lanes <= elements; j += lanes) store(to + j, load(from + j));
      for (; j < elements; ++j) to[j] = from[j];
    }
  }
  const float* data() const { return data_; }

 private:
  alignas(64) float data_[tile_rows * row_stride];
};

/// tile [tile_rows, lanes] (+)= rows . packed over `elements`.
inline void multiply(const float* rows, const float* packed, std::int64_t elements, bool accumulate,
                     float* tile) {
  vec sum[tile_rows];
#pragma GCC unroll 16
  for (int i = 0; i < tile_rows; ++i) sum[i] = accumulate ? load(tile + i * lanes) : vec{};
  for (std::int64_t k = 0; k < elements; ++k) {
    const vec column = load(packed + k * lanes);
#pragma GCC unroll 16
    for (int i = 0; i < tile_rows; ++i) sum[i] += rows[i * row_stride + k] * column;
  }
#pragma GCC unroll 16
  for (int i = 0; i < tile_rows; ++i) store(tile + i * lanes, sum[i]);
}

/// Calls column(c, block, dots) for the columns of vectors [first, last) in order; `tiles` has their
/// products.
template <class Column>
void visit_columns(const float* tiles, std::int64_t first, std::int64_t last, std::int64_t columns,
                   const Column& column) {
  for (std::int64_t v = first; v < last; ++v) {
    const int used = static_cast<int>(std::min<std::int64_t>(lanes, columns - v * lanes));
    for (int block = 0; block < row_blocks; ++block) {
      vec m[lanes];
      for (int i = 0; i < lanes; ++i)
        m[i] = load(tiles + ((v - first) * tile_rows + block * lanes + i) * lanes);
      transpose(m);
      for (int i = 0; i < used; ++i) column(v * lanes + i, block, m[i]);
    }
  }
}

/// Calls column(c, block, dots) for every column c in order: dots are the products of rows block * lanes +
/// lane with column c. row(i) is the address of row i of `count` (at most tile_rows).
template <class Row, class Column>
void product(const Row& row, int count, std::int64_t d, const float* packed, std::int64_t columns, Rows& rows,
             const Column& column) {
  alignas(64) float tiles[chunk_vectors * tile_rows * lanes];
  const std::int64_t vectors = vector_count(columns);
  if (d <= depth) rows.read(row, count, 0, d);
  for (std::int64_t first = 0; first < vectors; first += chunk_vectors) {
    const std::int64_t last = std::min<std::int64_t>(vectors, first + chunk_vectors);
    for (std::int64_t pass = 0; pass < d; pass += depth) {
      const std::int64_t elements = std::min<std::int64_t>(depth, d - pass);
      if (d > depth) rows.read(row, count, pass, elements);
      for (std::int64_t v = first; v < last; ++v)
        multiply(rows.data(), packed + (pass * vectors + v * elements) * lanes, elements, pass > 0,
                 tiles + (v - first) * tile_rows * lanes);
    }
    visit_columns(tiles, first, last, columns, column);
  }
}

/// `multiply` of scattered_rows rows where they are, as many as there are registers for addresses; meanwhile
/// as many other rows are fetched, a line at a time.
inline constexpr int scattered_rows = 8;
inline void multiply_scattered(const float* const (&rows)[scattered_rows],
                               const float* const (&next)[scattered_rows], const float* packed,
                               std::int64_t elements, bool accumulate, float* tile) {
  vec sum[scattered_rows];
#pragma GCC unroll 8
  for (int i = 0; i < scattered_rows; ++i) sum[i] = accumulate ? load(tile + i * lanes) : vec{};
  const float *row0 = rows[0], *row1 = rows[1], *row2 = rows[2], *row3 = rows[3], *row4 = rows[4],
              *row5 = rows[5], *row6 = rows[6], *row7 = rows[7];
  for (std::int64_t k = 0; k < elements; ++k) {
    const vec column = load(packed + k * lanes);
    sum[0] += row0[k] * column;
    sum[1] += row1[k] * column;
    sum[2] += row2[k] * column;
    sum[3] += row3[k] * column;
    sum[4] += row4[k] * column;
    sum[5] += row5[k] * column;
    sum[6] += row6[k] * column;
    sum[7] += row7[k] * column;
    if (k % 2 == 0) __builtin_prefetch(next[k / 2 % scattered_rows] + k / 2 / scattered_rows * 16);
  }
#pragma GCC unroll 8
  for (int i = 0; i < scattered_rows; ++i) store(tile + i * lanes, sum[i]);
}

/// `product` of rows that lie apart: they are not copied, and those of the next tile, next(i), are fetched
/// ahead.
template <class Row, class NextRow, class Column>
void product_scattered(const Row& row, const NextRow& next, int count, std::int64_t d, const float* packed,
                       std::int64_t columns, const Column& column) {
  alignas(64) float tiles[chunk_vectors * tile_rows * lanes];
  const std::int64_t vectors = vector_count(columns);
  for (std::int64_t first = 0; first < vectors; first += chunk_vectors) {
    const std::int64_t last = std::min<std::int64_t>(vectors, first + chunk_vectors);
    for (int group = 0; group < tile_rows; group += scattered_rows) {
      const float *rows[scattered_rows], *next_rows[scattered_rows];
      for (int i = 0; i < scattered_rows; ++i) {
        rows[i] = row(group + i < count ? group + i : 0);
        next_rows[i] = next(group + i);
      }
      for (std::int64_t pass = 0; pass < d; pass += depth) {
        const std::int64_t elements = std::min<std::int64_t>(depth, d - pass);
        for (std::int64_t v = first; v < last; ++v)
          multiply_scattered(rows, next_rows, packed + (pass * vectors + v * elements) * lanes, elements,
                             pass > 0, tiles + ((v - first) * tile_rows + group) * lanes);
        for (const float*& address : rows) address += elements;
        for (const float*& address : next_rows) address += elements;
      }
    }
    visit_columns(tiles, first, last, columns, column);
  }
}

}  // namespace chorale::cpu::tile

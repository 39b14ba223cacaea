// SPDX-License-Identifier: MIT
// Walking `groups` matrices of [rows, columns] by column, for normalisation and modulation: a block owns a
// slab of 32 columns and a piece of a group's rows. A thread holds V neighbouring columns (16 bytes where
// columns and addresses allow, else one), so that its arguments and sums stay in registers while it steps
// down the rows; a warp reads whole 64- or 128-byte segments. Blocks are numbered in one dimension: pieces of
// a group, then groups.
//
// Sums are f32 in a thread, f64 across the block's threads (slab_sums) and across pieces (add_pieces), in a
// fixed order.
#pragma once
#include "kernels/cuda/vector.cuh"

namespace chorale::cuda {

constexpr int slab = 32;
constexpr int slab_threads = 256;
constexpr int slab_blocks = 3;  // of a multiprocessor: eight columns a thread take 80 registers

struct Pair {
  double a, b;
};

struct Walk {
  std::int64_t groups, rows, columns;
  std::int64_t piece_rows, pieces;  ///< of a group
  std::int64_t slabs() const { return ceil_div(columns, slab); }
  unsigned blocks() const { return static_cast<unsigned>(groups * pieces * slabs()); }
};

/// Pieces of at least 256 rows, as many as fill the device some times over, whether 3 or 4 blocks of a kernel
/// fit.
inline Walk walk_of(const Context& context, std::int64_t groups, std::int64_t rows, std::int64_t columns) {
  Walk w{groups, rows, columns, rows, 1};
  const std::int64_t wanted = ceil_div(static_cast<std::int64_t>(multiprocessors(context)) * 12,
                                       std::max<std::int64_t>(1, groups * w.slabs()));
  w.piece_rows =
      std::max<std::int64_t>(1, ceil_div(rows, std::max<std::int64_t>(1, std::min(wanted, rows / 256))));
  w.pieces = std::max<std::int64_t>(1, ceil_div(rows, w.piece_rows));
  return w;
}

/// What a thread works on: rows first, first + stride, ... below last of a group's matrix, V columns from
/// `column` on.
template <int V>
struct Place {
  static constexpr int stride = slab_threads * V / slab;
  std::int64_t group, unit, first, last, column;
  bool active;
};

template <int V>
__device__ inline Place<V> place_of(const Walk& w) {
  Place<V> p;
  const std::int64_t slabs = (w.columns + slab - 1) / slab;
  p.unit = blockIdx.x / slabs;
  p.column = (blockIdx.x - p.unit * slabs) * slab + threadIdx.x % (slab / V) * V;
  p.group = p.unit / w.pieces;
  const std::int64_t begin = (p.unit - p.group * w.pieces) * w.piece_rows;
  p.first = begin + threadIdx.x / (slab / V);
  p.last = begin + w.piece_rows < w.rows ? begin + w.piece_rows : w.rows;
  p.active = p.column < w.columns;
  return p;
}

/// Adds a and b of the block's threads, in order; every thread may read the sums of the slab's columns. Once
/// a kernel.
template <int V>
__device__ inline const Pair* slab_sums(const float (&a)[V], const float (&b)[V]) {
  constexpr int rows = Place<V>::stride, parts = slab_threads / slab;
  SHARED(float, left, [rows][slab]);
  SHARED(float, right, [rows][slab]);
  SHARED(Pair, sums, [parts][slab]);
  const int row = static_cast<int>(threadIdx.x) / (slab / V),
            column = static_cast<int>(threadIdx.x) % (slab / V) * V;
  for (int j = 0; j < V; ++j) {
    left[row][column + j] = a[j];
    right[row][column + j] = b[j];
  }
  __syncthreads();
  const int lane = static_cast<int>(threadIdx.x) % slab, part = static_cast<int>(threadIdx.x) / slab;
  Pair sum{0, 0};
  for (int r = part; r < rows; r += parts) {
    sum.a += static_cast<double>(left[r][lane]);
    sum.b += static_cast<double>(right[r][lane]);
  }
  sums[part][lane] = sum;
  __syncthreads();
  if (part == 0) {
    for (int k = 1; k < parts; ++k) {
      sum.a += sums[k][lane].a;
      sum.b += sums[k][lane].b;
    }
    sums[0][lane] = sum;
  }
  __syncthreads();
  return sums[0];
}

/// Stores the block's sums at partial[unit][column].
template <int V>
__device__ inline void store_sums(const Walk& w, const Place<V>& p, const float (&a)[V], const float (&b)[V],
                                  Pair* partial) {
  const Pair* sums = slab_sums<V>(a, b);
  const std::int64_t column = p.column - threadIdx.x % (slab / V) * V + threadIdx.x;
  if (threadIdx.x < slab && column < w.columns) partial[p.unit * w.columns + column] = sums[threadIdx.x];
}

constexpr int adding_threads = 1024;

/// The sum of partial[0 .. units)[column] in a block of 1,024 threads for 32 columns; the block's first 32
/// threads get it, each for its own column.
__device__ inline Pair add_pieces(const Pair* partial, std::int64_t units, std::int64_t column,
                                  std::int64_t columns) {
  constexpr int parts = adding_threads / slab;
  SHARED(Pair, sums, [parts][slab]);
  const int lane = static_cast<int>(threadIdx.x) % slab, part = static_cast<int>(threadIdx.x) / slab;
  Pair sum{0, 0};
  for (std::int64_t u = part; column < columns && u < units; u += parts) {
    sum.a += partial[u * columns + column].a;
    sum.b += partial[u * columns + column].b;
  }
  sums[part][lane] = sum;
  __syncthreads();
  for (int k = 1; part == 0 && k < parts; ++k) {
    sum.a += sums[k][lane].a;
    sum.b += sums[k][lane].b;
  }
  return sum;
}

}  // namespace chorale::cuda

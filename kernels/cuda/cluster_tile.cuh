// SPDX-License-Identifier: MIT
// Matrix-product tiles of the clustering kernels: 64 rows by 64 columns in a block of 256 threads, 4 x 4 a
// thread, in shared memory 16 elements deep. The product stays in registers and goes to an epilogue.
//
// Threads form a 16 x 16 square; a thread that gives its place (row, column) holds rows row + 16 i and
// columns column + 16 j. Each element is one chain of multiply-adds over the elements in order.
#pragma once
#include "kernels/cuda/launch.cuh"

namespace chorale::cuda {

constexpr int cluster_threads = 256;
constexpr int tile_side = 64, tile_square = 16, tile_each = tile_side / tile_square, tile_depth = 16;

struct TileStorage {
  float rows[tile_depth][tile_side + 4];
  float columns[tile_depth][tile_side + 4];
};

/// Adds term(row, column) over the elements in the storage.
template <class Term>
__device__ inline void add_terms(const TileStorage& s, int at_row, int at_column, const Term& term,
                                 float (&sums)[tile_each][tile_each]) {
  for (int k = 0; k < tile_depth; ++k) {
    float a[tile_each], b[tile_each];
    for (int i = 0; i < tile_each; ++i) a[i] = s.rows[k][at_row + tile_square * i];
    for (int j = 0; j < tile_each; ++j) b[j] = s.columns[k][at_column + tile_square * j];
    for (int i = 0; i < tile_each; ++i)
      for (int j = 0; j < tile_each; ++j) sums[i][j] = term(a[i], b[j], sums[i][j]);
  }
}

/// row(r) and column(c) are the addresses of vectors of d floats, null outside of the matrix, where elements
/// are 0. All threads of the block must call; the storage is free again when the call returns.
template <class Row, class Column, class Term>
__device__ inline void tile_sums(const Row& row, const Column& column, std::int64_t d, int at_row,
                                 int at_column, TileStorage& s, const Term& term,
                                 float (&sums)[tile_each][tile_each]) {
  for (int i = 0; i < tile_each; ++i)
    for (int j = 0; j < tile_each; ++j) sums[i][j] = 0.0f;
  for (std::int64_t first = 0; first < d; first += tile_depth) {
    for (int e = static_cast<int>(threadIdx.x); e < tile_side * tile_depth; e += cluster_threads) {
      const int vector = e / tile_depth, element = e % tile_depth;
      const float* from_row = row(vector);
      const float* from_column = column(vector);
      const bool inside = first + element < d;
      s.rows[element][vector] = inside && from_row ? from_row[first + element] : 0.0f;
      s.columns[element][vector] = inside && from_column ? from_column[first + element] : 0.0f;
    }
    __syncthreads();
    add_terms(s, at_row, at_column, term, sums);
    __syncthreads();
  }
}

struct ProductTerm {
  __device__ float operator()(float a, float b, float sum) const { return sum + a * b; }
};

/// Sums to |a - b|^2: nothing cancels, and the result for (a, b) has the bits of that for (b, a).
struct SquareTerm {
  __device__ float operator()(float a, float b, float sum) const { return fmaf(a - b, a - b, sum); }
};

/// Products of the vectors, as in tile_sums.
template <class Row, class Column>
__device__ inline void tile_product(const Row& row, const Column& column, std::int64_t d, int at_row,
                                    int at_column, TileStorage& s, float (&product)[tile_each][tile_each]) {
  tile_sums(row, column, d, at_row, at_column, s, ProductTerm(), product);
}

}  // namespace chorale::cuda

// SPDX-License-Identifier: MIT
// The squared norm of a weight gradient that is never formed.
//
//   out += ||dy^T x||^2 = sum over rows r, s of (dy dy^T)[r, s] (x x^T)[r, s]
//
// Gram matrices: the long dimension is cut into pieces; a block takes one piece of one 32 x 32 tile at or
// below the diagonal, f32, and writes its partial tile. Columns go through shared memory 64 at a time; four
// groups of 64 threads share them out, each thread with a 4 x 4 register tile. A second kernel adds the
// pieces in order in f64, multiplies the two Grams and sums, tiles off the diagonal twice; a third adds the
// blocks' sums. Bytes: dy + x, once per 32 rows of the batch.
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/reduction.cuh"
#include "kernels/cuda/vector.cuh"

namespace chorale::cuda {
namespace {

constexpr int tile = 32, depth = 64, quad = 4, across = tile / quad;
constexpr int group_threads = across * across, groups = 4, block_threads = group_threads * groups;
constexpr int min_blocks = 2;  // of a multiprocessor: leaves registers enough to spill none
constexpr int tile_size = tile * tile;
constexpr int pitch = tile + 4;  // keeps 16-byte alignment and spreads the transposed stores over the banks

/// Row and column of the i-th tile at or below the diagonal.
__device__ inline void tile_position(int i, int& row, int& column) {
  row = static_cast<int>((sqrtf(8.0f * static_cast<float>(i) + 1.0f) - 1.0f) * 0.5f);
  while ((row + 1) * (row + 2) / 2 <= i) ++row;
  while (row * (row + 1) / 2 > i) --row;
  column = i - row * (row + 1) / 2;
}

/// Rows [first, first + tile) x columns [begin, begin + depth) of a, transposed, zero outside.
template <class T>
__device__ inline void load_transposed(const T* a, std::int64_t first, std::int64_t n, std::int64_t begin,
                                       std::int64_t end, std::int64_t columns,
                                       float (&buffer)[depth][pitch]) {
  for (int i = static_cast<int>(threadIdx.x); i < depth * tile; i += block_threads) {
    const std::int64_t r = first + i / depth, c = begin + i % depth;
    buffer[i % depth][i / depth] = r < n && c < end ? to_float(a[r * columns + c]) : 0.0f;
  }
}

template <class T>
__global__ void __launch_bounds__(block_threads, min_blocks)
    gram_kernel(const T* a, float* partial, std::int64_t n, std::int64_t columns, std::int64_t piece_size) {
  SHARED(float, left, [depth][pitch]);
  SHARED(float, right, [depth][pitch]);
  SHARED(float, sums, [groups][tile_size]);
  int tile_row, tile_column;
  tile_position(static_cast<int>(blockIdx.y), tile_row, tile_column);
  const std::int64_t begin = blockIdx.x * piece_size;
  const std::int64_t end = begin + piece_size < columns ? begin + piece_size : columns;
  const int group = static_cast<int>(threadIdx.x) / group_threads,
            rank = static_cast<int>(threadIdx.x) % group_threads;
  const int row = rank / across * quad, column = rank % across * quad;
  float g[quad][quad] = {};
  for (std::int64_t k0 = begin; k0 < end; k0 += depth) {
    load_transposed(a, static_cast<std::int64_t>(tile_row) * tile, n, k0, end, columns, left);
    load_transposed(a, static_cast<std::int64_t>(tile_column) * tile, n, k0, end, columns, right);
    __syncthreads();
    for (int k = group; k < depth; k += groups) {
      const Pack<float, 4> u = *reinterpret_cast<const Pack<float, 4>*>(&left[k][row]);
      const Pack<float, 4> v = *reinterpret_cast<const Pack<float, 4>*>(&right[k][column]);
      for (int i = 0; i < quad; ++i)
        for (int j = 0; j < quad; ++j) g[i][j] += u.value[i] * v.value[j];
    }
    __syncthreads();
  }
  for (int i = 0; i < quad; ++i)
    for (int j = 0; j < quad; ++j) sums[group][(row + i) * tile + column + j] = g[i][j];
  __syncthreads();
  float* target = partial + (static_cast<std::int64_t>(blockIdx.y) * gridDim.x + blockIdx.x) * tile_size;
  for (int i = static_cast<int>(threadIdx.x); i < tile_size; i += block_threads) {
    float sum = sums[0][i];
    for (int s = 1; s < groups; ++s) sum += sums[s][i];
    target[i] = sum;
  }
}

// A block takes 32 elements of one tile; its 8 warps share out the pieces.
__global__ void __launch_bounds__(block_threads, min_blocks)
    multiply_grams(const float* dy, int dy_pieces, const float* x, int x_pieces, double* partial) {
  constexpr int warps = block_threads / warp_size;
  SHARED(double, parts, [2][warps][warp_size]);
  int tile_row, tile_column;
  tile_position(static_cast<int>(blockIdx.x), tile_row, tile_column);
  const std::int64_t t = blockIdx.x;
  const int lane = static_cast<int>(threadIdx.x) % warp_size,
            warp = static_cast<int>(threadIdx.x) / warp_size;
  const int element = static_cast<int>(blockIdx.y) * warp_size + lane;
  double a = 0, b = 0;
  for (int p = warp; p < dy_pieces; p += warps)
    a += static_cast<double>(dy[(t * dy_pieces + p) * tile_size + element]);
  for (int p = warp; p < x_pieces; p += warps)
    b += static_cast<double>(x[(t * x_pieces + p) * tile_size + element]);
  parts[0][warp][lane] = a;
  parts[1][warp][lane] = b;
  __syncthreads();
  if (warp) return;
  for (int w = 1; w < warps; ++w) {
    a += parts[0][w][lane];
    b += parts[1][w][lane];
  }
  const double sum = warp_reduce<Sum>(a * b);
  if (lane == 0) partial[t * gridDim.y + blockIdx.y] = tile_row == tile_column ? sum : 2 * sum;
}

__global__ void __launch_bounds__(block_threads, min_blocks)
    add_tiles(const double* partial, int count, double* out) {
  double sum = 0;
  for (int i = static_cast<int>(threadIdx.x); i < count; i += block_threads) sum += partial[i];
  sum = block_reduce<Sum, block_threads>(sum);
  if (threadIdx.x == 0) *out += sum;
}

struct Cut {
  std::int64_t size;
  int pieces;
};

Cut cut(const Context& context, std::int64_t columns, std::int64_t tiles) {
  const std::int64_t wanted = ceil_div(static_cast<std::int64_t>(multiprocessors(context)) * 2, tiles);
  const std::int64_t pieces = std::max<std::int64_t>(1, std::min(wanted, columns / (2 * depth)));
  const std::int64_t size = ceil_div(ceil_div(columns, pieces), depth) * depth;
  return {size, static_cast<int>(std::max<std::int64_t>(1, ceil_div(columns, size)))};
}

}  // namespace

void outer_square_sum(Context& context, ConstView dy, ConstView x, View out) {
  const char* op = "outer_square_sum";
  require_dtype(x, dy.dtype, op, "x");
  require(x.rows() == dy.rows(), op, "dy and x must have the same rows");
  require_dtype(out, DType::f64, op, "out");
  require_size(out, 1, op, "out");
  const std::int64_t n = dy.rows(), side = ceil_div(n, tile), tiles = side * (side + 1) / 2;
  if (dy.size() == 0 || x.size() == 0) return;
  require(tiles <= 65535, op, "too many rows (allowed up to 11,552)");
  const Cut dy_cut = cut(context, dy.columns(), tiles), x_cut = cut(context, x.columns(), tiles);
  const auto tiles_of = [&](const Cut& c) { return static_cast<std::size_t>(tiles * c.pieces) * tile_size; };
  const Scratch dy_grams(context, tiles_of(dy_cut) * sizeof(float)),
      x_grams(context, tiles_of(x_cut) * sizeof(float));
  constexpr int parts = tile_size / warp_size;
  const Scratch partial(context, static_cast<std::size_t>(tiles * parts) * sizeof(double));
  dispatch_floating(op, dy.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    LAUNCH((gram_kernel<T>), dim3(static_cast<unsigned>(dy_cut.pieces), static_cast<unsigned>(tiles)),
           block_threads, 0, context.stream, dy.as<T>(), dy_grams.as<float>(), n, dy.columns(), dy_cut.size);
    LAUNCH((gram_kernel<T>), dim3(static_cast<unsigned>(x_cut.pieces), static_cast<unsigned>(tiles)),
           block_threads, 0, context.stream, x.as<T>(), x_grams.as<float>(), n, x.columns(), x_cut.size);
  });
  LAUNCH((multiply_grams), dim3(static_cast<unsigned>(tiles), parts), block_threads, 0, context.stream,
         dy_grams.as<float>(), dy_cut.pieces, x_grams.as<float>(), x_cut.pieces, partial.as<double>());
  LAUNCH((add_tiles), 1, block_threads, 0, context.stream, partial.as<double>(),
         static_cast<int>(tiles * parts), out.as<double>());
}

}  // namespace chorale::cuda

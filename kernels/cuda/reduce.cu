// SPDX-License-Identifier: MIT
// y[o, i] = sum or max over m of x[o, m, i], and its backward y[o, m, i] = factor x[o, i].
//
// Layout: x [outer, middle, inner] row-major. f32 accumulators; a maximum is NaN if any element is.
//   inner = 1   rows: a warp (middle <= 1,024) or a block of 256 per row, 16-byte loads
//   inner > 1   columns: tiles of 32 columns by 8 rows of threads, loads coalesced across columns
// Where there are too few rows or columns to fill the device the middle is cut into pieces; a second launch
// of the same kernel reduces the pieces' f32 results in order. Bytes: x once (the pieces are few), y once.
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/reduction.cuh"
#include "kernels/cuda/vector.cuh"

namespace chorale::cuda {
namespace {

constexpr int block_threads = 256;
constexpr int tile_columns = 32, tile_rows = 8;

// y[row * pieces + piece] over elements [piece * piece_size, ...) of the row.
template <class Op, class X, class Y, int N, int group>
__global__ void __launch_bounds__(block_threads)
    reduce_rows(const X* x, Y* y, std::int64_t rows, std::int64_t middle, std::int64_t piece_size,
                bool packed) {
  constexpr int rows_per_block = block_threads / group;
  const std::int64_t pieces = gridDim.y, piece = blockIdx.y;
  const std::int64_t begin = piece * piece_size;
  const std::int64_t end = begin + piece_size < middle ? begin + piece_size : middle;
  const int rank = static_cast<int>(threadIdx.x) % group;
  for (std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * rows_per_block; first < rows;
       first += static_cast<std::int64_t>(gridDim.x) * rows_per_block) {
    const std::int64_t row = first + threadIdx.x / group;
    float value = Op::template identity<float>();
    if (row < rows) {
      const X* from = x + row * middle;
      if (packed) {
        for (std::int64_t i = begin / N + rank; i < end / N; i += group) {
          const Pack<X, N> pack = load_pack<N>(from, i);
          for (int j = 0; j < N; ++j) value = Op::combine(value, to_float(pack.value[j]));
        }
      } else {
        for (std::int64_t i = begin + rank; i < end; i += group)
          value = Op::combine(value, to_float(from[i]));
      }
    }
    value = group_reduce<Op, group>(value);
    if (rank == 0 && row < rows) y[row * pieces + piece] = from_float<Y>(value);
  }
}

// y[piece * outputs + output] over middle elements [piece * piece_size, ...).
template <class Op, class X, class Y>
__global__ void __launch_bounds__(tile_columns* tile_rows)
    reduce_columns(const X* x, Y* y, std::int64_t outer, std::int64_t middle, std::int64_t inner,
                   std::int64_t piece_size) {
  SHARED(float, parts, [tile_rows][tile_columns]);
  const std::int64_t outputs = outer * inner, piece = blockIdx.y;
  const std::int64_t begin = piece * piece_size;
  const std::int64_t end = begin + piece_size < middle ? begin + piece_size : middle;
  for (std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * tile_columns; first < outputs;
       first += static_cast<std::int64_t>(gridDim.x) * tile_columns) {
    const std::int64_t output = first + threadIdx.x;
    float value = Op::template identity<float>();
    if (output < outputs) {
      const std::int64_t group = quotient(output, inner);
      const X* from = x + group * middle * inner + (output - group * inner);
      for (std::int64_t m = begin + threadIdx.y; m < end; m += tile_rows)
        value = Op::combine(value, to_float(from[m * inner]));
    }
    parts[threadIdx.y][threadIdx.x] = value;
    __syncthreads();
    if (threadIdx.y == 0 && output < outputs) {
      for (int r = 1; r < tile_rows; ++r) value = Op::combine(value, parts[r][threadIdx.x]);
      y[piece * outputs + output] = from_float<Y>(value);
    }
    __syncthreads();
  }
}

struct Cut {
  std::int64_t pieces, size;
};

/// Cuts `length` so that `units` independent results fill the device; pieces are at least `least` long.
Cut cut(const Context& context, std::int64_t units, std::int64_t length, std::int64_t least) {
  const std::int64_t wanted = ceil_div(static_cast<std::int64_t>(multiprocessors(context)) * 4, units);
  const std::int64_t possible = length / least;
  std::int64_t pieces = std::min<std::int64_t>(std::min(wanted, possible), 1024);
  if (pieces < 2) return {1, length};
  const std::int64_t size = ceil_div(ceil_div(length, pieces), 16) * 16;  // whole packs
  return {ceil_div(length, size), size};
}

template <class Op, class X, class Y>
void launch_rows(Context& context, const X* x, Y* y, std::int64_t rows, std::int64_t middle, Cut c) {
  constexpr int N = pack_width<X>();
  const bool packed = packable<N>(x) && middle % N == 0;
  const unsigned pieces = static_cast<unsigned>(c.pieces);
  if (c.size <= 1024) {
    constexpr int per_block = block_threads / warp_size;
    LAUNCH((reduce_rows<Op, X, Y, N, warp_size>), dim3(stride_grid(context, rows, per_block), pieces),
           block_threads, 0, context.stream, x, y, rows, middle, c.size, packed);
  } else {
    LAUNCH((reduce_rows<Op, X, Y, N, block_threads>), dim3(stride_grid(context, rows, 1), pieces),
           block_threads, 0, context.stream, x, y, rows, middle, c.size, packed);
  }
}

template <class Op, class X, class Y>
void launch_columns(Context& context, const X* x, Y* y, std::int64_t outer, std::int64_t middle,
                    std::int64_t inner, Cut c) {
  LAUNCH((reduce_columns<Op, X, Y>),
         dim3(stride_grid(context, outer * inner, tile_columns), static_cast<unsigned>(c.pieces)),
         dim3(tile_columns, tile_rows), 0, context.stream, x, y, outer, middle, inner, c.size);
}

template <class Op>
void reduce(Context& context, const char* op, const ConstView& x, const View& y) {
  require(x.rank == 3 && y.rank == 2 && y.shape[0] == x.shape[0] && y.shape[1] == x.shape[2], op,
          "shapes must be [outer, middle, inner] and [outer, inner]");
  const std::int64_t outer = x.shape[0], middle = x.shape[1], inner = x.shape[2];
  if (y.size() == 0) return;
  dispatch_floating_or_f32(op, x.dtype, y.dtype, [&](auto from, auto to) {
    using X = typename decltype(from)::type;
    using Y = typename decltype(to)::type;
    const X* source = x.as<X>();
    if (inner == 1) {
      const Cut c = cut(context, outer, middle, 8192);
      if (c.pieces == 1) return launch_rows<Op>(context, source, y.as<Y>(), outer, middle, c);
      const Scratch partial(context, static_cast<std::size_t>(outer * c.pieces) * sizeof(float));
      launch_rows<Op>(context, source, partial.as<float>(), outer, middle, c);
      launch_rows<Op, float>(context, partial.as<float>(), y.as<Y>(), outer, c.pieces, Cut{1, c.pieces});
    } else {
      const Cut c = cut(context, ceil_div(outer * inner, tile_columns), middle, 128);
      if (c.pieces == 1) return launch_columns<Op>(context, source, y.as<Y>(), outer, middle, inner, c);
      const Scratch partial(context, static_cast<std::size_t>(outer * inner * c.pieces) * sizeof(float));
      launch_columns<Op>(context, source, partial.as<float>(), outer, middle, inner, c);
      launch_columns<Op, float>(context, partial.as<float>(), y.as<Y>(), 1, c.pieces, outer * inner,
                                Cut{1, c.pieces});
    }
  });
}

template <class X, class Y>
__global__ void __launch_bounds__(block_threads)
    broadcast_kernel(const X* x, float factor, Y* y, std::int64_t middle, std::int64_t inner,
                     std::int64_t size) {
  for (std::int64_t i = global_thread(); i < size; i += global_threads()) {
    const std::int64_t row = quotient(i, inner), column = i - row * inner;
    y[i] = from_float<Y>(factor * to_float(x[quotient(row, middle) * inner + column]));
  }
}

}  // namespace

void reduce_sum(Context& context, ConstView x, View y) { reduce<Sum>(context, "reduce_sum", x, y); }
void reduce_max(Context& context, ConstView x, View y) { reduce<Max>(context, "reduce_max", x, y); }

void broadcast_middle(Context& context, ConstView x, float factor, View y) {
  const char* op = "broadcast_middle";
  require(y.rank == 3 && x.rank == 2 && x.shape[0] == y.shape[0] && x.shape[1] == y.shape[2], op,
          "shapes must be [outer, inner] and [outer, middle, inner]");
  const std::int64_t size = y.size();
  if (size == 0) return;
  dispatch_floating(op, x.dtype, [&](auto from) {
    dispatch_floating(op, y.dtype, [&](auto to) {
      using X = typename decltype(from)::type;
      using Y = typename decltype(to)::type;
      LAUNCH((broadcast_kernel<X, Y>), stride_grid(context, size, block_threads), block_threads, 0,
             context.stream, x.as<X>(), factor, y.as<Y>(), y.shape[1], y.shape[2], size);
    });
  });
}

}  // namespace chorale::cuda

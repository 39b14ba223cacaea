// SPDX-License-Identifier: MIT
// Products of any shape and layout, cut into blocks whose sizes depend on the shape alone, one thread a
// block, so that the bits of a result do not depend on the number of threads. Storage is f32, f16 or bf16;
// 16-bit operands are widened block by block in the cache, and all sums are f32.
//
//   c [rows, columns] = a [rows, k] b [k, columns]
//
// The result is not stored here: an epilogue receives each finished block (a piece of a few rows, still in
// the cache) and does with it what the caller needs: bias and activation, a loss, an optimizer's update.
#pragma once
#include <omp.h>

#include <algorithm>
#include <cstdint>

#include "kernels/context.h"
#include "kernels/cpu/gemm_tile.h"
#include "kernels/view.h"

namespace chorale::cpu::gemm {

/// Calls f with a typed pointer to `data`, which is f32, f16 or bf16.
template <class Void, class F>
decltype(auto) with_storage(DType dtype, Void* data, F&& f) {
  using Byte = std::conditional_t<std::is_const_v<Void>, const void, void>;
  const auto typed = [&]<class T>(T) {
    using P = std::conditional_t<std::is_const_v<Byte>, const T, T>;
    return f(static_cast<P*>(data));
  };
  switch (dtype) {
    case DType::f32:
      return typed(float{});
    case DType::f16:
      return typed(half{});
    case DType::bf16:
      return typed(bf16{});
    default:
      throw ContractError("matrix product: unsupported dtype: " + std::string(dtype_name(dtype)) +
                          " (allowed f32, f16, bf16)");
  }
}

inline std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }
inline std::int64_t divide_up(std::int64_t n, std::int64_t by) { return (n + by - 1) / by; }

/// Element (i, j) of an operand is at data[i * row + j * column]; one of the two strides is 1.
struct Matrix {
  const void* data;
  DType dtype;
  std::int64_t row, column;
  Matrix transposed() const { return {data, dtype, column, row}; }
};

/// `view` as [view.rows(), view.columns()].
inline Matrix matrix(const ConstView& view) { return {view.data, view.dtype, view.columns(), 1}; }

/// out [rows, width] <- the block of m that starts at (i, j), widened to f32; columns from `columns` to
/// `width` are zero.
void pack(const Matrix& m, std::int64_t i, std::int64_t j, std::int64_t rows, std::int64_t columns,
          std::int64_t width, float* out);

/// The same block as panels for product_block.
void pack_panels(const Matrix& m, std::int64_t i, std::int64_t j, std::int64_t rows, std::int64_t columns,
                 float* out);

/// The memory of that block, to be fetched ahead.
Upcoming upcoming_block(const Matrix& m, std::int64_t i, std::int64_t j, std::int64_t rows,
                        std::int64_t columns);

/// How a product is cut. A task is `rows` x `columns` of the result over `k_group` of the sum; it reads k in
/// chunks of `k_chunk`. With one chunk in all, the epilogue runs after every `row_step` rows.
struct Blocks {
  std::int64_t rows, row_step, columns, k_group, k_chunk;
};

/// Blocks for a result of [rows, columns] with no special shape.
Blocks choose_blocks(std::int64_t rows, std::int64_t columns, std::int64_t k);

/// epilogue(row, column, rows, columns, const float* block, stride): block[i * stride + j] is element
/// (row + i, column + j). Called once for every element, from many threads.
/// ahead(row, column, rows, columns) names the memory that the epilogue of this block is going to touch (at
/// most three regions); it is fetched while the block is computed. Asked for where the sum is not split.
template <class Epilogue, class Ahead>
void product(Context& context, std::int64_t rows, std::int64_t columns, std::int64_t k, const Matrix& a,
             const Matrix& b, const Blocks& blocks, const Epilogue& epilogue, const Ahead& ahead) {
  if (rows == 0 || columns == 0) return;
  const std::int64_t row_blocks = divide_up(rows, blocks.rows),
                     column_blocks = divide_up(columns, blocks.columns);
  const std::int64_t groups = std::max<std::int64_t>(1, divide_up(k, blocks.k_group));
  const std::int64_t chunk = std::min(blocks.k_chunk, blocks.k_group);
  const bool single_chunk = k <= chunk;
  const std::int64_t step = single_chunk ? std::min(blocks.row_step, blocks.rows) : blocks.rows;
  // A copy of a in the cache pays when it is read often enough.
  const bool a_direct = a.dtype == DType::f32 && columns <= 2 * tile_columns;
  const std::int64_t width = round_up(std::min(columns, blocks.columns), lanes),
                     height = std::min(rows, step);
  const std::int64_t depth = std::min(k, chunk);
  const std::int64_t a_size = a_direct ? 0 : round_up(height * depth, 64);
  const std::int64_t b_size = depth * width;
  const std::int64_t slab = round_up(a_size + b_size + height * width, 64) + 64;
  const std::int64_t partial_width = round_up(columns, lanes);
  const std::int64_t partial = groups > 1 ? rows * partial_width : 0;
  const Scratch scratch(
      context, sizeof(float) * static_cast<std::size_t>(slab * omp_get_max_threads() + partial * groups));
  float* const partials = scratch.as<float>();
  float* const slabs = partials + partial * groups;
  const std::int64_t tasks = row_blocks * column_blocks * groups;

#pragma omp parallel for schedule(dynamic, 1) if (tasks > 1)
  for (std::int64_t task = 0; task < tasks; ++task) {
    float* const a_pack = slabs + slab * omp_get_thread_num();
    float* const b_pack = a_pack + a_size;
    float* const sums = b_pack + b_size;
    const std::int64_t group = task / (row_blocks * column_blocks);
    const std::int64_t column = task / row_blocks % column_blocks * blocks.columns;
    const std::int64_t first_row = task % row_blocks * blocks.rows;
    const std::int64_t n = std::min(blocks.columns, columns - column);
    const std::int64_t last_row = std::min(rows, first_row + blocks.rows);
    const std::int64_t k_begin = group * blocks.k_group, k_end = std::min(k, k_begin + blocks.k_group);
    float* const c = groups > 1 ? partials + partial * group + first_row * partial_width + column : sums;
    const std::int64_t c_row = groups > 1 ? partial_width : width;
    if (k == 0) std::fill_n(sums, height * width, 0.0f);
    const auto multiply = [&](std::int64_t row, std::int64_t m, std::int64_t k0, std::int64_t kc, bool again,
                              float* out, const UpcomingList& upcoming) {
      Strided left{static_cast<const float*>(a.data) + row * a.row + k0 * a.column, a.row, a.column};
      if (!a_direct && a.column == 1) {
        pack(a, row, k0, m, kc, kc, a_pack);
        left = {a_pack, kc, 1};
      } else if (!a_direct) {
        pack(a.transposed(), k0, row, kc, m, m, a_pack);
        left = {a_pack, 1, m};
      }
      product_block(m, n, kc, left, b_pack, out, c_row, again, upcoming);
    };
    if (single_chunk) {
      if (k > 0) pack_panels(b, 0, column, k, n, b_pack);
      for (std::int64_t row = first_row; row < last_row; row += step) {
        const std::int64_t m = std::min(step, last_row - row);
        const std::int64_t below = row + m;
        UpcomingList upcoming = ahead(row, column, m, n);
        upcoming.back() = upcoming_block(a, below, 0, std::min(step, rows - below), k);
        if (k > 0) multiply(row, m, 0, k, false, c, upcoming);
        epilogue(row, column, m, n, static_cast<const float*>(c), c_row);
      }
    } else {
      for (std::int64_t k0 = k_begin; k0 < k_end; k0 += chunk) {
        const std::int64_t kc = std::min(chunk, k_end - k0), k1 = k0 + kc;
        pack_panels(b, k0, column, kc, n, b_pack);
        multiply(first_row, last_row - first_row, k0, kc, k0 > k_begin, c,
                 {upcoming_block(a, first_row, k1, a_direct ? 0 : last_row - first_row,
                                 std::min(chunk, k_end - k1)),
                  upcoming_block(b, k1, column, std::min(chunk, k_end - k1), n)});
      }
      if (groups == 1)
        epilogue(first_row, column, last_row - first_row, n, static_cast<const float*>(c), c_row);
    }
  }
  if (groups == 1) return;

  // Groups are added in their order, a few rows at a time.
  const std::int64_t sum_rows = std::clamp<std::int64_t>(4096 / partial_width, 1, rows);
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < rows; row += sum_rows) {
    const std::int64_t m = std::min(sum_rows, rows - row);
    float* const c = partials + row * partial_width;
    for (std::int64_t g = 1; g < groups; ++g) {
      const float* const from = c + partial * g;
      for (std::int64_t i = 0; i < m * partial_width; ++i) c[i] += from[i];
    }
    epilogue(row, std::int64_t{0}, m, columns, static_cast<const float*>(c), partial_width);
  }
}

template <class Epilogue>
void product(Context& context, std::int64_t rows, std::int64_t columns, std::int64_t k, const Matrix& a,
             const Matrix& b, const Blocks& blocks, const Epilogue& epilogue) {
  product(context, rows, columns, k, a, b, blocks, epilogue,
          [](std::int64_t, std::int64_t, std::int64_t, std::int64_t) { return UpcomingList{}; });
}

/// Rows p, p + stride, ... up to `rows`, of `columns` elements each, as the columns of a square; zeros
/// beyond.
template <class T>
inline void load_square(const T* p, std::int64_t stride, std::int64_t rows, std::int64_t columns,
                        Vector (&square)[lanes]) {
  if (rows == lanes && columns == lanes) {
#pragma GCC unroll 16
    for (int r = 0; r < lanes; ++r) square[r] = load(p + r * stride);
  } else {
    for (int r = 0; r < lanes; ++r) square[r] = r < rows ? load_upto(p + r * stride, columns) : Vector{};
  }
  transpose(square);
}

/// Hands a block over transposed: f(j, row, count, v) where v holds elements (row .. row + count, j), count
/// <= lanes.
template <class F>
void for_each_transposed(const float* block, std::int64_t stride, std::int64_t rows, std::int64_t columns,
                         const F& f) {
  for (std::int64_t i = 0; i < rows; i += lanes) {
    const std::int64_t height = std::min<std::int64_t>(lanes, rows - i);
    for (std::int64_t j = 0; j < columns; j += lanes) {
      const std::int64_t width = std::min<std::int64_t>(lanes, columns - j);
      Vector square[lanes];
      load_square(block + i * stride + j, stride, height, width, square);
      for (std::int64_t c = 0; c < width; ++c) f(j + c, i, height, square[c]);
    }
  }
}

}  // namespace chorale::cpu::gemm

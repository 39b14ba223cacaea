// SPDX-License-Identifier: MIT
// Products of any shape and layout, cut into blocks whose sizes depend on the shape alone, one thread a
// block, so that the bits of a result do not depend on the number of threads. Storage is f32, f16 or bf16,
// and all sums are f32.
//
//   c [rows, columns] = a [rows, k] b [k, columns]
//
// The result is not stored here: an epilogue receives each finished block (a piece of a few rows, still in
// the cache) and does with it what the caller needs: bias and activation, a loss, an optimizer's update.
#pragma once
#include <algorithm>
#include <cstdint>
#include <functional>

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

/// (row, column, rows, columns, block, stride): block[i * stride + j] is element (row + i, column + j) of the
/// result. Called once for every element, from many threads.
using Epilogue =
    std::function<void(std::int64_t, std::int64_t, std::int64_t, std::int64_t, const float*, std::int64_t)>;
/// (row, column, rows, columns): the memory that the epilogue of this block is going to touch, at most three
/// regions; it is fetched while the block is computed. Asked for where the sum is not split.
using Ahead = std::function<UpcomingList(std::int64_t, std::int64_t, std::int64_t, std::int64_t)>;

/// Two bf16 operands are multiplied as they are where the processor can (gemm_pairs.h), others in f32.
void product(Context& context, std::int64_t rows, std::int64_t columns, std::int64_t k, const Matrix& a,
             const Matrix& b, const Blocks& blocks, const Epilogue& epilogue, const Ahead& ahead = {});

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

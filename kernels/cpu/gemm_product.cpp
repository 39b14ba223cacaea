// SPDX-License-Identifier: MIT
// How a product is shared out, packed and summed:
//
//   a task            a piece of the result, over one group of the sum
//   per chunk of k    b into panels in the cache, a read in place or copied, tiles of sums in registers
//   groups of the sum added in their order, a few rows at a time
//
// The operands reach the tiles in one of two forms, both of four bytes an element: f32, or pairs of bf16 that
// are neighbours along k, of which the processor multiplies twice as many an instruction. The second one also
// halves what packing writes and the tiles read again. Sums are f32 in either.
#include <omp.h>

#include "kernels/cpu/gemm.h"
#include "kernels/cpu/gemm_pairs.h"

namespace chorale::cpu::gemm {
namespace {

/// f32, or 16-bit operands that are widened into the cache.
struct Widened {
  using Element = float;
  using Left = Strided;
  static constexpr std::int64_t values = 1;  ///< along k, in an element
  static bool in_place(const Matrix& a, std::int64_t) { return a.dtype == DType::f32; }
  static Left left(const Matrix& a, std::int64_t row, std::int64_t k) {
    return {static_cast<const float*>(a.data) + row * a.row + k * a.column, a.row, a.column};
  }
  static Left pack_left(const Matrix& a, std::int64_t row, std::int64_t k, std::int64_t rows,
                        std::int64_t depth, float* out) {
    if (a.column == 1) {
      pack(a, row, k, rows, depth, depth, out);
      return {out, depth, 1};
    }
    pack(a.transposed(), k, row, depth, rows, rows, out);
    return {out, 1, rows};
  }
  static void pack_right(const Matrix& b, std::int64_t k, std::int64_t column, std::int64_t depth,
                         std::int64_t columns, float* out) {
    pack_panels(b, k, column, depth, columns, out);
  }
};

/// Two bf16 operands.
struct Pairs {
  using Element = std::uint32_t;
  using Left = StridedPairs;
  static constexpr std::int64_t values = 2;
  static const bf16* at(const Matrix& m, std::int64_t i, std::int64_t j) {
    return static_cast<const bf16*>(m.data) + i * m.row + j * m.column;
  }
  /// Where the pairs lie in memory, every one at an address of its own size and none across the end of a row.
  static bool in_place(const Matrix& a, std::int64_t k) {
    return a.column == 1 && (a.row | k) % values == 0 &&
           reinterpret_cast<std::uintptr_t>(a.data) % sizeof(Element) == 0;
  }
  static Left left(const Matrix& a, std::int64_t row, std::int64_t k) {
    return {reinterpret_cast<const Pair*>(at(a, row, k)), a.row / values, 1};
  }
  static Left pack_left(const Matrix& a, std::int64_t row, std::int64_t k, std::int64_t rows,
                        std::int64_t depth, std::uint32_t* out) {
    const std::int64_t pairs = divide_up(depth, values), width = round_up(rows, lanes);
    if (a.column == 1) {
      copy_pairs(at(a, row, k), a.row, rows, depth, out);
      return {out, pairs, 1};
    }
    interleave_rows(at(a, row, k), a.column, depth, rows, width, out);
    return {out, 1, width};
  }
  static void pack_right(const Matrix& b, std::int64_t k, std::int64_t column, std::int64_t depth,
                         std::int64_t columns, std::uint32_t* out) {
    for (std::int64_t c = 0; c < columns; c += tile_columns) {
      const std::int64_t count = std::min<std::int64_t>(tile_columns, columns - c),
                         width = round_up(count, lanes);
      const bf16* const from = at(b, k, column + c);
      std::uint32_t* const panel = out + c * divide_up(depth, values);
      if (b.column == 1)
        interleave_rows(from, b.row, depth, count, width, panel);
      else
        transpose_pairs(from, b.column, depth, count, width, panel);
    }
  }
};

template <class Operands>
void product_of(Context& context, std::int64_t rows, std::int64_t columns, std::int64_t k, const Matrix& a,
                const Matrix& b, const Blocks& blocks, const Epilogue& epilogue, const Ahead& ahead) {
  using Element = typename Operands::Element;
  static_assert(sizeof(Element) == sizeof(float));
  const auto elements = [](std::int64_t depth) { return divide_up(depth, Operands::values); };
  const std::int64_t row_blocks = divide_up(rows, blocks.rows),
                     column_blocks = divide_up(columns, blocks.columns);
  const std::int64_t groups = std::max<std::int64_t>(1, divide_up(k, blocks.k_group));
  const std::int64_t chunk = std::min(blocks.k_chunk * Operands::values, blocks.k_group);
  const bool single_chunk = k <= chunk;
  const std::int64_t step = single_chunk ? std::min(blocks.row_step, blocks.rows) : blocks.rows;
  // A copy of a in the cache pays when it is read often enough.
  const bool a_in_place = columns <= 2 * tile_columns && Operands::in_place(a, k);
  const std::int64_t width = round_up(std::min(columns, blocks.columns), lanes),
                     height = std::min(rows, step);
  const std::int64_t depth = elements(std::min(k, chunk));
  const std::int64_t a_size = a_in_place ? 0 : round_up(round_up(height, lanes) * depth, 64);
  const std::int64_t b_size = depth * width;
  const std::int64_t slab = round_up(height * width, 64) + round_up(a_size + b_size, 64) + 64;
  const std::int64_t partial_width = round_up(columns, lanes);
  const std::int64_t partial = groups > 1 ? rows * partial_width : 0;
  const Scratch scratch(
      context, sizeof(float) * static_cast<std::size_t>(slab * omp_get_max_threads() + partial * groups));
  float* const partials = scratch.as<float>();
  float* const slabs = partials + partial * groups;
  const std::int64_t tasks = row_blocks * column_blocks * groups;

#pragma omp parallel for schedule(dynamic, 1) if (tasks > 1)
  for (std::int64_t task = 0; task < tasks; ++task) {
    float* const sums = slabs + slab * omp_get_thread_num();
    auto* const a_pack = reinterpret_cast<Element*>(sums + round_up(height * width, 64));
    Element* const b_pack = a_pack + a_size;
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
      const typename Operands::Left left =
          a_in_place ? Operands::left(a, row, k0) : Operands::pack_left(a, row, k0, m, kc, a_pack);
      product_block(m, n, elements(kc), left, b_pack, out, c_row, again, upcoming);
    };
    if (single_chunk) {
      if (k > 0) Operands::pack_right(b, 0, column, k, n, b_pack);
      for (std::int64_t row = first_row; row < last_row; row += step) {
        const std::int64_t m = std::min(step, last_row - row);
        const std::int64_t below = row + m;
        UpcomingList upcoming = ahead ? ahead(row, column, m, n) : UpcomingList{};
        upcoming.back() = upcoming_block(a, below, 0, std::min(step, rows - below), k);
        if (k > 0) multiply(row, m, 0, k, false, c, upcoming);
        epilogue(row, column, m, n, c, c_row);
      }
    } else {
      for (std::int64_t k0 = k_begin; k0 < k_end; k0 += chunk) {
        const std::int64_t kc = std::min(chunk, k_end - k0), k1 = k0 + kc;
        Operands::pack_right(b, k0, column, kc, n, b_pack);
        multiply(first_row, last_row - first_row, k0, kc, k0 > k_begin, c,
                 {upcoming_block(a, first_row, k1, a_in_place ? 0 : last_row - first_row,
                                 std::min(chunk, k_end - k1)),
                  upcoming_block(b, k1, column, std::min(chunk, k_end - k1), n)});
      }
      if (groups == 1) epilogue(first_row, column, last_row - first_row, n, c, c_row);
    }
  }
  if (groups == 1) return;

  const std::int64_t sum_rows = std::clamp<std::int64_t>(4096 / partial_width, 1, rows);
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < rows; row += sum_rows) {
    const std::int64_t m = std::min(sum_rows, rows - row);
    float* const c = partials + row * partial_width;
    for (std::int64_t g = 1; g < groups; ++g) {
      const float* const from = c + partial * g;
      for (std::int64_t i = 0; i < m * partial_width; ++i) c[i] += from[i];
    }
    epilogue(row, 0, m, columns, c, partial_width);
  }
}

}  // namespace

void product(Context& context, std::int64_t rows, std::int64_t columns, std::int64_t k, const Matrix& a,
             const Matrix& b, const Blocks& blocks, const Epilogue& epilogue, const Ahead& ahead) {
  if (rows == 0 || columns == 0) return;
  if constexpr (pairs_built) {
    if (a.dtype == DType::bf16 && b.dtype == DType::bf16 && pairs_available())
      return product_of<Pairs>(context, rows, columns, k, a, b, blocks, epilogue, ahead);
  }
  product_of<Widened>(context, rows, columns, k, a, b, blocks, epilogue, ahead);
}

}  // namespace chorale::cpu::gemm

// SPDX-License-Identifier: MIT
#include "kernels/cpu/gemm.h"

namespace chorale::cpu::gemm {
namespace {

template <class T>
void widen_rows(const T* in, std::int64_t stride, std::int64_t rows, std::int64_t columns, std::int64_t width,
                float* out) {
  for (std::int64_t i = 0; i < rows; ++i, in += stride, out += width) {
    std::int64_t j = 0;
    for (; j + lanes <= columns; j += lanes) store(out + j, load(in + j));
    if (j < width) store_upto(out + j, j < columns ? load_part(in + j, columns - j) : Vector{}, width - j);
  }
}

// out[i, j] = in[j, i]
template <class T>
void widen_transposed(const T* in, std::int64_t stride, std::int64_t rows, std::int64_t columns,
                      std::int64_t width, float* out) {
  for (std::int64_t j = 0; j < width; j += lanes) {
    const std::int64_t n = std::clamp<std::int64_t>(columns - j, 0, lanes),
                       kept = std::min<std::int64_t>(lanes, width - j);
    for (std::int64_t i = 0; i < rows; i += lanes) {
      const std::int64_t m = std::min<std::int64_t>(lanes, rows - i);
      Vector square[lanes];
      load_square(in + j * stride + i, stride, n, m, square);
      for (std::int64_t r = 0; r < m; ++r) {
        store_upto(out + (i + r) * width + j, square[r], kept);
      }
    }
  }
}

}  // namespace

void pack(const Matrix& m, std::int64_t i, std::int64_t j, std::int64_t rows, std::int64_t columns,
          std::int64_t width, float* out) {
  with_storage(m.dtype, m.data, [&](auto* data) {
    data += i * m.row + j * m.column;
    if (m.column == 1) {
      widen_rows(data, m.row, rows, columns, width, out);
    } else {
      widen_transposed(data, m.column, rows, columns, width, out);
    }
  });
}

void pack_panels(const Matrix& m, std::int64_t i, std::int64_t j, std::int64_t rows, std::int64_t columns,
                 float* out) {
  for (std::int64_t c = 0; c < columns; c += tile_columns) {
    const std::int64_t count = std::min<std::int64_t>(tile_columns, columns - c);
    pack(m, i, j + c, rows, count, round_up(count, lanes), out + c * rows);
  }
}

Upcoming upcoming_block(const Matrix& m, std::int64_t i, std::int64_t j, std::int64_t rows,
                        std::int64_t columns) {
  if (rows <= 0 || columns <= 0) return {};
  const auto size = static_cast<std::int64_t>(dtype_size(m.dtype));
  const char* const p = static_cast<const char*>(m.data) + (i * m.row + j * m.column) * size;
  if (m.column == 1) return {p, rows, columns * size, m.row * size};
  return {p, columns, rows * size, m.column * size};
}

Blocks choose_blocks(std::int64_t rows, std::int64_t columns, std::int64_t k) {
  Blocks blocks{};
  blocks.columns = std::min<std::int64_t>(round_up(columns, lanes), 256);
  // The block of b stays in the second-level cache.
  blocks.k_chunk = std::clamp<std::int64_t>(65536 / blocks.columns, 256, 2048);
  blocks.rows = std::min<std::int64_t>(rows, 512);
  blocks.row_step = 4 * tile_rows;
  blocks.k_group = std::max<std::int64_t>(k, 1);
  // Too few blocks to share out: smaller ones, then pieces of the sum.
  const auto tasks = [&] { return divide_up(rows, blocks.rows) * divide_up(columns, blocks.columns); };
  while (tasks() < 32 && blocks.rows > 8 * tile_rows && k < 16384)
    blocks.rows = round_up(blocks.rows / 2, tile_rows);
  if (tasks() < 32 && k >= 4096) {
    blocks.k_group = std::max<std::int64_t>(round_up(divide_up(k * tasks(), 64), lanes), 1024);
  }
  return blocks;
}

}  // namespace chorale::cpu::gemm

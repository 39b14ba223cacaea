// SPDX-License-Identifier: MIT
// Tiles of 12 x 32 sums in registers, as in gemm_tile.h, with twice the products an instruction. Only these
// functions are compiled for AVX512_BF16, which not every processor of the module has.
#include "kernels/cpu/gemm_pairs.h"

#include <algorithm>

#define CHORALE_BF16 __attribute__((noinline, target("avx512bf16")))

namespace chorale::cpu::gemm {

#if defined(__AVX512F__)

namespace {

template <int R, int C>
CHORALE_BF16 void pairs_tile(StridedPairs a, const std::uint32_t* b, std::int64_t b_step, std::int64_t k,
                             float* c, std::int64_t c_row, std::int64_t columns, bool accumulate) {
  __m512 sum[R][C];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < C; ++v) sum[r][v] = _mm512_setzero_ps();
  const Pair* rows[(R + 3) / 4];
  for (int i = 0; i < (R + 3) / 4; ++i) rows[i] = a.data + 4 * i * a.row;
  for (std::int64_t i = 0; i < k; ++i, b += b_step) {
    __m512i right[C];
#pragma GCC unroll 2
    for (int v = 0; v < C; ++v) right[v] = _mm512_loadu_si512(b + v * lanes);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const __m512i left = _mm512_set1_epi32(static_cast<int>(rows[r / 4][(r % 4) * a.row]));
#pragma GCC unroll 2
      for (int v = 0; v < C; ++v)
        sum[r][v] = _mm512_dpbf16_ps(sum[r][v], reinterpret_cast<__m512bh>(left),
                                     reinterpret_cast<__m512bh>(right[v]));
    }
#pragma GCC unroll 4
    for (int g = 0; g < (R + 3) / 4; ++g) rows[g] += a.step;
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < C; ++v) {
      float* const p = c + r * c_row + v * lanes;
      const std::int64_t left = std::clamp<std::int64_t>(columns - v * lanes, 0, lanes);
      const auto mask = static_cast<__mmask16>((1u << left) - 1);
      const __m512 before = accumulate ? _mm512_maskz_loadu_ps(mask, p) : _mm512_setzero_ps();
      _mm512_mask_storeu_ps(p, mask, _mm512_add_ps(before, sum[r][v]));
    }
  }
}

template <int C, int R = tile_rows>
void pairs_rows(std::int64_t rows, const StridedPairs& a, const std::uint32_t* b, std::int64_t k, float* c,
                std::int64_t c_row, std::int64_t columns, bool accumulate) {
  if (rows >= R) {
    pairs_tile<R, C>(a, b, C * lanes, k, c, c_row, columns, accumulate);
  } else if constexpr (R > 1) {
    pairs_rows<C, R - 1>(rows, a, b, k, c, c_row, columns, accumulate);
  }
}

/// A mask of the first `count` elements.
template <class Mask>
Mask first_of(std::int64_t count) {
  constexpr int bits = 8 * sizeof(Mask);
  return static_cast<Mask>(count >= bits ? ~0ull : count <= 0 ? 0 : (1ull << count) - 1);
}

Words widened(__mmask16 mask, const bf16* p) {
  return __builtin_convertvector(reinterpret_cast<Shorts>(_mm256_maskz_loadu_epi16(mask, p)), Words);
}

}  // namespace

bool pairs_available() {
  static const bool available = __builtin_cpu_supports("avx512bf16");
  return available;
}

void product_block(std::int64_t rows, std::int64_t columns, std::int64_t k, const StridedPairs& a,
                   const std::uint32_t* b, float* c, std::int64_t c_row, bool accumulate,
                   UpcomingList upcoming) {
  const std::int64_t row_tiles = (rows + tile_rows - 1) / tile_rows, low = rows / row_tiles,
                     more = rows % row_tiles;
  const std::int64_t panels = (columns + tile_columns - 1) / tile_columns;
  std::int64_t share[std::tuple_size_v<UpcomingList>];
  for (std::size_t i = 0; i < upcoming.size(); ++i) share[i] = upcoming[i].lines() / (row_tiles * panels) + 1;
  const auto one = [&](std::int64_t t, std::int64_t panel) {
    const std::int64_t r = t * low + std::min(t, more), j = panel * tile_columns,
                       width = std::min<std::int64_t>(tile_columns, columns - j);
    for (std::size_t i = 0; i < upcoming.size(); ++i) upcoming[i].fetch(share[i]);
    const StridedPairs left{a.data + r * a.row, a.row, a.step};
    if (width > lanes)
      pairs_rows<2>(low + (t < more), left, b + j * k, k, c + r * c_row + j, c_row, width, accumulate);
    else
      pairs_rows<1>(low + (t < more), left, b + j * k, k, c + r * c_row + j, c_row, width, accumulate);
  };
  if (panels < row_tiles) {
    for (std::int64_t t = 0; t < row_tiles; ++t)
      for (std::int64_t panel = 0; panel < panels; ++panel) one(t, panel);
  } else {
    for (std::int64_t panel = 0; panel < panels; ++panel)
      for (std::int64_t t = 0; t < row_tiles; ++t) one(t, panel);
  }
}

CHORALE_BF16 void round_rows(std::int64_t rows, std::int64_t columns, const float* in, std::int64_t in_row,
                             bf16* out, std::int64_t out_row) {
  for (std::int64_t r = 0; r < rows; ++r, in += in_row, out += out_row)
    for (std::int64_t i = 0; i < columns; i += lanes)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i),
                          reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(_mm512_loadu_ps(in + i))));
}

CHORALE_BF16 void round_pairs(std::int64_t rows, std::int64_t columns, const float* first,
                              const float* second, std::int64_t in_row, std::uint32_t* out,
                              std::int64_t out_row) {
  const auto words = [](const float* p) __attribute__((always_inline, target("avx512bf16"))) {
    return __builtin_convertvector(reinterpret_cast<Shorts>(_mm512_cvtneps_pbh(_mm512_loadu_ps(p))), Words);
  };
  for (std::int64_t r = 0; r < rows; ++r, first += in_row, second += in_row, out += out_row) {
    for (std::int64_t i = 0; i < columns; i += lanes) {
      const Words pairs = words(first + i) | words(second + i) << 16;
      std::memcpy(out + i, &pairs, sizeof pairs);
    }
  }
}

void copy_pairs(const bf16* in, std::int64_t stride, std::int64_t rows, std::int64_t k, std::uint32_t* out) {
  const std::int64_t words = (k + 1) / 2;
  for (std::int64_t r = 0; r < rows; ++r, in += stride, out += words) {
    if (k % 2) out[words - 1] = 0;
    std::memcpy(out, in, static_cast<std::size_t>(k) * sizeof *in);
  }
}

void interleave_rows(const bf16* in, std::int64_t stride, std::int64_t k, std::int64_t columns,
                     std::int64_t width, std::uint32_t* out) {
  for (std::int64_t i = 0; i < k; i += 2, in += 2 * stride, out += width) {
    for (std::int64_t j = 0; j < width; j += lanes) {
      const __mmask16 mask = first_of<__mmask16>(columns - j);
      const Words pairs = widened(mask, in + j) | widened(i + 1 < k ? mask : __mmask16{0}, in + stride + j)
                                                      << 16;
      std::memcpy(out + j, &pairs, sizeof pairs);
    }
  }
}

void transpose_pairs(const bf16* in, std::int64_t stride, std::int64_t k, std::int64_t columns,
                     std::int64_t width, std::uint32_t* out) {
  for (std::int64_t i = 0; i < k; i += 2 * lanes) {
    const std::int64_t words = std::min<std::int64_t>(lanes, (k - i + 1) / 2);
    const __mmask32 mask = first_of<__mmask32>(k - i);
    for (std::int64_t j = 0; j < width; j += lanes) {
      Vector square[lanes];
#pragma GCC unroll 16
      for (int c = 0; c < lanes; ++c) {
        const __mmask32 present = j + c < columns ? mask : 0;
        square[c] = reinterpret_cast<Vector>(_mm512_maskz_loadu_epi16(present, in + (j + c) * stride + i));
      }
      transpose(square);
      for (std::int64_t w = 0; w < words; ++w)
        std::memcpy(out + (i / 2 + w) * width + j, &square[w], sizeof(Vector));
    }
  }
}

#else

bool pairs_available() { return false; }

#endif

}  // namespace chorale::cpu::gemm

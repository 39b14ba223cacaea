// SPDX-License-Identifier: MIT
// Products of bf16 values with the processor's dot-product instruction (AVX512_BF16): f32 sums of pairs. A
// word holds two neighbours along k, the earlier one in its low half.
#pragma once
#include "kernels/cpu/gemm_tile.h"

namespace chorale::cpu::gemm {

/// Whether the rest of this file is defined: in the module of 512-bit vectors.
constexpr bool pairs_built = lanes == 16;
/// Whether this processor has the instructions too; the functions below may be called only then.
bool pairs_available();

/// A word of bf16 memory.
using Pair = std::uint32_t __attribute__((may_alias));

/// Word (r, k) is at data[r * row + k * step].
struct StridedPairs {
  const Pair* data;
  std::int64_t row, step;
};

/// product_block (gemm_tile.h) on words: c [rows, columns] (+)= a [rows, k pairs] b [k pairs, columns].
void product_block(std::int64_t rows, std::int64_t columns, std::int64_t k, const StridedPairs& a,
                   const std::uint32_t* b, float* c, std::int64_t c_row, bool accumulate,
                   UpcomingList upcoming = {});

/// out <- in, rounded; columns in multiples of 16.
void round_rows(std::int64_t rows, std::int64_t columns, const float* in, std::int64_t in_row, bf16* out,
                std::int64_t out_row);
/// out <- words of (first, second), rounded; columns in multiples of 16.
void round_pairs(std::int64_t rows, std::int64_t columns, const float* first, const float* second,
                 std::int64_t in_row, std::uint32_t* out, std::int64_t out_row);

// Matrices of bf16 as words, `k` values along the sum; the last word of an odd k is half zero.

/// in [rows, k], rows `stride` apart -> out [rows, words].
void copy_pairs(const bf16* in, std::int64_t stride, std::int64_t rows, std::int64_t k, std::uint32_t* out);
/// in [k, columns] -> out [words, width], zero from `columns` on; width in multiples of 16.
void interleave_rows(const bf16* in, std::int64_t stride, std::int64_t k, std::int64_t columns,
                     std::int64_t width, std::uint32_t* out);
/// in [columns, k] -> out [words, width], likewise.
void transpose_pairs(const bf16* in, std::int64_t stride, std::int64_t k, std::int64_t columns,
                     std::int64_t width, std::uint32_t* out);

}  // namespace chorale::cpu::gemm

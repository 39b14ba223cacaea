// SPDX-License-Identifier: MIT
// matmul: c [m, n] = alpha op(a) op(b) + beta c, f32 sums.
#include "kernels/cpu/checks.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/kernels.h"

namespace chorale::cpu {

void matmul(Context& context, ConstView a, ConstView b, View c, bool transpose_a, bool transpose_b,
            float alpha, float beta) {
  require_storage("matmul", a, b, c);
  require(a.rank == 2 && b.rank == 2 && c.rank == 2, "matmul", "a, b and c must be matrices", a, b, c);
  const std::int64_t rows = a.shape[transpose_a ? 1 : 0], k = a.shape[transpose_a ? 0 : 1];
  const std::int64_t columns = b.shape[transpose_b ? 0 : 1];
  require(b.shape[transpose_b ? 1 : 0] == k && c.shape[0] == rows && c.shape[1] == columns, "matmul",
          "sizes do not agree", a, b, c);
  const gemm::Matrix left = transpose_a ? gemm::matrix(a).transposed() : gemm::matrix(a);
  const gemm::Matrix right = transpose_b ? gemm::matrix(b).transposed() : gemm::matrix(b);
  gemm::with_storage(c.dtype, c.data, [&](auto* out) {
    gemm::product(context, rows, columns, k, left, right, gemm::choose_blocks(rows, columns, k),
                  [=](std::int64_t row, std::int64_t column, std::int64_t height, std::int64_t width,
                      const float* block, std::int64_t stride) {
                    for (std::int64_t i = 0; i < height; ++i) {
                      auto* const p = out + (row + i) * columns + column;
                      std::int64_t j = 0;
                      for (; j + gemm::lanes <= width; j += gemm::lanes) {
                        gemm::Vector v = alpha * gemm::load(block + i * stride + j);
                        if (beta != 0.0f) v += beta * gemm::load(p + j);
                        gemm::store(p + j, v);
                      }
                      for (; j < width; ++j) {
                        float v = alpha * block[i * stride + j];
                        if (beta != 0.0f) v += beta * to_float(p[j]);
                        p[j] = from_float<std::remove_reference_t<decltype(*p)>>(v);
                      }
                    }
                  });
  });
}

}  // namespace chorale::cpu

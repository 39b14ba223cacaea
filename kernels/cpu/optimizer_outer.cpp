// SPDX-License-Identifier: MIT
// optimizer_step_outer: the optimizer's update of a weight p [out, in] as the epilogue of its gradient's
// product.
//
//   g = dy^T x    dy [n, out], x [n, in]
//
// g exists only as a few rows in the first- and second-level cache; p, m and v are read and written once, 24
// bytes a weight, where a stored gradient would cost 8 more here and 4 in the norm.
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/optimizer_update.h"

namespace chorale::cpu {

void optimizer_step_outer(Context& context, const StepState* state, OptimizerParams params, ConstView dy,
                          ConstView x, View p, View m, View v, View shadow) {
  require_optimizer_views("optimizer_step_outer", params, p, m, v, shadow);
  require_storage("optimizer_step_outer", dy, x);
  const std::int64_t n = dy.rows(), out = dy.columns(), in = x.columns();
  require(x.rows() == n && p.size() == out * in, "optimizer_step_outer",
          "p must be [out, in] for dy [n, out], x [n, in]", dy, x, p);
  if (state->found_inf) return;
  const UpdateFactors factors(*state, params);
  const UpdateFunction update = update_function(params);
  gemm::Blocks blocks = gemm::choose_blocks(out, in, n);
  if (n <= blocks.k_chunk) {  // runs of 4 KB of p, m and v, and a gradient of 64 KB at a time
    blocks.columns = std::min<std::int64_t>(gemm::round_up(in, gemm::lanes), 1024);
    blocks.row_step =
        std::clamp<std::int64_t>(gemm::round_up(16384 / blocks.columns, gemm::lanes), gemm::lanes, 512);
    blocks.rows = 16 * blocks.row_step;
  }
  const auto apply = [&](std::int64_t first, const float* g, std::int64_t count) {
    float* const values = p.as<float>() + first;
    update(factors, g, values, m.as<float>() + first, v ? v.as<float>() + first : nullptr, count);
    if (shadow) write_shadow(shadow, first, values, count);
  };
  const auto epilogue = [&](std::int64_t row, std::int64_t column, std::int64_t rows, std::int64_t columns,
                            const float* block, std::int64_t stride) {
    if (stride == in) return apply(row * in, block, rows * in);
    for (std::int64_t i = 0; i < rows; ++i) apply((row + i) * in + column, block + i * stride, columns);
  };
  const auto ahead = [&](std::int64_t row, std::int64_t column, std::int64_t rows, std::int64_t columns) {
    const auto region = [&](const View& view) {
      if (!view) return gemm::Upcoming();
      return gemm::Upcoming(view.as<float>() + row * in + column, rows, 4 * columns, 4 * in);
    };
    return gemm::UpcomingList{region(p), region(m), region(v)};
  };
  gemm::product(context, out, in, n, gemm::matrix(dy).transposed(), gemm::matrix(x), blocks, epilogue, ahead);
}

}  // namespace chorale::cpu

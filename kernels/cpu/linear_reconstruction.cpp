// SPDX-License-Identifier: MIT
// linear_reconstruction: the decoder's last layer, its loss and the loss's gradient in one pass.
//
//   y = x w^T + bias, nll[n] = sum over out of -log p(target | y), dy = d nll / d y
//
// y^T is made in pieces of `strip` outputs that stay in the first-level cache, is turned around there, and is
// gone once dy is written. Moved: w, target and dy once. The losses of a strip are summed in f32, strips in
// f64.
#include "kernels/cpu/checks.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/likelihood.h"
#include "kernels/cpu/storage.h"

namespace chorale::cpu {
namespace {

constexpr std::int64_t strip = 8 * gemm::tile_rows;

/// d <- the gradient of `count` losses of y + offset against t; returns their sum.
template <class Model>
float losses_of(const Model model, const float* __restrict y, const float* __restrict offset,
                const float* __restrict t, std::int64_t count, float* __restrict d) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) {
    const float value = y[i] + offset[i];
    sum += model.value(value, t[i]);
    d[i] = model.derivative(value, t[i]);
  }
  return sum;
}

}  // namespace

void linear_reconstruction(Context& context, ConstView x, ConstView w, ConstView bias, ConstView target,
                           LikelihoodParams params, View nll, View dy) {
  require_storage("linear_reconstruction", x, w, target, dy);
  const std::int64_t n = x.rows(), in = w.columns(), out = w.rows();
  require(w.rank == 2 && x.columns() == in, "linear_reconstruction", "w must be [out, in] for x [n, in]", x,
          w);
  require(!bias || (is_storage(bias.dtype) && bias.size() == out), "linear_reconstruction",
          "bias must be [out]", w, bias);
  require(target.size() == n * out && dy.size() == n * out && nll.dtype == DType::f32 && nll.size() == n,
          "linear_reconstruction", "target and dy must be [n, out], nll f32 [n]", target, dy, nll);
  const std::int64_t strips = gemm::divide_up(out, strip);
  const Scratch scratch(context, sizeof(float) * static_cast<std::size_t>(out + strips * n));
  float *const offset = scratch.as<float>(), *const losses = offset + out;
  if (bias) {
    gemm::pack({bias.data, bias.dtype, out, 1}, 0, 0, 1, out, out, offset);
  } else {
    std::fill_n(offset, out, 0.0f);
  }
  gemm::Blocks blocks{};
  blocks.row_step = strip;
  blocks.columns = std::min<std::int64_t>(gemm::round_up(n, gemm::lanes), 64);
  blocks.k_group = std::max<std::int64_t>(in, 1);
  blocks.k_chunk = std::clamp<std::int64_t>(65536 / blocks.columns, 256, 2048);
  blocks.rows = in <= blocks.k_chunk ? 8 * strip : strip;

  const ConstView target_rows(target.data, target.dtype, {n, out}),
      gradient_rows(dy.data, dy.dtype, {n, out});

  with_likelihood(params, [&](auto likelihood) {
    const auto epilogue = [&](std::int64_t row, std::int64_t column, std::int64_t rows, std::int64_t columns,
                              const float* block, std::int64_t stride) {
      alignas(64) float y[gemm::lanes][strip], target_buffer[strip], gradient_buffer[strip];
      for (std::int64_t j = 0; j < columns; j += gemm::lanes) {
        const std::int64_t width = std::min<std::int64_t>(gemm::lanes, columns - j);
        gemm::for_each_transposed(block + j, stride, rows, width,
                                  [&](std::int64_t c, std::int64_t i, std::int64_t count, gemm::Vector v) {
                                    gemm::store_upto(&y[c][i], v, count);
                                  });
        for (std::int64_t c = 0; c < width; ++c) {
          const std::int64_t r = column + j + c, at = r * out + row;
          const float* const t = load(target, at, rows, target_buffer);
          float* const d = cpu::target(dy, at, gradient_buffer);
          losses[row / strip * n + r] = losses_of(likelihood, y[c], offset + row, t, rows, d);
          store(d, dy, at, rows);
        }
      }
    };
    // The rows of target and dy lie far apart, and a strip takes too little of each for the processor to see
    // streams.
    const auto ahead = [&](std::int64_t row, std::int64_t column, std::int64_t rows, std::int64_t columns) {
      return gemm::UpcomingList{
          gemm::upcoming_block(gemm::matrix(target_rows), column, row, columns, rows),
          gemm::upcoming_block(gemm::matrix(gradient_rows), column, row, columns, rows)};
    };
    gemm::product(context, out, n, in, gemm::matrix(w), gemm::matrix(x).transposed(), blocks, epilogue,
                  ahead);
  });
  for (std::int64_t r = 0; r < n; ++r) {
    double sum = 0;
    for (std::int64_t s = 0; s < strips; ++s) sum += static_cast<double>(losses[s * n + r]);
    nll.as<float>()[r] = static_cast<float>(sum);
  }
}

}  // namespace chorale::cpu

// SPDX-License-Identifier: MIT
// outer_square_sum: out += ||dy^T x||^2 for dy [n, a], x [n, b], without storing the product.
//
//   ||dy^T x||^2 = sum over r, s of (dy dy^T)[r, s] (x x^T)[r, s]
//
// Two Gram matrices cost n^2 (a + b) multiplications, the product n a b; the cheaper one is taken. Both read
// dy and x about once. Sums are f32 over 512 elements at most and f64 from there on, because the Gram form
// cancels when the columns of x have a large common mean.
#include <omp.h>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/kernels.h"

namespace chorale::cpu {
namespace {

constexpr std::int64_t piece = 512, pieces_per_task = 16;

/// gram [n, n] = v v^T
void gram_matrix(Context& context, const ConstView& v, double* gram) {
  const std::int64_t n = v.rows(), k = v.columns(), run = piece * pieces_per_task;
  const std::int64_t tasks = gemm::divide_up(k, run), depth = std::min(k, piece);
  const gemm::Matrix m = gemm::matrix(v);
  const bool direct = v.dtype == DType::f32;
  const std::int64_t left = direct ? 0 : n * depth, right = gemm::panels_size(depth, n);
  const std::int64_t slab = gemm::round_up(left + right + n * n, 64);
  const Scratch scratch(context, sizeof(double) * static_cast<std::size_t>(tasks * n * n) +
                                     sizeof(float) * static_cast<std::size_t>(slab * omp_get_max_threads()));
  double* const partials = scratch.as<double>();
  auto* const slabs = reinterpret_cast<float*>(partials + tasks * n * n);
#pragma omp parallel for schedule(dynamic, 1) if (tasks > 1)
  for (std::int64_t task = 0; task < tasks; ++task) {
    float* const a = slabs + slab * omp_get_thread_num();
    float *const b = a + left, *const product = b + right;
    double* const partial = partials + task * n * n;
    std::fill_n(partial, n * n, 0.0);
    std::fill_n(product, n * n, 0.0f);
    for (std::int64_t first = task * run; first < std::min(k, (task + 1) * run); first += piece) {
      const std::int64_t count = std::min(piece, k - first);
      gemm::pack_panels(m.transposed(), first, 0, count, n, b);
      if (!direct) gemm::pack(m, 0, first, n, count, count, a);
      const gemm::Strided rows =
          direct ? gemm::Strided{v.as<float>() + first, k, 1} : gemm::Strided{a, count, 1};
      // Only from the diagonal on: the matrix is symmetric.
      for (std::int64_t r = 0; r < n; r += gemm::tile_columns) {
        gemm::product_block(std::min<std::int64_t>(gemm::tile_columns, n - r), n - r, count, rows.from_row(r),
                            b + r * count, product + r * n + r, n, false);
      }
      for (std::int64_t i = 0; i < n * n; ++i) partial[i] += static_cast<double>(product[i]);
    }
  }
  for (std::int64_t r = 0; r < n; ++r) {
    for (std::int64_t s = r; s < n; ++s) {
      double sum = 0;
      for (std::int64_t task = 0; task < tasks; ++task) sum += partials[(task * n + r) * n + s];
      gram[r * n + s] = gram[s * n + r] = sum;
    }
  }
}

double square_sum_of_grams(Context& context, const ConstView& dy, const ConstView& x) {
  const std::int64_t n = dy.rows();
  const Scratch scratch(context, sizeof(double) * static_cast<std::size_t>(2 * n * n));
  double *const a = scratch.as<double>(), *const b = a + n * n;
  gram_matrix(context, dy, a);
  gram_matrix(context, x, b);
  double total = 0;
  for (std::int64_t i = 0; i < n * n; ++i) total += a[i] * b[i];
  return total;
}

double square_sum_of_product(Context& context, const ConstView& dy, const ConstView& x) {
  const std::int64_t n = dy.rows(), rows = dy.columns(), columns = x.columns();
  // One sum for each row of each column strip.
  gemm::Blocks blocks = gemm::choose_blocks(rows, columns, n);
  blocks.k_group = n;
  const std::int64_t strips = gemm::divide_up(columns, blocks.columns);
  const Scratch scratch(context, sizeof(double) * static_cast<std::size_t>(rows * strips));
  double* const sums = scratch.as<double>();
  gemm::product(context, rows, columns, n, gemm::matrix(dy).transposed(), gemm::matrix(x), blocks,
                [=](std::int64_t row, std::int64_t column, std::int64_t height, std::int64_t width,
                    const float* block, std::int64_t stride) {
                  for (std::int64_t i = 0; i < height; ++i) {
                    float sum = 0;
#pragma omp simd reduction(+ : sum)
                    for (std::int64_t j = 0; j < width; ++j)
                      sum += block[i * stride + j] * block[i * stride + j];
                    sums[(row + i) * strips + column / blocks.columns] = static_cast<double>(sum);
                  }
                });
  double total = 0;
  for (std::int64_t i = 0; i < rows * strips; ++i) total += sums[i];
  return total;
}

}  // namespace

void outer_square_sum(Context& context, ConstView dy, ConstView x, View out) {
  require_storage("outer_square_sum", dy, x);
  require(dy.rows() == x.rows(), "outer_square_sum", "dy and x must have the same rows", dy, x);
  require(out.data && out.dtype == DType::f64 && out.size() == 1, "outer_square_sum", "out must be one f64",
          out);
  const std::int64_t n = dy.rows(), a = dy.columns(), b = x.columns();
  if (n == 0) return;
  *out.as<double>() +=
      a * b < n * (a + b) ? square_sum_of_product(context, dy, x) : square_sum_of_grams(context, dy, x);
}

}  // namespace chorale::cpu

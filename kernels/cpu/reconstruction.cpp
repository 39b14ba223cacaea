// SPDX-License-Identifier: MIT
// Negative log-likelihood of the input under the decoder's output, per row, and its gradient.
//
//   nll[r] = sum over d of  -log p(target[r, d] | y[r, d])         kinds in kernels/params.h, in nats
//   dy[r, d] = dnll[r] d nll / d y
//
// Layout: rows of d values. f32 per chunk of 1,024 elements, chunks added in f64 in order. A row is cut into
// blocks of fixed size, so long rows (165,376 bins) are shared by threads and the sum does not depend on
// them. Bytes moved: forward y + target; backward y + target + dy.
#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/likelihood.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/storage.h"
#include "kernels/cpu/vector_math.h"

namespace chorale::cpu {
namespace {

void check(const char* kernel, const ConstView& y, const ConstView& target, const LikelihoodParams& params) {
  require_storage(kernel, y, target);
  require(y.rows() == target.rows() && y.columns() == target.columns(), kernel,
          "y and target must have one shape", y, target);
  require(
      params.kind == Likelihood::squared_error || params.kind == Likelihood::bernoulli || params.scale > 0.0f,
      kernel, "scale must be positive", y);
}

}  // namespace

void reconstruction_forward(Context& context, ConstView y, ConstView target, LikelihoodParams params,
                            View nll) {
  const char* kernel = "reconstruction_forward";
  check(kernel, y, target, params);
  const std::int64_t rows = y.rows(), columns = y.columns(), blocks = block_count(columns, block_size);
  require(nll.dtype == DType::f32 && nll.size() == rows && present(nll), kernel,
          "nll must be f32, one per row", y, nll);
  if (rows == 0) return;
  const Scratch scratch(context,
                        static_cast<std::size_t>(std::max<std::int64_t>(1, rows * blocks)) * sizeof(double));
  auto* partial = scratch.as<double>();
  with_likelihood(params, [&](auto likelihood) {
    parallel_tasks(rows * blocks, rows * columns, [&](std::int64_t task) {
      const std::int64_t row = task / blocks, begin = task % blocks * block_size;
      const std::int64_t end = std::min(columns, begin + block_size);
      double sum = 0;
      for (std::int64_t c = begin; c < end; c += chunk) {
        const std::int64_t count = std::min(chunk, end - c);
        alignas(64) float y_buffer[chunk], target_buffer[chunk];
        const float* ys = load(y, row * columns + c, count, y_buffer);
        const float* xs = load(target, row * columns + c, count, target_buffer);
        float part = 0;
#pragma omp simd reduction(+ : part)
        for (std::int64_t i = 0; i < count; ++i) part += likelihood.value(ys[i], xs[i]);
        sum += static_cast<double>(part);
      }
      partial[task] = sum;
    });
  });
  for (std::int64_t row = 0; row < rows; ++row) {
    double sum = 0;
    for (std::int64_t block = 0; block < blocks; ++block) sum += partial[row * blocks + block];
    nll.as<float>()[row] = static_cast<float>(sum);
  }
}

void reconstruction_backward(Context&, ConstView dnll, ConstView y, ConstView target, LikelihoodParams params,
                             View dy) {
  const char* kernel = "reconstruction_backward";
  check(kernel, y, target, params);
  require_storage(kernel, dy);
  const std::int64_t rows = y.rows(), columns = y.columns(), blocks = block_count(columns, block_size);
  require(dnll.dtype == DType::f32 && dnll.size() == rows && present(dnll), kernel,
          "dnll must be f32, one per row", y, dnll);
  require(dy.size() == y.size(), kernel, "dy must have y's shape", y, dy);
  with_likelihood(params, [&](auto likelihood) {
    parallel_tasks(rows * blocks, rows * columns, [&](std::int64_t task) {
      const std::int64_t row = task / blocks, begin = task % blocks * block_size;
      const std::int64_t end = std::min(columns, begin + block_size);
      const float factor = dnll.as<float>()[row];
      const auto local = likelihood;  // its constants stay in registers
      for (std::int64_t c = begin; c < end; c += chunk) {
        const std::int64_t count = std::min(chunk, end - c), offset = row * columns + c;
        alignas(64) float y_buffer[chunk], target_buffer[chunk], dy_buffer[chunk];
        const float* ys = load(y, offset, count, y_buffer);
        const float* xs = load(target, offset, count, target_buffer);
        float* dys = cpu::target(dy, offset, dy_buffer);
#pragma omp simd
        for (std::int64_t i = 0; i < count; ++i) dys[i] = factor * local.derivative(ys[i], xs[i]);
        store(dys, dy, offset, count);
      }
    });
  });
}

}  // namespace chorale::cpu

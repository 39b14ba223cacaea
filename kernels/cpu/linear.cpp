// SPDX-License-Identifier: MIT
// Matrix products by plain loops in f32.
//
//   matmul                 c = alpha op(a) op(b) + beta c
//   linear_forward         y = activation(x w^T + bias)
//   linear_backward_input  dx = dy w
//   linear_backward_weight dw = beta dw + dy^T x, dbias = beta dbias + sum_n dy
//   outer_square_sum       out += ||dy^T x||^2 = sum over rows r, s of (dy dy^T)[r, s] (x x^T)[r, s]
//   linear_reconstruction  linear_forward, reconstruction_forward and reconstruction_backward with dnll = 1
#include <vector>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/likelihood.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/storage.h"
#include "kernels/functors.h"

namespace chorale::cpu {
namespace {

std::vector<float> values(const ConstView& v) {
  std::vector<float> out(static_cast<std::size_t>(v.size()));
  for (std::int64_t i = 0; i < v.size(); ++i) out[static_cast<std::size_t>(i)] = load_one(v, i);
  return out;
}

std::vector<float> transposed(const std::vector<float>& a, std::int64_t rows, std::int64_t columns) {
  std::vector<float> out(a.size());
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j)
      out[static_cast<std::size_t>(j * rows + i)] = a[static_cast<std::size_t>(i * columns + j)];
  return out;
}

/// a [m, k] b [k, n]
std::vector<float> product(const std::vector<float>& a, const std::vector<float>& b, std::int64_t m,
                           std::int64_t n, std::int64_t k) {
  std::vector<float> c(static_cast<std::size_t>(m * n));
  parallel_tasks(m, m * n * k, [&](std::int64_t i) {
    float* row = c.data() + i * n;
    for (std::int64_t p = 0; p < k; ++p) {
      const float factor = a[static_cast<std::size_t>(i * k + p)];
      const float* other = b.data() + p * n;
#pragma omp simd
      for (std::int64_t j = 0; j < n; ++j) row[j] += factor * other[j];
    }
  });
  return c;
}

float activate(Activation activation, float x) {
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::relu:
      return functor::relu::f(x, 0, 0);
    case Activation::leaky_relu:
      return functor::leaky_relu::f(x, 0.2f, 0);
    case Activation::tanh:
      return functor::tanh::f(x, 0, 0);
    case Activation::gelu:
      return functor::gelu::f(x, 0, 0);
  }
  return x;
}

std::vector<float> affine(const char* kernel, const ConstView& x, const ConstView& w, const ConstView& bias) {
  require_storage(kernel, x, w);
  require(w.rank == 2 && x.columns() == w.shape[1], kernel, "w must be [out, in] for x [n, in]", x, w);
  require(!bias || (is_storage(bias.dtype) && bias.size() == w.shape[0]), kernel, "bias must be [out]", w,
          bias);
  const std::int64_t n = x.rows(), in = w.shape[1], out = w.shape[0];
  std::vector<float> y = product(values(x), transposed(values(w), out, in), n, out, in);
  if (bias)
    for (std::int64_t i = 0; i < n * out; ++i) y[static_cast<std::size_t>(i)] += load_one(bias, i % out);
  return y;
}

}  // namespace

void matmul(Context&, ConstView a, ConstView b, View c, bool transpose_a, bool transpose_b, float alpha,
            float beta) {
  require_storage("matmul", a, b, c);
  require(a.rank == 2 && b.rank == 2 && c.rank == 2, "matmul", "a, b and c must be matrices", a, b, c);
  const std::int64_t m = a.shape[transpose_a ? 1 : 0], k = a.shape[transpose_a ? 0 : 1];
  const std::int64_t n = b.shape[transpose_b ? 0 : 1];
  require(b.shape[transpose_b ? 1 : 0] == k && c.shape[0] == m && c.shape[1] == n, "matmul",
          "sizes do not agree", a, b, c);
  std::vector<float> left = values(a), right = values(b);
  if (transpose_a) left = transposed(left, k, m);
  if (transpose_b) right = transposed(right, n, k);
  const std::vector<float> result = product(left, right, m, n, k);
  for (std::int64_t i = 0; i < m * n; ++i) {
    const float value = alpha * result[static_cast<std::size_t>(i)];
    store_one(c, i, beta == 0.0f ? value : value + beta * load_one(c, i));
  }
}

void linear_forward(Context&, ConstView x, ConstView w, ConstView bias, Activation activation, View y) {
  const std::vector<float> result = affine("linear_forward", x, w, bias);
  require_storage("linear_forward", y);
  require(y.size() == static_cast<std::int64_t>(result.size()), "linear_forward", "y must be [n, out]", x, w,
          y);
  for (std::int64_t i = 0; i < y.size(); ++i)
    store_one(y, i, activate(activation, result[static_cast<std::size_t>(i)]));
}

void linear_backward_input(Context&, ConstView dy, ConstView w, View dx) {
  require_storage("linear_backward_input", dy, w, dx);
  require(w.rank == 2 && dy.columns() == w.shape[0] && dx.columns() == w.shape[1] && dx.rows() == dy.rows(),
          "linear_backward_input", "sizes do not agree", dy, w, dx);
  const std::vector<float> result = product(values(dy), values(w), dy.rows(), w.shape[1], w.shape[0]);
  for (std::int64_t i = 0; i < dx.size(); ++i) store_one(dx, i, result[static_cast<std::size_t>(i)]);
}

void linear_backward_weight(Context&, ConstView dy, ConstView x, View dw, View dbias, float beta) {
  require_storage("linear_backward_weight", dy, x);
  const std::int64_t n = dy.rows(), out = dy.columns(), in = x.columns();
  require(x.rows() == n, "linear_backward_weight", "dy and x must have the same rows", dy, x);
  const std::vector<float> gradient = transposed(values(dy), n, out);
  const auto blend = [beta](const View& v, std::int64_t i, float value) {
    store_one(v, i, beta == 0.0f ? value : value + beta * load_one(v, i));
  };
  if (dw) {
    require(is_storage(dw.dtype) && dw.size() == out * in, "linear_backward_weight", "dw must be [out, in]",
            dw);
    const std::vector<float> result = product(gradient, values(x), out, in, n);
    for (std::int64_t i = 0; i < out * in; ++i) blend(dw, i, result[static_cast<std::size_t>(i)]);
  }
  if (dbias) {
    require(is_storage(dbias.dtype) && dbias.size() == out, "linear_backward_weight", "dbias must be [out]",
            dbias);
    for (std::int64_t o = 0; o < out; ++o) {
      double sum = 0;
      for (std::int64_t r = 0; r < n; ++r)
        sum += static_cast<double>(gradient[static_cast<std::size_t>(o * n + r)]);
      blend(dbias, o, static_cast<float>(sum));
    }
  }
}

void outer_square_sum(Context&, ConstView dy, ConstView x, View out) {
  require_storage("outer_square_sum", dy, x);
  require(dy.rows() == x.rows(), "outer_square_sum", "dy and x must have the same rows", dy, x);
  require(out.data && out.dtype == DType::f64 && out.size() == 1, "outer_square_sum", "out must be one f64",
          out);
  const std::int64_t n = dy.rows();
  const auto gram = [n](const ConstView& v) {
    const std::vector<float> a = values(v);
    const std::int64_t columns = v.columns();
    std::vector<double> g(static_cast<std::size_t>(n * n));
    parallel_tasks(n * n, n * n * columns, [&](std::int64_t task) {
      const float *left = a.data() + task / n * columns, *right = a.data() + task % n * columns;
      double sum = 0;
      for (std::int64_t c = 0; c < columns; ++c)
        sum += static_cast<double>(left[c]) * static_cast<double>(right[c]);
      g[static_cast<std::size_t>(task)] = sum;
    });
    return g;
  };
  const std::vector<double> a = gram(dy), b = gram(x);
  double total = 0;
  for (std::size_t i = 0; i < a.size(); ++i) total += a[i] * b[i];
  *out.as<double>() += total;
}

void linear_reconstruction(Context&, ConstView x, ConstView w, ConstView bias, ConstView target,
                           LikelihoodParams params, View nll, View dy) {
  const std::vector<float> y = affine("linear_reconstruction", x, w, bias);
  const std::int64_t n = x.rows(), out = w.shape[0];
  require_storage("linear_reconstruction", target, dy);
  require(target.size() == n * out && dy.size() == n * out && nll.dtype == DType::f32 && nll.size() == n,
          "linear_reconstruction", "target and dy must be [n, out], nll f32 [n]", target, dy, nll);
  with_likelihood(params, [&](auto likelihood) {
    parallel_tasks(n, n * out, [&](std::int64_t row) {
      double sum = 0;
      for (std::int64_t c = 0; c < out; ++c) {
        const std::int64_t i = row * out + c;
        const float value = y[static_cast<std::size_t>(i)], wanted = load_one(target, i);
        sum += static_cast<double>(likelihood.value(value, wanted));
        store_one(dy, i, likelihood.derivative(value, wanted));
      }
      nll.as<float>()[row] = static_cast<float>(sum);
    });
  });
}

}  // namespace chorale::cpu

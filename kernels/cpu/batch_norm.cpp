// SPDX-License-Identifier: MIT
// Batch normalisation over the rows of x [n, c] (n is the product of all leading dimensions), with the
// activation that follows it.
//
//   mean = sum x / n     variance = sum (x - mean)^2 / n     rstd = 1 / sqrt(variance + epsilon)
//   xhat = (x - mean) rstd                 y = activation(gamma xhat + beta)
//   running = (1 - momentum) running + momentum batch, with the variance over n - 1 (over n for one row)
//   g = dy activation'(gamma xhat + beta)   dbeta = sum g   dgamma = sum g xhat
//   dx = gamma rstd (g - dbeta / n - xhat dgamma / n)
//
// Column sums are f32 for 64 rows, then f64 (kernels/cpu/columns.h). Bytes moved: forward 3 x + y, backward
// 2 (dy + x) + dx; small batches stay in the cache.
#include <cmath>
#include <type_traits>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/columns.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/vector_math.h"
#include "kernels/functors.h"

namespace chorale::cpu {
namespace {

struct Identity {
  static float f(float x, float, float) { return x; }
  static float df(float, float, float, float) { return 1.0f; }
};

template <class Body>
void with_activation(Activation activation, const Body& body) {
  switch (activation) {
    case Activation::none:
      return body(Identity{});
    case Activation::relu:
      return body(functor::relu{});
    case Activation::leaky_relu:
      return body(functor::leaky_relu{});
    case Activation::tanh:
      return body(functor::tanh{});
    case Activation::gelu:
      return body(functor::gelu{});
  }
}

/// Per-column f32 values in scratch memory.
struct Columns {
  Columns(Context& context, std::int64_t columns, int arrays)
      : columns_(columns), scratch_(context, static_cast<std::size_t>(columns * arrays) * sizeof(float)) {}
  float* operator[](int array) const { return scratch_.as<float>() + array * columns_; }
  /// Copies a per-column argument, converted to f32.
  const float* fill(int array, const ConstView& v) const {
    float* to = (*this)[array];
    for (std::int64_t c = 0; c < columns_; c += chunk) {
      const std::int64_t count = std::min(chunk, columns_ - c);
      const float* values = load(v, c, count, to + c);
      if (values != to + c) std::copy_n(values, count, to + c);
    }
    return to;
  }

 private:
  std::int64_t columns_;
  Scratch scratch_;
};

void check_columns(const char* kernel, const ConstView& x, const ConstView& v) {
  require_storage(kernel, v);
  require(v.size() == x.columns(), kernel, "a per-column view must have one value per column", x, v);
}

void check_f32_columns(const char* kernel, const ConstView& x, const ConstView& v) {
  require(v.dtype == DType::f32, kernel, "statistics and their gradients must be f32", x, v);
  check_columns(kernel, x, v);
}

/// y = activation(gamma (x - mean) rstd + beta)
void normalise(Context& context, const ConstView& x, const ConstView& gamma, const ConstView& beta,
               const float* mean, const float* rstd, Activation activation, float slope, const View& y) {
  const std::int64_t columns = x.columns();
  const Columns values(context, columns, 2);
  float* scale = values[0];
  values.fill(0, gamma);
  for (std::int64_t c = 0; c < columns; ++c) scale[c] *= rstd[c];
  const float* shift = values.fill(1, beta);
  with_activation(activation, [&]<class F>(F) {
    for_pieces(x.rows(), columns,
               [&](std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t count) {
                 alignas(64) float x_buffer[chunk], y_buffer[chunk];
                 const std::int64_t offset = row * columns + column;
                 const float* xs = load(x, offset, rows * count, x_buffer);
                 float* ys = target(y, offset, y_buffer);
                 const float *m = mean + column, *s = scale + column, *b = shift + column;
                 for (std::int64_t r = 0; r < rows; ++r)
#pragma omp simd
                   for (std::int64_t i = 0; i < count; ++i)
                     ys[r * count + i] = F::f((xs[r * count + i] - m[i]) * s[i] + b[i], slope, 0.0f);
                 store(ys, y, offset, rows * count);
               });
  });
}

}  // namespace

void batch_norm_forward(Context& context, ConstView x, ConstView gamma, ConstView beta, View running_mean,
                        View running_variance, float momentum, float epsilon, Activation activation,
                        float slope, ChannelDropout, const StepState*, View y, View mean, View rstd) {
  const char* kernel = "batch_norm_forward";
  require_storage(kernel, x, y);
  require(x.rank >= 2 && same_shape(x, y), kernel, "x and y must have one shape of rank 2 or more", x, y);
  for (const ConstView& v : {gamma, beta}) check_columns(kernel, x, v);
  for (const View& v : {running_mean, running_variance, mean, rstd}) check_f32_columns(kernel, x, v);
  const std::int64_t n = x.rows(), columns = x.columns();
  require(n > 0, kernel, "x must have rows", x);
  if (columns == 0) return;

  float *means = mean.as<float>(), *rstds = rstd.as<float>();
  const Scratch scratch(context, static_cast<std::size_t>(columns) * sizeof(double));
  auto* sums = scratch.as<double>();
  column_sums<1>(context, 1, n, columns, sums,
                 [&](std::int64_t, std::int64_t row, std::int64_t rows, std::int64_t column,
                     std::int64_t count, float(*acc)[chunk]) {
                   alignas(64) float buffer[chunk];
                   const float* xs = load(x, row * columns + column, rows * count, buffer);
                   for (std::int64_t r = 0; r < rows; ++r)
#pragma omp simd
                     for (std::int64_t i = 0; i < count; ++i) acc[0][i] += xs[r * count + i];
                 });
  for (std::int64_t c = 0; c < columns; ++c) means[c] = static_cast<float>(sums[c] / static_cast<double>(n));
  column_sums<1>(context, 1, n, columns, sums,
                 [&](std::int64_t, std::int64_t row, std::int64_t rows, std::int64_t column,
                     std::int64_t count, float(*acc)[chunk]) {
                   alignas(64) float buffer[chunk];
                   const float* xs = load(x, row * columns + column, rows * count, buffer);
                   const float* m = means + column;
                   for (std::int64_t r = 0; r < rows; ++r)
#pragma omp simd
                     for (std::int64_t i = 0; i < count; ++i) {
                       const float d = xs[r * count + i] - m[i];
                       acc[0][i] += d * d;
                     }
                 });
  const double keep = 1.0 - static_cast<double>(momentum), take = static_cast<double>(momentum);
  float *running_means = running_mean.as<float>(), *running_variances = running_variance.as<float>();
  for (std::int64_t c = 0; c < columns; ++c) {
    const double variance = sums[c] / static_cast<double>(n);
    const double unbiased = sums[c] / static_cast<double>(std::max<std::int64_t>(1, n - 1));
    rstds[c] = static_cast<float>(1.0 / std::sqrt(variance + static_cast<double>(epsilon)));
    running_means[c] = static_cast<float>(keep * running_means[c] + take * means[c]);
    running_variances[c] = static_cast<float>(keep * running_variances[c] + take * unbiased);
  }
  normalise(context, x, gamma, beta, means, rstds, activation, slope, y);
}

void batch_norm_inference(Context& context, ConstView x, ConstView gamma, ConstView beta,
                          ConstView running_mean, ConstView running_variance, float epsilon,
                          Activation activation, float slope, View y) {
  const char* kernel = "batch_norm_inference";
  require_storage(kernel, x, y);
  require(x.rank >= 2 && same_shape(x, y), kernel, "x and y must have one shape of rank 2 or more", x, y);
  for (const ConstView& v : {gamma, beta}) check_columns(kernel, x, v);
  for (const ConstView& v : {running_mean, running_variance}) check_f32_columns(kernel, x, v);
  const std::int64_t columns = x.columns();
  const Columns values(context, columns, 1);
  for (std::int64_t c = 0; c < columns; ++c)
    values[0][c] = static_cast<float>(
        1.0 / std::sqrt(static_cast<double>(running_variance.as<float>()[c]) + static_cast<double>(epsilon)));
  normalise(context, x, gamma, beta, running_mean.as<float>(), values[0], activation, slope, y);
}

void batch_norm_backward(Context& context, ConstView dy, ConstView x, ConstView gamma, ConstView beta,
                         ConstView mean, ConstView rstd, Activation activation, float slope, ChannelDropout, const StepState*, View dx,
                         View dgamma, View dbeta) {
  const char* kernel = "batch_norm_backward";
  require_storage(kernel, dy, x, dx);
  require(x.rank >= 2 && same_shape(x, dy) && same_shape(x, dx), kernel,
          "dy, x and dx must have one shape of rank 2 or more", dy, x, dx);
  for (const ConstView& v : {gamma, beta}) check_columns(kernel, x, v);
  for (const ConstView& v : {mean, rstd, ConstView(dgamma), ConstView(dbeta)})
    check_f32_columns(kernel, x, v);
  require(activation == Activation::none || activation == Activation::relu ||
              activation == Activation::leaky_relu,
          kernel, "activation must be none, relu or leaky_relu", x);
  const std::int64_t n = x.rows(), columns = x.columns();
  if (columns == 0) return;
  const Columns values(context, columns, 5);
  const float *gammas = values.fill(0, gamma), *betas = values.fill(1, beta);
  const float *means = mean.as<float>(), *rstds = rstd.as<float>();
  const Scratch scratch(context, static_cast<std::size_t>(2 * columns) * sizeof(double));
  auto* sums = scratch.as<double>();

  with_activation(activation, [&]<class F>(F) {
    const auto through = [slope](float g, float pre) { return g * F::df(pre, 0.0f, slope, 0.0f); };
    column_sums<2>(context, 1, n, columns, sums,
                   [&](std::int64_t, std::int64_t row, std::int64_t rows, std::int64_t column,
                       std::int64_t count, float(*acc)[chunk]) {
                     alignas(64) float dy_buffer[chunk], x_buffer[chunk];
                     const float* dys = load(dy, row * columns + column, rows * count, dy_buffer);
                     const float* xs = load(x, row * columns + column, rows * count, x_buffer);
                     const float *m = means + column, *s = rstds + column, *a = gammas + column,
                                 *b = betas + column;
                     for (std::int64_t r = 0; r < rows; ++r)
#pragma omp simd
                       for (std::int64_t i = 0; i < count; ++i) {
                         const float xhat = (xs[r * count + i] - m[i]) * s[i];
                         const float g = through(dys[r * count + i], a[i] * xhat + b[i]);
                         acc[0][i] += g;
                         acc[1][i] += g * xhat;
                       }
                   });
    float *mean_g = values[2], *mean_gx = values[3], *scale = values[4];
    for (std::int64_t c = 0; c < columns; ++c) {
      dbeta.as<float>()[c] = static_cast<float>(sums[c]);
      dgamma.as<float>()[c] = static_cast<float>(sums[columns + c]);
      mean_g[c] = static_cast<float>(sums[c] / static_cast<double>(std::max<std::int64_t>(1, n)));
      mean_gx[c] = static_cast<float>(sums[columns + c] / static_cast<double>(std::max<std::int64_t>(1, n)));
      scale[c] = gammas[c] * rstds[c];
    }
    for_pieces(n, columns, [&](std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t count) {
      alignas(64) float dy_buffer[chunk], x_buffer[chunk], dx_buffer[chunk];
      const std::int64_t offset = row * columns + column;
      const float* dys = load(dy, offset, rows * count, dy_buffer);
      const float* xs = load(x, offset, rows * count, x_buffer);
      float* dxs = target(dx, offset, dx_buffer);
      const float *m = means + column, *s = rstds + column, *a = gammas + column, *b = betas + column;
      const float *mg = mean_g + column, *mgx = mean_gx + column, *w = scale + column;
      for (std::int64_t r = 0; r < rows; ++r)
#pragma omp simd
        for (std::int64_t i = 0; i < count; ++i) {
          const float xhat = (xs[r * count + i] - m[i]) * s[i];
          const float g = through(dys[r * count + i], a[i] * xhat + b[i]);
          dxs[r * count + i] = w[i] * (g - mg[i] - xhat * mgx[i]);
        }
      store(dxs, dx, offset, rows * count);
    });
  });
}

}  // namespace chorale::cpu

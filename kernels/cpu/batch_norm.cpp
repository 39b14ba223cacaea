// SPDX-License-Identifier: MIT
// Batch normalisation over the rows of x [n, c] (n is the product of all leading dimensions), with the
// activation and the dropout of channels that follow it.
//
//   mean = sum x / n     variance = sum (x - mean)^2 / n     rstd = 1 / sqrt(variance + epsilon)
//   xhat = (x - mean) rstd                 y = dropout(activation(gamma xhat + beta))
//   running = (1 - momentum) running + momentum batch, with the variance over n - 1 (over n for one row)
//   g = dropout(dy) activation'(gamma xhat + beta)     dbeta = sum g     dgamma = sum g xhat
//   dx = gamma rstd (g - dbeta / n - xhat dgamma / n)
//
// Column sums are f32 for 64 lines, then f64 (kernels/cpu/lines.h). Masks are drawn in each pass, never
// stored. Bytes moved: forward 2 x + y, backward 2 (dy + x) + dx; small batches stay in the cache.
#include <cmath>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/normalise.h"

namespace chorale::cpu {

void batch_norm_forward(Context& context, ConstView x, ConstView gamma, ConstView beta, View running_mean,
                        View running_variance, float momentum, float epsilon, Activation activation,
                        float slope, ChannelDropout dropout, const StepState* state, View y, View mean,
                        View rstd) {
  const char* kernel = "batch_norm_forward";
  check_normalisation(kernel, x, {y}, {gamma, beta, running_mean, running_variance, mean, rstd});
  check_dropout(kernel, x, dropout, state);
  const std::int64_t n = x.rows(), columns = x.columns();
  require(n > 0, kernel, "x must have rows", x);
  if (columns == 0) return;
  const Scratch scratch(context, static_cast<std::size_t>(2 * columns) * sizeof(double));
  auto* moments = scratch.as<double>();
  column_moments(context, x, Lines(1, n, columns), moments);

  const double keep = 1.0 - static_cast<double>(momentum), take = static_cast<double>(momentum);
  float *running_means = running_mean.as<float>(), *running_variances = running_variance.as<float>();
  for (std::int64_t c = 0; c < columns; ++c) {
    const double squares = moments[columns + c], variance = squares / static_cast<double>(n);
    const double unbiased = squares / static_cast<double>(std::max<std::int64_t>(1, n - 1));
    mean.as<float>()[c] = static_cast<float>(moments[c]);
    rstd.as<float>()[c] = static_cast<float>(1.0 / std::sqrt(variance + static_cast<double>(epsilon)));
    running_means[c] = static_cast<float>(keep * static_cast<double>(running_means[c]) + take * moments[c]);
    running_variances[c] =
        static_cast<float>(keep * static_cast<double>(running_variances[c]) + take * unbiased);
  }
  const Normalisation norm{gamma.as<float>(),
                           beta.as<float>(),
                           mean.as<float>(),
                           rstd.as<float>(),
                           0,
                           1,
                           activation,
                           slope,
                           dropout,
                           state};
  normalise_forward(x, dropout_lines(x, dropout), norm, y);
}

void batch_norm_inference(Context& context, ConstView x, ConstView gamma, ConstView beta,
                          ConstView running_mean, ConstView running_variance, float epsilon,
                          Activation activation, float slope, View y) {
  const char* kernel = "batch_norm_inference";
  check_normalisation(kernel, x, {y}, {gamma, beta, running_mean, running_variance});
  const std::int64_t columns = x.columns();
  const Scratch scratch(context, static_cast<std::size_t>(columns) * sizeof(float));
  auto* rstd = scratch.as<float>();
  for (std::int64_t c = 0; c < columns; ++c)
    rstd[c] = static_cast<float>(
        1.0 / std::sqrt(static_cast<double>(running_variance.as<float>()[c]) + static_cast<double>(epsilon)));
  const Normalisation norm{
      gamma.as<float>(), beta.as<float>(), running_mean.as<float>(), rstd, 0, 1, activation, slope};
  normalise_forward(x, Lines(1, x.rows(), columns), norm, y);
}

void batch_norm_backward(Context& context, ConstView dy, ConstView x, ConstView gamma, ConstView beta,
                         ConstView mean, ConstView rstd, Activation activation, float slope,
                         ChannelDropout dropout, const StepState* state, View dx, View dgamma, View dbeta) {
  const char* kernel = "batch_norm_backward";
  check_normalisation(kernel, x, {dy, dx}, {gamma, beta, mean, rstd, dgamma, dbeta});
  check_dropout(kernel, x, dropout, state);
  check_gradient(kernel, x, activation);
  const std::int64_t columns = x.columns();
  if (columns == 0) return;
  const Normalisation norm{gamma.as<float>(),
                           beta.as<float>(),
                           mean.as<float>(),
                           rstd.as<float>(),
                           0,
                           1,
                           activation,
                           slope,
                           dropout,
                           state};
  const Lines lines = dropout_lines(x, dropout);
  const Scratch scratch(context, static_cast<std::size_t>(lines.groups * 2 * columns) * sizeof(double));
  const Scratch means(context, static_cast<std::size_t>(2 * columns) * sizeof(float));
  const auto* sums = scratch.as<double>();
  float *mean_g = means.as<float>(), *mean_gx = mean_g + columns;
  normalise_gradient_sums(context, dy, x, lines, norm, scratch.as<double>());
  const double n = static_cast<double>(std::max<std::int64_t>(1, x.rows()));
  for (std::int64_t c = 0; c < columns; ++c) {
    double g = 0, gx = 0;
    for (std::int64_t group = 0; group < lines.groups; ++group) {
      g += sums[2 * group * columns + c];
      gx += sums[(2 * group + 1) * columns + c];
    }
    dbeta.as<float>()[c] = static_cast<float>(g);
    dgamma.as<float>()[c] = static_cast<float>(gx);
    const double factor = static_cast<double>(gamma.as<float>()[c]) / n;
    mean_g[c] = static_cast<float>(factor * g);
    mean_gx[c] = static_cast<float>(factor * gx);
  }
  normalise_backward(dy, x, lines, norm, mean_g, mean_gx, dx);
}

}  // namespace chorale::cpu

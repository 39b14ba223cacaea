// SPDX-License-Identifier: MIT
// Group normalisation (Wu and He, ECCV 2018) of x [n, ..., c], with the activation that follows it: as batch
// normalisation, but mean and variance are those of one sample over the pixels and the c / groups channels of
// a group.
//
//   xhat = (x - mean) rstd     y = activation(gamma xhat + beta)     g = dy activation'(gamma xhat + beta)
//   dbeta = sum g, dgamma = sum g xhat over samples and pixels
//   dx = rstd (gamma g - mean of gamma g - xhat mean of gamma g xhat), means over the sample's group
//
// Moments and sums are made for each (sample, channel) (kernels/cpu/lines.h) and joined over channels in f64.
// Bytes moved: forward 2 x + y, backward 2 (dy + x) + dx.
#include <cmath>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/normalise.h"

namespace chorale::cpu {
namespace {

/// Samples as matrices [pixels, c].
Lines samples_of(const ConstView& x) {
  const std::int64_t n = x.shape[0];
  return Lines(n, n ? x.rows() / n : 0, x.columns());
}

void check(const char* kernel, const ConstView& x, std::int64_t groups, const ConstView& mean,
           const ConstView& rstd) {
  require(groups > 0 && x.columns() % groups == 0, kernel, "groups must divide the channels", x);
  for (const ConstView& v : {mean, rstd})
    require(v.dtype == DType::f32 && v.size() == x.shape[0] * groups && present(v), kernel,
            "mean and rstd must be f32 [n, groups]", x, v);
}

}  // namespace

void group_norm_forward(Context& context, ConstView x, ConstView gamma, ConstView beta, std::int64_t groups,
                        float epsilon, Activation activation, float slope, View y, View mean, View rstd) {
  const char* kernel = "group_norm_forward";
  check_normalisation(kernel, x, {y}, {gamma, beta});
  check(kernel, x, groups, mean, rstd);
  if (x.size() == 0) return;
  const Lines lines = samples_of(x);
  const std::int64_t columns = x.columns(), width = columns / groups;
  const Scratch scratch(context, static_cast<std::size_t>(lines.groups * 2 * columns) * sizeof(double));
  column_moments(context, x, lines, scratch.as<double>());
  const double pixels = static_cast<double>(lines.rows), channels = static_cast<double>(width);
  for (std::int64_t at = 0; at < lines.groups * groups; ++at) {
    const double* means = scratch.as<double>() + at / groups * 2 * columns + at % groups * width;
    const double* squares = means + columns;
    double centre = 0, total = 0;
    for (std::int64_t c = 0; c < width; ++c) centre += means[c] / channels;
    for (std::int64_t c = 0; c < width; ++c)
      total += squares[c] + pixels * (means[c] - centre) * (means[c] - centre);
    mean.as<float>()[at] = static_cast<float>(centre);
    rstd.as<float>()[at] =
        static_cast<float>(1.0 / std::sqrt(total / (pixels * channels) + static_cast<double>(epsilon)));
  }
  const Normalisation norm{gamma.as<float>(),
                           beta.as<float>(),
                           mean.as<float>(),
                           rstd.as<float>(),
                           groups,
                           width,
                           activation,
                           slope};
  normalise_forward(x, lines, norm, y);
}

void group_norm_backward(Context& context, ConstView dy, ConstView x, ConstView gamma, ConstView beta,
                         ConstView mean, ConstView rstd, std::int64_t groups, Activation activation,
                         float slope, View dx, View dgamma, View dbeta) {
  const char* kernel = "group_norm_backward";
  check_normalisation(kernel, x, {dy, dx}, {gamma, beta, dgamma, dbeta});
  check(kernel, x, groups, mean, rstd);
  check_gradient(kernel, x, activation);
  const Lines lines = samples_of(x);
  const std::int64_t columns = x.columns(), width = columns / groups, statistics = lines.groups * groups;
  const Normalisation norm{gamma.as<float>(),
                           beta.as<float>(),
                           mean.as<float>(),
                           rstd.as<float>(),
                           groups,
                           width,
                           activation,
                           slope};
  const Scratch scratch(context, static_cast<std::size_t>(lines.groups * 2 * columns) * sizeof(double));
  const Scratch means(context, static_cast<std::size_t>(2 * statistics) * sizeof(float));
  const auto* sums = scratch.as<double>();
  float *mean_g = means.as<float>(), *mean_gx = mean_g + statistics;
  normalise_gradient_sums(context, dy, x, lines, norm, scratch.as<double>());
  for (std::int64_t c = 0; c < columns; ++c) {
    double g = 0, gx = 0;
    for (std::int64_t sample = 0; sample < lines.groups; ++sample) {
      g += sums[2 * sample * columns + c];
      gx += sums[(2 * sample + 1) * columns + c];
    }
    dbeta.as<float>()[c] = static_cast<float>(g);
    dgamma.as<float>()[c] = static_cast<float>(gx);
  }
  const double elements = static_cast<double>(std::max<std::int64_t>(1, lines.rows * width));
  for (std::int64_t at = 0; at < statistics; ++at) {
    const std::int64_t first = at % groups * width;
    const double* of_sample = sums + at / groups * 2 * columns;
    double g = 0, gx = 0;
    for (std::int64_t c = first; c < first + width; ++c) {
      const double factor = static_cast<double>(gamma.as<float>()[c]);
      g += factor * of_sample[c];
      gx += factor * of_sample[columns + c];
    }
    mean_g[at] = static_cast<float>(g / elements);
    mean_gx[at] = static_cast<float>(gx / elements);
  }
  normalise_backward(dy, x, lines, norm, mean_g, mean_gx, dx);
}

}  // namespace chorale::cpu

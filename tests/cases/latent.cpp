// SPDX-License-Identifier: MIT
// The variational part: the Gaussian latent with its KL divergence, and reconstruction losses.
#include <cmath>

#include "kernels/launch.h"
#include "tests/cases/likelihood_reference.h"
#include "tests/cases/philox_reference.h"
#include "tests/harness/op_case.h"

namespace chorale::harness {
namespace {

double size(const Input& input) { return static_cast<double>(element_count(input.shape)); }

constexpr std::uint32_t stream = 5;

/// Which of the results take part: backward gets dz, dkl or both.
enum class Part { both, z, kl };

OpCase gaussian_latent(const std::string& name, bool sample, Part part, double spread) {
  GaussianLatentParams params;
  params.sample = sample;
  // Off the grid of every storage type, so no input lies on the kink.
  params.log_variance_min = -3.1f;
  params.log_variance_max = 2.3f;
  const auto inputs = [spread](std::int64_t n, std::int64_t d) {
    return std::vector<Input>{{{n, 2 * d}, -spread, spread}};
  };
  OpCase c;
  c.name = name;
  c.precision = PrecisionClass::stat;
  c.variants = {{"one", inputs(1, 1)},
                {"odd", inputs(7, 13)},
                {"batch_1", inputs(1, 128)},
                {"wide", inputs(3, 1100)},
                {"large", inputs(600, 128), true}};
  c.run = [=](const Run& run) {
    const autograd::GaussianLatent latent = autograd::gaussian_latent(run.x[0], run.state, stream, params);
    if (part == Part::z) return std::vector{latent.z};
    if (part == Part::kl) return std::vector{latent.kl};
    return std::vector{latent.z, latent.kl};
  };
  c.reference = [=](const Arrays& x) {
    const std::int64_t n = x[0].dim(0), d = x[0].dim(1) / 2;
    Array z({n, d}), kl({d});
    for (std::int64_t i = 0; i < n * d; ++i) {
      const double mu = x[0][i / d * 2 * d + i % d];
      const double variance = std::exp(
          std::fmin(std::fmax(x[0][i / d * 2 * d + d + i % d], static_cast<double>(params.log_variance_min)),
                    static_cast<double>(params.log_variance_max)));
      z[i] = sample ? mu + std::sqrt(variance) * reference_normal(case_state(), stream, i) : mu;
      kl[i % d] += 0.5 * (mu * mu + variance - 1 - std::log(variance)) / static_cast<double>(n);
    }
    if (part == Part::z) return Arrays{z};
    if (part == Part::kl) return Arrays{kl};
    return Arrays{z, kl};
  };
  c.bench = {"1024x128", inputs(1024, 128), true};
  c.cost = [](const std::vector<Input>& x, double bytes) {
    return Cost{20 * size(x[0]), 1.5 * size(x[0]) * bytes};
  };
  return c;
}

OpCase reconstruction(Likelihood kind) {
  const LikelihoodParams params{kind, 0.7f};
  const auto inputs = [](std::int64_t n, std::int64_t d) {
    return std::vector<Input>{{{n, d}}, {{n, d}, 0, 1, false}};
  };
  OpCase c;
  c.name = "reconstruction_" + likelihood_name(kind);
  c.precision = PrecisionClass::stat;
  Variant specials{"specials", inputs(5, 27)};
  specials.inputs[0].specials = true;
  c.variants = {{"one", inputs(1, 1)},
                {"odd", inputs(7, 13)},
                {"blocks", inputs(3, 1500)},
                {"large", inputs(2, 40001), true},
                specials};
  c.run = [params](const Run& run) {
    return std::vector{autograd::reconstruction(run.x[0], run.tensor(1), params)};
  };
  c.reference = [params](const Arrays& x) {
    Array nll({x[0].dim(0)});
    for (std::int64_t i = 0; i < x[0].size(); ++i)
      nll[i / x[0].dim(1)] += negative_log_likelihood(params, x[0][i], x[1][i]);
    return Arrays{nll};
  };
  c.bench = {"32x165376", inputs(32, 165376), true};
  c.cost = [](const std::vector<Input>& x, double bytes) {
    return Cost{4 * size(x[0]), 2 * size(x[0]) * bytes};
  };
  return c;
}

}  // namespace

std::vector<OpCase> latent_cases() {
  return {gaussian_latent("gaussian_latent", true, Part::both, 2),
          gaussian_latent("gaussian_latent_z", true, Part::z, 2),
          gaussian_latent("gaussian_latent_kl", true, Part::kl, 2),
          gaussian_latent("gaussian_latent_mean", false, Part::both, 2),
          gaussian_latent("gaussian_latent_clamped", true, Part::both, 50),
          reconstruction(Likelihood::gaussian),
          reconstruction(Likelihood::squared_error),
          reconstruction(Likelihood::bernoulli),
          reconstruction(Likelihood::laplace)};
}

}  // namespace chorale::harness

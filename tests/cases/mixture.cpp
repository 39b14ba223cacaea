// SPDX-License-Identifier: MIT
// Richer priors: VaDE's mixture, the aggregate posterior of beta-TCVAE, FactorVAE's permuted columns.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "tests/cases/philox_reference.h"
#include "tests/harness/op_case.h"

namespace chorale::harness {
namespace {

double size(const Input& input) { return static_cast<double>(element_count(input.shape)); }

constexpr std::uint32_t stream = 9;

/// Bounds of log-variances, off the grid of every storage type, so no input lies on the kink.
struct Bounds {
  float low, high;
};
// The error of gamma is the absolute error of log densities, in which distances over variances multiply the
// last bit of the f32 noise: where there is noise the bounds are narrow.
constexpr Bounds narrow = {-1.1f, 1.3f}, wide = {-2.1f, 2.3f};

GaussianLatentParams clamps(bool sample = true, Bounds bounds = narrow) {
  GaussianLatentParams params;
  params.log_variance_min = bounds.low;
  params.log_variance_max = bounds.high;
  params.sample = sample;
  return params;
}

double clamped(double log_variance, Bounds bounds = narrow) {
  return std::fmin(std::fmax(log_variance, static_cast<double>(bounds.low)),
                   static_cast<double>(bounds.high));
}

double log_sum_exp(const std::vector<double>& values) {
  const double maximum = *std::max_element(values.begin(), values.end());
  double sum = 0;
  for (const double value : values) sum += std::exp(value - maximum);
  return maximum + std::log(sum);
}

std::vector<Input> mixture_inputs(std::int64_t n, std::int64_t d, std::int64_t k, double spread) {
  return {{{n, 2 * d}, -spread, spread},
          {{k}, -1, 1, true, Storage::f32},
          {{k, d}, -spread, spread, true, Storage::f32},
          {{k, d}, -1.5 * spread, 1.5 * spread, true, Storage::f32}};
}

/// z, kl and gamma word for word after the row's definition.
Arrays mixture_reference(const Arrays& x, bool sample, Bounds bounds = narrow) {
  const std::int64_t n = x[0].dim(0), d = x[0].dim(1) / 2, k = x[1].size();
  Arrays results{Array({n, d}), Array({n}), Array({n, k})};
  const double partition = log_sum_exp(x[1].values);
  for (std::int64_t i = 0; i < n; ++i) {
    std::vector<double> joint(static_cast<std::size_t>(k)), expected(joint.size());
    for (std::int64_t j = 0; j < d; ++j) {
      const double mu = x[0][i * 2 * d + j], l = clamped(x[0][i * 2 * d + d + j], bounds);
      const double z = sample ? mu + std::exp(l / 2) * reference_normal(case_state(), stream, i * d + j) : mu;
      results[0][i * d + j] = z;
      results[1][i] -= 0.5 * (1 + l);
      for (std::int64_t c = 0; c < k; ++c) {
        const double m = x[2][c * d + j], log_s = clamped(x[3][c * d + j], bounds), s = std::exp(log_s);
        joint[static_cast<std::size_t>(c)] -= 0.5 * (log_s + (z - m) * (z - m) / s);
        expected[static_cast<std::size_t>(c)] += 0.5 * (log_s + (std::exp(l) + (mu - m) * (mu - m)) / s);
      }
    }
    for (std::int64_t c = 0; c < k; ++c) joint[static_cast<std::size_t>(c)] += x[1][c] - partition;
    const double evidence = log_sum_exp(joint);
    for (std::int64_t c = 0; c < k; ++c) {
      const double log_gamma = joint[static_cast<std::size_t>(c)] - evidence, gamma = std::exp(log_gamma);
      results[2][i * k + c] = gamma;
      results[1][i] += gamma * (expected[static_cast<std::size_t>(c)] + log_gamma - (x[1][c] - partition));
    }
  }
  return results;
}

/// Which of the results take part: backward gets dz, dkl or both.
enum class Part { both, z, kl };

OpCase mixture_latent(const std::string& name, bool sample, Part part, double spread,
                      Bounds bounds = narrow) {
  const auto inputs = [spread](std::int64_t n, std::int64_t d, std::int64_t k) {
    return mixture_inputs(n, d, k, spread);
  };
  OpCase c;
  c.name = name;
  c.precision = PrecisionClass::stat;
  c.variants = {{"one", inputs(1, 1, 1)},
                {"one_component", inputs(5, 3, 1)},
                {"odd", inputs(7, 13, 5)},
                {"slabs", inputs(18, 67, 11)},
                {"large", inputs(300, 33, 40), true}};
  // Components far apart leave most gradients below what central differences resolve; one alone has no such
  // doubt.
  if (spread <= 1) {
    c.variants.push_back({"many_components", inputs(3, 6, 260)});
    c.variants.push_back({"wide", inputs(3, 1100, 1), true});
  }
  c.run = [=](const Run& run) {
    const autograd::MixtureLatent latent = autograd::mixture_latent(
        run.x[0], run.x[1], run.x[2], run.x[3], run.state, stream, clamps(sample, bounds));
    if (part == Part::z) return std::vector{latent.z};
    if (part == Part::kl) return std::vector{latent.kl, Var(latent.responsibilities)};
    return std::vector{latent.z, latent.kl, Var(latent.responsibilities)};
  };
  c.reference = [=](const Arrays& x) {
    const Arrays all = mixture_reference(x, sample, bounds);
    if (part == Part::z) return Arrays{all[0]};
    if (part == Part::kl) return Arrays{all[1], all[2]};
    return all;
  };
  c.bench = {"512x64x20", inputs(512, 64, 20), true};
  c.cost = [](const std::vector<Input>& x, double bytes) {
    const double n = static_cast<double>(x[0].shape[0]);
    return Cost{10 * n * size(x[2]), 1.5 * size(x[0]) * bytes + 4 * n * size(x[1]) + 8 * size(x[2])};
  };
  return c;
}

/// A component without probability and one out of sight: everything stays finite, and nothing comes from
/// them. The reference leaves both out.
OpCase mixture_latent_empty() {
  OpCase c = mixture_latent("mixture_latent_empty", true, Part::both, 1);
  c.variants = {{"odd", mixture_inputs(7, 13, 5, 1)}, {"large", mixture_inputs(300, 33, 40, 1), true}};
  c.differentiable = false;
  c.run = [](const Run& run) {
    std::vector<float> logits = run.tensor(1).to_host<float>(), means = run.tensor(2).to_host<float>();
    const std::size_t k = logits.size(), d = means.size() / k;
    logits[0] = -INFINITY;
    std::fill_n(means.begin() + static_cast<std::ptrdiff_t>(d), d, 1e30f);
    const Var statistics(run.tensor(0), true),
        weights(Tensor::from_host(logits, run.tensor(1).shape()), true),
        centers(Tensor::from_host(means, run.tensor(2).shape()), true), spreads(run.tensor(3), true);
    const autograd::MixtureLatent latent =
        autograd::mixture_latent(statistics, weights, centers, spreads, run.state, stream, clamps());
    autograd::sum(latent.kl).backward();
    std::vector<Var> results{latent.z, latent.kl, Var(latent.responsibilities)};
    for (const Var* empty : {&centers, &spreads}) results.emplace_back(empty->grad().slice(0, 0, 2).clone());
    results.emplace_back(Tensor::from_host(
        std::vector<float>(1,
                           std::isfinite(autograd::sum(Var(statistics.grad())).value().item()) ? 1.0f : 0.0f),
        {1}));
    return results;
  };
  c.reference = [](const Arrays& x) {
    Arrays moved = x;
    moved[1][0] = -1e5;
    for (std::int64_t j = 0; j < x[2].dim(1); ++j) moved[2][x[2].dim(1) + j] = 1e5;
    Arrays results = mixture_reference(moved, true);
    results.push_back(Array({2, x[2].dim(1)}));
    results.push_back(Array({2, x[2].dim(1)}));
    results.push_back(Array({1}, 1));
    return results;
  };
  c.bench = {};
  return c;
}

std::vector<Input> posterior_inputs(std::int64_t n, std::int64_t d) {
  return {{{n, 2 * d}, -1.2, 1.2}, {{n, d}, -1.5, 1.5}};
}

double log_normal(double z, double mu, double log_variance) {
  return -0.5 *
         (std::log(2 * std::numbers::pi) + log_variance + (z - mu) * (z - mu) / std::exp(log_variance));
}

OpCase aggregate_posterior(const std::string& name, Part part) {
  constexpr double samples = 5000;
  OpCase c;
  c.name = name;
  c.precision = PrecisionClass::stat;
  c.variants = {{"one", posterior_inputs(1, 1)},           {"one_dimension", posterior_inputs(5, 1)},
                {"odd", posterior_inputs(7, 13)},          {"tile", posterior_inputs(17, 35)},
                {"wide", posterior_inputs(2, 1100), true}, {"large", posterior_inputs(130, 40), true}};
  c.run = [=](const Run& run) {
    const autograd::AggregatePosterior q =
        autograd::aggregate_posterior(run.x[0], run.x[1], samples, clamps());
    if (part == Part::z) return std::vector{q.joint};
    if (part == Part::kl) return std::vector{q.marginals};
    return std::vector{q.joint, q.marginals};
  };
  c.reference = [=](const Arrays& x) {
    const std::int64_t n = x[1].dim(0), d = x[1].dim(1);
    const double normaliser = std::log(static_cast<double>(n) * samples);
    Array joint({n}), marginals({n, d});
    for (std::int64_t i = 0; i < n; ++i) {
      std::vector<double> all(static_cast<std::size_t>(n)), one(all.size());
      for (std::int64_t k = 0; k < d; ++k) {
        for (std::int64_t j = 0; j < n; ++j) {
          one[static_cast<std::size_t>(j)] =
              log_normal(x[1][i * d + k], x[0][j * 2 * d + k], clamped(x[0][j * 2 * d + d + k]));
          all[static_cast<std::size_t>(j)] += one[static_cast<std::size_t>(j)];
        }
        marginals[i * d + k] = log_sum_exp(one) - normaliser;
      }
      joint[i] = log_sum_exp(all) - normaliser;
    }
    if (part == Part::z) return Arrays{joint};
    if (part == Part::kl) return Arrays{marginals};
    return Arrays{joint, marginals};
  };
  c.bench = {"512x64", posterior_inputs(512, 64), true};
  c.cost = [](const std::vector<Input>& x, double bytes) {
    const double n = static_cast<double>(x[1].shape[0]);
    return Cost{20 * n * size(x[1]), size(x[0]) * bytes + 2 * size(x[1]) * bytes};
  };
  return c;
}

OpCase permute_columns() {
  OpCase c;
  c.name = "permute_columns";
  c.differentiable = false;
  c.exact = true;
  Variant specials = plain("specials", {{9, 5}});
  specials.inputs[0].specials = true;
  c.variants = {plain("one", {{1, 1}}),
                plain("odd", {{7, 13}}),
                plain("empty", {{0, 4}}),
                plain("blocks", {{301, 6}}),
                specials,
                plain("large", {{2500, 17}}, true)};
  c.run = [](const Run& run) {
    return std::vector{Var(autograd::permute_columns(run.tensor(0), run.state, stream))};
  };
  c.reference = [](const Arrays& x) {
    const std::int64_t n = x[0].dim(0), d = x[0].dim(1);
    Array y(x[0].shape);
    for (std::int64_t k = 0; k < d; ++k) {
      std::vector<std::int64_t> order(static_cast<std::size_t>(n));
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
        return random_word(case_state(), stream, a * d + k) < random_word(case_state(), stream, b * d + k);
      });
      for (std::int64_t i = 0; i < n; ++i) y[i * d + k] = x[0][order[static_cast<std::size_t>(i)] * d + k];
    }
    return Arrays{y};
  };
  c.bench = plain("512x64", {{512, 64}}, true);
  c.cost = [](const std::vector<Input>& x, double bytes) {
    return Cost{size(x[0]) * static_cast<double>(x[0].shape[0]), 2 * size(x[0]) * bytes};
  };
  return c;
}

}  // namespace

std::vector<OpCase> mixture_cases() {
  return {mixture_latent("mixture_latent", true, Part::both, 1),
          mixture_latent("mixture_latent_z", true, Part::z, 1),
          mixture_latent("mixture_latent_kl", true, Part::kl, 1),
          mixture_latent("mixture_latent_mean", false, Part::both, 1),
          mixture_latent("mixture_latent_clamped", true, Part::both, 2),
          mixture_latent("mixture_latent_far", false, Part::both, 3, wide),
          mixture_latent_empty(),
          aggregate_posterior("aggregate_posterior", Part::both),
          aggregate_posterior("aggregate_posterior_joint", Part::z),
          aggregate_posterior("aggregate_posterior_marginals", Part::kl),
          permute_columns()};
}

}  // namespace chorale::harness

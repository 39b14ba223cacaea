// SPDX-License-Identifier: MIT
// The latent of VaDE (Jiang et al., IJCAI 2017): reparameterisation, responsibilities and KL divergence under
// a mixture of k Gaussians N(m_c, s_c) with weights pi = softmax(logits).
//
//   statistics [n, 2 d] = [mu | l], l clamped
//   e = exp(l / 2) epsilon        z = mu + e        v = exp(l) (1 - epsilon^2)
//   a_c = log pi_c - 0.5 sum_j (log s_cj + (z_j - m_cj)^2 / s_cj)
//   gamma = softmax(a)            L = log sum_c exp a_c
//   D_c = 0.5 sum_j (v_j - 2 e_j (mu_j - m_cj)) / s_cj
//   kl = sum_c gamma_c D_c - L - 0.5 sum_j (1 + l_j)
//
// The last line is the definition in kernels.def after log gamma_c = a_c - L: log pi_c and log s_cj cancel in
// D_c, so no difference of large numbers is left and pi_c = 0 is an ordinary value. With the gradient w of kl
// and R_c = w gamma_c (D_c - sum gamma D - 1), which is w d kl / d a_c, everything else is the chain rule by
// hand:
//
//   A_j = sum_c R_c (m_cj - z_j) / s_cj
//   S_j = w sum_c gamma_c / s_cj
//   G_j = w sum_c gamma_c (mu_j - m_cj) / s_cj
//   dmu = dz + A - e S
//   dl = 0.5 ((dz + A) e + v S - e G - w)
//   dm_c = sum_n (R_c (z - m_c) + w gamma_c e) / s_c
//   dlogits_c = sum_n (R_c + w pi_c)
//   dlog s_c = -0.5 sum_n (R_c (1 - (z - m_c)^2 / s_c) + w gamma_c (v - 2 e (mu - m_c)) / s_c)
//
// f32 terms, f64 sums over j and over n. n k d terms forward, three times as many backward; bytes moved:
// statistics, z and n k of gamma, all else fits the cache. The noise is drawn again, never stored.
#include <cmath>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/random.h"
#include "kernels/cpu/storage.h"
#include "kernels/cpu/vector_math.h"
#include "kernels/functors.h"

namespace chorale::cpu {
namespace {

/// Samples of one task.
constexpr std::int64_t task_rows = 8;
/// Dimensions of one task of the components' gradients.
constexpr std::int64_t slab = 64;

struct Sizes {
  std::int64_t n, d, k;
};

Sizes check(const char* kernel, const ConstView& statistics, const ConstView& logits, const ConstView& means,
            const ConstView& log_variances, const ConstView& gamma) {
  require_storage(kernel, statistics);
  require(statistics.rank == 2 && statistics.shape[1] % 2 == 0, kernel, "statistics must be [n, 2 d]",
          statistics);
  const Sizes size{statistics.shape[0], statistics.shape[1] / 2, logits.size()};
  for (const ConstView& v : {logits, means, log_variances, gamma})
    require(v.dtype == DType::f32 && present(v), kernel, "the mixture and gamma must be f32", v);
  require(size.k > 0 && means.rank == 2 && means.shape[0] == size.k && means.shape[1] == size.d &&
              same_shape(means, log_variances),
          kernel, "means and log_variances must be [k, d] for logits [k]", logits, means, log_variances);
  require(gamma.size() == size.n * size.k, kernel, "gamma must be [n, k]", statistics, gamma);
  return size;
}

double log_sum_exp(const float* values, std::int64_t count) {
  double maximum = -INFINITY, sum = 0;
  for (std::int64_t i = 0; i < count; ++i)
    maximum = values[i] > maximum || std::isnan(values[i]) ? static_cast<double>(values[i]) : maximum;
  for (std::int64_t i = 0; i < count; ++i) sum += std::exp(static_cast<double>(values[i]) - maximum);
  return maximum + std::log(sum);
}

/// The prior, with what all samples share computed once.
class Mixture {
 public:
  Mixture(Context& context, const ConstView& logits, const ConstView& means, const ConstView& log_variances,
          const GaussianLatentParams& params)
      : d_(means.shape[1]),
        means_(means.as<float>()),
        scratch_(context, static_cast<std::size_t>(means.size()) * sizeof(float) +
                              static_cast<std::size_t>(logits.size()) * sizeof(double)),
        constant_(scratch_.as<double>()),
        inverse_(reinterpret_cast<float*>(constant_ + logits.size())) {
    const double partition = log_sum_exp(logits.as<float>(), logits.size());
    for (std::int64_t c = 0; c < logits.size(); ++c) {
      double log_determinant = 0;
      for (std::int64_t i = c * d_; i < (c + 1) * d_; ++i) {
        const float l =
            functor::clamp::f(log_variances.as<float>()[i], params.log_variance_min, params.log_variance_max);
        inverse_[i] = ::expf(-l);
        log_determinant += static_cast<double>(l);
      }
      constant_[c] = static_cast<double>(logits.as<float>()[c]) - partition - 0.5 * log_determinant;
    }
  }
  const float* mean(std::int64_t c) const { return means_ + c * d_; }
  const float* inverse(std::int64_t c) const { return inverse_ + c * d_; }
  /// log pi_c - 0.5 log det s_c
  double constant(std::int64_t c) const { return constant_[c]; }

 private:
  std::int64_t d_;
  const float* means_;
  Scratch scratch_;
  double* constant_;
  float* inverse_;
};

/// One sample of the posterior: mu, e and v of the formulas, d values each.
struct Sample {
  float *mu, *e, *v;
};

/// Draws a sample and returns sum_j (1 + l_j).
double draw(const ConstView& statistics, const StepState* state, std::uint32_t stream,
            const GaussianLatentParams& params, std::int64_t row, std::int64_t d, const Sample& sample) {
  double entropy = 0;
  for (std::int64_t column = 0; column < d; column += chunk) {
    const std::int64_t count = std::min(chunk, d - column);
    alignas(64) float mu_buffer[chunk], lv_buffer[chunk], noise[chunk];
    const float* mus = load(statistics, row * 2 * d + column, count, mu_buffer);
    const float* lv = load(statistics, row * 2 * d + d + column, count, lv_buffer);
    if (params.sample)
      normals(*state, stream, row * d + column, count, noise);
    else
      std::fill_n(noise, count, 0.0f);
    float *mu = sample.mu + column, *e = sample.e + column, *v = sample.v + column;
    const float low = params.log_variance_min, high = params.log_variance_max;
#pragma omp simd reduction(+ : entropy)
    for (std::int64_t i = 0; i < count; ++i) {
      const float l = functor::clamp::f(lv[i], low, high);
      const float sigma = ::expf(0.5f * l);
      mu[i] = mus[i];
      e[i] = sigma * noise[i];
      v[i] = sigma * sigma * (1.0f - noise[i] * noise[i]);
      entropy += static_cast<double>(1.0f + l);
    }
  }
  return entropy;
}

/// Samples, three times d values each.
class Samples {
 public:
  Samples(Context& context, std::int64_t count, std::int64_t d)
      : d_(d), scratch_(context, static_cast<std::size_t>(count * 3 * d) * sizeof(float)) {}
  Sample operator[](std::int64_t i) const {
    float* room = scratch_.as<float>() + i * 3 * d_;
    return {room, room + d_, room + 2 * d_};
  }

 private:
  std::int64_t d_;
  Scratch scratch_;
};

struct Terms {
  double log_density, divergence;  ///< a_c and D_c
};

Terms terms(const Mixture& mixture, std::int64_t c, const Sample& sample, std::int64_t d) {
  const float *mu = sample.mu, *e = sample.e, *v = sample.v, *m = mixture.mean(c),
              *inverse = mixture.inverse(c);
  double square = 0, divergence = 0;
#pragma omp simd reduction(+ : square, divergence)
  for (std::int64_t j = 0; j < d; ++j) {
    const float from_mu = mu[j] - m[j], from_z = from_mu + e[j];
    square += static_cast<double>(from_z * from_z * inverse[j]);
    divergence += static_cast<double>((v[j] - 2.0f * e[j] * from_mu) * inverse[j]);
  }
  return {mixture.constant(c) - 0.5 * square, 0.5 * divergence};
}

/// What a sample weighs in a component: R_c and w gamma_c.
struct Weight {
  float r, gamma;
  /// It adds nothing to a component in which it has no weight, however far away: 0 times infinity is 0 here.
  bool none() const { return r == 0.0f && gamma == 0.0f; }
};

void sample_weights(const Mixture& mixture, const Sample& sample, std::int64_t d, std::int64_t k, float w,
                    const float* gamma, double* divergence, Weight* weights) {
  double expected = 0;
  for (std::int64_t c = 0; c < k; ++c) {
    divergence[c] = gamma[c] == 0.0f ? 0.0 : terms(mixture, c, sample, d).divergence;
    expected += static_cast<double>(gamma[c]) * divergence[c];
  }
  for (std::int64_t c = 0; c < k; ++c)
    weights[c] = {w * gamma[c] * static_cast<float>(divergence[c] - expected - 1.0), w * gamma[c]};
}

/// dstatistics of one sample.
void sample_gradient(const Mixture& mixture, const Sample& sample, const Weight* weights, std::int64_t row,
                     std::int64_t d, std::int64_t k, float w, const ConstView& dz,
                     const ConstView& statistics, const GaussianLatentParams& params,
                     const View& dstatistics) {
  const float low = params.log_variance_min, high = params.log_variance_max;
  for (std::int64_t column = 0; column < d; column += chunk) {
    const std::int64_t count = std::min(chunk, d - column), at = row * 2 * d + column;
    alignas(64) float pull[chunk], precision[chunk], offset[chunk];  // A, S, G
    for (float* sum : {pull, precision, offset}) std::fill_n(sum, count, 0.0f);
    const float *mu = sample.mu + column, *e = sample.e + column, *v = sample.v + column;
    for (std::int64_t c = 0; c < k; ++c) {
      if (weights[c].none()) continue;
      const float *m = mixture.mean(c) + column, *inverse = mixture.inverse(c) + column;
      const float r = weights[c].r, gamma = weights[c].gamma;
#pragma omp simd
      for (std::int64_t i = 0; i < count; ++i) {
        const float from_mu = mu[i] - m[i];
        pull[i] -= r * (from_mu + e[i]) * inverse[i];
        precision[i] += gamma * inverse[i];
        offset[i] += gamma * from_mu * inverse[i];
      }
    }
    alignas(64) float dz_buffer[chunk], lv_buffer[chunk], dmu_buffer[chunk], dlv_buffer[chunk];
    if (!dz) std::fill_n(dz_buffer, count, 0.0f);
    const float* dzs = dz ? load(dz, row * d + column, count, dz_buffer) : dz_buffer;
    const float* lv = load(statistics, at + d, count, lv_buffer);
    float *dmu = target(dstatistics, at, dmu_buffer), *dlv = target(dstatistics, at + d, dlv_buffer);
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) {
      const float through_z = dzs[i] + pull[i];
      const float gradient = 0.5f * (through_z * e[i] + v[i] * precision[i] - e[i] * offset[i] - w);
      dmu[i] = through_z - e[i] * precision[i];
      dlv[i] = lv[i] < low || lv[i] > high ? 0.0f : gradient;
    }
    store(dmu, dstatistics, at, count);
    store(dlv, dstatistics, at + d, count);
  }
}

/// dm and dlog s of component c, `count` dimensions from `column` on.
void component_gradient(const Mixture& mixture, const Samples& samples, const Weight* weights, std::int64_t n,
                        std::int64_t k, std::int64_t c, std::int64_t column, std::int64_t count, double* dm,
                        double* dls) {
  std::fill_n(dm, count, 0.0);
  std::fill_n(dls, count, 0.0);
  const float *m = mixture.mean(c) + column, *inverse = mixture.inverse(c) + column;
  for (std::int64_t row = 0; row < n; ++row) {
    const Weight weight = weights[row * k + c];
    if (weight.none()) continue;
    const Sample sample = samples[row];
    const float *mu = sample.mu + column, *e = sample.e + column, *v = sample.v + column;
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) {
      const float from_mu = mu[i] - m[i], from_z = from_mu + e[i];
      const float square = 1.0f - from_z * from_z * inverse[i], divergence = v[i] - 2.0f * e[i] * from_mu;
      dm[i] += static_cast<double>((weight.r * from_z + weight.gamma * e[i]) * inverse[i]);
      dls[i] -= static_cast<double>(0.5f * (weight.r * square + weight.gamma * divergence * inverse[i]));
    }
  }
}

}  // namespace

void mixture_latent_forward(Context& context, ConstView statistics, ConstView logits, ConstView means,
                            ConstView log_variances, const StepState* state, std::uint32_t stream,
                            GaussianLatentParams params, View z, View kl, View gamma) {
  const char* kernel = "mixture_latent_forward";
  const Sizes size = check(kernel, statistics, logits, means, log_variances, gamma);
  const std::int64_t n = size.n, d = size.d, k = size.k;
  require_storage(kernel, z);
  require(z.size() == n * d, kernel, "z must be [n, d]", statistics, z);
  require(kl.dtype == DType::f32 && kl.size() == n && present(kl), kernel, "kl must be f32 [n]", statistics,
          kl);
  const Mixture mixture(context, logits, means, log_variances, params);
  const std::int64_t tasks = block_count(n, task_rows);
  const Samples samples(context, tasks, d);
  const Scratch densities(context, static_cast<std::size_t>(tasks * k) * sizeof(Terms));
  parallel_tasks(tasks, n * d * k, [&](std::int64_t task) {
    const Sample sample = samples[task];
    Terms* term = densities.as<Terms>() + task * k;
    for (std::int64_t row = task * task_rows; row < std::min(n, (task + 1) * task_rows); ++row) {
      const double entropy = draw(statistics, state, stream, params, row, d, sample);
      for (std::int64_t column = 0; column < d; column += chunk) {
        alignas(64) float buffer[chunk];
        const std::int64_t count = std::min(chunk, d - column);
        float* zs = target(z, row * d + column, buffer);
        for (std::int64_t i = 0; i < count; ++i) zs[i] = sample.mu[column + i] + sample.e[column + i];
        store(zs, z, row * d + column, count);
      }
      double maximum = -INFINITY;
      for (std::int64_t c = 0; c < k; ++c) {
        term[c] = terms(mixture, c, sample, d);
        if (term[c].log_density > maximum || std::isnan(term[c].log_density)) maximum = term[c].log_density;
      }
      float* weight = gamma.as<float>() + row * k;
      double sum = 0, divergence = 0;
      for (std::int64_t c = 0; c < k; ++c) {
        weight[c] = ::expf(static_cast<float>(term[c].log_density - maximum));
        sum += static_cast<double>(weight[c]);
      }
      for (std::int64_t c = 0; c < k; ++c) {
        weight[c] = static_cast<float>(static_cast<double>(weight[c]) / sum);
        if (weight[c] != 0.0f) divergence += static_cast<double>(weight[c]) * term[c].divergence;
      }
      kl.as<float>()[row] = static_cast<float>(divergence - maximum - std::log(sum) - 0.5 * entropy);
    }
  });
}

void mixture_latent_backward(Context& context, ConstView dz, ConstView dkl, ConstView statistics,
                             ConstView logits, ConstView means, ConstView log_variances, ConstView gamma,
                             const StepState* state, std::uint32_t stream, GaussianLatentParams params,
                             View dstatistics, View dlogits, View dmeans, View dlog_variances) {
  const char* kernel = "mixture_latent_backward";
  const Sizes size = check(kernel, statistics, logits, means, log_variances, gamma);
  check(kernel, statistics, dlogits, dmeans, dlog_variances, gamma);
  const std::int64_t n = size.n, d = size.d, k = size.k;
  require(dlogits.size() == k, kernel, "dlogits must be [k]", logits, dlogits);
  require(!dstatistics || (is_storage(dstatistics.dtype) && same_shape(statistics, dstatistics)), kernel,
          "dstatistics must be [n, 2 d]", statistics, dstatistics);
  require(!dz || (is_storage(dz.dtype) && dz.size() == n * d), kernel, "dz must be [n, d]", statistics, dz);
  require(!dkl || (dkl.dtype == DType::f32 && dkl.size() == n), kernel, "dkl must be f32 [n]", statistics,
          dkl);
  const Mixture mixture(context, logits, means, log_variances, params);
  const Samples samples(context, n, d);
  const Scratch weight_scratch(context, static_cast<std::size_t>(n * k) * sizeof(Weight));
  auto* weights = weight_scratch.as<Weight>();
  const auto w = [&](std::int64_t row) { return dkl ? dkl.as<float>()[row] : 0.0f; };

  const std::int64_t tasks = block_count(n, task_rows);
  const Scratch divergences(context, static_cast<std::size_t>(tasks * k) * sizeof(double));
  parallel_tasks(tasks, n * d * k, [&](std::int64_t task) {
    for (std::int64_t row = task * task_rows; row < std::min(n, (task + 1) * task_rows); ++row) {
      draw(statistics, state, stream, params, row, d, samples[row]);
      sample_weights(mixture, samples[row], d, k, w(row), gamma.as<float>() + row * k,
                     divergences.as<double>() + task * k, weights + row * k);
      if (dstatistics)
        sample_gradient(mixture, samples[row], weights + row * k, row, d, k, w(row), dz, statistics, params,
                        dstatistics);
    }
  });

  const std::int64_t slabs = block_count(d, slab);
  parallel_tasks(k * slabs, n * d * k, [&](std::int64_t task) {
    const std::int64_t c = task / slabs, column = task % slabs * slab, count = std::min(slab, d - column);
    alignas(64) double dm[slab], dls[slab];
    component_gradient(mixture, samples, weights, n, k, c, column, count, dm, dls);
    for (std::int64_t i = 0, at = c * d + column; i < count; ++i, ++at) {
      const float raw = log_variances.as<float>()[at];
      const bool outside = raw < params.log_variance_min || raw > params.log_variance_max;
      dmeans.as<float>()[at] = static_cast<float>(dm[i]);
      dlog_variances.as<float>()[at] = outside ? 0.0f : static_cast<float>(dls[i]);
    }
  });
  const double partition = log_sum_exp(logits.as<float>(), k);
  for (std::int64_t c = 0; c < k; ++c) {
    const double pi = std::exp(static_cast<double>(logits.as<float>()[c]) - partition);
    double sum = 0;
    for (std::int64_t row = 0; row < n; ++row)
      sum += static_cast<double>(weights[row * k + c].r) + pi * static_cast<double>(w(row));
    dlogits.as<float>()[c] = static_cast<float>(sum);
  }
}

}  // namespace chorale::cpu

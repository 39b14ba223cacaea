// SPDX-License-Identifier: MIT
// The aggregate posterior q(z) = E_x q(z | x), estimated from a batch by minibatch-weighted sampling (Chen et
// al., "Isolating sources of disentanglement in variational autoencoders", NeurIPS 2018), jointly and for
// each dimension.
//
//   statistics [n, 2 d] = [mu | l], l clamped; h = exp(-l); samples = the training set's rows
//   q_ijk = -0.5 (log 2 pi + l_jk + (z_ik - mu_jk)^2 h_jk)
//   joint_i = log sum_j exp sum_k q_ijk - log(n samples)     marginals_ik = log sum_j exp q_ijk - log(n
//   samples) W_ijk = djoint_i p_ij + dmarginals_ik r_ijk, the gradient of q_ijk, with p and r the softmax
//   over j of either dz_ik = -sum_j W (z_ik - mu_jk) h_jk                     dmu_jk = sum_i W (z_ik - mu_jk)
//   h_jk dl_jk = -0.5 sum_i W (1 - (z_ik - mu_jk)^2 h_jk), 0 where clamped
//
// n^2 d terms forward, two times as many backward, each with an exponential; they are never stored, only the
// n^2 sums over k. f32 terms, sums over k and over the batch in f64; the marginals' maximum and sum over j
// run along in one pass. Bytes that must move: statistics and z, they fit the cache.
#include <cmath>
#include <limits>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/storage.h"
#include "kernels/cpu/vector_math.h"
#include "kernels/functors.h"

namespace chorale::cpu {
namespace {

constexpr float log_two_pi = 1.8378770664093453f;
/// Dimensions that a task works on at a time; its sums stay in the cache's first level.
constexpr std::int64_t tile = 256;

/// z, mu, h and l in f32, [n, d] each.
class Codes {
 public:
  Codes(Context& context, const ConstView& statistics, const ConstView& z, const GaussianLatentParams& params)
      : n_(z.shape[0]),
        d_(z.shape[1]),
        scratch_(context, static_cast<std::size_t>(4 * n_ * d_) * sizeof(float)) {
    parallel_tasks(n_, n_ * d_, [&](std::int64_t row) {
      for (std::int64_t column = 0; column < d_; column += chunk) {
        const std::int64_t count = std::min(chunk, d_ - column), at = row * d_ + column;
        alignas(64) float z_buffer[chunk], mu_buffer[chunk], l_buffer[chunk];
        const float* zs = load(z, at, count, z_buffer);
        const float* mus = load(statistics, at + row * d_, count, mu_buffer);
        const float* ls = load(statistics, at + (row + 1) * d_, count, l_buffer);
        float *to_z = this->z(row) + column, *to_mu = mu(row) + column, *to_h = h(row) + column,
              *to_l = l(row) + column;
        const float low = params.log_variance_min, high = params.log_variance_max;
#pragma omp simd
        for (std::int64_t i = 0; i < count; ++i) {
          to_z[i] = zs[i];
          to_mu[i] = mus[i];
          to_l[i] = functor::clamp::f(ls[i], low, high);
          to_h[i] = ::expf(-to_l[i]);
        }
      }
    });
  }
  float* z(std::int64_t row) const { return array(0, row); }
  float* mu(std::int64_t row) const { return array(1, row); }
  float* h(std::int64_t row) const { return array(2, row); }
  float* l(std::int64_t row) const { return array(3, row); }

 private:
  float* array(std::int64_t which, std::int64_t row) const {
    return scratch_.as<float>() + (which * n_ + row) * d_;
  }
  std::int64_t n_, d_;
  Scratch scratch_;
};

void check(const char* kernel, const ConstView& statistics, const ConstView& z, const ConstView& joint,
           const ConstView& marginals) {
  require_storage(kernel, statistics, z);
  require(z.rank == 2 && statistics.rank == 2 && statistics.shape[0] == z.shape[0] &&
              statistics.shape[1] == 2 * z.shape[1],
          kernel, "statistics must be [n, 2 d] for z [n, d]", statistics, z);
  for (const ConstView& v : {joint, marginals})
    require(v.dtype == DType::f32 && present(v), kernel, "joint and marginals must be f32", v);
  require(joint.size() == z.shape[0] && marginals.size() == z.size(), kernel,
          "joint must be [n] and marginals [n, d]", z, joint, marginals);
}

double log_normaliser(std::int64_t n, double samples) { return std::log(static_cast<double>(n) * samples); }

/// sum over k of q_ijk.
double log_density(const Codes& codes, std::int64_t i, std::int64_t j, std::int64_t d) {
  const float *z = codes.z(i), *mu = codes.mu(j), *h = codes.h(j), *l = codes.l(j);
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t k = 0; k < d; ++k) {
    const float from_mu = z[k] - mu[k];
    sum += static_cast<double>(log_two_pi + l[k] + from_mu * from_mu * h[k]);
  }
  return -0.5 * sum;
}

/// log sum over j of exp q_ijk - normaliser for `count` dimensions from `column` on.
void marginal_tile(const Codes& codes, std::int64_t n, std::int64_t i, std::int64_t column,
                   std::int64_t count, float normaliser, float* out) {
  alignas(64) float maximum[tile], sum[tile];
  std::fill_n(maximum, count, -std::numeric_limits<float>::max());
  std::fill_n(sum, count, 0.0f);
  const float* z = codes.z(i) + column;
  for (std::int64_t j = 0; j < n; ++j) {
    const float *mu = codes.mu(j) + column, *h = codes.h(j) + column, *l = codes.l(j) + column;
#pragma omp simd
    for (std::int64_t k = 0; k < count; ++k) {
      const float from_mu = z[k] - mu[k];
      const float q = -0.5f * (log_two_pi + l[k] + from_mu * from_mu * h[k]);
      const float smaller = ::expf(-::fabsf(q - maximum[k]));
      const bool larger = q > maximum[k];
      sum[k] = larger ? sum[k] * smaller + 1.0f : sum[k] + smaller;
      maximum[k] = larger ? q : maximum[k];
    }
  }
#pragma omp simd
  for (std::int64_t k = 0; k < count; ++k) out[k] = maximum[k] + ::logf(sum[k]) - normaliser;
}

/// One row (dz) or column (dstatistics) of the batch: W_ijk and what depends on it.
struct Term {
  float weight;    ///< W
  float gradient;  ///< W (z - mu) h
  float square;    ///< (z - mu)^2 h
};

inline Term term(float z, float mu, float h, float l, float joint_weight, float dmarginal, float marginal) {
  const float from_mu = z - mu, scaled = from_mu * h, square = from_mu * scaled;
  const float r = ::expf(-0.5f * (log_two_pi + l + square) - marginal);
  const float weight = joint_weight + dmarginal * r;
  return {weight, weight * scaled, square};
}

}  // namespace

void aggregate_posterior_forward(Context& context, ConstView statistics, ConstView z, double samples,
                                 GaussianLatentParams params, View joint, View marginals) {
  check("aggregate_posterior_forward", statistics, z, joint, marginals);
  const std::int64_t n = z.shape[0], d = z.shape[1];
  const Codes codes(context, statistics, z, params);
  const Scratch scratch(context, static_cast<std::size_t>(n * n) * sizeof(double));
  const double normaliser = log_normaliser(n, samples);
  parallel_tasks(n, n * n * d, [&](std::int64_t i) {
    double *densities = scratch.as<double>() + i * n, maximum = -INFINITY, sum = 0;
    for (std::int64_t j = 0; j < n; ++j) {
      densities[j] = log_density(codes, i, j, d);
      if (densities[j] > maximum || std::isnan(densities[j])) maximum = densities[j];
    }
    for (std::int64_t j = 0; j < n; ++j) sum += std::exp(densities[j] - maximum);
    joint.as<float>()[i] = static_cast<float>(maximum + std::log(sum) - normaliser);
    for (std::int64_t column = 0; column < d; column += tile)
      marginal_tile(codes, n, i, column, std::min(tile, d - column), static_cast<float>(normaliser),
                    marginals.as<float>() + i * d + column);
  });
}

void aggregate_posterior_backward(Context& context, ConstView djoint, ConstView dmarginals,
                                  ConstView statistics, ConstView z, ConstView joint, ConstView marginals,
                                  double samples, GaussianLatentParams params, View dz, View dstatistics) {
  const char* kernel = "aggregate_posterior_backward";
  check(kernel, statistics, z, joint, marginals);
  check(kernel, dstatistics, dz, djoint, dmarginals);
  require(same_shape(z, dz), kernel, "dz must have the shape of z", z, dz);
  const std::int64_t n = z.shape[0], d = z.shape[1];
  const Codes codes(context, statistics, z, params);
  const double normaliser = log_normaliser(n, samples);
  const float shift = static_cast<float>(normaliser);
  const Scratch scratch(context, static_cast<std::size_t>(n * n) * sizeof(float));
  const auto joint_weights = [&](std::int64_t i) { return scratch.as<float>() + i * n; };  // djoint_i p_ij
  const float *dmarginal = dmarginals.as<float>(), *marginal = marginals.as<float>();

  parallel_tasks(n, n * n * d, [&](std::int64_t i) {
    // joint is rounded to f32, so the weights are normalised once more.
    float* p = joint_weights(i);
    const double evidence = static_cast<double>(joint.as<float>()[i]) + normaliser;
    double sum = 0;
    for (std::int64_t j = 0; j < n; ++j) {
      p[j] = ::expf(static_cast<float>(log_density(codes, i, j, d) - evidence));
      sum += static_cast<double>(p[j]);
    }
    const float scale = static_cast<float>(static_cast<double>(djoint.as<float>()[i]) / sum);
    for (std::int64_t j = 0; j < n; ++j) p[j] *= scale;
    for (std::int64_t column = 0; column < d; column += tile) {
      const std::int64_t count = std::min(tile, d - column), at = i * d + column;
      alignas(64) double sums[tile];
      alignas(64) float buffer[tile];
      std::fill_n(sums, count, 0.0);
      const float* zs = codes.z(i) + column;
      for (std::int64_t j = 0; j < n; ++j) {
        const float *mu = codes.mu(j) + column, *h = codes.h(j) + column, *l = codes.l(j) + column;
        const float weight = p[j];
#pragma omp simd
        for (std::int64_t k = 0; k < count; ++k)
          sums[k] -= static_cast<double>(
              term(zs[k], mu[k], h[k], l[k], weight, dmarginal[at + k], marginal[at + k] + shift).gradient);
      }
      float* out = target(dz, at, buffer);
      for (std::int64_t k = 0; k < count; ++k) out[k] = static_cast<float>(sums[k]);
      store(out, dz, at, count);
    }
  });

  parallel_tasks(n, n * n * d, [&](std::int64_t j) {
    for (std::int64_t column = 0; column < d; column += tile) {
      const std::int64_t count = std::min(tile, d - column), at = j * 2 * d + column;
      alignas(64) double dmu[tile], dl[tile];
      alignas(64) float mu_buffer[tile], l_buffer[tile], raw_buffer[tile];
      std::fill_n(dmu, count, 0.0);
      std::fill_n(dl, count, 0.0);
      const float *mu = codes.mu(j) + column, *h = codes.h(j) + column, *l = codes.l(j) + column;
      for (std::int64_t i = 0; i < n; ++i) {
        const float *zs = codes.z(i) + column, *dm = dmarginal + i * d + column,
                    *m = marginal + i * d + column;
        const float weight = joint_weights(i)[j];
#pragma omp simd
        for (std::int64_t k = 0; k < count; ++k) {
          const Term t = term(zs[k], mu[k], h[k], l[k], weight, dm[k], m[k] + shift);
          dmu[k] += static_cast<double>(t.gradient);
          dl[k] -= static_cast<double>(0.5f * t.weight * (1.0f - t.square));
        }
      }
      const float* raw = load(statistics, at + d, count, raw_buffer);
      float *to_mu = target(dstatistics, at, mu_buffer), *to_l = target(dstatistics, at + d, l_buffer);
      for (std::int64_t k = 0; k < count; ++k) {
        const bool outside = raw[k] < params.log_variance_min || raw[k] > params.log_variance_max;
        to_mu[k] = static_cast<float>(dmu[k]);
        to_l[k] = outside ? 0.0f : static_cast<float>(dl[k]);
      }
      store(to_mu, dstatistics, at, count);
      store(to_l, dstatistics, at + d, count);
    }
  });
}

}  // namespace chorale::cpu

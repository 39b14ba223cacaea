// SPDX-License-Identifier: MIT
// The maximisation of Gaussian mixtures, from sums about the old centers to parameters and what the next step
// reads, with m = N + 10 eps as in scikit-learn:
//
//   w = m / sum m    mu' = mu + first / m    full: S = second / m - N / m (mu' - mu)(mu' - mu)^T + reg I
//   tied: S = (scatter - sum_c m mu' mu'^T) / sum m + reg I       diagonal: the diagonal of full; spherical:
//   its mean S = U^T U    P = U^-1    log |P| = -sum log U_jj
//
// f64 throughout; factors are rounded once. Cholesky and inverse go by rows of the upper triangle, each row a
// sum of multiples of others: 2/3 d^3 flops a component. Bytes that must move: 28 k d^2 (full).
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"

namespace chorale::cpu {
namespace {

/// a [d, d], of which the upper triangle counts, becomes U with a = U^T U. False if a is not positive
/// definite.
bool cholesky(double* a, std::int64_t d) {
  for (std::int64_t p = 0; p < d; ++p) {
    double* row = a + p * d;
    if (!(row[p] > 0) || std::isinf(row[p])) return false;
    const double scale = 1 / std::sqrt(row[p]);
    for (std::int64_t j = p; j < d; ++j) row[j] *= scale;
    for (std::int64_t i = p + 1; i < d; ++i) {
      double* __restrict to = a + i * d;
      const double factor = row[i];
      for (std::int64_t j = i; j < d; ++j) to[j] -= factor * row[j];
    }
  }
  return true;
}

/// u, upper triangular, becomes its inverse.
void invert(double* u, std::int64_t d, std::vector<double>& row) {
  row.resize(static_cast<std::size_t>(d));
  for (std::int64_t i = d - 1; i >= 0; --i) {
    std::fill(row.begin(), row.end(), 0.0);
    for (std::int64_t p = i + 1; p < d; ++p) {
      const double* __restrict from = u + p * d;
      const double factor = u[i * d + p];
      for (std::int64_t j = p; j < d; ++j) row[static_cast<std::size_t>(j)] += factor * from[j];
    }
    const double scale = 1 / u[i * d + i];
    for (std::int64_t j = i + 1; j < d; ++j) u[i * d + j] = -scale * row[static_cast<std::size_t>(j)];
    u[i * d + i] = scale;
  }
}

struct Update {
  std::int64_t k, d;
  const double* counts;
  const double* first;
  const double* second;
  double reg_covar;
  double* means;
  double* covariances;
  float* factors;

  double divisor(std::int64_t c) const { return counts[c] + 10 * std::numeric_limits<double>::epsilon(); }
  double step(std::int64_t c, std::int64_t j) const { return first[c * d + j] / divisor(c); }

  void full(std::int64_t c) const {
    const double scale = 1 / divisor(c), share = counts[c] * scale;
    for (std::int64_t i = 0; i < d; ++i)
      for (std::int64_t j = i; j < d; ++j)
        covariances[(c * d + i) * d + j] =
            second[(c * d + i) * d + j] * scale - share * step(c, i) * step(c, j);
  }

  void tied() const {
    double total = 0;
    for (std::int64_t c = 0; c < k; ++c) total += divisor(c);
    parallel_tasks(d, k * d * d, [&](std::int64_t i) {
      double* to = covariances + i * d;
      for (std::int64_t j = i; j < d; ++j) to[j] = second[i * d + j];
      for (std::int64_t c = 0; c < k; ++c)
        for (std::int64_t j = i; j < d; ++j) to[j] -= divisor(c) * means[c * d + i] * means[c * d + j];
      for (std::int64_t j = i; j < d; ++j) to[j] /= total;
    });
  }

  /// Completes covariance m and writes its factor: log |P|, or NaN where it is not positive definite.
  double factorize(std::int64_t m) const {
    double* covariance = covariances + m * d * d;
    for (std::int64_t i = 0; i < d; ++i) {
      covariance[i * d + i] += reg_covar;
      for (std::int64_t j = i + 1; j < d; ++j) covariance[j * d + i] = covariance[i * d + j];
    }
    std::vector<double> u(covariance, covariance + d * d), row;
    if (!cholesky(u.data(), d)) return std::numeric_limits<double>::quiet_NaN();
    invert(u.data(), d, row);
    double log_determinant = 0;
    for (std::int64_t i = 0; i < d; ++i) {
      log_determinant += std::log(u[static_cast<std::size_t>(i * d + i)]);
      for (std::int64_t j = 0; j < d; ++j)
        factors[(m * d + i) * d + j] =
            j < i ? 0.0f : static_cast<float>(u[static_cast<std::size_t>(i * d + j)]);
    }
    return log_determinant;
  }

  /// Variances of component c, or their one mean, and 1 / standard deviation: log |P|, or NaN.
  double diagonal(std::int64_t c, bool spherical) const {
    const double scale = 1 / divisor(c), share = counts[c] * scale;
    std::vector<double> variances(static_cast<std::size_t>(d));
    double mean = 0;
    for (std::int64_t j = 0; j < d; ++j) {
      double& variance = variances[static_cast<std::size_t>(j)];
      variance = std::max(0.0, second[c * d + j] * scale - share * step(c, j) * step(c, j)) + reg_covar;
      mean += variance / static_cast<double>(d);
    }
    if (spherical) covariances[c] = mean;
    double log_determinant = 0;
    for (std::int64_t j = 0; j < d; ++j) {
      const double variance = spherical ? mean : variances[static_cast<std::size_t>(j)];
      if (!spherical) covariances[c * d + j] = variance;
      if (!(variance > 0) || std::isinf(variance)) return std::numeric_limits<double>::quiet_NaN();
      factors[c * d + j] = static_cast<float>(1 / std::sqrt(variance));
      log_determinant -= 0.5 * std::log(variance);
    }
    return log_determinant;
  }
};

}  // namespace

void gmm_update(Context&, ConstView counts, ConstView first, ConstView second, ConstView bound,
                double reg_covar, double tol, View state, View weights, View means, View covariances,
                View centers, View factors, View constants) {
  require(centers.dtype == DType::f32 && centers.rank == 2 && counts.size() == centers.shape[0] &&
              first.size() == centers.size() && second.dtype == DType::f64 &&
              (covariances.rank == 1 || covariances.size() == second.size()),
          "gmm_update",
          "centers f32 [k, d], counts [k], first [k, d] and second of the covariances' shape in f64", centers,
          counts, first, second, covariances);
  double* s = state.as<double>();
  if (s[gmm_converged] != 0 || s[gmm_failed] != 0) return;
  const std::int64_t k = centers.shape[0], d = centers.shape[1];
  const Update u{k,
                 d,
                 counts.as<double>(),
                 first.as<double>(),
                 second.as<double>(),
                 reg_covar,
                 means.as<double>(),
                 covariances.as<double>(),
                 factors.as<float>()};
  double total = 0;
  for (std::int64_t c = 0; c < k; ++c) total += u.divisor(c);
  for (std::int64_t at = 0; at < k * d; ++at)
    u.means[at] = static_cast<double>(centers.as<float>()[at]) + u.step(at / d, at % d);
  std::vector<double> log_determinants(static_cast<std::size_t>(k));
  if (covariances.rank == 3 && covariances.shape[0] < k) {
    u.tied();
    std::fill(log_determinants.begin(), log_determinants.end(), u.factorize(0));
  } else {
    parallel_tasks(k, k * d * (covariances.rank == 3 ? d * d : 1), [&](std::int64_t c) {
      if (covariances.rank == 3) u.full(c);
      log_determinants[static_cast<std::size_t>(c)] =
          covariances.rank == 3 ? u.factorize(c) : u.diagonal(c, covariances.rank == 1);
    });
  }
  for (std::int64_t c = k - 1; c >= 0; --c) {
    const double log_determinant = log_determinants[static_cast<std::size_t>(c)];
    if (std::isnan(log_determinant)) s[gmm_failed] = static_cast<double>(c + 1);
    weights.as<double>()[c] = u.divisor(c) / total;
    constants.as<double>()[c] = std::log(u.divisor(c) / total) + log_determinant -
                                0.5 * static_cast<double>(d) * std::log(2 * std::numbers::pi);
    for (std::int64_t at = c * d; at < (c + 1) * d; ++at)
      centers.as<float>()[at] = static_cast<float>(u.means[at]);
  }
  if (!bound) return;
  const double value = *bound.as<double>();
  s[gmm_converged] = std::fabs(value - s[gmm_bound]) < tol;
  s[gmm_bound] = value;
  s[gmm_steps] += 1;
}

}  // namespace chorale::cpu

// SPDX-License-Identifier: MIT
// Gaussian mixtures fitted by expectation maximisation, with scikit-learn's names and semantics.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace chorale::cluster {

/// covariance_type of sklearn.mixture.GaussianMixture: a matrix for each component, one for all, variances
/// for each component, one variance for each.
enum class CovarianceType : std::uint8_t { full, tied, diag, spherical };

/// Parameters of sklearn.mixture.GaussianMixture, with its meanings and defaults.
struct GmmOptions {
  std::int64_t n_components = 1;
  CovarianceType covariance_type = CovarianceType::full;
  double tol = 1e-3;        ///< a restart ends when the mean log-likelihood of the rows changed by less
  double reg_covar = 1e-6;  ///< added to every variance; 0 or more
  std::int64_t max_iter = 100;
  std::int64_t n_init = 1;  ///< restarts; the one of highest lower bound is returned
  /// Responsibilities f32 (n, n_components) or labels i32 (n) to start from, which makes n_init 1; undefined:
  /// the labels of one k-means a restart (init_params="kmeans"), which starts from k-means|| for 32
  /// components and more.
  Tensor init;
  std::uint64_t random_state = 0;
};

/// A fitted mixture: parameters in f64 on the host, row-major; what scores rows, on the device of the fit.
struct Gmm {
  std::int64_t n_components_ = 0, n_features_ = 0;
  CovarianceType covariance_type_ = CovarianceType::full;
  std::vector<double> weights_;      ///< (k), sum 1
  std::vector<double> means_;        ///< (k, d)
  std::vector<double> covariances_;  ///< full (k, d, d), tied (d, d), diag (k, d), spherical (k)
  double lower_bound_ = 0;           ///< mean log-likelihood of the rows before the last update, in nats
  bool converged_ = false;
  std::int64_t n_iter_ = 0;  ///< iterations of the returned restart
  Tensor labels_;          ///< i32 (n): the most likely component of each row that the mixture was fitted on
  Tensor log_likelihood_;  ///< f32 (n): log p(x) of those rows, in nats

  Tensor origin_;   ///< f64 (d): column means of those rows, subtracted from whatever is scored
  Tensor centers_;  ///< f32 (k, d): means_ about the origin
  /// f32, upper triangular P with covariance^-1 = P P^T: full (k, d, d), tied (1, d, d); diag and spherical
  /// (k, d) its diagonal.
  Tensor precisions_cholesky_;
  Tensor constants_;  ///< f64 (k): log weight + log |P| - d/2 log 2 pi

  // For rows x f32 (n, d). InputError for x of another width or not finite; `name` stands for x in errors.

  /// log p(x) of each row: f32 (n), in nats.
  Tensor score_samples(const Tensor& x, const std::string& name = "x") const;
  /// Mean log-likelihood of the rows, in nats.
  double score(const Tensor& x, const std::string& name = "x") const;
  /// The most likely component of each row, the lowest index of equals: i32 (n).
  Tensor predict(const Tensor& x, const std::string& name = "x") const;
  /// Responsibilities p(c | x): f32 (n, k).
  Tensor predict_proba(const Tensor& x, const std::string& name = "x") const;
  /// Bayesian (Schwarz 1978) and Akaike (1974) information criterion of the rows; lower is better.
  double bic(const Tensor& x, const std::string& name = "x") const;
  double aic(const Tensor& x, const std::string& name = "x") const;
  /// Free parameters of the mixture.
  double n_parameters() const;
};

/// Fits a mixture to the rows of x, f32 (n, d), on the current context's device. Same bits for the same
/// options, on the CPU for any number of threads. A component without points keeps its place, with variances
/// reg_covar and almost no weight. `name` stands for x in errors. UsageError for options out of range,
/// InputError for x that is empty or not finite, NumericalError where a covariance is not positive definite.
Gmm gmm(const Tensor& x, const GmmOptions& options, const std::string& name = "x");

}  // namespace chorale::cluster

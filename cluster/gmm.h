// SPDX-License-Identifier: MIT
// Gaussian mixtures fitted by expectation maximisation, with scikit-learn's names and semantics.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace chorale::cluster {

/// Parameters of sklearn.mixture.GaussianMixture(covariance_type="diag"), with its meanings.
struct GmmOptions {
  std::int64_t n_components = 1;
  /// Responsibilities f32 (n, n_components) to start from, which makes n_init 1; undefined: one k-means a
  /// restart (init_params="kmeans").
  Tensor init;
  std::int64_t n_init = 10;  ///< restarts; the one of highest lower bound is returned
  std::int64_t max_iter = 100;
  double tol = 1e-3;        ///< a restart ends when the mean log-likelihood of the rows changed by less
  double reg_covar = 1e-6;  ///< added to every variance; 1e-12 or more
  std::uint64_t random_state = 0;
};

/// A fitted mixture; f64 on the host, row-major.
struct Gmm {
  std::int64_t n_components_ = 0, n_features_ = 0;
  std::vector<double> weights_;      ///< (k), sum 1
  std::vector<double> means_;        ///< (k, d)
  std::vector<double> covariances_;  ///< (k, d): the variances
  double lower_bound_ = 0;           ///< mean log-likelihood of the rows before the last update, in nats
  bool converged_ = false;
  std::int64_t n_iter_ = 0;  ///< iterations of the returned restart
  Tensor log_likelihood_;    ///< f32 (n): log p(x) of each row that the mixture was fitted on, in nats

  /// log p(x) of each row of x f32 (n, d): f32 (n), in nats. InputError for x of another width or not finite.
  Tensor score_samples(const Tensor& x, const std::string& name = "x") const;
  /// Responsibilities p(c | x) of the rows of x: f32 (n, k).
  Tensor predict_proba(const Tensor& x, const std::string& name = "x") const;
};

/// Fits a mixture to the rows of x, f32 (n, d), on the current context's device. Same bits for the same
/// options, on the CPU for any number of threads. A component without points keeps its place, with variances
/// reg_covar and almost no weight. `name` stands for x in errors. UsageError for options out of range,
/// InputError for x that is empty or not finite.
Gmm gmm(const Tensor& x, const GmmOptions& options, const std::string& name = "x");

}  // namespace chorale::cluster

// SPDX-License-Identifier: MIT
// Principal component analysis with scikit-learn's names, signs and normalisation.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace chorale::cluster {

enum class PcaSolver : std::uint8_t {
  automatic,   ///< exact while min(n, d) <= 2000 or most components are asked for; else randomized
  exact,       ///< eigenvectors of the covariance (d <= n) or of the Gram matrix of the rows (d > n)
  randomized,  ///< Halko, Martinsson & Tropp, SIAM Review 2011, with power iterations
};

struct PcaOptions {
  std::int64_t n_components = 0;  ///< 0: min(n, d)
  PcaSolver solver = PcaSolver::automatic;
  std::uint64_t random_state = 0;  ///< for the randomized solver
};

/// A fitted PCA. Variances divide by n - 1. Each component's element of largest absolute value is positive,
/// as in scikit-learn since 1.5.
struct Pca {
  Tensor mean_;        ///< f64 (d)
  Tensor components_;  ///< f32 (n_components, d), orthonormal rows, largest variance first
  std::vector<double> explained_variance_;
  std::vector<double> explained_variance_ratio_;  ///< of the variance of all columns; 0 where that is 0
  std::vector<double> singular_values_;
  double noise_variance_ = 0;  ///< mean variance of the components left out

  /// Coordinates f32 (n, n_components) of the rows of x f32 (n, d).
  Tensor transform(const Tensor& x, const std::string& name = "x") const;
};

/// Fits on x f32 (n, d), n >= 2, on the current context's device. The exact solver multiplies and decomposes
/// in f64, so that columns of very unlike scales keep their small components; the randomized one multiplies
/// in f32. UsageError for n_components out of 0 to min(n, d), InputError for x that is not finite or has one
/// row only.
Pca pca(const Tensor& x, const PcaOptions& options = {}, const std::string& name = "x");

}  // namespace chorale::cluster

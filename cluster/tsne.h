// SPDX-License-Identifier: MIT
// t-distributed stochastic neighbour embedding in the plane, with scikit-learn's names and semantics.
#pragma once
#include <cstdint>
#include <string>

#include "cluster/graph.h"
#include "cluster/map_options.h"
#include "tensor/tensor.h"

namespace chorale::cluster {

/// Parameters of sklearn.manifold.TSNE, with its meanings.
struct TsneOptions {
  std::int64_t n_components = 2;  ///< only 2
  double perplexity = 30;         ///< above 0, below the number of rows
  double early_exaggeration = 12;
  double learning_rate = 0;      ///< 0: "auto", max(n / early_exaggeration / 4, 50)
  std::int64_t max_iter = 1000;  ///< 250 or more
  std::int64_t n_iter_without_progress = 300;
  double min_grad_norm = 1e-7;
  MapInit init = MapInit::pca;  ///< pca or random
  std::uint64_t random_state = 0;
  MapCallbacks callbacks = {};
};

struct TsneResult {
  Tensor embedding_;          ///< f32 (n, 2)
  double kl_divergence_ = 0;  ///< of the last iteration, in nats
  std::int64_t n_iter_ = 0;   ///< number of the last iteration, from 0
};

/// Maps the rows of x, f32 (n, d), on the current context's device (van der Maaten & Hinton, JMLR 2008).
/// Similarities reach to 3 perplexity + 1 neighbours, as in van der Maaten, JMLR 2014; repulsion between all
/// pairs is exact for few points and beyond that interpolated on a grid and convolved by Fourier transforms
/// (after Linderman et al., Nature Methods 2019): no Barnes-Hut trees. Momentum, gains, exaggeration and the
/// ends are scikit-learn's. Same bits for the same options, on the CPU for any number of threads. `name`
/// stands for x in errors. UsageError for options out of range, InputError for x that is empty or not finite.
TsneResult tsne(const Tensor& x, const TsneOptions& options = {}, const std::string& name = "x");

/// The similarities that the map is to reproduce: P_ij = (p(j | i) + p(i | j)) / 2 n over the 3 perplexity +
/// 1 nearest neighbours, or n - 1; they sum to 1.
Graph tsne_similarities(const Tensor& x, double perplexity, const std::string& name = "x");

}  // namespace chorale::cluster

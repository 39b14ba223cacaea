// SPDX-License-Identifier: MIT
// Uniform manifold approximation and projection to the plane, with umap-learn's names and semantics.
#pragma once
#include <cstdint>
#include <string>

#include "cluster/graph.h"
#include "cluster/map_options.h"
#include "tensor/tensor.h"

namespace chorale::cluster {

/// Parameters of umap.UMAP, with its meanings.
struct UmapOptions {
  std::int64_t n_neighbors = 15;  ///< the point itself is one of them; 2 or more; n - 1 where rows are fewer
  std::int64_t n_components = 2;  ///< only 2
  double min_dist = 0.1;          ///< 0 to spread
  double spread = 1;
  std::int64_t n_epochs = 0;  ///< 0: 500 up to 10,000 rows, else 200
  double learning_rate = 1;
  std::int64_t negative_sample_rate = 5;
  double repulsion_strength = 1;
  double set_op_mix_ratio = 1;    ///< 1: union of the fuzzy sets, 0: intersection
  double local_connectivity = 1;  ///< neighbours taken to be at distance 0
  MapInit init = MapInit::spectral;
  std::uint64_t random_state = 0;
  MapCallbacks callbacks = {};
};

struct UmapResult {
  Tensor embedding_;      ///< f32 (n, 2)
  double a_ = 0, b_ = 0;  ///< of the similarity 1 / (1 + a r^(2 b)) in the plane
};

/// Maps the rows of x, f32 (n, d), on the current context's device (McInnes, Healy & Melville 2018). Edges
/// are sampled on umap-learn's schedule, but every point moves along its own edges against the positions
/// before the epoch (kernels/cpu/cluster_umap.cpp), so that the same options give the same bits, on the CPU
/// for any number of threads. `name` stands for x in errors. UsageError for options out of range, InputError
/// for x that is empty or not finite.
UmapResult umap(const Tensor& x, const UmapOptions& options = {}, const std::string& name = "x");

/// The fuzzy simplicial set of the rows of x, n >= 2: how much each is a neighbour of another, 0 to 1.
Graph umap_graph(const Tensor& x, const UmapOptions& options = {}, const std::string& name = "x");

/// a and b such that 1 / (1 + a r^(2 b)) is nearest, in squares at 300 distances up to 3 spread, to 1 up to
/// min_dist and exp(-(r - min_dist) / spread) beyond.
std::pair<double, double> find_umap_curve(double spread, double min_dist);

}  // namespace chorale::cluster

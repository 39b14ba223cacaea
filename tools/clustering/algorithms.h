// SPDX-License-Identifier: MIT
// The clustering algorithms behind one set of command-line options and one form of results.
#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tensor/tensor.h"
#include "tools/common/options.h"

namespace chorale::tools {

/// Defaults are scikit-learn's, except those of n_init (k-means: 10) and eps. Below 0: the algorithm's own.
struct AlgorithmOptions {
  std::int64_t n_clusters = 8, n_init = -1, max_iter = -1;
  double tol = -1;
  std::string init = "k-means++", metric = "euclidean";
  std::int64_t batch_size = 0;  ///< above 0: k-means in mini-batches
  std::string covariance_type = "full";
  double reg_covar = 1e-6;
  std::string linkage = "ward";
  double distance_threshold = -1;
  std::string eps = "auto";  ///< or a number
  std::int64_t min_samples = -1, min_cluster_size = 5;
  std::string cluster_selection_method = "eom";
  double cluster_selection_epsilon = 0;
  bool allow_single_cluster = false;
  bool responsibilities = true;  ///< of gmm, n k numbers
  std::uint64_t random_state = 0;
};

/// What an algorithm found.
struct Clustering {
  std::string algorithm;
  Tensor labels;  ///< i32 (n); -1: noise
  /// Further arrays by scikit-learn's name without the underscore: "centers", "responsibilities",
  /// "linkage"...
  std::vector<std::pair<std::string, Tensor>> arrays;
  nlohmann::ordered_json parameters;       ///< what it ran with
  nlohmann::ordered_json results;          ///< "inertia", "n_iter", ...
  std::vector<std::string> warnings = {};  ///< what a user should know of the result
};

/// In the order in which `--algorithm all` runs them.
const std::vector<std::string>& algorithm_names();

/// Names of all arrays that algorithms and their judgement write, each <name>.npy.
const std::vector<std::string>& array_names();

/// Adds the options of all algorithms to a program.
void add_algorithm_options(Options& options, AlgorithmOptions& o);
/// The options of algorithms that stand on the command line and mean nothing to any of `algorithms`.
std::vector<std::string> unused_options(const Options& options, const std::vector<std::string>& algorithms);

/// Clusters the rows of x f32 (n, d) by the algorithm of that name. `name` stands for x in errors; errors of
/// options name them as the command line does.
Clustering run_algorithm(std::string_view algorithm, const Tensor& x, const AlgorithmOptions& o,
                         const std::string& name);

}  // namespace chorale::tools

// SPDX-License-Identifier: MIT
// Exact nearest neighbours, Euclidean, as sklearn.neighbors.NearestNeighbors gives them.
#pragma once
#include <cstdint>
#include <string>

#include "tensor/tensor.h"

namespace chorale::cluster {

struct Neighbours {
  Tensor distances;  ///< f32 (n, k), ascending
  Tensor indices;    ///< i32 (n, k): rows of x; equally near ones by index
};

/// The k nearest other rows of each row of x, f32 (n, d), on the current context's device: those of f64 sums
/// of squared differences, on every device and for any number of threads. Time at most O(n^2 d), less where
/// the rows lie in few dimensions or in groups; memory O(n (d + k)). UsageError for k out of 1 to n - 1,
/// InputError for x that is empty or not finite; `name` stands for x in errors.
Neighbours nearest_neighbours(const Tensor& x, std::int64_t k, const std::string& name = "x");

}  // namespace chorale::cluster

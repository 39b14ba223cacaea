// SPDX-License-Identifier: MIT
// Where UMAP starts: the graph's own geometry.
#pragma once
#include <cstdint>
#include <vector>

#include "cluster/graph.h"

namespace chorale::cluster {

/// Coordinates of the points of a graph, n pairs: the eigenvectors of the two smallest non-zero eigenvalues
/// of its normalised Laplacian (Belkin & Niyogi 2003), each of length 1, residuals below 1e-4; where the
/// graph falls apart, those of each part, set around the middle of the part's rows of x. Deterministic.
std::vector<double> spectral_layout(const Graph& graph, const Tensor& x, std::uint64_t seed,
                                    const std::string& name);

}  // namespace chorale::cluster

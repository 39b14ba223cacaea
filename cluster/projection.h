// SPDX-License-Identifier: MIT
// Matrices mapped to the plane, for figures.
#pragma once
#include <cstdint>
#include <string>

#include "tensor/tensor.h"

namespace chorale::cluster {

/// f32 (n, 2) of the rows of x, f32 (n, d), by `method`: "umap" or "tsne" with the defaults of their options,
/// or "pca", the first two principal components, 0 where there are fewer. t-SNE's perplexity is at most a
/// third of the other rows; up to three rows are mapped by "pca" whatever the method, a single one to 0.
/// `name` stands for x in errors. UsageError for other methods, InputError for x that is empty or not finite.
Tensor project_to_plane(const Tensor& x, const std::string& method, std::uint64_t seed = 0,
                        const std::string& name = "x");

}  // namespace chorale::cluster

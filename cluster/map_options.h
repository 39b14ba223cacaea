// SPDX-License-Identifier: MIT
// What the maps of points (t-SNE, UMAP) have in common: where they start, and how a caller follows them.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace chorale::cluster {

enum class MapInit : std::uint8_t {
  spectral,  ///< eigenvectors of the neighbours' graph (UMAP only)
  pca,       ///< the first two principal components
  random,
};

/// Called while a map is laid out; what is unset is not called.
struct MapCallbacks {
  /// Iterations done and a value: of t-SNE the divergence every 50 iterations, of UMAP the learning rate.
  std::function<void(std::int64_t iteration, double value)> progress;
  /// Asked as often; true ends the layout, which returns what it has.
  std::function<bool()> interrupted;

  /// Reports and asks; true if the layout is to end.
  bool report(std::int64_t iteration, double value) const {
    if (progress) progress(iteration, value);
    return interrupted && interrupted();
  }
};

/// f32 (n, 2): standard normals, Philox stream `stream`.
std::vector<float> map_normals(std::int64_t n, std::uint64_t seed, std::uint32_t stream);

/// The first two principal components of x, f32 (n, d), as n pairs; what the data does not have (one column,
/// no variance) is normal, as wide as the first.
std::vector<float> map_components(const Tensor& x, std::uint64_t seed, const std::string& name);

}  // namespace chorale::cluster

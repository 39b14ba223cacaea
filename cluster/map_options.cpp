// SPDX-License-Identifier: MIT
#include "cluster/map_options.h"

#include <algorithm>
#include <cmath>

#include "cluster/pca.h"
#include "kernels/philox.h"

namespace chorale::cluster {

std::vector<float> map_normals(std::int64_t n, std::uint64_t seed, std::uint32_t stream) {
  std::vector<float> values(static_cast<std::size_t>(2 * n));
  for (std::size_t i = 0; i < values.size(); i += 4) {
    float four[4];
    philox::normals(philox::block(seed, 0, stream, i / 4), four);
    for (std::size_t j = i; j < std::min(values.size(), i + 4); ++j) values[j] = four[j - i];
  }
  return values;
}

std::vector<float> map_components(const Tensor& x, std::uint64_t seed, const std::string& name) {
  const std::int64_t n = x.dim(0);
  std::vector<float> result = map_normals(n, seed, 0);
  if (n < 2) return result;
  PcaOptions options;
  options.n_components = std::min<std::int64_t>({2, n, x.dim(1)});
  const Pca fitted = pca(x, options, name);
  const std::vector<float> coordinates = fitted.transform(x, name).to_host<float>();
  const auto found = static_cast<std::size_t>(options.n_components);
  const double widest = std::sqrt(fitted.explained_variance_[0]);
  for (std::size_t a = 0; a < 2; ++a)
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
      if (a < found && fitted.explained_variance_[a] > 0) {
        result[2 * i + a] = coordinates[found * i + a];
      } else if (widest > 0) {
        result[2 * i + a] *= static_cast<float>(widest);
      }
    }
  return result;
}

}  // namespace chorale::cluster

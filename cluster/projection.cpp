// SPDX-License-Identifier: MIT
#include "cluster/projection.h"

#include <algorithm>
#include <vector>

#include "cluster/pca.h"
#include "cluster/rows.h"
#include "cluster/tsne.h"
#include "cluster/umap.h"

namespace chorale::cluster {
namespace {

/// Too few rows for neighbourhoods to mean anything.
constexpr std::int64_t few_rows = 3;

Tensor principal_plane(const Tensor& x, std::uint64_t seed, const std::string& name) {
  const std::int64_t n = x.dim(0), components = std::min<std::int64_t>({2, n, x.dim(1)});
  if (n == 1) {
    finite_column_mean(x, name);
    return Tensor::zeros({n, 2});
  }
  const std::vector<float> found =
      pca(x, {.n_components = components, .random_state = seed}, name).transform(x, name).to_host<float>();
  std::vector<float> plane(static_cast<std::size_t>(2 * n), 0.0f);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto width = static_cast<std::size_t>(components);
    plane[i / width * 2 + i % width] = found[i];
  }
  return Tensor::from_host(plane, {n, 2});
}

}  // namespace

Tensor project_to_plane(const Tensor& x, const std::string& method, std::uint64_t seed,
                        const std::string& name) {
  check_matrix(x, name);
  if (method != "umap" && method != "tsne" && method != "pca")
    throw UsageError("projection: unknown: " + method + " (allowed umap, tsne, pca)");
  if (method == "pca" || x.dim(0) <= few_rows) return principal_plane(x, seed, name);
  if (method == "umap") return umap(x, {.random_state = seed}, name).embedding_;
  const double perplexity = std::min(30.0, static_cast<double>(x.dim(0) - 1) / 3.0);
  return tsne(x, {.perplexity = perplexity, .random_state = seed}, name).embedding_;
}

}  // namespace chorale::cluster

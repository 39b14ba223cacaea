// SPDX-License-Identifier: MIT
#include "cluster/agglomerative.h"

#include "cluster/cluster_stores.h"
#include "cluster/rows.h"
#include "kernels/launch.h"

namespace chorale::cluster {
namespace {

/// Share of the free memory that a distance matrix may take.
constexpr double memory_share = 0.8;
/// Up to here computing distances anew costs less than writing and reading the matrix.
constexpr std::int64_t few_columns = 64;

void check_options(const AgglomerativeOptions& o, const Tensor& x) {
  const std::int64_t n = x.dim(0);
  const auto refuse = [](const char* option, const std::string& what, const std::string& value,
                         const std::string& allowed) {
    throw UsageError(std::string(option) + ": " + what + ": " + value + " (allowed " + allowed + ")");
  };
  if (!o.distance_threshold && (o.n_clusters < 1 || o.n_clusters > n))
    refuse("n_clusters", "not between 1 and the number of rows", std::to_string(o.n_clusters),
           "1 to " + std::to_string(n));
  if (o.distance_threshold && !(*o.distance_threshold >= 0))
    refuse("distance_threshold", "out of range", std::to_string(*o.distance_threshold), "0 or more");
  if (o.algorithm == AgglomerativeAlgorithm::vectors &&
      (o.linkage == Linkage::complete || o.linkage == Linkage::average))
    refuse("algorithm", "not known for this linkage",
           o.linkage == Linkage::complete ? "vectors with complete" : "vectors with average",
           "distance_matrix, or vectors with ward or single");
}

/// Throws unless x is finite and squared distances between clusters stay so in f32. Distances are sums of
/// differences, so the rows themselves are not centred.
void check_range(const Tensor& x, const std::string& name) {
  const std::int64_t n = x.dim(0);
  if (n > std::int64_t{1} << 30)
    throw InputError(name + ": too many rows: " + std::to_string(n) + " (allowed up to 1073741824)");
  // Updating the distance of two clusters multiplies it by their sizes.
  check_squares(x, center_rows(x, name).total_square, static_cast<double>(n), name);
}

/// Whether the distance matrix is to be used. Throws if it has to be and does not fit.
bool use_matrix(const AgglomerativeOptions& o, std::int64_t n, std::int64_t d, const std::string& name) {
  if (o.algorithm == AgglomerativeAlgorithm::vectors || n == 1) return false;
  const bool needed = o.algorithm == AgglomerativeAlgorithm::distance_matrix ||
                      o.linkage == Linkage::complete || o.linkage == Linkage::average;
  if (!needed && d <= few_columns) return false;
  const auto available = static_cast<double>(current_context().available_memory());
  const std::int64_t bytes = distance_matrix_bytes(n);
  if (static_cast<double>(bytes) <= memory_share * available) return true;
  if (!needed) return false;
  throw DeviceError(name + ": distance matrix of " + std::to_string(n) +
                    " rows does not fit into memory: " + std::to_string(bytes >> 20) + " MiB (allowed " +
                    std::to_string(static_cast<std::int64_t>(memory_share * available) >> 20) +
                    " MiB; ward and single linkage also have algorithm vectors)");
}

std::vector<Merge> spanning_tree(const Tensor& x, bool matrix) {
  const std::int64_t n = x.dim(0);
  const Tensor edges({n - 1, 2}, DType::i32), lengths({n - 1}, DType::f64);
  const Tensor distances = matrix ? linkage_distance_matrix(x, Linkage::single) : Tensor();
  kernel::minimum_spanning_tree(current_context(), x, matrix ? ConstView(distances) : ConstView(), edges,
                                lengths);
  const std::vector<std::int32_t> ends = edges.to_host<std::int32_t>();
  const std::vector<double> heights = lengths.to_host<double>();
  std::vector<Merge> merges;
  merges.reserve(heights.size());
  for (std::size_t e = 0; e < heights.size(); ++e)
    merges.push_back({ends[2 * e], ends[2 * e + 1], heights[e]});
  return merges;
}

std::vector<Merge> find_merges(const Tensor& x, Linkage linkage, bool matrix) {
  const std::int64_t n = x.dim(0);
  if (n == 1) return {};
  if (linkage == Linkage::single) return spanning_tree(x, matrix);
  const auto store = matrix ? make_matrix_store(x, linkage) : make_center_store(x);
  return merge_reciprocal_neighbours(*store, n);
}

}  // namespace

AgglomerativeResult agglomerative(const Tensor& x, const AgglomerativeOptions& options,
                                  const std::string& name) {
  check_matrix(x, name);
  check_options(options, x);
  const std::int64_t n = x.dim(0);
  const bool matrix = use_matrix(options, n, x.dim(1), name);
  check_range(x, name);
  AgglomerativeResult r;
  r.linkage_ = linkage_matrix(find_merges(x.contiguous(), options.linkage, matrix), n);
  const std::vector<double> tree = r.linkage_.to_host<double>();
  std::vector<std::int32_t> children;
  std::vector<double> distances;
  for (std::size_t i = 0; i < tree.size(); i += 4) {
    children.insert(children.end(),
                    {static_cast<std::int32_t>(tree[i]), static_cast<std::int32_t>(tree[i + 1])});
    distances.push_back(tree[i + 2]);
  }
  r.children_ = Tensor::from_host(children, {n - 1, 2});
  r.distances_ = Tensor::from_host(distances, {n - 1});
  r.n_clusters_ = options.distance_threshold ? count_clusters(r.linkage_, *options.distance_threshold)
                                             : options.n_clusters;
  r.labels_ = cut_tree(r.linkage_, r.n_clusters_);
  return r;
}

}  // namespace chorale::cluster

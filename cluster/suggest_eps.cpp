// SPDX-License-Identifier: MIT
// An eps for DBSCAN. The clusters of core points are, for every eps, what a cut of the tree of mutual
// reachability leaves, so one tree tells of all of them: for each weight the number of large clusters and
// how many rows they hold, in O(n log n).
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <vector>

#include "cluster/dbscan.h"
#include "cluster/neighbours.h"
#include "cluster/reachability_tree.h"
#include "cluster/rows.h"

namespace chorale::cluster {
namespace {

/// Least share of the rows that a large cluster holds, and that all of them hold at an eps of a plateau.
constexpr double large_share = 0.02, least_coverage = 0.5;
/// Over a plateau the volume of a ball of radius eps grows at least so many times. Among uniform or normal
/// rows, whose density only chance varies, that is rare in any number of dimensions.
constexpr double least_growth = 1.5;
/// Neighbours that tell of the dimension, at least.
constexpr std::int64_t dimension_neighbours = 9;

std::vector<double> column(const Tensor& distances, std::int64_t j) {
  const std::vector<float> values = distances.slice(1, j, j + 1).contiguous().to_host<float>();
  return {values.begin(), values.end()};
}

/// Where the curve lies farthest below the chord from its first to its last point.
double knee(const std::vector<double>& curve) {
  const double first = curve.front(), last = curve.back();
  double farthest = 0, found = last;
  for (std::size_t i = 0; i < curve.size(); ++i) {
    const double chord =
        first + (last - first) * static_cast<double>(i) / static_cast<double>(curve.size() - 1);
    if (chord - curve[i] > farthest && curve[i] > 0) {
      farthest = chord - curve[i];
      found = curve[i];
    }
  }
  return found;
}

/// Logarithm of the ratio of radii over which the volume of a ball grows by least_growth. In p dimensions the
/// mean of log(r_k / r_j), r the distances to the j-th and k-th nearest, is the sum of 1 / i for j <= i < k
/// over p (Levina & Bickel, NIPS 2004).
double least_length(const Tensor& distances) {
  const std::int64_t k = distances.dim(1), j = k / 2;
  if (j < 1) return std::log(least_growth);
  const std::vector<double> near = column(distances, j - 1), far = column(distances, k - 1);
  double sum = 0, inverse_dimension = 1;
  std::int64_t count = 0;
  for (std::size_t i = 0; i < near.size(); ++i) {
    if (!(near[i] > 0)) continue;
    sum += std::log(far[i] / near[i]);
    ++count;
  }
  if (count > 0) {
    double harmonic = 0;
    for (std::int64_t i = j; i < k; ++i) harmonic += 1.0 / static_cast<double>(i);
    inverse_dimension = sum / static_cast<double>(count) / harmonic;
  }
  return std::log(least_growth) * inverse_dimension;
}

/// What is there when all edges up to a weight are.
struct Level {
  double distance;
  std::int64_t clusters, rows;  // large ones, and the rows in them
};

std::vector<Level> levels_of(const std::vector<ReachabilityEdge>& tree, std::int64_t large) {
  std::vector<std::size_t> parents(tree.size() + 1);
  std::iota(parents.begin(), parents.end(), std::size_t{0});
  std::vector<std::int64_t> sizes(parents.size(), 1);
  const auto root = [&](std::int32_t row) {
    auto i = static_cast<std::size_t>(row);
    while (parents[i] != i) i = parents[i] = parents[parents[i]];
    return i;
  };
  std::vector<Level> levels;
  Level level{0, 0, 0};
  const auto count = [&](std::int64_t size, std::int64_t sign) {
    if (size < large) return;
    level.clusters += sign;
    level.rows += sign * size;
  };
  for (std::size_t e = 0; e < tree.size(); ++e) {
    std::size_t a = root(tree[e].a), b = root(tree[e].b);
    if (sizes[a] < sizes[b]) std::swap(a, b);
    count(sizes[a], -1);
    count(sizes[b], -1);
    parents[b] = a;
    sizes[a] += sizes[b];
    count(sizes[a], 1);
    level.distance = std::sqrt(tree[e].square);
    if (e + 1 == tree.size() || tree[e].square < tree[e + 1].square) levels.push_back(level);
  }
  return levels;
}

/// The best of the plateaus: ranges of eps in which the number of large clusters is the same, two or more.
std::optional<SuggestedEps> plateau(const std::vector<Level>& levels, double least_length) {
  const auto n = static_cast<double>(levels.back().rows);
  std::optional<SuggestedEps> best;
  double highest = 0;
  for (auto first = levels.begin(); first != levels.end();) {
    const auto end =
        std::find_if(first, levels.end(), [&](const Level& l) { return l.clusters != first->clusters; });
    if (first->clusters > 1 && end != levels.end()) {
      const double low = first->distance, high = end->distance, length = std::log(high / low);
      const double eps = low > 0 ? low * std::exp(0.75 * length) : 0.5 * high;
      const auto above =
          std::upper_bound(first, end, eps, [](double e, const Level& l) { return e < l.distance; });
      const double coverage = static_cast<double>((above - 1)->rows) / n;
      const double score = length * coverage * coverage;
      if (coverage >= least_coverage && length >= least_length && score > highest) {
        highest = score;
        best = {eps, EpsRule::plateau, first->clusters};
      }
    }
    first = end;
  }
  return best;
}

std::int64_t count_large(const std::vector<std::int32_t>& labels, std::int64_t large) {
  std::vector<std::int64_t> sizes(labels.size(), 0);
  for (const std::int32_t label : labels)
    if (label >= 0) ++sizes[static_cast<std::size_t>(label)];
  return std::count_if(sizes.begin(), sizes.end(), [&](std::int64_t size) { return size >= large; });
}

}  // namespace

SuggestedEps suggest_eps(const Tensor& x, std::int64_t min_samples, const std::string& name) {
  check_matrix(x, name);
  if (min_samples < 1)
    throw UsageError("min_samples: out of range: " + std::to_string(min_samples) + " (allowed 1 or more)");
  const std::int64_t n = x.dim(0), others = std::max<std::int64_t>(n - 1, 1);
  if (n == 1) {
    finite_column_mean(x, name);
    return {1, EpsRule::copies, 0};
  }
  const std::int64_t k = min_samples > n ? others : std::min(2 * min_samples - 1, others);
  const std::int64_t large =
      std::max({std::int64_t{2}, min_samples,
                static_cast<std::int64_t>(std::ceil(large_share * static_cast<double>(n)))});
  const Neighbours near = nearest_neighbours(x, std::min(std::max(k, dimension_neighbours), others), name);
  std::vector<double> curve = column(near.distances, k - 1);
  std::sort(curve.begin(), curve.end());
  const auto tree_levels = [&] {
    return levels_of(reachability_tree(PointSet(x, name), min_samples, 1), large);
  };

  if (!(curve.back() > 0)) {
    if (min_samples > n) return {1, EpsRule::copies, 0};
    for (Level copies{0, 0, 0}; const Level& level : tree_levels()) {
      if (level.distance > 0) return {0.5 * level.distance, EpsRule::copies, copies.clusters};
      copies = level;
    }
    return {1, EpsRule::copies, 1};
  }
  SuggestedEps suggested{knee(curve), EpsRule::knee, 0};
  if (min_samples > n) return suggested;
  suggested.n_clusters =
      count_large(dbscan(x, {suggested.eps, min_samples}, name).labels_.to_host<std::int32_t>(), large);
  if (suggested.n_clusters > 1) return suggested;
  return plateau(tree_levels(), least_length(near.distances)).value_or(suggested);
}

}  // namespace chorale::cluster

// SPDX-License-Identifier: MIT
#include "cluster/condensed_tree.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace chorale::cluster {
namespace {

using Index = std::int64_t;

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

/// Merges in ascending order: node n + i joins nodes left and right. Nodes below n are rows.
struct Linkage {
  struct Merge {
    Index left, right, size;
    double distance;
  };
  std::vector<Merge> merges;
  Index n;

  Index size(Index node) const { return node < n ? 1 : merges[at(node - n)].size; }
};

/// Single linkage. The left side of a merge is that of the edge's first end, as in scikit-learn, so clusters
/// get the numbers that they have there.
Linkage link(const std::vector<ReachabilityEdge>& edges) {
  Linkage linkage{{}, static_cast<Index>(edges.size()) + 1};
  std::vector<Index> roots(at(linkage.n)), nodes(at(linkage.n));
  std::iota(roots.begin(), roots.end(), 0);
  std::iota(nodes.begin(), nodes.end(), 0);
  const auto root = [&](Index i) {
    while (roots[at(i)] != i) i = roots[at(i)] = roots[at(roots[at(i)])];
    return i;
  };
  linkage.merges.reserve(edges.size());
  for (std::size_t e = 0; e < edges.size(); ++e) {
    const Index left = root(edges[e].a), right = root(edges[e].b);
    const Index size = linkage.size(nodes[at(left)]) + linkage.size(nodes[at(right)]);
    linkage.merges.push_back({nodes[at(left)], nodes[at(right)], size, std::sqrt(edges[e].square)});
    const bool larger = linkage.size(nodes[at(left)]) >= linkage.size(nodes[at(right)]);
    roots[at(larger ? right : left)] = larger ? left : right;
    nodes[at(larger ? left : right)] = linkage.n + static_cast<Index>(e);
  }
  return linkage;
}

}  // namespace

void CondensedTree::leave(Index cluster, double lambda, Index size) {
  Cluster& c = clusters_[at(cluster)];
  // Lambda is infinite for copies of a row. Birth is not: copies join one by one, so nothing that is large
  // enough for a cluster splits off at distance 0.
  c.stability += (lambda - c.birth) * static_cast<double>(size);
  c.death = std::max(c.death, lambda);
}

CondensedTree::CondensedTree(const std::vector<ReachabilityEdge>& edges, Index min_cluster_size)
    : clusters_(1), points_(edges.size() + 1) {
  const Linkage linkage = link(edges);
  const Index n = linkage.n;
  struct Node {
    Index node, cluster;
  };
  std::vector<Node> open;
  if (n > 1) open.push_back({2 * n - 2, 0});
  std::vector<Index> falling;
  for (std::size_t next = 0; next < open.size(); ++next) {
    const auto [node, cluster] = open[next];
    const Linkage::Merge& merge = linkage.merges[at(node - n)];
    const double lambda = merge.distance > 0 ? 1.0 / merge.distance : std::numeric_limits<double>::infinity();
    const bool split =
        linkage.size(merge.left) >= min_cluster_size && linkage.size(merge.right) >= min_cluster_size;
    if (split) clusters_[at(cluster)].first_child = static_cast<Index>(clusters_.size());
    for (const Index side : {merge.left, merge.right}) {
      const Index size = linkage.size(side);
      if (split) {
        open.push_back({side, static_cast<Index>(clusters_.size())});
        clusters_.push_back({cluster, -1, size, lambda});
        leave(cluster, lambda, size);
      } else if (size >= min_cluster_size) {
        open.push_back({side, cluster});
      } else {
        falling.assign(1, side);
        for (std::size_t f = 0; f < falling.size(); ++f) {
          if (falling[f] >= n) {
            const Linkage::Merge& inner = linkage.merges[at(falling[f] - n)];
            falling.insert(falling.end(), {inner.left, inner.right});
            continue;
          }
          points_[at(falling[f])] = {cluster, lambda};
          leave(cluster, lambda, 1);
        }
      }
    }
  }
}

std::vector<bool> CondensedTree::by_excess_of_mass(const HdbscanOptions& options) const {
  std::vector<bool> selected(clusters_.size(), false);
  std::vector<double> stability(clusters_.size());
  for (Index c = static_cast<Index>(clusters_.size()) - 1; c >= (options.allow_single_cluster ? 0 : 1); --c) {
    const Cluster& cluster = clusters_[at(c)];
    const bool has_children = cluster.first_child >= 0;
    const double below =
        has_children ? stability[at(cluster.first_child)] + stability[at(cluster.first_child + 1)] : 0.0;
    // The root has the size of the clusters that it splits into.
    const Index size =
        c > 0          ? cluster.size
        : has_children ? clusters_[at(cluster.first_child)].size + clusters_[at(cluster.first_child + 1)].size
                       : 0;
    const bool better_split =
        below > cluster.stability || (options.max_cluster_size > 0 && size > options.max_cluster_size);
    selected[at(c)] = !better_split;
    stability[at(c)] = better_split ? below : cluster.stability;
  }
  // Within a selected cluster nothing else is.
  std::vector<bool> inside(clusters_.size(), false);
  for (std::size_t c = 1; c < clusters_.size(); ++c) {
    const std::size_t parent = at(clusters_[c].parent);
    inside[c] = inside[parent] || selected[parent];
    if (inside[c]) selected[c] = false;
  }
  return selected;
}

std::vector<bool> CondensedTree::leaves() const {
  std::vector<bool> selected(clusters_.size(), false);
  for (std::size_t c = 1; c < clusters_.size(); ++c) selected[c] = clusters_[c].first_child < 0;
  return selected;
}

/// Selected clusters that split off below the distance give way to the lowest cluster above them that did
/// not.
std::vector<bool> CondensedTree::merge_near(const std::vector<bool>& selected,
                                            const HdbscanOptions& options) const {
  const auto distance = [&](Index c) { return 1.0 / clusters_[at(c)].birth; };
  std::vector<bool> merged(clusters_.size(), false), covered(clusters_.size(), false);
  for (Index c = 1; c < static_cast<Index>(clusters_.size()); ++c) {
    if (!selected[at(c)]) continue;
    if (!(distance(c) < options.cluster_selection_epsilon)) {
      merged[at(c)] = true;
      continue;
    }
    if (covered[at(c)]) continue;
    Index chosen = c;
    for (Index parent = clusters_[at(c)].parent;; parent = clusters_[at(parent)].parent) {
      if (parent == 0) {
        if (options.allow_single_cluster) chosen = 0;
        break;
      }
      chosen = parent;
      if (distance(parent) > options.cluster_selection_epsilon) break;
    }
    merged[at(chosen)] = true;
    std::vector<bool> under(clusters_.size(), false);
    under[at(chosen)] = true;
    for (std::size_t d = at(chosen) + 1; d < clusters_.size(); ++d)
      if (under[at(clusters_[d].parent)]) under[d] = covered[d] = true;
  }
  return merged;
}

CondensedTree::Flat CondensedTree::flatten(const HdbscanOptions& options) const {
  const bool eom = options.cluster_selection_method == ClusterSelection::eom;
  std::vector<bool> selected = eom ? by_excess_of_mass(options) : leaves();
  if (options.cluster_selection_epsilon > 0 && clusters_.size() > 1 && !selected[0])
    selected = merge_near(selected, options);

  std::vector<Index> owner(clusters_.size(), 0), number(clusters_.size(), -1);
  std::int32_t count = 0;

  for (std::size_t c = 0; c < clusters_.size(); ++c) {
    if (selected[c]) number[c] = count++;
    owner[c] = selected[c] ? static_cast<Index>(c) : c ? owner[at(clusters_[c].parent)] : 0;
  }
  // Lambda from which on the points of a single cluster of everything are counted to it.
  const double last =
      options.cluster_selection_epsilon > 0 ? 1.0 / options.cluster_selection_epsilon : clusters_[0].death;

  Flat flat{std::vector<std::int32_t>(points_.size(), -1), std::vector<float>(points_.size(), 0.0f)};
  for (std::size_t i = 0; i < points_.size(); ++i) {
    const Index cluster = owner[at(points_[i].cluster)];
    if (number[at(cluster)] < 0) continue;

    if (cluster == 0 && (count > 1 || !(points_[i].lambda >= last))) continue;
    const double lambda = points_[i].lambda, death = clusters_[at(cluster)].death;
    flat.labels[i] = static_cast<std::int32_t>(number[at(cluster)]);
    flat.probabilities[i] =
        death == 0 || std::isinf(lambda) ? 1.0f : static_cast<float>(std::min(lambda, death) / death);
  }
  return flat;
}

}  // namespace chorale::cluster

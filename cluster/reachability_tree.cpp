// SPDX-License-Identifier: MIT
#include "cluster/reachability_tree.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <queue>

#include "cluster/equal_rows.h"
#include "kernels/error.h"
#include "kernels/launch.h"

namespace chorale::cluster {
namespace {

using Edges = std::vector<ReachabilityEdge>;

/// Neighbours whose edges make the first forest, at least.
constexpr std::int64_t least_neighbours = 8;
/// Edges that one pass over the pairs may find for a row.
constexpr std::int64_t edges_per_pass = 8;

constexpr double infinity = std::numeric_limits<double>::infinity();

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

ReachabilityEdge edge(double square, std::int32_t i, std::int32_t j) {
  return {square, std::min(i, j), std::max(i, j)};
}

/// Trees that grow together; each is a chain of its points in the order of the leaves of its dendrogram.
class Forest {
 public:
  explicit Forest(std::size_t n) : parents_(n), last_(n), next_(n, -1), heights_(n, infinity) {
    std::iota(parents_.begin(), parents_.end(), 0);
    std::iota(last_.begin(), last_.end(), 0);
  }

  bool joined(std::int32_t a, std::int32_t b) { return root(a) == root(b); }

  void join(const ReachabilityEdge& e) {
    const std::int32_t a = root(e.a), b = root(e.b);
    if (a == b) return;
    next_[at(last_[at(a)])] = b;  // the root of a tree is the first of its chain
    last_[at(a)] = last_[at(b)];
    parents_[at(b)] = a;
    heights_[at(b)] = e.square;
  }

  /// All points, tree by tree, and the height at which each place joins the one before, infinity between
  /// trees.
  void leaves(std::vector<std::int32_t>& ids, std::vector<double>& heights) const {
    ids.clear();
    heights.clear();
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(parents_.size()); ++i)
      for (std::int32_t leaf = parents_[at(i)] == i ? i : -1; leaf >= 0; leaf = next_[at(leaf)]) {
        ids.push_back(leaf);
        heights.push_back(heights_[at(leaf)]);
      }
  }

 private:
  std::int32_t root(std::int32_t i) {
    while (parents_[at(i)] != i) i = parents_[at(i)] = parents_[at(parents_[at(i)])];
    return i;
  }

  std::vector<std::int32_t> parents_, last_, next_;
  std::vector<double> heights_;
};

/// The edges of all minimum spanning forests (Kruskal, 1956), ascending: those whose ends lighter edges do
/// not join. `forest` is left joined by them.
Edges light_edges(Edges edges, Forest& forest) {
  std::sort(edges.begin(), edges.end());
  auto kept = edges.begin();
  for (auto group = edges.begin(); group != edges.end();) {
    const auto end =
        std::find_if(group, edges.end(), [&](const auto& e) { return e.square != group->square; });
    const auto first = kept;
    for (; group != end; ++group)
      if (!forest.joined(group->a, group->b)) *kept++ = *group;
    for (auto e = first; e != kept; ++e) forest.join(*e);
  }
  edges.erase(kept, edges.end());
  return edges;
}

/// The tree that grows from row 0 by the lightest edge (Prim, 1957), of equals to the lowest row and from the
/// row that was reached first, as scikit-learn's does; ascending, a the end that was reached first. Edges are
/// between groups of equal rows: what the first of a group has to offer, its copies offer too, but later.
Edges grow(const Edges& edges, const std::vector<double>& core, const EqualRows& groups) {
  std::vector<std::size_t> offsets(groups.count() + 1, 0), incident(2 * edges.size());
  for (const ReachabilityEdge& e : edges) {
    ++offsets[at(e.a) + 1];
    ++offsets[at(e.b) + 1];
  }
  std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
  std::vector<std::size_t> end(offsets.begin(), offsets.end() - 1);
  for (std::size_t e = 0; e < edges.size(); ++e) {
    incident[end[at(edges[e].a)]++] = e;
    incident[end[at(edges[e].b)]++] = e;
  }

  struct Offer {
    double square;
    std::int32_t row;
    std::size_t group;
    bool operator<(const Offer& other) const {  // the largest of a heap is what comes next
      return square != other.square ? square > other.square : row > other.row;
    }
  };
  std::priority_queue<Offer> open;
  // Of each group the row to be reached next, and the lightest edge to it; none is lighter than -infinity.
  std::vector<std::size_t> next(groups.offsets.begin(), groups.offsets.end() - 1);
  std::vector<double> lightest(groups.count(), infinity);
  std::vector<std::int32_t> from(groups.count(), -1);
  const auto next_row = [&](std::size_t group) { return groups.members[next[group]]; };
  const auto offer = [&](std::size_t group, double square, std::int32_t row) {
    if (!(square < lightest[group])) return;
    lightest[group] = square;
    from[group] = row;
    open.push({square, next_row(group), group});
  };

  const std::size_t n = groups.members.size();
  Edges tree;
  tree.reserve(n - 1);
  for (std::size_t group = 0;;) {
    const std::int32_t row = next_row(group);
    const bool first = next[group]++ == groups.offsets[group];
    const bool last = next[group] == groups.offsets[group + 1];
    if (last) {
      lightest[group] = -infinity;
    } else if (first && core[group] < lightest[group]) {
      offer(group, core[group], row);
    } else {
      open.push({lightest[group], next_row(group), group});
    }
    for (std::size_t i = offsets[group]; first && i < offsets[group + 1]; ++i) {
      const ReachabilityEdge& e = edges[incident[i]];
      offer(at(e.a) == group ? at(e.b) : at(e.a), e.square, row);
    }
    if (tree.size() + 1 == n) break;
    const auto outdated = [&](const Offer& o) {
      return o.square != lightest[o.group] || o.row != next_row(o.group);
    };
    while (!open.empty() && outdated(open.top())) open.pop();
    if (open.empty())
      throw ContractError("reachability_tree: edges do not join all rows: " +
                          std::to_string(tree.size() + 1) + " of " + std::to_string(n) + " (allowed all)");
    group = open.top().group;
    open.pop();
    tree.push_back({lightest[group], from[group], next_row(group)});
  }
  std::stable_sort(tree.begin(), tree.end(),
                   [](const ReachabilityEdge& a, const ReachabilityEdge& b) { return a.square < b.square; });
  return tree;
}

/// The squared core distance of each group of equal rows, and the edges to its nearest neighbours.
struct NearEdges {
  std::vector<double> core;
  Edges edges;
};

NearEdges near_edges(const OrderedPoints& p, const EqualRows& groups, std::int64_t min_samples,
                     double scale) {
  const auto n = static_cast<std::int64_t>(groups.count());
  const std::int64_t k = std::min(std::max(min_samples - 1, least_neighbours), n - 1);
  NearEdges near{std::vector<double>(groups.count(), 0.0), {}};
  if (n == 1) return near;
  const Tensor squares_of({n, k}, DType::f64), indices_of({n, k}, DType::i32);
  kernel::nearest_neighbours(current_context(), p.x, p.centered, p.norms, p.ids, p.low, p.high, View(),
                             squares_of, indices_of);
  const std::vector<double> squares = squares_of.to_host<double>();
  const std::vector<std::int32_t> indices = indices_of.to_host<std::int32_t>();
  for (std::int64_t i = 0; i < n; ++i) {
    std::int64_t samples = groups.size(static_cast<std::size_t>(i));
    for (auto e = static_cast<std::size_t>(i * k); samples < min_samples; ++e) {
      near.core[static_cast<std::size_t>(i)] = squares[e];
      samples += groups.size(at(indices[e]));
    }
  }
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t e = 0; e < k; ++e) {
      const auto place = static_cast<std::size_t>(i * k + e);
      const std::int64_t j = indices[place];
      const bool listed_there = squares[place] < squares[static_cast<std::size_t>(j * k + k - 1)];
      if (j < i && listed_there) continue;
      near.edges.push_back(edge(std::max({near.core[static_cast<std::size_t>(i)],
                                          near.core[static_cast<std::size_t>(j)], scale * squares[place]}),
                                static_cast<std::int32_t>(i), static_cast<std::int32_t>(j)));
    }
  return near;
}

}  // namespace

// Equal rows are joined at their core distance, whatever else there is, so the tree is that of the groups of
// equal rows: a forest of the edges to near neighbours, which is a part of the tree or close to it, and then
// what it lacks: pairs nearer than the heaviest edge between them. All such pairs together with the forest
// hold the tree, so a pass that could name all of them is the last.
//
// Mutual reachability makes equal weights: a row that lies in the core distance of another is joined to it at
// that distance, and so is the next. Such pairs are near neighbours, so of equal edges all are at hand, and
// the tree grows as it would have grown on all pairs.
std::vector<ReachabilityEdge> reachability_tree(const PointSet& points, std::int64_t min_samples,
                                                double alpha) {
  const double scale = 1.0 / (alpha * alpha);
  OrderedPoints p = points.arrange(points.bisection_order());
  const EqualRows groups = group_equal_rows(p);
  const auto n = static_cast<std::int64_t>(groups.count());
  std::optional<PointSet> without_copies;
  if (n < points.size()) {
    without_copies.emplace(p.x.gather_rows(groups.firsts()), "distinct rows");
    p = without_copies->arrange(without_copies->bisection_order());
  }
  const PointSet& distinct = without_copies ? *without_copies : points;

  NearEdges near = near_edges(p, groups, min_samples, scale);
  Edges edges = std::move(near.edges);
  std::vector<std::int32_t> ids;
  std::vector<double> heights, core(near.core.size());
  for (bool complete = n == 1;;) {
    Forest forest(near.core.size());
    edges = light_edges(std::move(edges), forest);
    if (complete) return grow(edges, near.core, groups);
    forest.leaves(ids, heights);
    for (std::size_t i = 0; i < core.size(); ++i) core[i] = near.core[at(ids[i])];
    p = distinct.arrange(ids);
    const Tensor squares_of({n, edges_per_pass}, DType::f64), partners_of({n, edges_per_pass}, DType::i32);
    kernel::shorter_edges(current_context(), p.x, p.centered, p.norms, p.ids, p.low, p.high,
                          Tensor::from_host(core, {n}), Tensor::from_host(heights, {n}), scale, squares_of,
                          partners_of);
    const std::vector<double> squares = squares_of.to_host<double>();
    const std::vector<std::int32_t> partners = partners_of.to_host<std::int32_t>();
    complete = true;
    for (std::size_t i = 0; i < partners.size(); ++i) {
      if (partners[i] < 0) continue;
      edges.push_back(edge(squares[i], ids[i / edges_per_pass], partners[i]));
      if (i % edges_per_pass == edges_per_pass - 1) complete = false;
    }
  }
}

}  // namespace chorale::cluster

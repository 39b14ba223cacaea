// SPDX-License-Identifier: MIT
#include "cluster/linkage.h"

#include <algorithm>
#include <numeric>

namespace chorale::cluster {
namespace {

/// Disjoint sets of points; each set's tree id and size are those of its root.
class Sets {
 public:
  explicit Sets(std::int64_t n)
      : parent_(static_cast<std::size_t>(n)), id_(parent_.size()), size_(parent_.size(), 1) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
    std::iota(id_.begin(), id_.end(), std::int64_t{0});
  }
  std::size_t find(std::size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  std::int64_t id(std::size_t root) const { return id_[root]; }
  std::int64_t size(std::size_t root) const { return size_[root]; }
  void join(std::size_t a, std::size_t b, std::int64_t id) {
    if (size_[a] < size_[b]) std::swap(a, b);
    parent_[b] = a;
    size_[a] += size_[b];
    id_[a] = id;
  }

 private:
  std::vector<std::size_t> parent_;
  std::vector<std::int64_t> id_, size_;
};

/// A linkage matrix on the host.
class Tree {
 public:
  explicit Tree(const Tensor& linkage) {
    if (!linkage.defined() || linkage.rank() != 2 || linkage.dim(1) != 4 || linkage.dtype() != DType::f64)
      throw InputError("linkage: not a linkage matrix: " +
                       (linkage.defined()
                            ? std::string(dtype_name(linkage.dtype())) + " " + to_string(linkage.shape())
                            : "nothing") +
                       " (allowed f64 of shape (n - 1, 4))");
    values_ = linkage.to_host<double>();
    n_ = linkage.dim(0) + 1;
  }
  std::int64_t points() const { return n_; }
  std::int64_t merges() const { return n_ - 1; }
  std::int64_t child(std::int64_t merge, std::int64_t side) const {
    return static_cast<std::int64_t>(values_[static_cast<std::size_t>(4 * merge + side)]);
  }
  double height(std::int64_t merge) const { return values_[static_cast<std::size_t>(4 * merge + 2)]; }

 private:
  std::vector<double> values_;
  std::int64_t n_ = 0;
};

/// Gives every point below cluster `id` the label.
void label_points(const Tree& tree, std::int64_t id, std::int32_t label, std::vector<std::int32_t>& labels) {
  std::vector<std::int64_t> open{id};
  while (!open.empty()) {
    const std::int64_t at = open.back();
    open.pop_back();
    if (at < tree.points()) {
      labels[static_cast<std::size_t>(at)] = label;
    } else {
      open.push_back(tree.child(at - tree.points(), 0));
      open.push_back(tree.child(at - tree.points(), 1));
    }
  }
}

}  // namespace

Tensor linkage_matrix(std::vector<Merge> merges, std::int64_t n) {
  if (static_cast<std::int64_t>(merges.size()) != n - 1)
    throw ContractError("linkage_matrix: " + std::to_string(merges.size()) + " merges of " +
                        std::to_string(n) + " points");
  std::stable_sort(merges.begin(), merges.end(),
                   [](const Merge& a, const Merge& b) { return a.height < b.height; });
  Sets sets(n);
  std::vector<double> rows;
  rows.reserve(4 * merges.size());
  for (std::size_t r = 0; r < merges.size(); ++r) {
    const std::size_t a = sets.find(static_cast<std::size_t>(merges[r].first)),
                      b = sets.find(static_cast<std::size_t>(merges[r].second));
    if (a == b) throw ContractError("linkage_matrix: a cluster is merged with itself");
    const std::int64_t low = std::min(sets.id(a), sets.id(b)), high = std::max(sets.id(a), sets.id(b));
    const std::int64_t size = sets.size(a) + sets.size(b);
    for (const double value :
         {static_cast<double>(low), static_cast<double>(high), merges[r].height, static_cast<double>(size)})
      rows.push_back(value);
    sets.join(a, b, n + static_cast<std::int64_t>(r));
  }
  return Tensor::from_host(rows, {n - 1, 4});
}

Tensor cut_tree(const Tensor& linkage, std::int64_t n_clusters) {
  const Tree tree(linkage);
  const std::int64_t n = tree.points();
  if (n_clusters < 1 || n_clusters > n)
    throw UsageError("n_clusters: not between 1 and the number of rows: " + std::to_string(n_clusters) +
                     " (allowed 1 to " + std::to_string(n) + ")");
  // scikit-learn keeps the clusters in a heap, the last one made on top, and numbers them by their places in
  // its array. The top's children take its place and the array's end.
  std::vector<std::int64_t> heap{n + tree.merges() - 1};
  for (std::int64_t i = 1; i < n_clusters; ++i) {
    const std::int64_t merge = heap[0] - n;
    heap.push_back(tree.child(merge, 0));
    for (std::size_t at = heap.size() - 1; at > 0 && heap[(at - 1) / 2] < heap[at]; at = (at - 1) / 2)
      std::swap(heap[at], heap[(at - 1) / 2]);
    heap[0] = tree.child(merge, 1);
    for (std::size_t at = 0; 2 * at + 1 < heap.size();) {
      std::size_t larger = 2 * at + 1;
      if (larger + 1 < heap.size() && heap[larger + 1] > heap[larger]) ++larger;
      if (heap[larger] <= heap[at]) break;
      std::swap(heap[at], heap[larger]);
      at = larger;
    }
  }
  std::vector<std::int32_t> labels(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < heap.size(); ++i)
    label_points(tree, heap[i], static_cast<std::int32_t>(i), labels);
  return Tensor::from_host(labels, {n});
}

std::int64_t count_clusters(const Tensor& linkage, double threshold) {
  const Tree tree(linkage);
  std::int64_t count = 1;
  for (std::int64_t r = 0; r < tree.merges(); ++r) count += tree.height(r) >= threshold;
  return count;
}

}  // namespace chorale::cluster

// SPDX-License-Identifier: MIT
#include "cluster/reciprocal_merges.h"

#include <algorithm>
#include <utility>

namespace chorale::cluster {
namespace {

/// Other clusters that look for their neighbour for each merge, besides those that it needs.
constexpr std::int64_t searches_per_merge = 2;
/// Columns are compacted when fewer than this share of them, in tenths, is left.
constexpr std::int64_t kept_tenths = 5, smallest_compacted = 256;

class Agglomeration {
 public:
  Agglomeration(ClusterStore& store, std::int64_t n) : store_(store), left_(n) {
    clusters_.resize(static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < clusters_.size(); ++i) clusters_[i].point = static_cast<std::int32_t>(i);
    merges_.reserve(clusters_.size());
  }

  std::vector<Merge> run() {
    for (std::size_t i = 0; i < clusters_.size(); ++i) list(static_cast<std::int32_t>(i));
    listed_.swap(next_);
    while (left_ > 1) {
      search();
      find_pairs();
      merge();
      if (10 * left_ < kept_tenths * columns() && columns() > smallest_compacted) compact();
      list_next();
    }
    return std::move(merges_);
  }

 private:
  struct Cluster {
    std::int32_t point;  // any of its points: its name in the tree
    std::int64_t size = 1;
    double height = 0;
    std::int32_t merged = 0;      // how often this column was part of a merge
    std::int32_t neighbour = -1;  // -1: never looked for
    std::int32_t neighbour_merged = 0;
    float distance = 0;
    std::int64_t search = 0;  // the last one that it took part in
    std::int64_t walk = 0;    // the last one that came by
    bool alive = true, listed = false;
  };

  std::int64_t columns() const { return static_cast<std::int64_t>(clusters_.size()); }
  Cluster& at(std::int32_t column) { return clusters_[static_cast<std::size_t>(column)]; }
  /// The neighbour it knows of is still there.
  bool is_current(const Cluster& c) {
    return c.neighbour >= 0 && at(c.neighbour).merged == c.neighbour_merged;
  }

  void search() {
    store_.nearest(listed_, neighbours_, distances_);
    ++searches_;
    for (std::size_t i = 0; i < listed_.size(); ++i) {
      Cluster& c = at(listed_[i]);
      c.search = searches_;
      c.neighbour = neighbours_[i];
      c.neighbour_merged = at(c.neighbour).merged;
      c.distance = distances_[i];
    }
    listed_.insert(listed_.end(), agreed_.begin(), agreed_.end());
    agreed_.clear();
  }

  /// A new reciprocal pair has at least one cluster that has just looked.
  void find_pairs() {
    pairs_.clear();
    for (const std::int32_t column : listed_) {
      Cluster& c = at(column);
      Cluster& other = at(c.neighbour);
      if (!is_current(other) || other.neighbour != column || (other.listed && c.neighbour < column)) continue;
      const auto [first, second] = std::minmax(column, c.neighbour);
      pairs_.push_back({first, second, at(first).size, at(second).size, c.distance});
    }
    std::sort(pairs_.begin(), pairs_.end(),
              [](const ClusterStore::Pair& a, const ClusterStore::Pair& b) { return a.first < b.first; });
    for (const std::int32_t column : listed_) at(column).listed = false;
  }

  void merge() {
    if (pairs_.empty()) return;
    const std::vector<double> heights = store_.merge(pairs_);
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      Cluster &first = at(pairs_[i].first), &second = at(pairs_[i].second);
      first.height = std::max({heights[i], first.height, second.height});
      merges_.push_back({first.point, second.point, first.height});
      first.size += second.size;
      first.neighbour = -1;
      ++first.merged;
      ++second.merged;
      second.alive = false;
    }
    left_ -= static_cast<std::int64_t>(pairs_.size());
  }

  void list(std::int32_t column) {
    if (at(column).listed) return;
    at(column).listed = true;
    next_.push_back(column);
  }

  void list_next() {
    next_.clear();
    for (const ClusterStore::Pair& pair : pairs_) list(pair.first);
    // Those whose neighbour has just been merged wait: many may, and the merged cluster goes on for them all.
    const std::int64_t walks_before = walks_;
    for (const std::int32_t column : listed_)
      if (at(column).alive && is_current(at(column))) walk(column, walks_before);
    list_others(searches_per_merge * static_cast<std::int64_t>(pairs_.size()));
    if (next_.empty() && agreed_.empty()) list_others(1);
    std::sort(next_.begin(), next_.end());
    listed_.swap(next_);
  }

  /// Along the neighbours, to the first cluster that must look again, or to where an earlier walk came by.
  void walk(std::int32_t column, std::int64_t walks_before) {
    ++walks_;
    while (is_current(at(column)) && at(column).walk <= walks_before) {
      at(column).walk = walks_;
      column = at(column).neighbour;
    }
    if (!is_current(at(column))) return list(column);
    if (at(column).walk == walks_) end_circle(column);
  }

  /// The neighbours of these clusters lead back to `column`. Distances that are equal but for rounding, seen
  /// at different times, do so: all look again, and of what is seen at one time the lowest of equals makes no
  /// circle. If one is left, the store errs by more than it allows for, and the nearest two are merged.
  void end_circle(std::int32_t column) {
    bool at_one_time = true;
    std::int32_t nearest = column, next = column;
    do {
      at_one_time &= at(next).search == searches_;
      if (at(next).distance < at(nearest).distance) nearest = next;
      next = at(next).neighbour;
    } while (next != column);
    if (at_one_time) {
      Cluster& other = at(at(nearest).neighbour);
      other.neighbour = nearest;
      other.neighbour_merged = at(nearest).merged;
      agreed_.push_back(nearest);
      return;
    }
    while (at(column).neighbour >= 0) {
      list(column);
      column = std::exchange(at(column).neighbour, -1);
    }
  }

  /// Up to `count` clusters whose neighbour is out of date, from where the last call ended.
  void list_others(std::int64_t count) {
    for (std::int64_t step = 0; step < columns() && count > 0; ++step) {
      cursor_ = cursor_ + 1 < columns() ? cursor_ + 1 : 0;
      const Cluster& c = at(static_cast<std::int32_t>(cursor_));
      if (!c.alive || c.listed || is_current(c)) continue;
      list(static_cast<std::int32_t>(cursor_));
      --count;
    }
  }

  void compact() {
    std::vector<std::int32_t> kept, place(clusters_.size(), -1);
    for (std::size_t i = 0; i < clusters_.size(); ++i)
      if (clusters_[i].alive) {
        place[i] = static_cast<std::int32_t>(kept.size());
        kept.push_back(static_cast<std::int32_t>(i));
      }
    store_.compact(kept);
    for (Cluster& c : clusters_) {
      if (!c.alive) continue;
      const bool current = is_current(c);
      c.neighbour = current ? place[static_cast<std::size_t>(c.neighbour)] : -1;
    }
    const auto moved = [&](std::int32_t column) { return place[static_cast<std::size_t>(column)]; };
    for (std::size_t i = 0; i < kept.size(); ++i) clusters_[i] = at(kept[i]);
    clusters_.resize(kept.size());
    for (ClusterStore::Pair& pair : pairs_) pair.first = moved(pair.first);
    std::erase_if(listed_, [&](std::int32_t column) { return moved(column) < 0; });
    for (std::int32_t& column : listed_) column = moved(column);
    cursor_ = 0;
  }

  ClusterStore& store_;
  std::int64_t left_, cursor_ = 0, searches_ = 0, walks_ = 0;
  std::vector<Cluster> clusters_;
  std::vector<std::int32_t> listed_, next_, neighbours_;
  std::vector<std::int32_t> agreed_;  // of pairs that need no search to be merged
  std::vector<float> distances_;
  std::vector<ClusterStore::Pair> pairs_;
  std::vector<Merge> merges_;
};

}  // namespace

std::vector<Merge> merge_reciprocal_neighbours(ClusterStore& store, std::int64_t n) {
  return Agglomeration(store, n).run();
}

}  // namespace chorale::cluster

// SPDX-License-Identifier: MIT
// DBSCAN (Ester et al., KDD 1996) in one pass over the pairs of near points, each pair once.
//
// A point keeps its first m = min_samples - 1 neighbours; one more and it is known to be a core point. When a
// pair within the radius is met, each end that is still short of neighbours keeps the other; where neither
// is, both are core points and their components are joined at once (union-find without locks, the lower root
// wins). After the pass, core points join the core points that they kept; and a point that is no core point
// has kept all of its neighbours. Which neighbours were kept depends on the order of the pairs; components
// and labels do not.
//
// Pairs of blocks are passed over where boxes are farther apart than the radius, and tiles where all points
// are known to be in one component already. f32 products decide where rounding cannot matter, else the f64
// distance. Scratch: a packed copy of the rows, 4 n (m + 2) bytes. At most n^2 d flops.
#include <atomic>

#include "kernels/cpu/cluster_blocks.h"
#include "kernels/cpu/kernels.h"

namespace chorale::cpu {
namespace {

using blocks::column_vectors;
using blocks::row_tiles;
using blocks::side;
using tile::lanes;
using tile::tile_rows;
using tile::vec;

/// The neighbours that points keep and the components of core points, by row of x; shared by all threads.
class Graph {
 public:
  Graph(std::int64_t n, std::int64_t needed, std::int32_t* counts, std::int32_t* parents,
        std::int32_t* neighbours)
      : needed_(needed), counts_(counts), parents_(parents), neighbours_(neighbours) {
    for (std::int64_t i = 0; i < n; ++i) {
      counts_[i] = 0;
      parents_[i] = static_cast<std::int32_t>(i);
    }
  }

  bool is_core(std::int32_t i) const { return load(counts_[i]) >= needed_; }

  std::int32_t root(std::int32_t i) const {
    for (std::int32_t parent = load(parents_[i]); parent != i;) {
      const std::int32_t next = load(parents_[parent]);
      if (next == parent) return parent;
      std::atomic_ref(parents_[i]).store(next, std::memory_order_relaxed);
      i = next;
      parent = load(parents_[i]);
    }
    return i;
  }

  void connect(std::int32_t i, std::int32_t j) {
    const bool kept = keep(i, j);
    if (!keep(j, i) && !kept) join(i, j);
  }

  /// Once no pair is left: core points join the core points they kept.
  void join_kept(std::int32_t i) {
    if (!is_core(i)) return;
    for (std::int64_t e = 0; e < needed_; ++e)
      if (const std::int32_t other = neighbours_[i * needed_ + e]; is_core(other)) join(i, other);
  }

  /// The component of a core point; of another point the lowest among its core neighbours, or -1.
  std::int32_t component(std::int32_t i) const {
    if (is_core(i)) return root(i);
    std::int32_t lowest = -1;
    for (std::int64_t e = 0; e < counts_[i]; ++e) {
      const std::int32_t other = neighbours_[i * needed_ + e];
      if (!is_core(other)) continue;
      const std::int32_t found = root(other);
      if (lowest < 0 || found < lowest) lowest = found;
    }
    return lowest;
  }

 private:
  static std::int32_t load(std::int32_t& value) {
    return std::atomic_ref(value).load(std::memory_order_relaxed);
  }
  bool keep(std::int32_t i, std::int32_t j) {
    if (is_core(i)) return false;
    const std::int32_t slot = std::atomic_ref(counts_[i]).fetch_add(1, std::memory_order_relaxed);
    if (slot >= needed_) return false;
    neighbours_[i * needed_ + slot] = j;
    return true;
  }
  void join(std::int32_t i, std::int32_t j) {
    for (;;) {
      i = root(i);
      j = root(j);
      if (i == j) return;
      if (i < j) std::swap(i, j);
      std::int32_t expected = i;
      if (std::atomic_ref(parents_[i]).compare_exchange_strong(expected, j, std::memory_order_relaxed))
        return;
    }
  }

  std::int64_t needed_;
  std::int32_t *counts_, *parents_, *neighbours_;
};

/// The pairs of one block of rows with itself and the blocks after it.
class Pairs {
 public:
  Pairs(const blocks::Points& p, Graph& graph, double radius, std::uint8_t* settled)
      : p_(p),
        graph_(graph),
        square_(radius * radius),
        above_(blocks::above(square_)),
        below_(static_cast<float>(square_) * (1.0f - 0x1p-20f)),
        raise_(1.0f + static_cast<float>(p.d + 16) * 0x1.4p-23f),
        settled_(settled),
        rows_(p) {}

  void run(std::int64_t block) {
    begin_ = block * side;
    bool read = false;
    for (std::int64_t other = block; other < p_.count; ++other) {
      if (p_.gap(block, other) > above_) continue;
      find_roots(block, rows_root_);
      find_roots(other, columns_root_);
      if (is_settled(block) && is_settled(other) && rows_root_[0] == columns_root_[0]) continue;
      if (!read) rows_.read(block);
      read = true;
      pass(other);
    }
  }

 private:
  static constexpr std::int32_t unknown = -1, beyond = -2;

  bool is_settled(std::int64_t block) const {
    return std::atomic_ref(settled_[block]).load(std::memory_order_relaxed) != 0;
  }

  /// The component of each place of a block; unknown for a point not known to be a core point. Notes a block
  /// that is in one component: so it stays.
  void find_roots(std::int64_t block, std::int32_t* roots) const {
    const std::int32_t* ids = p_.ids + block * side;
    const int size = p_.size(block);
    if (is_settled(block)) {
      std::fill_n(roots, side, graph_.root(ids[0]));
      return;
    }
    bool one = true;
    for (int i = 0; i < size; ++i) {
      roots[i] = graph_.is_core(ids[i]) ? graph_.root(ids[i]) : unknown;
      one &= roots[i] == roots[0] && roots[i] != unknown;
    }
    std::fill(roots + size, roots + side, beyond);
    if (one) std::atomic_ref(settled_[block]).store(std::uint8_t{1}, std::memory_order_relaxed);
  }

  /// The component that all of `count` places are in, or unknown.
  static std::int32_t common_root(const std::int32_t* roots, int count) {
    for (int i = 1; i < count; ++i)
      if (roots[i] != roots[0] && roots[i] != beyond) return unknown;
    return roots[0];
  }

  void pass(std::int64_t other) {
    std::int32_t tile_root[row_tiles], vector_root[column_vectors];
    for (int t = 0; t < row_tiles; ++t) tile_root[t] = common_root(rows_root_ + t * tile_rows, tile_rows);
    for (int v = 0; v < column_vectors; ++v) vector_root[v] = common_root(columns_root_ + v * lanes, lanes);
    const float *row_norms = p_.lowered(begin_ / side), *column_norms = p_.lowered(other);
    rows_.multiply(
        other, [&](int t, int v) { return tile_root[t] == unknown || tile_root[t] != vector_root[v]; },
        [&](int t, int v, const float* products) {
          const vec half = 0.5f * tile::load(column_norms + v * lanes);
          for (int i = 0; i < tile_rows; ++i) {
            const int r = t * tile_rows + i;
            const vec product = tile::load(products + i * lanes);
            const unsigned found = blocks::bits(~(product - half < blocks::limit(row_norms[r], above_)));
            if (!found || (rows_root_[r] != unknown && rows_root_[r] == vector_root[v])) continue;
            const unsigned certain =
                blocks::bits(product - raise_ * half >= blocks::limit(raise_ * row_norms[r], below_));
            connect(begin_ + r, other * side + v * lanes, found, certain);
          }
        });
  }

  void connect(std::int64_t row, std::int64_t first, unsigned found, unsigned certain) {
    if (row >= p_.n) return;
    for (; found; found &= found - 1) {
      const int lane = __builtin_ctz(found);
      const std::int64_t place = first + lane;
      if (place <= row || place >= p_.n) continue;
      if (certain >> lane & 1 || p_.square(row, place) <= square_) graph_.connect(p_.ids[row], p_.ids[place]);
    }
  }

  const blocks::Points& p_;
  Graph& graph_;
  double square_;
  float above_, below_, raise_;
  std::uint8_t* settled_;  // of each block: all its points are core points of one component
  std::int64_t begin_ = 0;
  blocks::RowBlock rows_;
  std::int32_t rows_root_[side], columns_root_[side];
};

}  // namespace

void density_components(Context& context, ConstView x, ConstView centered, ConstView norms, ConstView ids,
                        ConstView low, ConstView high, double radius, std::int64_t min_samples,
                        View components, View core) {
  const blocks::Points p(context, "density_components", x, centered, norms, ids, low, high);
  require(components.dtype == DType::i32 && components.size() == p.n && core.dtype == DType::u8 &&
              core.size() == p.n && min_samples >= 1,
          "density_components", "components i32 [n], core u8 [n], min_samples at least 1", components, core);
  const std::int64_t needed = min_samples - 1;
  const Scratch counts(context, static_cast<std::size_t>(p.n) * sizeof(std::int32_t));
  const Scratch parents(context, static_cast<std::size_t>(p.n) * sizeof(std::int32_t));
  const Scratch neighbours(context, static_cast<std::size_t>(p.n * needed) * sizeof(std::int32_t));
  Graph graph(p.n, needed, counts.as<std::int32_t>(), parents.as<std::int32_t>(),
              neighbours.as<std::int32_t>());
  std::vector<std::uint8_t> settled(static_cast<std::size_t>(p.count), 0);
#pragma omp parallel if (p.n * p.n * p.d > 200000)
  {
    Pairs pairs(p, graph, radius, settled.data());
#pragma omp for schedule(dynamic)
    for (std::int64_t block = 0; block < p.count; ++block) pairs.run(block);
#pragma omp for
    for (std::int64_t i = 0; i < p.n; ++i) graph.join_kept(static_cast<std::int32_t>(i));
#pragma omp for
    for (std::int64_t i = 0; i < p.n; ++i) {
      components.as<std::int32_t>()[i] = graph.component(static_cast<std::int32_t>(i));
      core.as<std::uint8_t>()[i] = graph.is_core(static_cast<std::int32_t>(i));
    }
  }
}

}  // namespace chorale::cpu

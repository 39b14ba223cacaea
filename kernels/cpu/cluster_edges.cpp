// SPDX-License-Identifier: MIT
// What a spanning forest lacks to be the minimum one: pairs of points that are nearer than the heaviest edge
// on the path between them (the cycle property, Tarjan 1983), by mutual reachability max(core_a, core_b,
// scale |a - b|^2).
//
// Points stand in leaf order of the forest's dendrogram, so the heaviest edge between two places is the
// largest height from the one to the other. Of blocks a before b it is max(from the row to the end of a,
// blocks between, from the start of b to the column): one compare a vector besides the product. Each row
// keeps its few nearest such pairs in order. f32 products only exclude; weights and heights are compared in
// f64. Scratch: a packed copy of the rows and 28 bytes a point. At most n^2 d flops.
#include "kernels/cpu/cluster_blocks.h"
#include "kernels/cpu/kernels.h"

namespace chorale::cpu {
namespace {

using blocks::side;
using tile::ivec;
using tile::lanes;
using tile::tile_rows;
using tile::vec;

/// Heights and core distances by place; f32 copies in units of the squared distance, heights rounded up and
/// core distances down.
struct Dendrogram {
  Dendrogram(const blocks::Points& p, ConstView core, ConstView heights, double scale)
      : scale(scale),
        core(core.as<double>()),
        heights(heights.as<double>()),
        to_end(static_cast<std::size_t>(p.n)),
        from_start(static_cast<std::size_t>(p.n)),
        tallest(static_cast<std::size_t>(p.count), 0.0),
        from_start_above(static_cast<std::size_t>(p.count * side), 0.0f),
        core_below(static_cast<std::size_t>(p.count * side), std::numeric_limits<float>::infinity()) {
    for (std::int64_t block = 0; block < p.count; ++block) {
      const std::int64_t begin = block * side, end = begin + p.size(block);
      double tallest_so_far = 0;
      for (std::int64_t i = begin; i < end; ++i) {
        const auto at = static_cast<std::size_t>(i);
        tallest_so_far = std::max(tallest_so_far, this->heights[i]);
        from_start[at] = tallest_so_far;
        from_start_above[at] = above(tallest_so_far);
        core_below[at] = static_cast<float>(this->core[i] / scale) * (1.0f - 0x1p-20f);
      }
      tallest[static_cast<std::size_t>(block)] = tallest_so_far;
      double after = 0;
      for (std::int64_t i = end - 1; i >= begin; --i) {
        to_end[static_cast<std::size_t>(i)] = after;
        after = std::max(after, this->heights[i]);
      }
    }
  }
  float above(double height) const { return blocks::above(height / scale); }

  double scale;
  const double *core, *heights;
  std::vector<double> to_end;      // largest height after a place, within its block
  std::vector<double> from_start;  // largest height up to and at a place, within its block
  std::vector<double> tallest;     // of each block
  std::vector<float> from_start_above, core_below;
};

struct Edge {
  double square;
  std::int32_t id;
  bool operator<(const Edge& other) const {
    return square != other.square ? square < other.square : id < other.id;
  }
};

class Search {
 public:
  Search(const blocks::Points& p, const Dendrogram& tree, std::int64_t kept)
      : p_(p), tree_(tree), kept_(kept), edges_(static_cast<std::size_t>(side * kept)), rows_(p) {}

  /// Leaves the edges of every row of `block` in row(r), and how many there are in count(r).
  void run(std::int64_t block) {
    begin_ = block * side;
    size_ = p_.size(block);
    for (int r = 0; r < side; ++r) {
      count_[r] = 0;
      farthest_[r] = std::numeric_limits<float>::infinity();
      to_end_[r] = r < size_ ? tree_.above(tree_.to_end[static_cast<std::size_t>(begin_ + r)]) : 0.0f;
    }
    bool read = false;
    between_ = 0;
    for (std::int64_t other = block; other < p_.count; ++other) {
      const double tallest = std::max(between_, tree_.tallest[static_cast<std::size_t>(other)]);
      if (p_.gap(block, other) <= reach(other, tree_.above(tallest))) {
        if (!read) rows_.read(block);
        read = true;
        pass(other);
      }
      if (other > block) between_ = tallest;
    }
  }

  const Edge* row(int r) const { return edges_.data() + r * kept_; }
  std::int64_t count(int r) const { return count_[r]; }

 private:
  /// The largest squared distance that a pair of this block and the other may have.
  float reach(std::int64_t other, float tallest) const {
    float reach = 0;
    for (int r = 0; r < size_; ++r) {
      const float row = std::min(farthest_[r], std::max(to_end_[r], tallest));
      if (row > tree_.core_below[static_cast<std::size_t>(begin_ + r)]) reach = std::max(reach, row);
    }
    const float* core = tree_.core_below.data() + other * side;
    const float least = *std::min_element(core, core + side);
    return reach > least ? reach : -1.0f;
  }

  void pass(std::int64_t other) {
    const bool own = other * side == begin_;
    const float *row_norms = p_.lowered(begin_ / side), *column_norms = p_.lowered(other);
    const float* row_core = tree_.core_below.data() + begin_;
    const float between = tree_.above(between_);
    rows_.multiply(
        other, [&](int t, int v) { return !own || v * lanes + lanes > t * tile_rows; },
        [&](int t, int v, const float* products) {
          const vec half = 0.5f * tile::load(column_norms + v * lanes);
          const auto first = static_cast<std::size_t>(other * side + v * lanes);
          // Within the block the heights of all columns, which none between two places exceeds.
          const vec columns = own ? vec{} : tile::load(tree_.from_start_above.data() + first);
          const vec column_core = tile::load(tree_.core_below.data() + first);
          for (int i = 0; i < tile_rows; ++i) {
            const int r = t * tile_rows + i;
            const vec reach =
                tile::minimum(tile::maximum(columns, tile::broadcast(std::max(to_end_[r], between))),
                              tile::broadcast(farthest_[r]));
            const ivec open = reach > tile::maximum(column_core, tile::broadcast(row_core[r]));
            const ivec near =
                ~(tile::load(products + i * lanes) - half < 0.5f * (row_norms[r] - reach)) & open;
            if (const unsigned found = blocks::bits(near))
              weigh(r, static_cast<std::int64_t>(first), found, own);
          }
        });
  }

  void weigh(int r, std::int64_t first, unsigned found, bool own) {
    const std::int64_t row = begin_ + r;
    if (r >= size_) return;
    for (; found; found &= found - 1) {
      const std::int64_t place = first + __builtin_ctz(found);
      if (place <= row || place >= p_.n) continue;
      const double height = own ? *std::max_element(tree_.heights + row + 1, tree_.heights + place + 1)
                                : std::max({tree_.to_end[static_cast<std::size_t>(row)], between_,
                                            tree_.from_start[static_cast<std::size_t>(place)]});
      const double weight =
          std::max({tree_.core[row], tree_.core[place], tree_.scale * p_.square(row, place)});
      if (weight < height) insert(r, {weight, p_.ids[place]});
    }
  }

  void insert(int r, Edge edge) {
    Edge* list = edges_.data() + r * kept_;
    std::int64_t& count = count_[r];
    if (count == kept_) {
      if (!(edge < list[kept_ - 1])) return;
    } else {
      ++count;
    }
    std::int64_t at = count - 1;
    for (; at > 0 && edge < list[at - 1]; --at) list[at] = list[at - 1];
    list[at] = edge;
    if (count == kept_) farthest_[r] = tree_.above(list[kept_ - 1].square);
  }

  const blocks::Points& p_;
  const Dendrogram& tree_;
  std::int64_t kept_, begin_ = 0;
  int size_ = 0;
  double between_ = 0;  // the largest height of the blocks between
  std::vector<Edge> edges_;
  blocks::RowBlock rows_;
  std::int64_t count_[side];
  float farthest_[side];  // squared distance at which a list that is full ends
  float to_end_[side];
};

}  // namespace

void shorter_edges(Context& context, ConstView x, ConstView centered, ConstView norms, ConstView ids,
                   ConstView low, ConstView high, ConstView core, ConstView heights, double scale,
                   View squares, View partners) {
  const blocks::Points p(context, "shorter_edges", x, centered, norms, ids, low, high);
  const std::int64_t kept = partners.columns();
  require(core.dtype == DType::f64 && core.size() == p.n && heights.dtype == DType::f64 &&
              heights.size() == p.n && squares.dtype == DType::f64 && partners.dtype == DType::i32 &&
              partners.rows() == p.n && same_shape(squares, partners) && scale > 0,
          "shorter_edges", "core, heights f64 [n], squares f64, partners i32 [n, r]", core, heights, squares,
          partners);
  const Dendrogram tree(p, core, heights, scale);
#pragma omp parallel if (p.n * p.n * p.d > 200000)
  {
    Search search(p, tree, kept);
#pragma omp for schedule(dynamic)
    for (std::int64_t block = 0; block < p.count; ++block) {
      search.run(block);
      for (int r = 0; r < p.size(block); ++r)
        for (std::int64_t e = 0; e < kept; ++e) {
          const bool there = e < search.count(r);
          const std::int64_t to = (block * side + r) * kept + e;
          squares.as<double>()[to] =
              there ? search.row(r)[e].square : std::numeric_limits<double>::infinity();
          partners.as<std::int32_t>()[to] = there ? search.row(r)[e].id : -1;
        }
    }
  }
}

}  // namespace chorale::cpu

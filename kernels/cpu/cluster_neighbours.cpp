// SPDX-License-Identifier: MIT
// Exact nearest neighbours of each row among the others: k smallest |a - b|^2, equals by index.
//
// A block of 64 rows passes the other blocks, those whose boxes are nearest first, until none can hold
// anything nearer. Products of f32 tiles give each squared distance between two bounds (cluster_blocks.h).
// What may be among the k nearest, at one compare a vector and one branch a tile, is listed with its bounds;
// a list that has grown lowers its threshold to the k-th smallest upper bound. In the end the few that are
// left are measured in f64 from the differences, so the result is that of f64 arithmetic, whatever the order
// of the blocks. Scratch: a packed copy of the rows and 12 (2 k + 127) bytes for each row in work. At most 2
// n^2 d flops.
#include "kernels/cpu/cluster_blocks.h"
#include "kernels/cpu/kernels.h"

namespace chorale::cpu {
namespace {

using blocks::side;
using tile::ivec;
using tile::lanes;
using tile::tile_rows;
using tile::vec;

struct Neighbour {
  double square;
  std::int32_t id, place;
  bool operator<(const Neighbour& other) const {
    return square != other.square ? square < other.square : id < other.id;
  }
};

/// Candidates of one row: where they are, and bounds of their squared distances.
struct List {
  float *most, *least;
  std::int32_t* place;
  std::int64_t count = 0,
               settled = 0;  // of `count`, those that were there when the threshold was last lowered
};

/// The smallest float, of those not negative, that at least k of `count` values do not exceed: by bisection
/// of its bits. Values are padded to whole vectors with infinity.
float kth_smallest(const float* values, std::int64_t count, std::int64_t k) {
  std::int32_t low = -1, high = 0x7f800000;  // infinity
  while (high - low > 1) {
    const std::int32_t middle = low + (high - low) / 2;
    float bound;
    std::memcpy(&bound, &middle, sizeof bound);
    ivec below{};
    for (std::int64_t i = 0; i < count; i += lanes) below -= tile::load(values + i) <= bound;
    std::int64_t total = 0;
    for (int l = 0; l < lanes; ++l) total += below[l];
    (total >= k ? high : low) = middle;
  }
  float result;
  std::memcpy(&result, &high, sizeof result);
  return result;
}

class Search {
 public:
  Search(const blocks::Points& p, std::int64_t k)
      : p_(p),
        k_(k),
        capacity_((2 * k + 127) / lanes * lanes),
        values_(static_cast<std::size_t>(2 * side * capacity_)),
        places_(static_cast<std::size_t>(side * capacity_)),
        found_(static_cast<std::size_t>(capacity_)),
        rows_(p),
        queue_(static_cast<std::size_t>(p.count)) {}

  /// Calls done(r, neighbours) with the k nearest of every row of `block`, ascending.
  template <class Done>
  void run(std::int64_t block, const Done& done) {
    begin_ = block * side;
    size_ = p_.size(block);
    farthest_ = std::numeric_limits<float>::infinity();
    for (int r = 0; r < side; ++r) {
      list_[r] = {values_.data() + 2 * r * capacity_, values_.data() + (2 * r + 1) * capacity_,
                  places_.data() + r * capacity_};
      limit_[r] = r < size_ ? -farthest_ : farthest_;
      threshold_[r] = r < size_ ? farthest_ : 0.0f;
    }
    rows_.read(block);
    for (std::int64_t b = 0; b < p_.count; ++b)
      queue_[static_cast<std::size_t>(b)] = {p_.gap(block, b), std::abs(b - block), b};
    std::make_heap(queue_.begin(), queue_.end());
    for (auto end = queue_.end(); end != queue_.begin() && queue_.front().gap <= farthest_; --end) {
      pass(queue_.front().block);
      std::pop_heap(queue_.begin(), end);
    }
    for (int r = 0; r < size_; ++r) {
      measure(r);
      std::sort(found_.begin(), found_.begin() + k_);
      done(r, found_.data());
    }
  }

 private:
  struct Entry {
    float gap;
    std::int64_t steps, block;
    bool operator<(const Entry& other) const {  // the largest of a heap is the nearest block
      return gap != other.gap       ? gap > other.gap
             : steps != other.steps ? steps > other.steps
                                    : block > other.block;
    }
  };

  void pass(std::int64_t block) {
    const float* lowered = p_.lowered(block);
    rows_.multiply(
        block, [](int, int) { return true; },
        [&](int t, int v, const float* products) {
          const vec column = tile::load(lowered + v * lanes), half = 0.5f * column;
          ivec any{};
          for (int r = 0; r < tile_rows; ++r)
            any |= ~(tile::load(products + r * lanes) - half < limit_[t * tile_rows + r]);
          if (!blocks::bits(any)) return;
          for (int i = 0; i < tile_rows; ++i) {
            const int r = t * tile_rows + i;
            const vec product = tile::load(products + i * lanes);
            if (const unsigned found = blocks::bits(~(product - half < limit_[r])))
              gather(r, block * side + v * lanes, found, p_.lowered(begin_ / side)[r] + column, product);
          }
        });
    float farthest = 0;
    for (int r = 0; r < size_; ++r) {
      if (list_[r].count - list_[r].settled >= k_ / 4 + 8) settle(r);
      farthest = std::max(farthest, threshold_[r]);
    }
    farthest_ = farthest;
  }

  void gather(int r, std::int64_t first, unsigned found, vec scale, vec product) {
    if (r >= size_) return;
    List& list = list_[r];
    if (list.count + lanes > capacity_) settle(r);
    if (list.count + lanes > capacity_) shorten(r);
    const vec least = scale - 2.0f * product, most = p_.raise() * scale - 2.0f * product;
    for (; found; found &= found - 1) {
      const int lane = __builtin_ctz(found);
      const std::int64_t place = first + lane;
      if (place >= p_.n || place == begin_ + r) continue;
      list.place[list.count] = static_cast<std::int32_t>(place);
      list.least[list.count] = least[lane];
      // Squares that overflow bound nothing.
      list.most[list.count++] = most[lane] >= 0.0f  ? most[lane]
                                : most[lane] < 0.0f ? 0.0f
                                                    : std::numeric_limits<float>::infinity();
    }
  }

  /// Lowers the threshold of row r to the k-th smallest upper bound and drops what lies above it.
  void settle(int r) {
    List& list = list_[r];
    list.settled = list.count;
    if (list.count < k_) return;
    std::fill(list.most + list.count, list.most + (list.count + lanes - 1) / lanes * lanes,
              std::numeric_limits<float>::infinity());
    set_threshold(r, kth_smallest(list.most, list.count, k_));
    std::int64_t kept = 0;
    for (std::int64_t e = 0; e < list.count; ++e) {
      list.most[kept] = list.most[e];
      list.least[kept] = list.least[e];
      list.place[kept] = list.place[e];
      kept += !(list.least[e] > threshold_[r]);
    }
    list.count = list.settled = kept;
  }

  /// Keeps exactly k candidates, by distance: where many are equally far or rounding hides which are nearer.
  void shorten(int r) {
    measure(r);
    List& list = list_[r];
    for (std::int64_t e = 0; e < k_; ++e) {
      const Neighbour& kept = found_[static_cast<std::size_t>(e)];
      list.place[e] = kept.place;
      list.most[e] = blocks::above(kept.square);
      list.least[e] = 0;
    }
    list.count = list.settled = k_;
    set_threshold(r, list.most[k_ - 1]);
  }

  void set_threshold(int r, float square) {
    threshold_[r] = square;
    limit_[r] = blocks::limit(p_.lowered(begin_ / side)[r], square);
  }

  /// Distances of the candidates of row r in found_, the k nearest first, the farthest of them last.
  void measure(int r) {
    const List& list = list_[r];
    for (std::int64_t e = 0; e < list.count; ++e)
      found_[static_cast<std::size_t>(e)] = {p_.square(begin_ + r, list.place[e]), p_.ids[list.place[e]],
                                             list.place[e]};
    std::nth_element(found_.begin(), found_.begin() + k_ - 1, found_.begin() + list.count);
  }

  const blocks::Points& p_;
  std::int64_t k_, capacity_, begin_ = 0;
  int size_ = 0;
  std::vector<float> values_;
  std::vector<std::int32_t> places_;
  std::vector<Neighbour> found_;
  blocks::RowBlock rows_;
  std::vector<Entry> queue_;
  List list_[side];
  float threshold_[side];  // no candidate of the row is farther than this squared distance
  float limit_[side];      // what products are compared with for it
  float farthest_ = 0;     // the largest threshold
};

}  // namespace

void nearest_neighbours(Context& context, ConstView x, ConstView centered, ConstView norms, ConstView ids,
                        ConstView low, ConstView high, View distances, View squares, View indices) {
  const blocks::Points p(context, "nearest_neighbours", x, centered, norms, ids, low, high);
  const std::int64_t k = indices.columns();
  require(indices.dtype == DType::i32 && indices.rows() == p.n && k >= 1 && k < p.n &&
              (!distances || (distances.dtype == DType::f32 && same_shape(distances, indices))) &&
              (!squares || (squares.dtype == DType::f64 && same_shape(squares, indices))),
          "nearest_neighbours", "distances f32, squares f64, indices i32 [n, k], k below n", distances,
          squares, indices);
#pragma omp parallel if (p.n * p.n * p.d > 200000)
  {
    Search search(p, k);
#pragma omp for schedule(dynamic)
    for (std::int64_t block = 0; block < p.count; ++block) {
      search.run(block, [&](int r, const Neighbour* found) {
        const std::int64_t to = p.ids[block * side + r] * k;
        for (std::int64_t i = 0; i < k; ++i) {
          if (distances) distances.as<float>()[to + i] = static_cast<float>(std::sqrt(found[i].square));
          if (squares) squares.as<double>()[to + i] = found[i].square;
          indices.as<std::int32_t>()[to + i] = found[i].id;
        }
      });
    }
  }
}

}  // namespace chorale::cpu

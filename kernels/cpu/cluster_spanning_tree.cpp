// SPDX-License-Identifier: MIT
// Minimum spanning tree by Prim's algorithm (Prim 1957): the tree grows from row 0 by the point nearest to
// it, and every point outside remembers how near the tree came and which of its points that was.
//
// A step compares the point that was reached last with all points outside: with their row of the distance
// matrix, or with the points themselves, in vectors of points, several vectors at once to hide the latency
// of an addition. Points lie in blocks of point_block and are packed anew when half of them have been
// reached. f32, lengths of the edges f64. n^2 / 2 distances; each step reads the points outside once.
#include <cmath>
#include <numeric>
#include <vector>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/cluster_squares.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"

namespace chorale::cpu {
namespace {

using tile::ivec;
using tile::lanes;
using tile::vec;

constexpr float infinity = std::numeric_limits<float>::infinity();
/// Points of one task.
constexpr std::int64_t chunk = 1024;
constexpr int group = 8;  // vectors whose sums are formed together

/// Points that are outside of the tree, or were when they were packed last.
class Outside {
 public:
  Outside(Context& context, ConstView x, ConstView distances)
      : x_(x.as<float>()),
        distances_(distances.as<float>()),
        stride_(distances ? distances.shape[1] : 0),
        d_(x.shape[1]),
        scratch_(context,
                 distances ? 0 : padded_size(x.shape[0]) * static_cast<std::size_t>(d_) * sizeof(float)),
        packed_(scratch_.as<float>()),
        row_(static_cast<std::size_t>(x.shape[0])) {
    std::iota(row_.begin(), row_.end(), 0);
    const std::size_t padded = padded_size(x.shape[0]);
    square_.assign(padded, infinity);
    nearest_.assign(padded, 0);
    closed_.assign(padded, infinity);
    std::fill_n(closed_.begin(), row_.size(), 0.0f);
    pack();
  }

  /// The point at place `at` has been reached.
  void close(std::int64_t at) {
    closed_[static_cast<std::size_t>(at)] = infinity;
    square_[static_cast<std::size_t>(at)] = infinity;
    if (!distances_ && 2 * ++reached_ > static_cast<std::int64_t>(row_.size()) && reached_ > 64) shrink();
  }

  std::int32_t row(std::int64_t at) const { return row_[static_cast<std::size_t>(at)]; }
  std::int32_t nearest(std::int64_t at) const { return nearest_[static_cast<std::size_t>(at)]; }

  /// Lets the points see row `reached`; returns the place of that which is now nearest to the tree.
  std::int64_t step(std::int32_t reached) {
    const std::int64_t count = static_cast<std::int64_t>(row_.size()), tasks = block_count(count, chunk);
    best_.resize(static_cast<std::size_t>(tasks));
    const std::int64_t work = count * (distances_ ? 4 : d_);
#pragma omp parallel for schedule(static) if (tasks > 1 && work > 200000)
    for (std::int64_t task = 0; task < tasks; ++task)
      best_[static_cast<std::size_t>(task)] = step_chunk(reached, task * chunk);
    Place best;
    for (const Place& part : best_)
      if (part.square < best.square) best = part;
    return best.at;
  }

 private:
  struct Place {
    float square = infinity;
    std::int32_t at = std::numeric_limits<std::int32_t>::max();
  };

  static std::size_t padded_size(std::int64_t n) {
    return static_cast<std::size_t>(block_count(n, chunk) * chunk);
  }

  void pack() {
    if (distances_) return;
    const std::int64_t count = static_cast<std::int64_t>(row_.size());
    parallel_tasks(block_count(count, chunk), count * d_, [&](std::int64_t task) {
      tile::pack_points([&](std::int64_t i) { return x_ + row_[static_cast<std::size_t>(i)] * d_; }, count,
                        d_, task * chunk / point_block, (task + 1) * chunk / point_block, packed_);
    });
  }

  void shrink() {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < row_.size(); ++i)
      if (closed_[i] == 0.0f) {
        row_[kept] = row_[i];
        square_[kept] = square_[i];
        nearest_[kept++] = nearest_[i];
      }
    std::fill_n(closed_.begin(), kept, 0.0f);
    std::fill(closed_.begin() + static_cast<std::ptrdiff_t>(kept), closed_.end(), infinity);
    std::fill(square_.begin() + static_cast<std::ptrdiff_t>(kept), square_.end(), infinity);
    row_.resize(kept);
    reached_ = 0;
    pack();
  }

  /// Squared distances of row `reached` to `group` vectors from place `at` on.
  void compute(std::int32_t reached, std::int64_t at, vec (&squares)[group]) const {
    const float* own = x_ + reached * d_;
    const float* columns[group];
    for (int g = 0; g < group; ++g) {
      const std::int64_t place = at + g * lanes;
      columns[g] = packed_ + place / point_block * d_ * point_block + place % point_block;
      squares[g] = vec{};
    }
    for (std::int64_t k = 0; k < d_; ++k)
#pragma GCC unroll 8
      for (int g = 0; g < group; ++g) {
        const vec difference = own[k] - tile::load(columns[g] + k * point_block);
        squares[g] += difference * difference;
      }
  }

  void look_up(std::int32_t reached, std::int64_t at, vec (&squares)[group]) const {
    const float* row = distances_ + reached * stride_;
    for (int g = 0; g < group; ++g) {
      const std::int64_t place = at + g * lanes;
      squares[g] = place + lanes <= stride_ ? tile::load(row + place) : tile::broadcast(infinity);
    }
  }

  Place step_chunk(std::int32_t reached, std::int64_t begin) {
    vec best = tile::broadcast(infinity);
    ivec where = ivec{} + std::numeric_limits<std::int32_t>::max(), lane;
    for (int l = 0; l < lanes; ++l) lane[l] = l;
    for (std::int64_t at = begin; at < begin + chunk; at += group * lanes) {
      vec squares[group];
      distances_ ? look_up(reached, at, squares) : compute(reached, at, squares);
      for (int g = 0; g < group; ++g) {
        const std::int64_t place = at + g * lanes;
        float* square = square_.data() + place;
        std::int32_t* nearest = nearest_.data() + place;
        const vec candidate = squares[g] + tile::load(closed_.data() + place), old = tile::load(square);
        const auto nearer = candidate < old;
        ivec from;
        std::memcpy(&from, nearest, sizeof from);
        from = nearer ? ivec{} + reached : from;
        std::memcpy(nearest, &from, sizeof from);
        const vec now = nearer ? candidate : old;
        tile::store(square, now);
        const auto lowest = now < best;
        best = lowest ? now : best;
        where = lowest ? lane + static_cast<std::int32_t>(place) : where;
      }
    }
    Place found;
    for (int l = 0; l < lanes; ++l)
      if (best[l] < found.square || (best[l] == found.square && where[l] < found.at))
        found = {best[l], where[l]};
    return found;
  }

  const float* x_;
  const float* distances_;
  std::int64_t stride_, d_, reached_ = 0;
  Scratch scratch_;
  float* packed_;
  std::vector<std::int32_t> row_;  // of each place; ascending
  std::vector<float> square_, closed_;
  std::vector<std::int32_t> nearest_;
  std::vector<Place> best_;
};

}  // namespace

void minimum_spanning_tree(Context& context, ConstView x, ConstView distances, View edges, View lengths) {
  require(x.dtype == DType::f32 && x.rank == 2 && x.shape[0] > 0 && edges.dtype == DType::i32 &&
              edges.size() == 2 * (x.shape[0] - 1) && lengths.dtype == DType::f64 &&
              lengths.size() == x.shape[0] - 1,
          "minimum_spanning_tree", "x f32 [n, d], edges i32 [n - 1, 2], lengths f64 [n - 1]", x, edges,
          lengths);
  const std::int64_t n = x.shape[0], d = x.shape[1];
  std::int32_t* edge = edges.as<std::int32_t>();
  Outside outside(context, x, distances);
  std::int64_t at = 0;
  for (std::int64_t e = 0; e + 1 < n; ++e) {
    const std::int32_t reached = outside.row(at);
    outside.close(at);
    at = outside.step(reached);
    edge[2 * e] = outside.nearest(at);
    edge[2 * e + 1] = outside.row(at);
  }
  parallel_blocks(
      n - 1,
      [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t e = begin; e < end; ++e) {
          const float* a = x.as<float>() + edge[2 * e] * d;
          const float* b = x.as<float>() + edge[2 * e + 1] * d;
          double square = 0;
          for (std::int64_t k = 0; k < d; ++k)
            square += (static_cast<double>(a[k]) - static_cast<double>(b[k])) *
                      (static_cast<double>(a[k]) - static_cast<double>(b[k]));
          lengths.as<double>()[e] = std::sqrt(square);
        }
      },
      std::max<std::int64_t>(1, 4096 / d));
}

}  // namespace chorale::cpu

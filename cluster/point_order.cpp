// SPDX-License-Identifier: MIT
#include "cluster/point_order.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cluster/pca.h"
#include "kernels/launch.h"

namespace chorale::cluster {
namespace {

constexpr std::int64_t most_directions = 8;
constexpr std::int64_t sample_rows = 1024;

using Ids = std::vector<std::int32_t>;

/// The principal components f32 (p, d) of rows taken at equal steps.
Tensor main_directions(const Tensor& centered, std::int64_t count) {
  const std::int64_t n = centered.dim(0), sample = std::min(n, sample_rows);
  std::vector<std::int64_t> chosen(static_cast<std::size_t>(sample));
  for (std::int64_t i = 0; i < sample; ++i) chosen[static_cast<std::size_t>(i)] = i * n / sample;
  PcaOptions options;
  options.n_components = count;
  options.solver = centered.dim(1) > 64 ? PcaSolver::randomized : PcaSolver::automatic;
  return pca(centered.gather_rows(chosen), options).components_;
}

class Bisection {
 public:
  Bisection(const std::vector<float>& coordinates, std::int64_t directions, Ids& ids)
      : coordinates_(coordinates), directions_(directions), ids_(ids) {}

  void split(std::int64_t begin, std::int64_t end) {
    const std::int64_t blocks = (end - begin + neighbour_block - 1) / neighbour_block;
    if (blocks < 2) return;
    const std::int64_t middle = begin + blocks / 2 * neighbour_block, direction = widest(begin, end);
    std::nth_element(ids_.begin() + begin, ids_.begin() + middle, ids_.begin() + end,
                     [&](std::int32_t a, std::int32_t b) {
                       const float at_a = at(a, direction), at_b = at(b, direction);
                       return at_a != at_b ? at_a < at_b : a < b;
                     });
    split(begin, middle);
    split(middle, end);
  }

 private:
  float at(std::int32_t id, std::int64_t direction) const {
    return coordinates_[static_cast<std::size_t>(id * directions_ + direction)];
  }
  std::int64_t widest(std::int64_t begin, std::int64_t end) const {
    float low[most_directions], high[most_directions];
    for (std::int64_t j = 0; j < directions_; ++j)
      low[j] = high[j] = at(ids_[static_cast<std::size_t>(begin)], j);
    for (std::int64_t i = begin + 1; i < end; ++i)
      for (std::int64_t j = 0; j < directions_; ++j) {
        const float value = at(ids_[static_cast<std::size_t>(i)], j);
        low[j] = std::min(low[j], value);
        high[j] = std::max(high[j], value);
      }
    std::int64_t widest = 0;
    for (std::int64_t j = 1; j < directions_; ++j)
      if (high[j] - low[j] > high[widest] - low[widest]) widest = j;
    return widest;
  }

  const std::vector<float>& coordinates_;
  std::int64_t directions_;
  Ids& ids_;
};

}  // namespace

PointSet::PointSet(const Tensor& x, const std::string& name) : rows_(center_rows(x, name)) {
  x_ = x.contiguous();
  const std::int64_t n = x_.dim(0), d = x_.dim(1);
  // Boxes are of no use to a few blocks, nor where squares overflow.
  if (n <= 4 * neighbour_block || !(rows_.total_square < 1e30)) return;
  directions_ = std::min(d, most_directions);
  Tensor coordinates = rows_.x;
  if (d > most_directions) {
    coordinates = Tensor({n, directions_}, DType::f32);
    kernel::matmul(current_context(), rows_.x, main_directions(rows_.x, directions_), coordinates, false,
                   true, 1.0f, 0.0f);
  }
  coordinates_ = coordinates.to_host<float>();
  slack_ = rows_.norms.to_host<float>();
  for (float& value : slack_) value = static_cast<float>(d + 16) * 0x1p-24f * std::sqrt(value);
}

Ids PointSet::bisection_order() const {
  Ids ids(static_cast<std::size_t>(size()));
  std::iota(ids.begin(), ids.end(), 0);
  if (directions_) Bisection(coordinates_, directions_, ids).split(0, size());
  return ids;
}

OrderedPoints PointSet::arrange(const Ids& ids) const {
  const std::int64_t n = size(), blocks = (n + neighbour_block - 1) / neighbour_block;
  const std::int64_t directions = std::max<std::int64_t>(directions_, 1);
  std::vector<float> low(static_cast<std::size_t>(blocks * directions), 0.0f), high(low);
  for (std::int64_t i = 0; directions_ && i < n; ++i) {
    const auto id = static_cast<std::size_t>(ids[static_cast<std::size_t>(i)]);
    for (std::int64_t j = 0; j < directions; ++j) {
      const auto at = static_cast<std::size_t>(i / neighbour_block * directions + j);
      const float value =
          coordinates_[id * static_cast<std::size_t>(directions) + static_cast<std::size_t>(j)];
      const bool first = i % neighbour_block == 0;
      low[at] = first ? value - slack_[id] : std::min(low[at], value - slack_[id]);
      high[at] = first ? value + slack_[id] : std::max(high[at], value + slack_[id]);
    }
  }
  const std::vector<std::int64_t> rows(ids.begin(), ids.end());
  return {x_,
          rows_.x.gather_rows(rows),
          rows_.norms.reshape({n, 1}).gather_rows(rows).reshape({n}),
          Tensor::from_host(ids, {n}),
          Tensor::from_host(low, {blocks, directions}),
          Tensor::from_host(high, {blocks, directions})};
}

}  // namespace chorale::cluster

// SPDX-License-Identifier: MIT
// k-means assignment: label[i] = argmin_c |c|^2 / 2 - x_i . c, for all active restarts in one product.
//
// A block of points first lists, for each restart, those whose label the drift of the centers may have
// changed (cluster_drift.cpp). If most are open, the block is multiplied with the columns of all restarts at
// once; else only the open points of each restart are, gathered in tiles. Both give the same bits, and a
// point is left out only where rounding cannot change the result, so labels never depend on drift.
//
// Rounding: |fl(|c|^2/2 - x.c) - exact| <= (d + 4) u (|x|^2 + |c|^2) / 2 with u = 2^-24. A label holds while
// l^2 - u^2 is above twice that, u and l the distances to the nearest and the second nearest center: while
// l - u > error / (2 u), or above the root of the error. The margin kept is l - u less the smaller of the
// two, for centers of up to twice today's largest |c|^2.
// Moves n d floats once, and 9 r n bytes of labels and margins; 2 n d k r flops when nothing is left out.
#include <cmath>
#include <vector>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/cluster_tile.h"
#include "kernels/cpu/kernels.h"

namespace chorale::cpu {
namespace {

using tile::broadcast;
using tile::ivec;
using tile::lanes;
using tile::tile_rows;
using tile::vec;

constexpr std::int64_t assign_block = 1024;
constexpr float above = 1.0f + 0x1p-21f, below = 1.0f - 0x1p-21f;

struct Restart {
  std::int64_t index;
  const float* half_norms;
  const float* drift;  // [h, k]
  float largest_norm;  // max |c|^2
};

struct Problem {
  const float* x;
  const float* norms;
  std::int64_t n, d, k;
  float relative_error;
  std::uint8_t place;
  std::int32_t* labels;
  float* margins;
  std::uint8_t* stamps;
  std::vector<Restart> restarts;
  const float* packed_all;   // the columns of all active restarts in one sequence
  const float* packed_each;  // those of each restart from a vector of its own on
  std::size_t packed_restart;
};

/// The nearest and second nearest of the columns seen so far, rows in the lanes.
struct Nearest {
  vec best, second;
  ivec label;
  void start() {
    best = second = broadcast(std::numeric_limits<float>::infinity());
    label = ivec{};
  }
  void see(vec dots, float half_norm, std::int32_t cluster) {
    const vec score = half_norm - dots;
    const auto closer = score < best;
    second = closer ? best : (score < second ? score : second);
    best = closer ? score : best;
    label = closer ? ivec{} + cluster : label;
  }
};

/// By how much more than rounding the second nearest center is farther than the nearest one.
vec margin(const Problem& p, const Restart& restart, const Nearest& nearest, vec norms) {
  const vec error = p.relative_error * (norms + restart.largest_norm);
  const vec first = tile::maximum(norms + 2.0f * nearest.best + error, error);
  const vec second = tile::maximum(norms + 2.0f * nearest.second - error, vec{});
  const vec u = tile::square_root(first) * above, l = tile::square_root(second) * below;
  const vec decided = 2.1f * p.relative_error * (norms + 2.0f * restart.largest_norm);
  const vec far = decided / (2.0f * tile::maximum(u, broadcast(std::numeric_limits<float>::min())));
  return (l - u) * below - tile::minimum(far, tile::square_root(decided)) * above;
}

/// Stores what was found for the points point(lane) of one restart.
template <class Point>
void keep(const Problem& p, const Restart& restart, const Nearest& nearest, int count, const Point& point) {
  alignas(64) float values[lanes] = {};
  for (int i = 0; p.margins && i < count; ++i) values[i] = p.norms[point(i)];
  if (p.margins) tile::store(values, margin(p, restart, nearest, tile::load(values)));
  for (int i = 0; i < count; ++i) {
    const std::int64_t at = restart.index * p.n + point(i);
    p.labels[at] = nearest.label[i];
    if (!p.margins) continue;
    p.margins[at] = values[i];
    p.stamps[at] = p.place;
  }
}

/// Lists those of the points [begin, end) whose label is open.
int open_points(const Problem& p, const Restart& restart, std::int64_t begin, std::int64_t end,
                std::int32_t* open) {
  const int points = static_cast<int>(end - begin);
  const float* __restrict margins = p.margins + restart.index * p.n + begin;
  const std::int32_t* __restrict labels = p.labels + restart.index * p.n + begin;
  const std::uint8_t* __restrict stamps = p.stamps + restart.index * p.n + begin;
  const float* __restrict drift = restart.drift;
  const auto k = static_cast<std::int32_t>(p.k);
  std::int32_t is_open[assign_block];
  for (int i = 0; i < points; ++i) is_open[i] = margins[i] > drift[stamps[i] * k + labels[i]] ? 0 : 1;
  int count = 0;
  for (int i = 0; i < points; ++i) {
    open[count] = i;
    count += is_open[i];
  }
  return count;
}

void assign_all(const Problem& p, std::int64_t begin, std::int64_t end) {
  tile::Rows rows;
  for (std::int64_t i = begin; i < end; i += tile_rows) {
    const int count = static_cast<int>(std::min<std::int64_t>(tile_rows, end - i));
    Nearest nearest[tile::row_blocks];
    std::size_t restart[tile::row_blocks] = {};
    std::int32_t cluster[tile::row_blocks] = {};
    const auto column = [&](std::int64_t, int block, vec dots) {
      const Restart& current = p.restarts[restart[block]];
      if (cluster[block] == 0) nearest[block].start();
      nearest[block].see(dots, current.half_norms[cluster[block]], cluster[block]);
      if (++cluster[block] < p.k) return;
      cluster[block] = 0;
      ++restart[block];
      keep(p, current, nearest[block], std::clamp(count - block * lanes, 0, lanes),
           [&](int lane) { return i + block * lanes + lane; });
    };
    tile::product([&](int r) { return p.x + (i + r) * p.d; }, count, p.d, p.packed_all,
                  static_cast<std::int64_t>(p.restarts.size()) * p.k, rows, column);
  }
}

void assign_open(const Problem& p, std::size_t slot, std::int64_t begin, const std::int32_t* open,
                 int open_count) {
  const Restart& restart = p.restarts[slot];
  for (int i = 0; i < open_count; i += tile_rows) {
    const int count = std::min(tile_rows, open_count - i);
    Nearest nearest[tile::row_blocks];
    for (Nearest& block : nearest) block.start();
    const auto point = [&](int r) { return begin + open[i + r]; };
    const auto next = [&](int r) { return begin + open[std::min(i + tile_rows + r, open_count - 1)]; };
    tile::product_scattered(
        [&](int r) { return p.x + point(r) * p.d; }, [&](int r) { return p.x + next(r) * p.d; }, count, p.d,
        p.packed_each + slot * p.packed_restart, p.k,
        [&](std::int64_t cluster, int block, vec dots) {
          nearest[block].see(dots, restart.half_norms[cluster], static_cast<std::int32_t>(cluster));
        });
    for (int block = 0; block < tile::row_blocks; ++block)
      keep(p, restart, nearest[block], std::clamp(count - block * lanes, 0, lanes),
           [&](int lane) { return point(block * lanes + lane); });
  }
}

void assign_points(const Problem& p, bool drift, std::int64_t begin, std::int64_t end) {
  if (!drift) return assign_all(p, begin, end);
  const std::size_t active = p.restarts.size();
  std::vector<std::int32_t> open(active * assign_block);
  std::vector<int> counts(active);
  std::int64_t total = 0;
  for (std::size_t s = 0; s < active; ++s)
    total += counts[s] = open_points(p, p.restarts[s], begin, end, open.data() + s * assign_block);
  if (5 * total >= 4 * static_cast<std::int64_t>(active) * (end - begin)) return assign_all(p, begin, end);
  for (std::size_t s = 0; s < active; ++s)
    assign_open(p, s, begin, open.data() + s * assign_block, counts[s]);
}

}  // namespace

void kmeans_assign(Context& context, ConstView x, ConstView norms, ConstView restarts, ConstView centers,
                   ConstView half_norms, ConstView drift, std::int64_t place, View labels, View margins,
                   View stamps) {
  require(
      x.dtype == DType::f32 && x.rank == 2 && centers.rank == 3 && centers.shape[2] == x.shape[1] &&
          labels.dtype == DType::i32 && labels.columns() == x.shape[0] && restarts.dtype == DType::i32 &&
          (!margins || (margins.size() == labels.size() && stamps.dtype == DType::u8 &&
                        stamps.size() == labels.size())) &&
          (!drift || (margins && drift.rank == 3 && drift.shape[2] == centers.shape[1])),
      "kmeans_assign",
      "x f32 [n, d], centers f32 [r, k, d], drift f32 [r, h, k], labels i32, margins f32, stamps u8 [r, n]",
      x, centers, drift, labels, margins, stamps);
  const std::int64_t n = x.shape[0], d = x.shape[1], k = centers.shape[1], active = restarts.size();
  if (n == 0 || active == 0) return;
  Problem p{x.as<float>(),
            norms.as<float>(),
            n,
            d,
            k,
            static_cast<float>(d + 8) * 0x1.02p-24f,
            static_cast<std::uint8_t>(place),
            labels.as<std::int32_t>(),
            margins.as<float>(),
            stamps.as<std::uint8_t>(),
            {},
            nullptr,
            nullptr,
            tile::packed_size(k, d)};
  for (std::int64_t s = 0; s < active; ++s) {
    const std::int64_t index = restarts.as<std::int32_t>()[s];
    Restart r{index, half_norms.as<float>() + index * k, nullptr, 0};
    if (drift) r.drift = drift.as<float>() + index * drift.shape[1] * k;
    for (std::int64_t c = 0; c < k; ++c) r.largest_norm = std::max(r.largest_norm, 2.0f * r.half_norms[c]);
    p.restarts.push_back(r);
  }

  const Scratch all(context, tile::packed_size(active * k, d) * sizeof(float));
  const Scratch each(context, drift ? active * p.packed_restart * sizeof(float) : 0);
  const auto center = [&](std::int64_t slot, std::int64_t c) {
    return centers.as<float>() + (p.restarts[static_cast<std::size_t>(slot)].index * k + c) * d;
  };
  tile::pack([&](std::int64_t c) { return center(c / k, c % k); }, active * k, d, 0,
             tile::vector_count(active * k), all.as<float>());
  if (drift)
    for (std::int64_t s = 0; s < active; ++s)
      tile::pack([&](std::int64_t c) { return center(s, c); }, k, d, 0, tile::vector_count(k),
                 each.as<float>() + s * static_cast<std::int64_t>(p.packed_restart));
  p.packed_all = all.as<float>();
  p.packed_each = each.as<float>();

  const std::int64_t blocks = (n + assign_block - 1) / assign_block;
#pragma omp parallel for schedule(dynamic) if (n * d * k * active > 200000)
  for (std::int64_t block = 0; block < blocks; ++block)
    assign_points(p, static_cast<bool>(drift), block * assign_block, std::min(n, (block + 1) * assign_block));
}

}  // namespace chorale::cpu

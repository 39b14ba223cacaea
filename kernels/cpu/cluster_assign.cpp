// SPDX-License-Identifier: MIT
// k-means assignment: label[i] = argmin_c |c|^2 / 2 - x_i . c, for all active restarts in one product.
//
// A block of points first moves its bounds by what the centers moved. If most labels are still open, the
// block is multiplied with the columns of all restarts at once; else only the open points of each restart
// are, gathered in tiles. Both give the same bits, and a point is left out only where rounding cannot change
// the result, so labels never depend on the bounds.
//
// Rounding: |fl(|c|^2/2 - x.c) - exact| <= (d + 4) u (|x|^2 + |c|^2) / 2 with u = 2^-24.
// Moves n d floats once, and 12 r n bytes of labels and bounds; 2 n d k r flops when nothing is left out.
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
  const float* shift;
  float largest_norm;  // max |c|^2
  float first_shift;   // the largest shift, whose it is, and the largest of the others
  float second_shift;
  std::int32_t first_shift_cluster;
};

struct Problem {
  const float* x;
  const float* norms;
  std::int64_t n, d, k;
  float relative_error;
  std::int32_t* labels;
  float* upper;
  float* lower;
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

/// Stores what was found for the points point(lane) of one restart.
template <class Point>
void keep(const Problem& p, const Restart& restart, const Nearest& nearest, int count, const Point& point) {
  for (int i = 0; i < count; ++i) {
    const std::int64_t at = restart.index * p.n + point(i);
    const float norm = p.norms[point(i)];
    const float error = p.relative_error * (norm + restart.largest_norm);
    const float first = norm + 2.0f * nearest.best[i] + error,
                second = norm + 2.0f * nearest.second[i] - error;
    p.labels[at] = nearest.label[i];
    p.upper[at] = std::sqrt(std::max(first, error)) * above;
    p.lower[at] = std::sqrt(std::max(second, 0.0f)) * below;
  }
}

/// Moves the bounds of points [begin, end) and lists those whose label is open.
int open_points(const Problem& p, const Restart& restart, std::int64_t begin, std::int64_t end,
                std::int32_t* open) {
  const int points = static_cast<int>(end - begin);
  float* __restrict upper = p.upper + restart.index * p.n + begin;
  float* __restrict lower = p.lower + restart.index * p.n + begin;
  const std::int32_t* __restrict labels = p.labels + restart.index * p.n + begin;
  const float* __restrict norms = p.norms + begin;
  std::int32_t is_open[assign_block];
  for (int i = 0; i < points; ++i) {
    const std::int32_t label = labels[i];
    const float others = label == restart.first_shift_cluster ? restart.second_shift : restart.first_shift;
    const float u = (upper[i] + restart.shift[label]) * above;
    const float reduced = (lower[i] - others) * below;
    const float l = reduced > 0.0f ? reduced : 0.0f;
    upper[i] = u;
    lower[i] = l;
    const float error = 2.1f * p.relative_error * (norms[i] + restart.largest_norm);
    is_open[i] = (u * u + error) * above < l * l ? 0 : 1;
  }
  int count = 0;
  for (int i = 0; i < points; ++i) {
    open[count] = i;
    count += is_open[i];
  }
  return count;
}

void assign_all(const Problem& p, std::int64_t begin, std::int64_t end, tile::Rows& rows) {
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
                 int open_count, tile::Rows& rows) {
  const Restart& restart = p.restarts[slot];
  for (int i = 0; i < open_count; i += tile_rows) {
    const int count = std::min(tile_rows, open_count - i);
    Nearest nearest[tile::row_blocks];
    for (Nearest& block : nearest) block.start();
    const auto point = [&](int r) { return begin + open[i + r]; };
    for (int r = i + count; r < std::min(open_count, i + 2 * tile_rows);
         ++r)  // the next tile, while this one is busy
      for (std::int64_t j = 0; j < std::min<std::int64_t>(p.d, tile::depth); j += 16)
        __builtin_prefetch(p.x + (begin + open[r]) * p.d + j);
    tile::product([&](int r) { return p.x + point(r) * p.d; }, count, p.d,
                  p.packed_each + slot * p.packed_restart, p.k, rows,
                  [&](std::int64_t cluster, int block, vec dots) {
                    nearest[block].see(dots, restart.half_norms[cluster], static_cast<std::int32_t>(cluster));
                  });
    for (int block = 0; block < tile::row_blocks; ++block)
      keep(p, restart, nearest[block], std::clamp(count - block * lanes, 0, lanes),
           [&](int lane) { return point(block * lanes + lane); });
  }
}

void assign_points(const Problem& p, bool bounds, std::int64_t begin, std::int64_t end) {
  tile::Rows rows;
  if (!bounds) return assign_all(p, begin, end, rows);
  const std::size_t active = p.restarts.size();
  std::vector<std::int32_t> open(active * assign_block);
  std::vector<int> counts(active);
  std::int64_t total = 0;
  for (std::size_t s = 0; s < active; ++s)
    total += counts[s] = open_points(p, p.restarts[s], begin, end, open.data() + s * assign_block);
  if (5 * total >= 4 * static_cast<std::int64_t>(active) * (end - begin))
    return assign_all(p, begin, end, rows);
  for (std::size_t s = 0; s < active; ++s)
    assign_open(p, s, begin, open.data() + s * assign_block, counts[s], rows);
}

Restart describe_restart(std::int64_t index, const float* half_norms, const float* shift, std::int64_t k) {
  Restart r{index, half_norms + index * k, shift ? shift + index * k : nullptr, 0, 0, 0, -1};
  for (std::int64_t c = 0; c < k; ++c) {
    r.largest_norm = std::max(r.largest_norm, 2.0f * r.half_norms[c]);
    if (!shift) continue;
    if (r.shift[c] > r.first_shift) {
      r.second_shift = r.first_shift;
      r.first_shift = r.shift[c];
      r.first_shift_cluster = static_cast<std::int32_t>(c);
    } else {
      r.second_shift = std::max(r.second_shift, r.shift[c]);
    }
  }
  return r;
}

}  // namespace

void kmeans_assign(Context& context, ConstView x, ConstView norms, ConstView restarts, ConstView centers,
                   ConstView half_norms, ConstView shift, View labels, View upper, View lower) {
  require(x.dtype == DType::f32 && x.rank == 2 && centers.rank == 3 && centers.shape[2] == x.shape[1] &&
              labels.dtype == DType::i32 && labels.columns() == x.shape[0] && restarts.dtype == DType::i32,
          "kmeans_assign", "x f32 [n, d], centers f32 [r, k, d], labels i32 [r, n]", x, centers, labels);
  const std::int64_t n = x.shape[0], d = x.shape[1], k = centers.shape[1], active = restarts.size();
  if (n == 0 || active == 0) return;
  Problem p{x.as<float>(),
            norms.as<float>(),
            n,
            d,
            k,
            static_cast<float>(d + 8) * 0x1.02p-24f,
            labels.as<std::int32_t>(),
            upper.as<float>(),
            lower.as<float>(),
            {},
            nullptr,
            nullptr,
            tile::packed_size(k, d)};
  for (std::int64_t s = 0; s < active; ++s)
    p.restarts.push_back(
        describe_restart(restarts.as<std::int32_t>()[s], half_norms.as<float>(), shift.as<float>(), k));

  const Scratch all(context, tile::packed_size(active * k, d) * sizeof(float));
  const Scratch each(context, shift ? active * p.packed_restart * sizeof(float) : 0);
  const auto center = [&](std::int64_t slot, std::int64_t c) {
    return centers.as<float>() + (p.restarts[static_cast<std::size_t>(slot)].index * k + c) * d;
  };
  tile::pack([&](std::int64_t c) { return center(c / k, c % k); }, active * k, d, 0,
             tile::vector_count(active * k), all.as<float>());
  if (shift)
    for (std::int64_t s = 0; s < active; ++s)
      tile::pack([&](std::int64_t c) { return center(s, c); }, k, d, 0, tile::vector_count(k),
                 each.as<float>() + s * static_cast<std::int64_t>(p.packed_restart));
  p.packed_all = all.as<float>();
  p.packed_each = each.as<float>();

  const std::int64_t blocks = (n + assign_block - 1) / assign_block;
  const bool bounds = static_cast<bool>(shift);
#pragma omp parallel for schedule(dynamic) if (n * d * k * active > 200000)
  for (std::int64_t block = 0; block < blocks; ++block)
    assign_points(p, bounds, block * assign_block, std::min(n, (block + 1) * assign_block));
}

}  // namespace chorale::cpu

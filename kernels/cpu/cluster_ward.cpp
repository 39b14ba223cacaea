// SPDX-License-Identifier: MIT
// Ward's method from centers, without a matrix of distances (Ward 1963): merging clusters of a and b points
// adds a b / (a + b) |x_a - x_b|^2 to the sum of squares, half of what is compared here.
//
// Centers are f64, and their distances decide; the search reads their f32 copy, in blocks of point_block
// points, to exclude. Let D be a distance, not squared, as f32 has it, r the distance of a center from its
// copy and w = sqrt(2 a), a the size of the cluster that looks, which is no less than sqrt(2 a b / (a + b)).
// Then the true distance is within D (1 -+ e) -+ w (r_a + r_b), and a column whose lower end is above the
// smallest upper end of all is not the nearest. On data without near ties that leaves one column. Copies of
// points are exact (r = 0), however far from the origin.
//
// The listed clusters are taken against chunks of columns in tiles of squared differences. A row's bound
// sinks as its columns are seen; what is within it goes into a list, f64 decides among those still within it
// at the end of the chunk, and again among chunks. Chunks share their bounds: when they learn of one changes
// what is listed, never what is nearest. 3 l m d flops for l listed of m clusters; reads the points once for
// every 128 listed.
#include "kernels/cpu/cluster_ward.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <numeric>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/cluster_blocks.h"
#include "kernels/cpu/cluster_squares.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"

namespace chorale::cpu {
namespace {

using tile::lanes;
using tile::tile_columns;
using tile::tile_rows;
using tile::vec;

constexpr std::int64_t listed_group = 128, column_chunk = 2048;
constexpr int group_tiles = listed_group / tile_rows;
constexpr float infinity = std::numeric_limits<float>::infinity();

struct Search {
  const float* points;
  const float* rounding;
  ward::Centers centers;
  const std::int32_t* listed;
  std::int64_t count, m;
  float widened;  // 1 + 2 e
  float* bounds;  // of the listed, for all threads
};

/// A bound for a listed cluster to begin with, from the clusters in the columns next to its own: points often
/// come in an order in which those are near, and would else be seen from afar to near.
float first_bound(const Search& s, std::int64_t own) {
  const auto alive = [&](std::int64_t column) { return s.centers.sizes[column] > 0; };
  std::int64_t before = own - 1, after = own + 1;
  while (before >= 0 && !alive(before)) --before;
  while (after < s.m && !alive(after)) ++after;
  double square = std::numeric_limits<double>::infinity();
  if (before >= 0) square = ward::square_distance(s.centers, own, before);
  if (after < s.m) square = std::min(square, ward::square_distance(s.centers, own, after));
  return static_cast<float>(std::sqrt(square)) * s.widened +
         std::sqrt(2.0f * s.centers.sizes[own]) * s.rounding[own];
}

struct Candidate {
  float value = infinity;
  std::int32_t column = std::numeric_limits<std::int32_t>::max();
};

/// Squared distances beyond this are not the smallest: see `bound` of a Tile.
float reach(float bound, float weight, float rounding) {
  const float apart = bound + weight * rounding;
  return apart * apart;
}

/// The nearest of the candidates to `column`; f64 decides if there are several.
Candidate decide(const Search& s, std::int64_t column, const std::vector<Candidate>& candidates) {
  if (candidates.empty()) return {};
  if (candidates.size() == 1) return candidates.front();
  ward::Nearest nearest;
  Candidate chosen;
  for (const Candidate& candidate : candidates) {
    nearest.see(ward::square_distance(s.centers, column, candidate.column), candidate.column);
    if (nearest.column == candidate.column) chosen = candidate;
    if (nearest.square == 0) break;
  }
  return chosen;
}

/// A tile of listed clusters, and for each the columns seen so far that may be its nearest.
struct Tile {
  alignas(64) float rows[tile_rows * tile::row_stride];
  std::int32_t own[tile_rows];
  float size[tile_rows], weight[tile_rows];
  /// The smallest upper end of a distance, and the rounding of the own center.
  float bound[tile_rows];
  /// The reach of the bound for the largest rounding of the chunk.
  float limit[tile_rows];
  std::vector<Candidate> candidates[tile_rows];
  float largest_rounding = 0;
  std::int64_t first = 0;
  int count = 0;

  void start(const Search& s, std::int64_t first_listed, float chunk_rounding) {
    first = first_listed;
    largest_rounding = chunk_rounding;
    count = static_cast<int>(std::clamp<std::int64_t>(s.count - first, 0, tile_rows));
    for (int i = 0; i < tile_rows && count > 0; ++i) {
      own[i] = s.listed[first + (i < count ? i : 0)];
      size[i] = s.centers.sizes[own[i]];
      weight[i] = std::sqrt(2.0f * size[i]);
      bound[i] = i < count ? std::atomic_ref(s.bounds[first + i]).load(std::memory_order_relaxed) : 0.0f;
      limit[i] = reach(bound[i], weight[i], largest_rounding);
    }
  }

  void read(const Search& s, std::int64_t pass, std::int64_t elements) {
    const std::int64_t d = s.centers.d;
    for (int i = 0; i < tile_rows; ++i) {
      const float* from = s.points + (own[i] / point_block * d + pass) * point_block + own[i] % point_block;
      for (std::int64_t k = 0; k < elements; ++k) rows[i * tile::row_stride + k] = from[k * point_block];
    }
  }

  /// Compares with the columns [column, column + lanes), whose squared distances lie in `squares`.
  void see(const Search& s, std::int64_t column, const float* squares) {
    vec sizes{};
    if (column + lanes <= s.m) {
      sizes = tile::load(s.centers.sizes + column);
    } else {
      for (int l = 0; column + l < s.m; ++l) sizes[l] = s.centers.sizes[column + l];
    }
    vec factor{};
    for (int i = 0; i < count; ++i) {
      if (i == 0 || size[i] != size[i - 1]) {
        factor = 2.0f * (size[i] * sizes) / (size[i] + sizes);
        factor = sizes > vec{} ? factor : tile::broadcast(infinity);
      }
      const vec value = factor * tile::load(squares + i * tile_columns);
      if (const unsigned hits = blocks::bits(value <= tile::broadcast(limit[i])))
        add(s, i, column, hits, value);
    }
  }

  /// Adds those lanes of the columns from `column` on that `hits` names.
  [[gnu::noinline]] void add(const Search& s, int i, std::int64_t column, unsigned hits, vec values) {
    alignas(64) float value[lanes];
    tile::store(value, values);
    for (; hits; hits &= hits - 1) {
      const int lane = std::countr_zero(hits);
      const std::int64_t other = column + lane;
      if (other >= s.m || other == own[i] || !(s.centers.sizes[other] > 0)) continue;
      const float rounding = s.rounding[other];
      if (!(value[lane] <= reach(bound[i], weight[i], rounding))) continue;
      bound[i] = std::min(
          bound[i], std::sqrt(value[lane]) * s.widened + weight[i] * (2.0f * s.rounding[own[i]] + rounding));
      candidates[i].push_back({value[lane], static_cast<std::int32_t>(other)});
    }
    limit[i] = reach(bound[i], weight[i], largest_rounding);
  }

  /// The nearest of row i's candidates. Other chunks learn of the bound; which of two threads tells them does
  /// not matter, for any bound is one.
  Candidate finish(const Search& s, int i) {
    const std::atomic_ref shared(s.bounds[first + i]);
    const float others = shared.load(std::memory_order_relaxed);
    if (bound[i] < others) shared.store(bound[i], std::memory_order_relaxed);
    bound[i] = std::min(bound[i], others);
    std::erase_if(candidates[i], [&](const Candidate& c) {
      return !(c.value <= reach(bound[i], weight[i], s.rounding[c.column]));
    });
    return decide(s, own[i], candidates[i]);
  }
};

/// The nearest columns of chunk [begin, end) for the listed clusters from `first` on; none where another
/// chunk is known to have a nearer one.
void search_chunk(const Search& s, std::int64_t first, std::int64_t begin, std::int64_t end,
                  Candidate* found) {
  const std::int64_t d = s.centers.d;
  const float largest_rounding = *std::max_element(s.rounding + begin, s.rounding + end);
  Tile tiles[group_tiles];
  alignas(64) float squares[tile_rows * tile_columns];
  for (int t = 0; t < group_tiles; ++t) {
    tiles[t].start(s, first + t * tile_rows, largest_rounding);
    if (tiles[t].count > 0 && d <= tile::depth) tiles[t].read(s, 0, d);
  }
  for (std::int64_t column = begin; column < end; column += tile_columns) {
    const float* columns = s.points + column / point_block * d * point_block + column % point_block;
    for (Tile& tile : tiles) {
      if (tile.count == 0) break;
      for (std::int64_t pass = 0; pass < d; pass += tile::depth) {
        const std::int64_t elements = std::min<std::int64_t>(tile::depth, d - pass);
        if (d > tile::depth) tile.read(s, pass, elements);
        tile::add_squares(tile.rows, columns + pass * point_block, elements, pass > 0, squares);
      }
      tile.see(s, column, squares);
      tile.see(s, column + lanes, squares + lanes);
    }
  }
  for (int t = 0; t < group_tiles; ++t)
    for (int i = 0; i < tiles[t].count; ++i) found[t * tile_rows + i] = tiles[t].finish(s, i);
}

/// |center - point|, rounded up; see ward_points in kernels.def.
float rounding_of(const double* center, std::int64_t d) {
  double square = 0;
  for (std::int64_t k = 0; k < d; ++k) {
    const double lost = center[k] - static_cast<double>(static_cast<float>(center[k]));
    square += lost * lost;
  }
  return static_cast<float>(std::sqrt(square)) * (1.0f + 0x1p-20f) + 0x1p-63f;
}

}  // namespace

double ward::square_distance(const Centers& c, std::int64_t first, std::int64_t second) {
  typedef double eight __attribute__((vector_size(64)));
  const double *u = c.centers + c.rows[first] * c.d, *v = c.centers + c.rows[second] * c.d;
  eight sum{};
  std::int64_t k = 0;
  for (; k + 8 <= c.d; k += 8) {
    eight a, b;
    std::memcpy(&a, u + k, sizeof a);
    std::memcpy(&b, v + k, sizeof b);
    sum += (a - b) * (a - b);
  }
  double rest = 0;
  for (; k < c.d; ++k) rest += (u[k] - v[k]) * (u[k] - v[k]);
  const double square =
      (((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]))) + rest;
  const double a = c.sizes[first], b = c.sizes[second];
  return 2 * a * b / (a + b) * square;
}

void ward_points(Context&, ConstView centers, ConstView rows, View points, View rounding) {
  require(centers.dtype == DType::f64 && centers.rank == 2 && rows.dtype == DType::i32 &&
              points.dtype == DType::f32 && points.rank == 3 && points.shape[1] == centers.shape[1] &&
              points.shape[0] == (rows.size() + point_block - 1) / point_block &&
              points.shape[2] == point_block && rounding.dtype == DType::f32 &&
              rounding.size() == rows.size(),
          "ward_points",
          "centers f64 [n, d], rows i32 [m], points f32 [m / 32 rounded up, d, 32], rounding f32 [m]",
          centers, rows, points, rounding);
  const std::int64_t m = rows.size(), d = centers.shape[1];
  parallel_tasks(points.shape[0], m * d, [&](std::int64_t block) {
    const auto row = [&](std::int64_t i) { return centers.as<double>() + rows.as<std::int32_t>()[i] * d; };
    tile::pack_points(row, m, d, block, block + 1, points.as<float>());
    for (std::int64_t i = block * point_block; i < std::min(m, (block + 1) * point_block); ++i)
      rounding.as<float>()[i] = rounding_of(row(i), d);
  });
}

void ward_nearest(Context& context, ConstView points, ConstView rounding, ConstView centers, ConstView rows,
                  ConstView sizes, ConstView listed, View nearest, View squares) {
  require(points.dtype == DType::f32 && points.rank == 3 && points.shape[2] == point_block &&
              sizes.dtype == DType::f32 && sizes.size() <= points.shape[0] * point_block &&
              rounding.dtype == DType::f32 && rounding.size() == sizes.size() &&
              centers.dtype == DType::f64 && centers.rank == 2 && centers.shape[1] == points.shape[1] &&
              rows.dtype == DType::i32 && rows.size() == sizes.size(),
          "ward_nearest", "points f32 [blocks, d, 32], rounding, sizes f32 [m], centers f64 [n, d], rows [m]",
          points, rounding, sizes, centers, rows);
  require(listed.dtype == DType::i32 && nearest.dtype == DType::i32 && nearest.size() == listed.size() &&
              squares.dtype == DType::f32 && squares.size() == listed.size(),
          "ward_nearest", "listed, nearest i32 [l], squares f32 [l]", listed, nearest, squares);
  // By size, so that neighbouring rows of a tile share their factors.
  const std::int32_t* columns = listed.as<std::int32_t>();
  std::vector<std::int64_t> order(static_cast<std::size_t>(listed.size()));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return sizes.as<float>()[columns[a]] < sizes.as<float>()[columns[b]];
  });
  std::vector<std::int32_t> by_size;
  by_size.reserve(order.size());
  for (const std::int64_t l : order) by_size.push_back(columns[l]);
  const std::int64_t d = points.shape[1];
  std::vector<float> bounds(order.size());
  const Search s{points.as<float>(),
                 rounding.as<float>(),
                 {centers.as<double>(), rows.as<std::int32_t>(), sizes.as<float>(), d},
                 by_size.data(),
                 listed.size(),
                 sizes.size(),
                 std::sqrt(1.0f + square_band(d)),
                 bounds.data()};
#pragma omp parallel for if (s.count * d > 16384)
  for (std::int64_t l = 0; l < s.count; ++l) s.bounds[l] = first_bound(s, s.listed[l]);
  const std::int64_t chunks = block_count(s.m, column_chunk), groups = block_count(s.count, listed_group);
  const Scratch scratch(context,
                        static_cast<std::size_t>(chunks * groups * listed_group) * sizeof(Candidate));
  Candidate* found = scratch.as<Candidate>();  // [group, chunk, listed_group]
#pragma omp parallel for schedule(dynamic) if (chunks * groups > 1 && s.count * s.m * d > 200000)
  for (std::int64_t task = 0; task < chunks * groups; ++task) {
    const std::int64_t begin = task % chunks * column_chunk;
    search_chunk(s, task / chunks * listed_group, begin, std::min(s.m, begin + column_chunk),
                 found + task * listed_group);
  }
#pragma omp parallel for if (s.count * chunks > 16384)
  for (std::int64_t l = 0; l < s.count; ++l) {
    const float weight = std::sqrt(2.0f * s.centers.sizes[s.listed[l]]);
    std::vector<std::int32_t> candidates;
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
      const Candidate& part = found[(l / listed_group * chunks + chunk) * listed_group + l % listed_group];
      if (part.value < infinity && part.value <= reach(s.bounds[l], weight, s.rounding[part.column]))
        candidates.push_back(part.column);
    }
    const ward::Nearest joined = ward::nearest_of(s.centers, s.listed[l], candidates);
    const auto at = static_cast<std::size_t>(l);
    nearest.as<std::int32_t>()[order[at]] = joined.column;
    squares.as<float>()[order[at]] = static_cast<float>(joined.square);
  }
}

void ward_merge(Context&, ConstView pairs, ConstView rows, ConstView sizes, View centers, View points,
                View rounding, View heights) {
  require(pairs.dtype == DType::i32 && sizes.dtype == DType::f64 && sizes.size() == pairs.size() &&
              rows.dtype == DType::i32 && centers.dtype == DType::f64 && centers.rank == 2 &&
              heights.dtype == DType::f64 && heights.size() * 2 == pairs.size() &&
              static_cast<bool>(points) == static_cast<bool>(rounding),
          "ward_merge", "pairs i32, sizes f64 [p, 2], rows i32 [m], centers f64 [n, d], heights f64 [p]",
          pairs, sizes, rows, centers, heights);
  const std::int64_t count = heights.size(), d = centers.shape[1];
  parallel_blocks(
      count,
      [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t p = begin; p < end; ++p) {
          const std::int32_t* pair = pairs.as<std::int32_t>() + 2 * p;
          double* __restrict first = centers.as<double>() + rows.as<std::int32_t>()[pair[0]] * d;
          const double* __restrict second = centers.as<double>() + rows.as<std::int32_t>()[pair[1]] * d;
          const double a = sizes.as<double>()[2 * p], b = sizes.as<double>()[2 * p + 1];
          double square = 0;
          for (std::int64_t k = 0; k < d; ++k) square += (first[k] - second[k]) * (first[k] - second[k]);
          heights.as<double>()[p] = std::sqrt(2 * a * b / (a + b) * square);
          for (std::int64_t k = 0; k < d; ++k) first[k] += b / (a + b) * (second[k] - first[k]);
          if (!points) continue;
          float* to = points.as<float>() + pair[0] / point_block * d * point_block + pair[0] % point_block;
          for (std::int64_t k = 0; k < d; ++k) to[k * point_block] = static_cast<float>(first[k]);
          rounding.as<float>()[pair[0]] = rounding_of(first, d);
        }
      },
      std::max<std::int64_t>(1, 4096 / d));
}

}  // namespace chorale::cpu

// SPDX-License-Identifier: MIT
// Ward's method from centers, without a matrix of distances (Ward 1963): merging clusters of a and b points
// adds a b / (a + b) |x_a - x_b|^2 to the sum of squares, half of what is compared here.
//
// Centers are f64, where merging and heights are exact enough for any data; the search for neighbours reads
// their f32 copy, in blocks of point_block points. It takes the listed clusters against chunks of columns in
// tiles of squared differences, keeps each row's nearest in the lanes, and joins lanes and chunks in column
// order. 3 l m d flops for l listed of m clusters; reads the points once for every 128 listed.
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
using tile::tile_columns;
using tile::tile_rows;
using tile::vec;

constexpr std::int64_t listed_group = 128, column_chunk = 2048;
constexpr int group_tiles = listed_group / tile_rows;
constexpr float infinity = std::numeric_limits<float>::infinity();

struct Search {
  const float* points;
  const float* sizes;
  const std::int32_t* listed;
  std::int64_t count, m, d;
};

struct Nearest {
  float square = infinity;
  std::int32_t column = std::numeric_limits<std::int32_t>::max();
  void see(float other, std::int32_t other_column) {
    if (other < square || (other == square && other_column < column)) {
      square = other;
      column = other_column;
    }
  }
};

/// A tile of listed clusters, and the nearest column of each so far, columns in the lanes.
struct Tile {
  alignas(64) float rows[tile_rows * tile::row_stride];
  vec best[tile_rows];
  ivec column[tile_rows];
  std::int32_t own[tile_rows];
  float size[tile_rows];
  int count = 0;

  void start(const Search& s, std::int64_t first) {
    count = static_cast<int>(std::clamp<std::int64_t>(s.count - first, 0, tile_rows));
    for (int i = 0; i < tile_rows && count > 0; ++i) {
      own[i] = s.listed[first + (i < count ? i : 0)];
      size[i] = s.sizes[own[i]];
      best[i] = tile::broadcast(infinity);
      column[i] = ivec{} + std::numeric_limits<std::int32_t>::max();
    }
  }

  void read(const Search& s, std::int64_t pass, std::int64_t elements) {
    for (int i = 0; i < tile_rows; ++i) {
      const float* from = s.points + (own[i] / point_block * s.d + pass) * point_block + own[i] % point_block;
      for (std::int64_t k = 0; k < elements; ++k) rows[i * tile::row_stride + k] = from[k * point_block];
    }
  }

  /// Compares with the columns [first, first + lanes), whose squared distances lie in `squares`.
  void see(const Search& s, std::int64_t first, ivec lane, const float* squares) {
    vec sizes{};
    if (first + lanes <= s.m) {
      sizes = tile::load(s.sizes + first);
    } else {
      for (int l = 0; first + l < s.m; ++l) sizes[l] = s.sizes[first + l];
    }
    const ivec index = lane + static_cast<std::int32_t>(first);
    const vec none = tile::broadcast(infinity);
    vec factor{};
    for (int i = 0; i < tile_rows; ++i) {
      if (i == 0 || size[i] != size[i - 1]) factor = 2.0f * (size[i] * sizes) / (size[i] + sizes);
      const vec scaled = factor * tile::load(squares + i * tile_columns);
      const auto other = (sizes > vec{}) & (index != own[i]);
      const vec value = other ? scaled : none;
      const auto closer = value < best[i];
      best[i] = closer ? value : best[i];
      column[i] = closer ? index : column[i];
    }
  }

  Nearest nearest(int row) const {
    Nearest found;
    for (int l = 0; l < lanes; ++l) found.see(best[row][l], column[row][l]);
    return found;
  }
};

/// The nearest columns of chunk [begin, end) for the listed clusters from `first` on.
void search_chunk(const Search& s, std::int64_t first, std::int64_t begin, std::int64_t end, Nearest* found) {
  Tile tiles[group_tiles];
  alignas(64) float squares[tile_rows * tile_columns];
  ivec lane;
  for (int l = 0; l < lanes; ++l) lane[l] = l;
  for (int t = 0; t < group_tiles; ++t) {
    tiles[t].start(s, first + t * tile_rows);
    if (tiles[t].count > 0 && s.d <= tile::depth) tiles[t].read(s, 0, s.d);
  }
  for (std::int64_t column = begin; column < end; column += tile_columns) {
    const float* columns = s.points + column / point_block * s.d * point_block + column % point_block;
    for (Tile& tile : tiles) {
      if (tile.count == 0) break;
      for (std::int64_t pass = 0; pass < s.d; pass += tile::depth) {
        const std::int64_t elements = std::min<std::int64_t>(tile::depth, s.d - pass);
        if (s.d > tile::depth) tile.read(s, pass, elements);
        tile::add_squares(tile.rows, columns + pass * point_block, elements, pass > 0, squares);
      }
      tile.see(s, column, lane, squares);
      tile.see(s, column + lanes, lane, squares + lanes);
    }
  }
  for (int t = 0; t < group_tiles; ++t)
    for (int i = 0; i < tiles[t].count; ++i) found[t * tile_rows + i] = tiles[t].nearest(i);
}

}  // namespace

void ward_points(Context&, ConstView centers, ConstView rows, View points) {
  require(centers.dtype == DType::f64 && centers.rank == 2 && rows.dtype == DType::i32 &&
              points.dtype == DType::f32 && points.rank == 3 && points.shape[1] == centers.shape[1] &&
              points.shape[0] == (rows.size() + point_block - 1) / point_block &&
              points.shape[2] == point_block,
          "ward_points", "centers f64 [n, d], rows i32 [m], points f32 [m / 32 rounded up, d, 32]", centers,
          rows, points);
  const std::int64_t m = rows.size(), d = centers.shape[1];
  parallel_tasks(points.shape[0], m * d, [&](std::int64_t block) {
    tile::pack_points([&](std::int64_t i) { return centers.as<double>() + rows.as<std::int32_t>()[i] * d; },
                      m, d, block, block + 1, points.as<float>());
  });
}

void ward_nearest(Context& context, ConstView points, ConstView sizes, ConstView listed, View nearest,
                  View squares) {
  require(points.dtype == DType::f32 && points.rank == 3 && points.shape[2] == point_block &&
              sizes.dtype == DType::f32 && sizes.size() <= points.shape[0] * point_block &&
              listed.dtype == DType::i32 && nearest.dtype == DType::i32 && nearest.size() == listed.size() &&
              squares.dtype == DType::f32 && squares.size() == listed.size(),
          "ward_nearest", "points f32 [blocks, d, 32], sizes f32 [m], listed, nearest i32, squares f32 [l]",
          points, sizes, listed, nearest, squares);
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
  const Search s{points.as<float>(), sizes.as<float>(), by_size.data(),
                 listed.size(),      sizes.size(),      points.shape[1]};
  const std::int64_t chunks = block_count(s.m, column_chunk), groups = block_count(s.count, listed_group);
  const Scratch scratch(context, static_cast<std::size_t>(chunks * groups * listed_group) * sizeof(Nearest));
  Nearest* found = scratch.as<Nearest>();  // [group, chunk, listed_group]
#pragma omp parallel for schedule(dynamic) if (chunks * groups > 1 && s.count * s.m * s.d > 200000)
  for (std::int64_t task = 0; task < chunks * groups; ++task) {
    const std::int64_t begin = task % chunks * column_chunk;
    search_chunk(s, task / chunks * listed_group, begin, std::min(s.m, begin + column_chunk),
                 found + task * listed_group);
  }
  for (std::int64_t l = 0; l < s.count; ++l) {
    Nearest joined;
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
      const Nearest& part = found[(l / listed_group * chunks + chunk) * listed_group + l % listed_group];
      joined.see(part.square, part.column);
    }
    nearest.as<std::int32_t>()[order[static_cast<std::size_t>(l)]] = joined.column;
    squares.as<float>()[order[static_cast<std::size_t>(l)]] = joined.square;
  }
}

void ward_merge(Context&, ConstView pairs, ConstView rows, ConstView sizes, View centers, View points,
                View heights) {
  require(pairs.dtype == DType::i32 && sizes.dtype == DType::f64 && sizes.size() == pairs.size() &&
              rows.dtype == DType::i32 && centers.dtype == DType::f64 && centers.rank == 2 &&
              heights.dtype == DType::f64 && heights.size() * 2 == pairs.size(),
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
        }
      },
      std::max<std::int64_t>(1, 4096 / d));
}

}  // namespace chorale::cpu

// SPDX-License-Identifier: MIT
// Silhouette (Rousseeuw 1987) of points sorted by cluster: s = (b - a) / max(a, b), a the mean distance to
// the other points of the own cluster, b the smallest mean distance to another one. Distances are formed in
// tiles, summed per row over each cluster's columns and forgotten: O(n d) memory, never n x n.
//
// A tile is |x|^2 + |y|^2 - 2 x.y of the centred rows in f32, with an error of about 3 2^-24 (|x|^2 + |y|^2)
// where chains of multiply-adds have 128 links. Where that is too much for any of its pairs, the tile is
// computed again from differences of the rows as they were given, |x - y|^2, in which nothing cancels; so are
// the rest of the cluster's tiles, at once, and matrices of few columns as a whole. Sums are f32 over at most
// 16 vectors, then f64, in column order. 2 n^2 d flops by products, 3 n^2 d by differences; the packed
// columns are read once for every 128 rows.
#include <cmath>
#include <vector>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/cluster_squares.h"
#include "kernels/cpu/kernels.h"

namespace chorale::cpu {
namespace {

using tile::ivec;
using tile::lanes;
using tile::tile_columns;
using tile::tile_rows;
using tile::vec;

constexpr std::int64_t row_block = 128;
constexpr int block_tiles = row_block / tile_rows;
constexpr int flush_groups = 8;
/// Longest chain of multiply-adds; sums of more elements are made of pieces.
constexpr std::int64_t chain = 128;
/// Below this share of |x|^2 + |y|^2 a squared distance has lost too many digits. At this share the standard
/// error of the distance is 3 2^-24 / (2 * 0.2) = 4.5e-7 of itself: hardly one in a million is off by 2e-6.
constexpr float cancellation = 0.2f;
/// With so few columns differences cost no more than products and what has to be done again.
constexpr std::int64_t few_columns = 16;

struct Points {
  const float *x, *packed;                  // as given
  const float *centered, *packed_centered;  // for products; not read where columns are few
  const float *norms, *column_norms;        // of the centred rows; the latter up to a whole vector
  const std::int64_t* offsets;
  std::int64_t n, d, k;
};

/// A block's rows of one matrix: all elements at once or, where they are more than a tile is deep, those of
/// one tile that are asked for.
class BlockRows {
 public:
  BlockRows(const float* x, std::int64_t begin, int count, std::int64_t d)
      : x_(x + begin * d), count_(count), d_(d), tiles_(d <= tile::depth ? block_tiles : 1) {
    for (int t = 0; d <= tile::depth && t * tile_rows < count; ++t) read(tiles_[t], t, 0, d);
  }
  /// Elements [first, first + elements) of tile t's rows, until the next call.
  const float* at(int t, std::int64_t first, std::int64_t elements) {
    if (d_ <= tile::depth) return tiles_[t].data() + first;
    read(tiles_[0], t, first, elements);
    return tiles_[0].data();
  }

 private:
  void read(tile::Rows& rows, int t, std::int64_t first, std::int64_t elements) const {
    rows.read([&](int r) { return x_ + (t * tile_rows + r) * d_; },
              std::min(count_ - t * tile_rows, tile_rows), first, elements);
  }
  const float* x_;
  int count_;
  std::int64_t d_;
  std::vector<tile::Rows> tiles_;
};

/// Sum of one row over the columns of the cluster that is being passed, and what the clusters passed so far
/// gave.
struct Row {
  double sum = 0, own = 0, nearest = std::numeric_limits<double>::infinity();
};

struct Block {
  Block(const Points& p, std::int64_t first)
      : begin(first),
        count(static_cast<int>(std::min(row_block, p.n - first))),
        given(p.x, first, count, p.d),
        centered(p.centered, first, count, p.d) {}
  std::int64_t begin;
  int count;
  BlockRows given, centered;
  bool direct[block_tiles] = {};  // whether the tile's rows meet the cluster that is passed by differences
  vec partial[row_block] = {};
  Row rows[row_block] = {};

  int count_of(int t) const { return std::clamp(count - t * tile_rows, 0, tile_rows); }
};

/// sums [count] = what piece(first, elements, sums) writes for each piece of the d elements, added up.
template <class Piece>
void add_pieces(std::int64_t d, int count, const Piece& piece, float* sums) {
  piece(0, std::min(chain, d), sums);
  for (std::int64_t first = chain; first < d; first += chain) {
    alignas(64) float part[tile_rows * tile_columns];
    piece(first, std::min(chain, d - first), part);
    for (int i = 0; i < count; i += lanes) tile::store(sums + i, tile::load(sums + i) + tile::load(part + i));
  }
}

/// distances [tile_rows, tile_columns] of tile t to the columns from `column` on, by differences.
void direct_distances(const Points& p, Block& b, int t, std::int64_t column, float* distances) {
  const float* columns = p.packed + column / point_block * p.d * point_block + column % point_block;
  add_pieces(
      p.d, tile_rows * tile_columns,
      [&](std::int64_t first, std::int64_t elements, float* to) {
        tile::add_squares(b.given.at(t, first, elements), columns + first * point_block, elements, false, to);
      },
      distances);
  for (int i = 0; i < b.count_of(t) * tile_columns; i += lanes)
    tile::store(distances + i, tile::square_root(tile::load(distances + i)));
}

/// The same by products of the centred rows; false if one of the distances has lost too many digits.
bool product_distances(const Points& p, Block& b, int t, std::int64_t column, float* distances) {
  const std::int64_t vectors = tile::vector_count(p.n), vector = column / lanes;
  const int used = static_cast<int>(std::min<std::int64_t>(vectors - vector, tile_columns / lanes));
  alignas(64) float products[tile_rows * tile_columns];  // a vector's columns after the other's
  add_pieces(
      p.d, used * tile_rows * lanes,
      [&](std::int64_t first, std::int64_t elements, float* to) {
        const std::int64_t in_pass = first % tile::depth, pass = first - in_pass,
                           pass_elements = std::min<std::int64_t>(tile::depth, p.d - pass);
        const float* rows = b.centered.at(t, first, elements);
        for (int v = 0; v < used; ++v)
          tile::multiply(
              rows, p.packed_centered + (pass * vectors + (vector + v) * pass_elements + in_pass) * lanes,
              elements, false, to + v * tile_rows * lanes);
      },
      products);
  ivec lost{};
  for (int v = 0; v < used; ++v) {
    const vec column_norms = tile::load(p.column_norms + (vector + v) * lanes);
    for (int r = 0; r < b.count_of(t); ++r) {
      const std::int64_t row = b.begin + t * tile_rows + r, same = row - (vector + v) * lanes;
      const vec scale = p.norms[row] + column_norms;
      vec square = scale - 2.0f * tile::load(products + (v * tile_rows + r) * lanes);
      ivec cancels = ~(square > cancellation * scale);
      if (same >= 0 && same < lanes) {  // a point with itself
        square[same] = 0.0f;
        cancels[same] = 0;
      }
      lost |= cancels;
      tile::store(distances + r * tile_columns + v * lanes, tile::square_root(square));
    }
  }
  std::int32_t any = 0;
  for (int l = 0; l < lanes; ++l) any |= lost[l];
  return any == 0;
}

void compute_distances(const Points& p, Block& b, int t, std::int64_t column, float* distances) {
  if (!b.direct[t]) b.direct[t] = !product_distances(p, b, t, column, distances);
  if (b.direct[t]) direct_distances(p, b, t, column, distances);
}

void flush(Block& b, int t) {
  for (int r = t * tile_rows; r < t * tile_rows + b.count_of(t); ++r) {
    double sum = 0;
    for (int l = 0; l < lanes; ++l) sum += static_cast<double>(b.partial[r][l]);
    b.rows[r].sum += sum;
    b.partial[r] = vec{};
  }
}

void end_cluster(std::int64_t begin, std::int64_t end, Block& b, int t) {
  flush(b, t);
  for (int r = t * tile_rows; r < t * tile_rows + b.count_of(t); ++r) {
    Row& row = b.rows[r];
    if (b.begin + r >= begin && b.begin + r < end)
      row.own = end - begin > 1 ? row.sum / static_cast<double>(end - begin - 1) : 0;
    else
      row.nearest = std::min(row.nearest, row.sum / static_cast<double>(end - begin));
    row.sum = 0;
  }
}

/// Adds tile t's distances to the columns from `column` on that lie in [begin, end).
void add_columns(const float* distances, std::int64_t column, std::int64_t begin, std::int64_t end, Block& b,
                 int t) {
  ivec lane;
  for (int l = 0; l < lanes; ++l) lane[l] = l;
  for (int v = 0; v < tile_columns; v += lanes) {
    const auto from = static_cast<std::int32_t>(std::clamp<std::int64_t>(begin - column - v, 0, lanes)),
               to = static_cast<std::int32_t>(std::clamp<std::int64_t>(end - column - v, 0, lanes));
    if (from >= to) continue;
    const ivec inside = (lane >= from) & (lane < to);
    for (int r = 0; r < b.count_of(t); ++r)
      b.partial[t * tile_rows + r] += inside ? tile::load(distances + r * tile_columns + v) : vec{};
  }
}

/// A group of columns at a time, and in it the clusters that have a part of it.
void pass_columns(const Points& p, Block& b) {
  alignas(64) float distances[tile_rows * tile_columns] = {};
  std::int64_t last_cluster = -1;
  for (std::int64_t column = 0; column < p.n; column += tile_columns) {
    const std::int64_t group_end = column + tile_columns;
    const std::int64_t first_cluster =
        std::upper_bound(p.offsets, p.offsets + p.k + 1, column) - p.offsets - 1;
    if (first_cluster != last_cluster) std::fill_n(b.direct, block_tiles, p.d <= few_columns);
    last_cluster = first_cluster;
    for (int t = 0; b.count_of(t) > 0; ++t) {
      compute_distances(p, b, t, column, distances);
      for (std::int64_t cluster = first_cluster; cluster < p.k && p.offsets[cluster] < group_end; ++cluster) {
        const std::int64_t begin = p.offsets[cluster], end = p.offsets[cluster + 1];
        if (begin == end) continue;
        add_columns(distances, column, begin, end, b, t);
        const std::int64_t groups = column / tile_columns - begin / tile_columns + 1;
        if (end <= group_end)
          end_cluster(begin, end, b, t);
        else if (groups % flush_groups == 0)
          flush(b, t);
      }
    }
  }
}

float silhouette(const Points& p, std::int64_t i, const Row& row) {
  const std::int64_t* own = std::upper_bound(p.offsets, p.offsets + p.k + 1, i) - 1;
  const double larger = std::max(row.own, row.nearest);
  if (own[1] - own[0] == 1 || !(larger > 0) || std::isinf(larger)) return 0.0f;
  return static_cast<float>((row.nearest - row.own) / larger);
}

}  // namespace

void silhouette_samples(Context& context, ConstView x, ConstView centered, ConstView norms, ConstView offsets,
                        View samples) {
  require(x.dtype == DType::f32 && x.rank == 2 && centered.dtype == DType::f32 &&
              centered.size() == x.size() && norms.size() == x.shape[0] && offsets.dtype == DType::i64 &&
              samples.dtype == DType::f32 && samples.size() == x.shape[0],
          "silhouette_samples", "x, centered f32 [n, d], norms f32 [n], offsets i64 [k + 1], samples f32 [n]",
          x, centered, norms, offsets, samples);
  const std::int64_t n = x.shape[0], d = x.shape[1], vectors = tile::vector_count(n);
  const std::int64_t pieces = (n + point_block - 1) / point_block, blocks = (n + row_block - 1) / row_block;
  const Scratch packed(context, static_cast<std::size_t>(pieces * point_block * d) * sizeof(float));
  const Scratch packed_centered(context, d > few_columns ? tile::packed_size(n, d) * sizeof(float) : 0);
  const Scratch column_norms(context, static_cast<std::size_t>(vectors * lanes) * sizeof(float));
  std::fill(std::copy_n(norms.as<float>(), n, column_norms.as<float>()),
            column_norms.as<float>() + vectors * lanes, 0.0f);
  const Points p{x.as<float>(),
                 packed.as<float>(),
                 centered.as<float>(),
                 packed_centered.as<float>(),
                 norms.as<float>(),
                 column_norms.as<float>(),
                 offsets.as<std::int64_t>(),
                 n,
                 d,
                 offsets.size() - 1};
#pragma omp parallel for
  for (std::int64_t piece = 0; piece < pieces; ++piece) {
    tile::pack_points([&](std::int64_t i) { return p.x + i * d; }, n, d, piece, piece + 1,
                      packed.as<float>());
    if (d > few_columns)
      tile::pack([&](std::int64_t i) { return p.centered + i * d; }, n, d, piece * point_block / lanes,
                 std::min(vectors, (piece + 1) * point_block / lanes), packed_centered.as<float>());
  }
#pragma omp parallel for schedule(dynamic)
  for (std::int64_t block = 0; block < blocks; ++block) {
    Block b(p, block * row_block);
    pass_columns(p, b);
    for (int r = 0; r < b.count; ++r)
      samples.as<float>()[b.begin + r] = silhouette(p, b.begin + r, b.rows[r]);
  }
}

}  // namespace chorale::cpu

// SPDX-License-Identifier: MIT
// Silhouette (Rousseeuw 1987) of points sorted by cluster: s = (b - a) / max(a, b), a the mean distance to
// the other points of the own cluster, b the smallest mean distance to another one. Distances are formed in
// tiles, summed per row over each cluster's columns and forgotten: O(n d) memory, never n x n.
//
// |x - y|^2 = |x|^2 + |y|^2 - 2 x.y in f32; where that cancels, the difference is formed directly. Sums are
// f32 over at most 16 vectors, then f64, in column order. 2 n^2 d flops; the packed columns are read once for
// every 128 rows.
#include <cmath>
#include <vector>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/cluster_tile.h"
#include "kernels/cpu/kernels.h"

namespace chorale::cpu {
namespace {

using tile::ivec;
using tile::lanes;
using tile::tile_rows;
using tile::vec;

constexpr std::int64_t row_block = 128;
constexpr int flush_vectors = 16;
/// Below this share of |x|^2 + |y|^2 a squared distance has lost too many digits.
constexpr float cancellation = 0x1p-12f;

struct Points {
  const float* x;
  const float* norms;
  const float* packed;
  const float* column_norms;  // norms, up to a whole vector
  const std::int64_t* offsets;
  std::int64_t n, d, k;
};

float direct_distance(const float* a, const float* b, std::int64_t d) {
  float sum = 0;
  for (std::int64_t j = 0; j < d; ++j) sum += (a[j] - b[j]) * (a[j] - b[j]);
  return std::sqrt(sum);
}

/// Distances of row i to the columns of vector v, from their products.
vec distances(const Points& p, std::int64_t i, std::int64_t v, vec dots) {
  const vec scale = p.norms[i] + tile::load(p.column_norms + v * lanes);
  const vec square = scale - 2.0f * dots;
  const auto lost = square < cancellation * scale;
  vec result = tile::square_root(tile::maximum(square, vec{}));
  std::int32_t any = 0;
  for (int l = 0; l < lanes; ++l) any |= lost[l];
  if (any) [[unlikely]]
    for (int l = 0; l < lanes; ++l)
      if (lost[l] && v * lanes + l < p.n)
        result[l] = direct_distance(p.x + i * p.d, p.x + (v * lanes + l) * p.d, p.d);
  return result;
}

/// Sum of one row over the columns of the cluster that is being passed, and what the clusters passed so far
/// gave.
struct Row {
  double sum = 0, own = 0, nearest = std::numeric_limits<double>::infinity();
};

struct Block {
  std::int64_t begin;
  int count;
  std::vector<tile::Rows> tiles = std::vector<tile::Rows>(row_block / tile_rows);
  vec partial[row_block] = {};
  Row rows[row_block] = {};

  auto row_of(const Points& p, int t) const {
    return [x = p.x, first = begin + t * tile_rows, d = p.d](int r) { return x + (first + r) * d; };
  }
  int count_of(int t) const { return std::clamp(count - t * tile_rows, 0, tile_rows); }
};

/// Adds the distances to those columns of vector v that `mask` names.
void add_vector(const Points& p, std::int64_t v, ivec mask, Block& b) {
  const std::int64_t vectors = tile::vector_count(p.n);
  alignas(64) float tile[tile_rows * lanes];
  for (int t = 0; b.count_of(t) > 0; ++t) {
    const int count = b.count_of(t);
    for (std::int64_t pass = 0; pass < p.d; pass += tile::depth) {
      const std::int64_t elements = std::min<std::int64_t>(tile::depth, p.d - pass);
      if (p.d > tile::depth) b.tiles[t].read(b.row_of(p, t), count, pass, elements);
      tile::multiply(b.tiles[t].data(), p.packed + (pass * vectors + v * elements) * lanes, elements,
                     pass > 0, tile);
    }
    for (int r = 0; r < count; ++r) {
      const vec value = distances(p, b.begin + t * tile_rows + r, v, tile::load(tile + r * lanes));
      b.partial[t * tile_rows + r] += mask ? value : vec{};
    }
  }
}

void flush(Block& b) {
  for (int r = 0; r < b.count; ++r) {
    double sum = 0;
    for (int l = 0; l < lanes; ++l) sum += static_cast<double>(b.partial[r][l]);
    b.rows[r].sum += sum;
    b.partial[r] = vec{};
  }
}

void end_cluster(std::int64_t begin, std::int64_t end, Block& b) {
  flush(b);
  for (int r = 0; r < b.count; ++r) {
    Row& row = b.rows[r];
    if (b.begin + r >= begin && b.begin + r < end)
      row.own = end - begin > 1 ? row.sum / static_cast<double>(end - begin - 1) : 0;
    else
      row.nearest = std::min(row.nearest, row.sum / static_cast<double>(end - begin));
    row.sum = 0;
  }
}

/// The columns cluster by cluster; a vector that two clusters share is multiplied for each of them.
void pass_columns(const Points& p, Block& b) {
  for (int t = 0; p.d <= tile::depth && b.count_of(t) > 0; ++t)
    b.tiles[t].read(b.row_of(p, t), b.count_of(t), 0, p.d);
  ivec lane;
  for (int l = 0; l < lanes; ++l) lane[l] = l;
  for (std::int64_t cluster = 0; cluster < p.k; ++cluster) {
    const std::int64_t begin = p.offsets[cluster], end = p.offsets[cluster + 1];
    if (begin == end) continue;
    int pending = 0;
    for (std::int64_t v = begin / lanes; v * lanes < end; ++v) {
      const std::int32_t from = static_cast<std::int32_t>(std::max<std::int64_t>(begin - v * lanes, 0));
      const std::int32_t to = static_cast<std::int32_t>(std::min<std::int64_t>(end - v * lanes, lanes));
      add_vector(p, v, (lane >= from) & (lane < to), b);
      if (++pending % flush_vectors == 0) flush(b);
    }
    end_cluster(begin, end, b);
  }
}

float silhouette(const Points& p, std::int64_t i, const Row& row) {
  const std::int64_t* own = std::upper_bound(p.offsets, p.offsets + p.k + 1, i) - 1;
  const double larger = std::max(row.own, row.nearest);
  if (own[1] - own[0] == 1 || !(larger > 0) || std::isinf(larger)) return 0.0f;
  return static_cast<float>((row.nearest - row.own) / larger);
}

}  // namespace

void silhouette_samples(Context& context, ConstView x, ConstView norms, ConstView offsets, View samples) {
  require(x.dtype == DType::f32 && x.rank == 2 && norms.size() == x.shape[0] && offsets.dtype == DType::i64 &&
              samples.dtype == DType::f32 && samples.size() == x.shape[0],
          "silhouette_samples", "x f32 [n, d], norms f32 [n], offsets i64 [k + 1], samples f32 [n]", x, norms,
          offsets, samples);
  const std::int64_t n = x.shape[0], d = x.shape[1], vectors = tile::vector_count(n);
  const Scratch packed(context, tile::packed_size(n, d) * sizeof(float));
  const Scratch column_norms(context, static_cast<std::size_t>(vectors * lanes) * sizeof(float));
  std::fill(std::copy_n(norms.as<float>(), n, column_norms.as<float>()),
            column_norms.as<float>() + vectors * lanes, 0.0f);
  const Points p{x.as<float>(),
                 norms.as<float>(),
                 packed.as<float>(),
                 column_norms.as<float>(),
                 offsets.as<std::int64_t>(),
                 n,
                 d,
                 offsets.size() - 1};
  const std::int64_t pieces = (vectors + 63) / 64, blocks = (n + row_block - 1) / row_block;
#pragma omp parallel for
  for (std::int64_t piece = 0; piece < pieces; ++piece)
    tile::pack([&](std::int64_t c) { return p.x + c * d; }, n, d, piece * 64,
               std::min(vectors, (piece + 1) * 64), packed.as<float>());
#pragma omp parallel for schedule(dynamic)
  for (std::int64_t block = 0; block < blocks; ++block) {
    const std::int64_t begin = block * row_block;
    Block b{begin, static_cast<int>(std::min(row_block, n - begin))};
    pass_columns(p, b);
    for (int r = 0; r < b.count; ++r) samples.as<float>()[begin + r] = silhouette(p, begin + r, b.rows[r]);
  }
}

}  // namespace chorale::cpu

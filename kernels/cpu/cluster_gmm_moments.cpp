// SPDX-License-Identifier: MIT
// Moments of the rows about the centers of a Gaussian mixture, weighted with responsibilities r:
//
//   N_c = sum r     first_c = sum r z     second_c = sum r z^2, or sum r z z^T     z = x - mu_c
//
// A task owns some columns of one component (of all, where second is added up over them), so no sum is
// shared. It lists the rows of the chunk whose responsibility counts (few, where components lie apart) and
// goes through them moment_batch at a time. Squares: f32 within a batch, then f64. Products: z sqrt(r) is
// gathered and multiplied in register tiles above the diagonal, in f64: a sum of squares whatever the
// rounding, so that few rows in many columns still leave a positive semidefinite matrix; in f32 where r is so
// light that the difference vanishes. First moments alone serve tied covariances, a difference of large
// numbers: f64. r > 0 for all rows costs n k d^2 flops (products) or 6 n k d (squares); x is read once for
// each component of a row.
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/cpu/cluster_gmm.h"
#include "kernels/cpu/parallel.h"

namespace chorale::cpu::gmm {
namespace {

using tile::lanes;
using tile::load;
using tile::store;
using tile::vec;

constexpr int moment_batch = 128, rows_ahead = 4;
constexpr int moment_vectors = 4, first_vectors = 4;
constexpr std::int64_t product_columns = 64;  // of a task
constexpr int wide = lanes / 2;               // f64 elements of a vector
constexpr int tile_rows = lanes == 16 ? 8 : 4, tile_vectors = 2;
/// Responsibilities up to this are multiplied in f32: beside a component of one row, the rounding of a
/// million of them is that of f64 beside f32.
constexpr float light = 0x1p-16f;

/// Registers of T, and the columns of a tile of them.
template <class T>
struct Vector {
  typedef T type __attribute__((vector_size(lanes * sizeof(float))));
};
template <class T>
constexpr int elements = lanes* static_cast<int>(sizeof(float)) / static_cast<int>(sizeof(T));
template <class T>
constexpr int tile_columns = tile_vectors* elements<T>;
using dvec = Vector<double>::type;

dvec load(const double* p) {
  dvec v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
void store(double* p, dvec v) { std::memcpy(p, &v, sizeof v); }

/// Rows of the chunk whose responsibilities for a component are above `low` and at most `high`, and those.
class Rows {
 public:
  Rows(const Chunk& chunk, std::int64_t component, float low = gmm_negligible,
       float high = std::numeric_limits<float>::max())
      : list_(static_cast<std::size_t>(chunk.rows) + 1), weights_(list_.size()) {
    const float* r = chunk.responsibilities + component * chunk.stride;
    for (std::int64_t i = 0; i < chunk.rows; ++i) {
      list_[count_] = static_cast<std::int32_t>(i);
      weights_[count_] = r[i];
      count_ += r[i] > low && r[i] <= high;
    }
  }

  /// Calls body(rows, responsibilities, their number) for consecutive batches.
  template <class Body>
  void by_batches(const Body& body) const {
    for (std::size_t i = 0; i < count_; i += moment_batch)
      body(list_.data() + i, weights_.data() + i,
           static_cast<int>(std::min<std::size_t>(moment_batch, count_ - i)));
  }

 private:
  std::vector<std::int32_t> list_;
  std::vector<float> weights_;
  std::size_t count_ = 0;
};

double sum_of(const float* values, std::int64_t count) {
  double lane[8] = {};
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (int l = 0; l < 8; ++l) lane[l] += static_cast<double>(values[i + l]);
  for (; i < count; ++i) lane[0] += static_cast<double>(values[i]);
  return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

typedef float fvec __attribute__((vector_size(wide * sizeof(float))));

dvec widen(const float* p) {
  fvec v;
  std::memcpy(&v, p, sizeof v);
  return __builtin_convertvector(v, dvec);
}

/// Adds `columns` columns, from `begin` on, of a component's first moments alone.
void add_first(const Chunk& chunk, const Rows& rows, const float* center, std::int64_t begin,
               std::int64_t columns, double* first) {
  rows.by_batches([&](const std::int32_t* list, const float* weights, int count) {
    std::int64_t j = begin;
    for (; j + first_vectors * wide <= begin + columns; j += first_vectors * wide) {
      dvec mean[first_vectors], sum[first_vectors];
      for (int v = 0; v < first_vectors; ++v) {
        mean[v] = widen(center + j + v * wide);
        sum[v] = load(first + j + v * wide);
      }
      for (int i = 0; i < count; ++i) {
        const double weight = static_cast<double>(weights[i]);
#pragma GCC unroll 4
        for (int v = 0; v < first_vectors; ++v)
          sum[v] += weight * (widen(chunk.x + list[i] * chunk.d + j + v * wide) - mean[v]);
      }
      for (int v = 0; v < first_vectors; ++v) store(first + j + v * wide, sum[v]);
    }
    for (; j < begin + columns; ++j)
      for (int i = 0; i < count; ++i)
        first[j] += static_cast<double>(weights[i]) *
                    (static_cast<double>(chunk.x[list[i] * chunk.d + j]) - static_cast<double>(center[j]));
  });
}

/// Adds up to moment_vectors vectors of columns, from `begin` on, of the first and second
/// moments of a component. What a vector reads beyond its row is left out in the end.
void add_squares(const Chunk& chunk, const Rows& rows, const float* center, std::int64_t begin,
                 std::int64_t columns, double* first, double* second) {
  constexpr int vectors = moment_vectors;
  float padded[vectors * lanes] = {}, last[vectors * lanes] = {};
  std::copy_n(center + begin, columns, padded);
  vec mean[vectors];
  for (int v = 0; v < vectors; ++v) mean[v] = load(padded + v * lanes);
  const std::int64_t d = chunk.d, size = chunk.rows * d;
  rows.by_batches([&](const std::int32_t* list, const float* weights, int count) {
    vec sum[vectors] = {}, square[vectors] = {};
    for (int i = 0; i < count; ++i) {
      const std::int64_t at = list[i] * d + begin;
      const float* x = chunk.x + at;
      if (at + vectors * lanes > size) x = std::copy_n(x, columns, last) - columns;
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) {
        const vec value = load(x + v * lanes) - mean[v], weighted = weights[i] * value;
        sum[v] += weighted;
        square[v] += weighted * value;
      }
    }
    float sums[vectors * lanes], squares[vectors * lanes];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      store(sums + v * lanes, sum[v]);
      store(squares + v * lanes, square[v]);
    }
    for (std::int64_t j = 0; j < columns; ++j) first[begin + j] += static_cast<double>(sums[j]);
    for (std::int64_t j = 0; j < columns; ++j) second[begin + j] += static_cast<double>(squares[j]);
  });
}

/// sqrt(r) z of a batch, in panels of tile_columns columns: [panel][row][column].
template <class T>
class Weighted {
 public:
  static constexpr int width = tile_columns<T>;

  explicit Weighted(std::int64_t columns)
      : panels_((columns + width - 1) / width),
        data_(static_cast<std::size_t>(panels_ * moment_batch * width)) {}

  std::int64_t panels() const { return panels_; }
  T* panel(std::int64_t p) { return data_.data() + p * moment_batch * width; }

  /// Columns from `begin` on; their weighted sums go to `first` for the leading `columns` of them.
  void gather(const Chunk& chunk, const std::int32_t* list, const float* weights, int count,
              const float* center, std::int64_t begin, std::int64_t columns, double* first) {
    for (int i = 0; i < count; ++i) {
      const double weight = static_cast<double>(weights[i]), root = std::sqrt(weight);
      if (i + rows_ahead < count)  // a row of the list lies anywhere in the chunk
        for (std::int64_t j = begin; j < chunk.d; j += 16)
          __builtin_prefetch(chunk.x + list[i + rows_ahead] * chunk.d + j);
      const float* x = chunk.x + list[i] * chunk.d;
      for (std::int64_t p = 0; p < panels_; ++p) {
        const std::int64_t at = begin + p * width;
        T* to = panel(p) + i * width;
        const auto weigh = [&](std::int64_t l) {
          to[l] =
              static_cast<T>(root * (static_cast<double>(x[at + l]) - static_cast<double>(center[at + l])));
        };
        if (const std::int64_t used = chunk.d - at; used >= width)
          for (int l = 0; l < width; ++l) weigh(l);
        else
          for (int l = 0; l < used; ++l) weigh(l);
      }
      for (std::int64_t j = begin; j < begin + columns; ++j)
        first[j] += weight * (static_cast<double>(x[j]) - static_cast<double>(center[j]));
    }
  }

 private:
  std::int64_t panels_;
  std::vector<T> data_;
};

/// second [tile_rows, tile_columns] of a matrix of row stride d += left^T right.
template <class T>
void add_product(const T* left, const T* right, int count, std::int64_t d, std::int64_t rows,
                 std::int64_t columns, double* second) {
  constexpr int width = tile_columns<T>;
  using V = typename Vector<T>::type;
  V sum[tile_rows][tile_vectors] = {};
  for (int i = 0; i < count; ++i, left += width, right += width) {
    V column[tile_vectors];
#pragma GCC unroll 2
    for (int v = 0; v < tile_vectors; ++v) column[v] = load(right + v * elements<T>);
#pragma GCC unroll 8
    for (int r = 0; r < tile_rows; ++r)
#pragma GCC unroll 2
      for (int v = 0; v < tile_vectors; ++v) sum[r][v] += left[r] * column[v];
  }
  T product[tile_rows * width];
#pragma GCC unroll 8
  for (int r = 0; r < tile_rows; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < tile_vectors; ++v) store(product + r * width + v * elements<T>, sum[r][v]);
  for (int r = 0; r < std::min<std::int64_t>(tile_rows, rows); ++r, second += d)
    if (columns >= width)
      for (int j = 0; j < width; ++j) second[j] += static_cast<double>(product[r * width + j]);
    else
      for (int j = 0; j < columns; ++j) second[j] += static_cast<double>(product[r * width + j]);
}

/// Adds rows [begin, begin + columns) of the upper triangle of a component's products, and its first moments.
template <class T>
void add_products(const Chunk& chunk, const Rows& rows, const float* center, std::int64_t begin,
                  std::int64_t columns, Weighted<T>& z, double* first, double* second) {
  constexpr int width = tile_columns<T>;
  const std::int64_t d = chunk.d;
  rows.by_batches([&](const std::int32_t* list, const float* weights, int count) {
    z.gather(chunk, list, weights, count, center, begin, columns, first);
    for (std::int64_t a = 0; a < columns; a += tile_rows)
      for (std::int64_t p = a / width; p < z.panels(); ++p)
        add_product<T>(z.panel(a / width) + a % width, z.panel(p), count, d, d - begin - a,
                       d - begin - p * width, second + (begin + a) * d + begin + p * width);
  });
}

}  // namespace

void add_moments(const Chunk& chunk, const float* centers, View counts, View first, View second) {
  const std::int64_t d = chunk.d, k = chunk.k;
  const bool matrices = second.rank == 3, together = matrices && second.shape[0] < k;
  const std::int64_t most = matrices ? product_columns : moment_vectors * lanes,
                     pieces = block_count(d, most);
  const std::int64_t each = matrices ? d * d : d;
#pragma omp parallel for schedule(dynamic) if (chunk.rows * k * d > parallel_threshold)
  for (std::int64_t task = 0; task < (together ? 1 : k) * pieces; ++task) {
    const std::int64_t begin = task % pieces * most, columns = std::min(most, d - begin);
    Weighted<double> heavy(matrices ? d - begin : 0);
    Weighted<float> light_ones(matrices ? d - begin : 0);
    for (std::int64_t c = together ? 0 : task / pieces; c < (together ? k : task / pieces + 1); ++c) {
      const float* center = centers + c * d;
      double* sums = first.as<double>() + c * d;
      double* squares = second ? second.as<double>() + (together ? 0 : c) * each : nullptr;
      if (begin == 0) counts.as<double>()[c] += sum_of(chunk.responsibilities + c * chunk.stride, chunk.rows);
      if (!second) {
        add_first(chunk, Rows(chunk, c), center, begin, columns, sums);
      } else if (matrices) {
        add_products(chunk, Rows(chunk, c, light), center, begin, columns, heavy, sums, squares);
        add_products(chunk, Rows(chunk, c, gmm_negligible, light), center, begin, columns, light_ones, sums,
                     squares);
      } else {
        add_squares(chunk, Rows(chunk, c), center, begin, columns, sums, squares);
      }
    }
  }
}

}  // namespace chorale::cpu::gmm

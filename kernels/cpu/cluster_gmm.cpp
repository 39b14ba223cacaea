// SPDX-License-Identifier: MIT
// Gaussian mixtures: log-likelihood and responsibilities of rows, and one EM iteration's pass over the data.
//
//   z = x - mu_c     y = P_c^T z     log p_c = log w_c + log |P_c| - d/2 log 2 pi - |y|^2 / 2
//   log p(x) = log sum_c exp log p_c     r_c = exp(log p_c - log p(x))
//
// Rows lie in the lanes: a tile of x is transposed once, z of a component is formed in the cache's first
// level, and six columns of P at a time are multiplied with it in registers, down to the diagonal only (P is
// upper triangular), squared and forgotten. Tied: y = P^T x once for all components, then distances to P^T
// mu_c as for diagonal covariances, which take (x s - mu s)^2 for four components at a time.
//
// f32, each element one chain of multiply-adds in order; log p(x) and its sum in f64. Responsibilities are
// kept for one chunk of rows, until cluster_gmm_moments.cpp has summed it up. A pass
// moves n d floats twice; n k d^2 flops for the densities (full), n d^2 + 4 n k d (tied), 4 n k d (diagonal).
#include "kernels/cpu/cluster_gmm.h"

#include <cmath>
#include <optional>
#include <vector>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/vector_math.h"

namespace chorale::cpu {
namespace {

using tile::broadcast;
using tile::lanes;
using tile::load;
using tile::store;
using tile::vec;

constexpr int row_vectors = lanes == 16 ? 4 : 2;
constexpr int tile_points = row_vectors * lanes;
constexpr int panel_width = 6;  // with row_vectors as many accumulators as registers allow
constexpr int group_size = 4;   // components whose distances are found together
/// Below it the vector form of expf leaves a lane to the scalar one; beside 1 it is nothing.
constexpr float lowest_exponent = -80.0f;

/// Columns of the panel from `first` on: a whole one, or what is left in pairs.
int width_of(std::int64_t d, std::int64_t first) {
  return static_cast<int>(std::min<std::int64_t>(panel_width, (d - first + 1) / 2 * 2));
}

/// A mixture as the tiles read it.
class Mixture {
 public:
  Mixture(ConstView centers, ConstView factors, ConstView constants)
      : d(centers.shape[1]),
        k(centers.shape[0]),
        centers(centers.as<float>()),
        matrices_(factors.rank == 3 ? factors.shape[0] : 0) {
    const double* c = constants.as<double>();
    offset = *std::max_element(c, c + k);
    for (std::int64_t i = 0; i < k; ++i) this->constants.push_back(static_cast<float>(c[i] - offset));
    const float* p = factors.as<float>();
    if (matrices_ > 0) pack_panels(p);
    if (full()) return;
    if (tied()) {
      std::vector<float> moved(static_cast<std::size_t>(k * d));
      for (std::int64_t at = 0; at < k * d; ++at) {
        double sum = 0;
        for (std::int64_t i = 0, j = at % d; i <= j; ++i)
          sum += static_cast<double>(p[i * d + j]) * static_cast<double>(this->centers[at / d * d + i]);
        moved[static_cast<std::size_t>(at)] = static_cast<float>(sum);
      }
      pack_groups([](std::int64_t) { return 1.0f; },
                  [&](std::int64_t i) { return moved[static_cast<std::size_t>(i)]; });
    } else {
      pack_groups([&](std::int64_t i) { return p[i]; },
                  [&](std::int64_t i) { return p[i] * this->centers[i]; });
    }
  }

  bool full() const { return matrices_ == k; }
  bool tied() const { return matrices_ == 1 && k > 1; }
  std::int64_t padded() const { return block_count(d, 2) * 2; }
  const float* panels(std::int64_t c) const {
    return panels_.data() + static_cast<std::size_t>(c) * matrix_size_;
  }
  const float* groups() const { return groups_.data(); }

  std::int64_t d, k;
  const float* centers;
  double offset = 0;             ///< the largest constant
  std::vector<float> constants;  ///< the others beside it

 private:
  /// [matrix][panel][row down to the diagonal][column]; zero below the diagonal and beyond the last column.
  void pack_panels(const float* p) {
    for (std::int64_t first = 0; first < d; first += panel_width)
      matrix_size_ += static_cast<std::size_t>(width_of(d, first) * std::min(d, first + panel_width));
    panels_.resize(matrix_size_ * static_cast<std::size_t>(matrices_));
    parallel_tasks(matrices_, matrices_ * d * d, [&](std::int64_t m) {
      float* to = panels_.data() + static_cast<std::size_t>(m) * matrix_size_;
      for (std::int64_t first = 0; first < d; first += panel_width)
        for (std::int64_t i = 0; i < std::min(d, first + panel_width); ++i)
          for (std::int64_t j = first; j < first + width_of(d, first); ++j)
            *to++ = j < d && i <= j ? p[(m * d + i) * d + j] : 0.0f;
    });
  }

  /// [group][column][scale of each component, then scale * center].
  template <class Scale, class Shift>
  void pack_groups(const Scale& scale, const Shift& shift) {
    groups_.resize(static_cast<std::size_t>(block_count(k, group_size) * d * 2 * group_size));
    float* to = groups_.data();
    for (std::int64_t group = 0; group < k; group += group_size)
      for (std::int64_t j = 0; j < d; ++j, to += 2 * group_size)
        for (std::int64_t c = group; c < std::min(k, group + group_size); ++c) {
          to[c - group] = scale(c * d + j);
          to[c - group + group_size] = shift(c * d + j);
        }
  }

  std::int64_t matrices_;
  std::size_t matrix_size_ = 0;
  std::vector<float> panels_, groups_;
};

/// Rows of a tile transposed, [column][row]; rows beyond `count` repeat the first one.
void transpose_rows(const float* x, int count, std::int64_t d, float* columns) {
  for (int block = 0; block < tile_points; block += lanes)
    for (std::int64_t j = 0; j < d; j += lanes) {
      const int used = static_cast<int>(std::min<std::int64_t>(lanes, d - j));
      vec m[lanes] = {};
      for (int i = 0; i < lanes; ++i) {
        const float* from = x + (block + i < count ? block + i : 0) * d + j;
        if (used == lanes)
          m[i] = load(from);
        else
          for (int l = 0; l < used; ++l) m[i][l] = from[l];
      }
      tile::transpose(m);
      for (int i = 0; i < used; ++i) store(columns + (j + i) * tile_points + block, m[i]);
    }
}

/// keep(column, v, y) of the panel of P whose columns begin at `first`; z [column][row]. Returns the next
/// panel.
template <int width, class Keep>
inline const float* multiply_panel(const float* z, const float* packed, std::int64_t d, std::int64_t first,
                                   const Keep& keep) {
  vec y[width][row_vectors] = {};
  for (std::int64_t i = 0; i < std::min(d, first + width); ++i, packed += width, z += tile_points) {
    vec row[row_vectors];
#pragma GCC unroll 4
    for (int v = 0; v < row_vectors; ++v) row[v] = load(z + v * lanes);
#pragma GCC unroll 6
    for (int p = 0; p < width; ++p)
#pragma GCC unroll 4
      for (int v = 0; v < row_vectors; ++v) y[p][v] += packed[p] * row[v];
  }
#pragma GCC unroll 6
  for (int p = 0; p < width; ++p)
#pragma GCC unroll 4
    for (int v = 0; v < row_vectors; ++v) keep(first + p, v, y[p][v]);
  return packed;
}

/// keep(column, v, y) of every column of y = P^T z, in order; v numbers the vectors of rows.
template <class Keep>
inline void multiply_triangle(const float* z, const float* packed, std::int64_t d, const Keep& keep) {
  std::int64_t first = 0;
  for (; first + panel_width <= d; first += panel_width)
    packed = multiply_panel<panel_width>(z, packed, d, first, keep);
  if (first == d) return;
  switch (width_of(d, first)) {
    case 2:
      multiply_panel<2>(z, packed, d, first, keep);
      break;
    case 4:
      multiply_panel<4>(z, packed, d, first, keep);
      break;
    default:
      multiply_panel<panel_width>(z, packed, d, first, keep);
  }
}

/// sum_j (x_j s_cj - shift_cj)^2 of a group of components for every row.
void scaled_distances(const float* x, const float* packed, std::int64_t d,
                      vec (&square)[group_size][row_vectors]) {
  for (auto& component : square)
    for (vec& v : component) v = vec{};
  for (std::int64_t j = 0; j < d; ++j, packed += 2 * group_size, x += tile_points) {
    vec row[row_vectors];
#pragma GCC unroll 4
    for (int v = 0; v < row_vectors; ++v) row[v] = load(x + v * lanes);
#pragma GCC unroll 4
    for (int c = 0; c < group_size; ++c)
#pragma GCC unroll 4
      for (int v = 0; v < row_vectors; ++v) {
        const vec z = row[v] * packed[c] - packed[c + group_size];
        square[c][v] += z * z;
      }
  }
}

/// Memory of one thread: a tile of x, and of what it becomes under a matrix.
struct Workspace {
  explicit Workspace(const Mixture& m)
      : x(static_cast<std::size_t>(m.d * tile_points)),
        z(m.full() || m.tied() ? static_cast<std::size_t>(m.padded() * tile_points) : 0) {}
  std::vector<float> x, z;
};

/// log p_c less the mixture's offset: densities [k][stride].
void log_densities(const Mixture& m, Workspace& w, float* densities, std::int64_t stride) {
  const auto keep = [&](std::int64_t c, const vec(&square)[row_vectors]) {
    for (int v = 0; v < row_vectors; ++v)
      store(densities + c * stride + v * lanes, m.constants[static_cast<std::size_t>(c)] - 0.5f * square[v]);
  };
  if (m.full()) {
    for (std::int64_t c = 0; c < m.k; ++c) {
      for (std::int64_t j = 0; j < m.d; ++j)
        for (int v = 0; v < tile_points; v += lanes)
          store(w.z.data() + j * tile_points + v,
                load(w.x.data() + j * tile_points + v) - m.centers[c * m.d + j]);
      vec square[row_vectors] = {};
      multiply_triangle(w.z.data(), m.panels(c), m.d,
                        [&](std::int64_t, int v, vec y) { square[v] += y * y; });
      keep(c, square);
    }
    return;
  }
  const float* x = w.x.data();
  if (m.tied()) {
    multiply_triangle(w.x.data(), m.panels(0), m.d, [&](std::int64_t j, int v, vec y) {
      store(w.z.data() + j * tile_points + v * lanes, y);
    });
    x = w.z.data();
  }
  for (std::int64_t group = 0; group < m.k; group += group_size) {
    vec square[group_size][row_vectors];
    scaled_distances(x, m.groups() + group * 2 * m.d, m.d, square);
    for (std::int64_t c = group; c < std::min(m.k, group + group_size); ++c) keep(c, square[c - group]);
  }
}

/// Log-densities become responsibilities; log_likelihood of each row, the offset added.
void normalise(float* densities, std::int64_t stride, std::int64_t k, double offset, double* log_likelihood) {
  alignas(64) float highest[tile_points], sum[tile_points] = {}, log_sum[tile_points];
  std::copy_n(densities, tile_points, highest);
  for (std::int64_t c = 1; c < k; ++c)
    for (int i = 0; i < tile_points; i += lanes)
      store(highest + i, tile::maximum(load(densities + c * stride + i), load(highest + i)));
  for (std::int64_t c = 0; c < k; ++c) {
    float* row = densities + c * stride;
#pragma omp simd
    for (int i = 0; i < tile_points; ++i) {
      row[i] = ::expf(std::max(row[i] - highest[i], lowest_exponent));
      sum[i] += row[i];
    }
  }
#pragma omp simd
  for (int i = 0; i < tile_points; ++i) {
    log_sum[i] = ::logf(sum[i]);
    sum[i] = 1.0f / sum[i];
  }
  for (std::int64_t c = 0; c < k; ++c)
    for (int i = 0; i < tile_points; i += lanes)
      store(densities + c * stride + i, load(densities + c * stride + i) * load(sum + i));
  for (int i = 0; i < tile_points; ++i)
    log_likelihood[i] = offset + static_cast<double>(highest[i]) + static_cast<double>(log_sum[i]);
}

/// Responsibilities [k][stride] and log-likelihoods of up to tile_points rows from x on.
void expect_tile(const Mixture& m, const float* x, int count, Workspace& w, float* responsibilities,
                 std::int64_t stride, double* log_likelihood) {
  transpose_rows(x, count, m.d, w.x.data());
  log_densities(m, w, responsibilities, stride);
  normalise(responsibilities, stride, m.k, m.offset, log_likelihood);
}

/// Calls body(first row, rows of the tile, workspace) for the tiles of n rows.
template <class Body>
void for_tiles(const Mixture& m, std::int64_t n, const Body& body) {
  const std::int64_t tiles = block_count(n, tile_points);
#pragma omp parallel if (n * m.k * m.d > parallel_threshold)
  {
    Workspace w(m);
#pragma omp for schedule(dynamic)
    for (std::int64_t t = 0; t < tiles; ++t)
      body(t * tile_points, static_cast<int>(std::min<std::int64_t>(tile_points, n - t * tile_points)), w);
  }
}

/// What is given instead of the mixture's own responsibilities, for rows from `begin` on.
void copy_given(const ConstView& given, std::int64_t begin, std::int64_t rows, std::int64_t k, float* to,
                std::int64_t stride) {
  parallel_blocks(
      rows,
      [&](std::int64_t first, std::int64_t last) {
        if (given.dtype == DType::i32) {
          for (std::int64_t c = 0; c < k; ++c)
            std::fill(to + c * stride + first, to + c * stride + last, 0.0f);
          for (std::int64_t i = first; i < last; ++i)
            to[given.as<std::int32_t>()[begin + i] * stride + i] = 1.0f;
          return;
        }
        for (std::int64_t i = first; i < last; ++i)
          for (std::int64_t c = 0; c < k; ++c) to[c * stride + i] = given.as<float>()[(begin + i) * k + c];
      },
      512);
}

void check_mixture(const char* kernel, const ConstView& x, const ConstView& centers, const ConstView& factors,
                   const ConstView& constants) {
  const std::int64_t k = centers.shape[0], d = x.shape[1];
  const bool matrices = factors.rank == 3 && (factors.shape[0] == k || factors.shape[0] == 1) &&
                        factors.shape[1] == d && factors.shape[2] == d;
  require(factors.dtype == DType::f32 && (matrices || (factors.rank == 2 && factors.size() == k * d)) &&
              constants.dtype == DType::f64 && constants.size() == k,
          kernel, "factors f32 [k, d, d], [1, d, d] or [k, d], constants f64 [k]", factors, constants);
}

}  // namespace

void gmm_expect(Context&, ConstView x, ConstView centers, ConstView factors, ConstView constants,
                View log_likelihood, View responsibilities, View labels) {
  require(x.dtype == DType::f32 && x.rank == 2 && centers.dtype == DType::f32 && centers.rank == 2 &&
              centers.shape[1] == x.shape[1] && log_likelihood.size() == x.shape[0],
          "gmm_expect", "x f32 [n, d], centers f32 [k, d], log_likelihood f32 [n]", x, centers,
          log_likelihood);
  check_mixture("gmm_expect", x, centers, factors, constants);
  const std::int64_t n = x.shape[0], d = x.shape[1];
  const Mixture m(centers, factors, constants);
  for_tiles(m, n, [&](std::int64_t first, int count, Workspace& w) {
    std::vector<float> r(static_cast<std::size_t>(m.k * tile_points));
    double log_p[tile_points];
    expect_tile(m, x.as<float>() + first * d, count, w, r.data(), tile_points, log_p);
    for (int i = 0; i < count; ++i) {
      log_likelihood.as<float>()[first + i] = static_cast<float>(log_p[i]);
      std::int64_t best = 0;
      for (std::int64_t c = 0; c < m.k; ++c) {
        const float value = r[static_cast<std::size_t>(c * tile_points + i)];
        if (value > r[static_cast<std::size_t>(best * tile_points + i)]) best = c;
        if (responsibilities) responsibilities.as<float>()[(first + i) * m.k + c] = value;
      }
      if (labels) labels.as<std::int32_t>()[first + i] = static_cast<std::int32_t>(best);
    }
  });
}

void gmm_step(Context& context, ConstView x, ConstView given, ConstView centers, ConstView factors,
              ConstView constants, ConstView state, View bound, View counts, View first, View second) {
  require(x.dtype == DType::f32 && x.rank == 2 && centers.dtype == DType::f32 && centers.rank == 2 &&
              centers.shape[1] == x.shape[1] && counts.dtype == DType::f64 && first.dtype == DType::f64 &&
              first.size() == centers.size() && (!second || second.dtype == DType::f64),
          "gmm_step", "x f32 [n, d], centers f32 [k, d], counts, first, second f64", x, centers, counts,
          first, second);
  if (!given) check_mixture("gmm_step", x, centers, factors, constants);
  if (state && (state.as<double>()[gmm_converged] != 0 || state.as<double>()[gmm_failed] != 0)) return;
  const std::int64_t n = x.shape[0], d = x.shape[1], k = centers.shape[0];
  for (const View& sums : {counts, first, second})
    if (sums) std::fill_n(sums.as<double>(), sums.size(), 0.0);
  std::optional<Mixture> mixture;
  if (!given) mixture.emplace(centers, factors, constants);
  const std::int64_t stride = gmm::chunk_rows(d, second.rank == 3);
  const Scratch responsibilities(context, static_cast<std::size_t>(k * stride) * sizeof(float));
  float* r = responsibilities.as<float>();
  double total = 0;
  for (std::int64_t begin = 0; begin < n; begin += stride) {
    const std::int64_t rows = std::min(stride, n - begin);
    const float* chunk = x.as<float>() + begin * d;
    if (given) {
      copy_given(given, begin, rows, k, r, stride);
    } else {
      std::vector<double> tile_sums(static_cast<std::size_t>(block_count(rows, tile_points)));
      for_tiles(*mixture, rows, [&](std::int64_t at, int count, Workspace& w) {
        double log_p[tile_points], sum = 0;
        expect_tile(*mixture, chunk + at * d, count, w, r + at, stride, log_p);
        for (int i = 0; i < count; ++i) sum += log_p[i];
        tile_sums[static_cast<std::size_t>(at / tile_points)] = sum;
      });
      for (const double sum : tile_sums) total += sum;
    }
    gmm::add_moments({chunk, rows, d, k, r, stride}, centers.as<float>(), counts, first, second);
  }
  if (bound) *bound.as<double>() = total / static_cast<double>(n);
}

}  // namespace chorale::cpu

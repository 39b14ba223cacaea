// SPDX-License-Identifier: MIT
// The gradient of t-SNE (van der Maaten, JMLR 2014) and the step that follows it. With r = |y_i - y_j|,
// K = 1 / (1 + r^2), P the graph of similarities:
//
//   force_i = sum over j of K^2 (y_i - y_j),  total = sum over i != j of K            every pair
//   gradient_i = 4 (exaggeration sum over edges of P K (y_i - y_j) - force_i / total)
//   divergence = sum over edges of P log(P total / K)
//
// Points f32 [n, 2]. Pairs: sixteen rows stand in the lanes and pass all columns in order, f32 over chunks of
// 256 columns, then f64; n^2 pairs, one division for two of them, 8 n bytes. Edges: sixteen at a time, added
// up in lanes and then in lane order, 8 bytes an edge and a gather of y_j. Sums over points are f64 over
// blocks of tsne_block, in block order.
#include <cmath>
#include <vector>

#include "kernels/cpu/vector_math.h"

#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"

namespace chorale::cpu {
namespace {

constexpr int lanes = 16;
constexpr std::int64_t column_chunk = 256;
constexpr double least_total = 0x1p-40;  // of two points that flew apart

/// Sum of f(block) over blocks of tsne_block points, in block order.
template <class Block>
double sum_blocks(std::int64_t n, std::int64_t work, const Block& f) {
  const std::int64_t blocks = block_count(n, tsne_block);
  std::vector<double> partial(static_cast<std::size_t>(blocks));
  parallel_tasks(blocks, work, [&](std::int64_t block) {
    partial[static_cast<std::size_t>(block)] = f(block * tsne_block, std::min(n, (block + 1) * tsne_block));
  });
  double sum = 0;
  for (const double value : partial) sum += value;
  return sum;
}

/// The points as columns of their own, up to a whole number of `lanes` (the last point repeated).
struct Coordinates {
  std::vector<float> x, y;
  explicit Coordinates(ConstView points) {
    const std::int64_t n = points.shape[0], padded = block_count(n, lanes) * lanes;
    for (std::int64_t i = 0; i < padded; ++i) {
      x.push_back(points.as<float>()[2 * std::min(i, n - 1)]);
      y.push_back(points.as<float>()[2 * std::min(i, n - 1) + 1]);
    }
  }
};

typedef float Lanes __attribute__((vector_size(lanes * sizeof(float))));
typedef float Unaligned __attribute__((vector_size(lanes * sizeof(float)), aligned(4), may_alias));

// By reference, as everywhere here: wider than some processors' registers.
const Unaligned& load(const float* p) { return *reinterpret_cast<const Unaligned*>(p); }

/// Adds what two points do to the rows in the lanes.
struct PairSums {
  Lanes x{}, y{}, total{};

  [[gnu::always_inline]] void add(const Lanes& row_x, const Lanes& row_y, const float* column_x,
                                  const float* column_y) {
    const Lanes ax = row_x - column_x[0], ay = row_y - column_y[0];
    const Lanes bx = row_x - column_x[1], by = row_y - column_y[1];
    const Lanes a = 1.0f + ax * ax + ay * ay, b = 1.0f + bx * bx + by * by;
    const Lanes inverse = 1.0f / (a * b);
    const Lanes ka = inverse * b, kb = inverse * a;
    total += ka + kb;
    x += ka * ka * ax + kb * kb * bx;
    y += ka * ka * ay + kb * kb * by;
  }
};

/// Forces on points [begin, begin + lanes); returns the sum of K over their pairs.
double repel_rows(const Coordinates& c, std::int64_t n, std::int64_t begin, float* force) {
  const Lanes row_x = load(c.x.data() + begin), row_y = load(c.y.data() + begin);
  double x[lanes] = {}, y[lanes] = {}, total = 0;
  const std::int64_t rows = std::min<std::int64_t>(lanes, n - begin);
  for (std::int64_t first = 0; first < n; first += column_chunk) {
    PairSums sums;
    const std::int64_t last = std::min(n, first + column_chunk), pairs_end = first + (last - first) / 2 * 2;
    for (std::int64_t j = first; j < pairs_end; j += 2)
      sums.add(row_x, row_y, c.x.data() + j, c.y.data() + j);
    if (pairs_end < last) {  // an odd column, and one so far away that nothing comes of it
      constexpr float far = 1e12f;
      const float column_x[2] = {c.x[static_cast<std::size_t>(pairs_end)], far},
                  column_y[2] = {c.y[static_cast<std::size_t>(pairs_end)], far};
      sums.add(row_x, row_y, column_x, column_y);
    }
    for (int l = 0; l < rows; ++l) {
      x[l] += static_cast<double>(sums.x[l]);
      y[l] += static_cast<double>(sums.y[l]);
      total += static_cast<double>(sums.total[l]);
    }
  }
  for (int l = 0; l < rows; ++l) {
    force[2 * (begin + l)] = static_cast<float>(x[l]);
    force[2 * (begin + l) + 1] = static_cast<float>(y[l]);
  }
  return total;
}

/// Attraction of one point, and its share of the divergence without the logarithm of total.
struct Edges {
  const std::int32_t* columns;
  const float* values;
  const float* points;

  template <bool divergence>
  void add(std::int64_t i, std::int64_t begin, std::int64_t end, float* attraction, double* terms) const {
    const float row_x = points[2 * i], row_y = points[2 * i + 1];
    Lanes x{}, y{};
    double sum = 0;
    for (std::int64_t e = begin; e < end; e += lanes) {
      alignas(64) float to_x[lanes], to_y[lanes], weight[lanes], term[lanes];
      const int count = static_cast<int>(std::min<std::int64_t>(lanes, end - e));
      for (int l = 0; l < count; ++l) {
        const float* to = points + 2 * std::int64_t{columns[e + l]};
        to_x[l] = to[0];
        to_y[l] = to[1];
        weight[l] = values[e + l];
      }
      for (int l = count; l < lanes; ++l) to_x[l] = to_y[l] = weight[l] = 0.0f;
      const Lanes dx = row_x - load(to_x), dy = row_y - load(to_y), square = 1.0f + dx * dx + dy * dy;
      const Lanes k = load(weight) / square;
      x += k * dx;
      y += k * dy;
      if constexpr (divergence) {
        const Lanes ratio = load(weight) * square;
        for (int l = 0; l < lanes; ++l) term[l] = weight[l] * logf(std::max(ratio[l], 1e-37f));
        for (int l = 0; l < lanes; ++l) sum += static_cast<double>(term[l]);
      }
    }
    float sum_x = 0, sum_y = 0;
    for (int l = 0; l < lanes; ++l) sum_x += x[l], sum_y += y[l];
    attraction[0] = sum_x;
    attraction[1] = sum_y;
    *terms += sum;
  }
};

}  // namespace

void tsne_repulsion(Context&, ConstView points, View force, View total) {
  require(points.dtype == DType::f32 && points.rank == 2 && points.shape[1] == 2 &&
              force.dtype == DType::f32 && same_shape(points, force) && total.dtype == DType::f64,
          "tsne_repulsion", "points, force f32 [n, 2], total f64 [1]", points, force, total);
  const std::int64_t n = points.shape[0];
  const Coordinates coordinates(points);
  const double sum = sum_blocks(n, n * n, [&](std::int64_t begin, std::int64_t end) {
    double block = 0;
    for (std::int64_t i = begin; i < end; i += lanes)
      block += repel_rows(coordinates, n, i, force.as<float>());
    return block;
  });
  *total.as<double>() = sum - static_cast<double>(n);  // every point met itself, at K = 1
}

void tsne_gradient(Context&, ConstView points, ConstView offsets, ConstView columns, ConstView values,
                   ConstView force, ConstView total, float exaggeration, View gradient, View divergence) {
  require(points.dtype == DType::f32 && points.rank == 2 && points.shape[1] == 2 &&
              offsets.dtype == DType::i64 && offsets.size() == points.shape[0] + 1 &&
              columns.dtype == DType::i32 && values.dtype == DType::f32 && same_shape(points, force) &&
              same_shape(points, gradient) && total.dtype == DType::f64,
          "tsne_gradient", "points, force, gradient f32 [n, 2], offsets i64 [n + 1], total f64 [1]", points,
          offsets, columns, values, force, gradient);
  const std::int64_t n = points.shape[0];
  const auto* offset = offsets.as<std::int64_t>();
  const Edges edges{columns.as<std::int32_t>(), values.as<float>(), points.as<float>()};
  const double z = std::max(*total.as<double>(), least_total);
  const float repulsion = static_cast<float>(4.0 / z), attraction = 4.0f * exaggeration;
  const auto rows = [&]<bool with_divergence>(std::int64_t begin, std::int64_t end) {
    double terms = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      float pull[2];
      edges.add<with_divergence>(i, offset[i], offset[i + 1], pull, &terms);
      for (int a = 0; a < 2; ++a)
        gradient.as<float>()[2 * i + a] = attraction * pull[a] - repulsion * force.as<float>()[2 * i + a];
      if constexpr (with_divergence) {
        double weight = 0;
        for (std::int64_t e = offset[i]; e < offset[i + 1]; ++e)
          weight += static_cast<double>(values.as<float>()[e]);
        terms += weight * std::log(z);
      }
    }
    return terms;
  };
  if (divergence.data) {
    *divergence.as<double>() = sum_blocks(n, 8 * offset[n], [&](std::int64_t begin, std::int64_t end) {
      return rows.operator()<true>(begin, end);
    });
  } else {
    sum_blocks(n, 8 * offset[n],
               [&](std::int64_t begin, std::int64_t end) { return rows.operator()<false>(begin, end); });
  }
}

void tsne_update(Context&, ConstView gradient, float momentum, float learning_rate, View velocity, View gains,
                 View points, View square) {
  require(gradient.dtype == DType::f32 && same_shape(gradient, velocity) && same_shape(gradient, gains) &&
              same_shape(gradient, points) && square.dtype == DType::f64,
          "tsne_update", "gradient, velocity, gains, points f32 [n, 2], square f64 [1]", gradient, velocity,
          gains, points, square);
  *square.as<double>() =
      sum_blocks(gradient.shape[0], gradient.size(), [&](std::int64_t begin, std::int64_t end) {
        double sum = 0;
        for (std::int64_t i = 2 * begin; i < 2 * end; ++i) {
          float& v = velocity.as<float>()[i];
          float& gain = gains.as<float>()[i];
          const float g = gradient.as<float>()[i];
          gain = std::max(g * v < 0.0f ? gain + 0.2f : gain * 0.8f, 0.01f);
          v = momentum * v - learning_rate * (gain * g);
          points.as<float>()[i] += v;
          sum += static_cast<double>(gain * g) * static_cast<double>(gain * g);
        }
        return sum;
      });
}

}  // namespace chorale::cpu

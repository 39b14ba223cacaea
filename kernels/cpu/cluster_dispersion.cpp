// SPDX-License-Identifier: MIT
// How far rows lie from the centroids of their clusters, and those from each other, for r weightings of the
// rows at once (the resamples of a bootstrap), w = 1 if there is none:
//
//   N_c = sum w      centroid_c = sum w x / N_c      spread_c = sum w |x - centroid_c|^2, sum w |x -
//   centroid_c| scatter = sum N_c |centroid_c - mean|^2          worst_c = max (s_c + s_e) / |centroid_c -
//   centroid_e|
//
// Rows are sorted by cluster; the pieces of sorted_rows.h leave f64 partial sums, which are added up in the
// order of the blocks. Differences are formed in f64 from rows as they are given, so nothing cancels wherever
// the origin lies. x is read twice, a block at a time for all weightings (from the second-level cache), which
// costs 5 n d flops each; centroids are compared in 3 k^2 d.
#include <cmath>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/square_distance.h"
#include "kernels/sorted_rows.h"

namespace chorale::cpu {
namespace {

struct WeightedRows {
  SortedRows rows;
  const float* x;
  const std::int32_t* weights;  // [r, n] or null
  std::int64_t d, resamples;

  /// Calls body(row, weight) for the rows of a piece that count in resample r.
  template <class Body>
  void for_rows(const Piece& piece, std::int64_t r, const Body& body) const {
    for (std::int64_t i = piece.first; i < piece.last; ++i) {
      const std::int32_t weight = weights ? weights[r * rows.n + i] : 1;
      if (weight != 0) body(x + i * d, static_cast<double>(weight));
    }
  }

  /// partial [piece, r, columns]: sum(piece, r, its columns) fills them.
  template <class Sum>
  void sum_pieces(std::int64_t columns, double* partial, const Sum& sum) const {
    parallel_tasks(rows.blocks(), rows.n * d * resamples, [&](std::int64_t block) {
      for (std::int64_t r = 0; r < resamples; ++r)
        for (Piece p = rows.first_piece(block); p.first < p.last; p = rows.after(p)) {
          double* target = partial + (p.number * resamples + r) * columns;
          std::fill_n(target, columns, 0.0);
          sum(p, r, target);
        }
    });
  }
};

}  // namespace

void cluster_dispersion(Context& context, ConstView x, ConstView offsets, ConstView weights, View counts,
                        View centroids, View spread) {
  require(x.dtype == DType::f32 && x.rank == 2 && offsets.dtype == DType::i64 && centroids.rank == 3 &&
              centroids.shape[1] + 1 == offsets.size() && centroids.shape[2] == x.shape[1] &&
              (weights ? weights.dtype == DType::i32 && weights.size() == centroids.shape[0] * x.shape[0]
                       : centroids.shape[0] == 1) &&
              counts.size() == centroids.rows() && spread.size() == 2 * centroids.rows(),
          "cluster_dispersion",
          "x f32 [n, d], offsets i64 [k + 1], weights i32 [r, n], counts [r, k], centroids [r, k, d], spread "
          "f64 [r, k, 2]",
          x, offsets, weights, counts, centroids, spread);
  const std::int64_t n = x.shape[0], d = x.shape[1], resamples = centroids.shape[0], k = centroids.shape[1];
  const WeightedRows w{
      {offsets.as<std::int64_t>(), n, k}, x.as<float>(), weights.as<std::int32_t>(), d, resamples};
  // Sums of the columns, and behind them that of the weights.
  const Scratch sums(context,
                     static_cast<std::size_t>(w.rows.pieces() * resamples * (d + 1)) * sizeof(double));
  w.sum_pieces(d + 1, sums.as<double>(), [&](const Piece& piece, std::int64_t r, double* sum) {
    w.for_rows(piece, r, [&](const float* row, double weight) {
      for (std::int64_t j = 0; j < d; ++j) sum[j] += weight * static_cast<double>(row[j]);
      sum[d] += weight;
    });
  });
  parallel_tasks(resamples * k, (w.rows.pieces() + k) * resamples * d, [&](std::int64_t at) {
    double* centroid = centroids.as<double>() + at * d;
    double& count = counts.as<double>()[at];
    std::fill_n(centroid, d, 0.0);
    count = 0;
    const std::int64_t c = at % k, r = at / k;
    for (std::int64_t p = w.rows.first_number(c); p < w.rows.end_number(c); ++p) {
      const double* sum = sums.as<double>() + (p * resamples + r) * (d + 1);
      for (std::int64_t j = 0; j < d; ++j) centroid[j] += sum[j];
      count += sum[d];
    }
    if (count == 0) return;
    for (std::int64_t j = 0; j < d; ++j) centroid[j] /= count;
  });
  const Scratch partial(context, static_cast<std::size_t>(w.rows.pieces() * resamples * 2) * sizeof(double));
  w.sum_pieces(2, partial.as<double>(), [&](const Piece& piece, std::int64_t r, double* sum) {
    const double* centroid = centroids.as<double>() + (r * k + piece.cluster) * d;
    w.for_rows(piece, r, [&](const float* row, double weight) {
      const double square = square_distance(row, centroid, d);
      sum[0] += weight * square;
      sum[1] += weight * std::sqrt(square);
    });
  });
  parallel_tasks(resamples * k, w.rows.pieces() * resamples, [&](std::int64_t at) {
    double squares = 0, distances = 0;
    for (std::int64_t p = w.rows.first_number(at % k); p < w.rows.end_number(at % k); ++p) {
      const double* sum = partial.as<double>() + (p * resamples + at / k) * 2;
      squares += sum[0];
      distances += sum[1];
    }
    spread.as<double>()[2 * at] = squares;
    spread.as<double>()[2 * at + 1] = distances;
  });
}

void centroid_separation(Context& context, ConstView counts, ConstView centroids, ConstView spread,
                         View scatter, View worst) {
  require(counts.dtype == DType::f64 && centroids.dtype == DType::f64 && centroids.rank == 3 &&
              counts.size() == centroids.rows() && spread.size() == 2 * counts.size() &&
              scatter.size() == centroids.shape[0] && worst.size() == counts.size(),
          "centroid_separation",
          "counts [r, k], centroids [r, k, d], spread [r, k, 2], scatter [r], worst [r, k], all f64", counts,
          centroids, spread, scatter, worst);
  const std::int64_t resamples = centroids.shape[0], k = centroids.shape[1], d = centroids.shape[2];
  const Scratch means(context, static_cast<std::size_t>(resamples * d) * sizeof(double));
  const Scratch distances(context, static_cast<std::size_t>(resamples * k) * sizeof(double));
  double* mean_distance = distances.as<double>();
  parallel_tasks(resamples, resamples * k * d, [&](std::int64_t r) {
    const double* count = counts.as<double>() + r * k;
    const double* centroid = centroids.as<double>() + r * k * d;
    double* mean = means.as<double>() + r * d;
    std::fill_n(mean, d, 0.0);
    double n = 0, sum = 0;
    for (std::int64_t c = 0; c < k; ++c) {
      for (std::int64_t j = 0; j < d; ++j) mean[j] += count[c] * centroid[c * d + j];
      n += count[c];
    }
    for (std::int64_t j = 0; j < d && n > 0; ++j) mean[j] /= n;
    for (std::int64_t c = 0; c < k; ++c) {
      sum += count[c] * square_distance(centroid + c * d, mean, d);
      mean_distance[r * k + c] = count[c] > 0 ? spread.as<double>()[2 * (r * k + c) + 1] / count[c] : 0;
    }
    scatter.as<double>()[r] = sum;
  });
  parallel_tasks(resamples * k, resamples * k * k * d, [&](std::int64_t at) {
    const std::int64_t first = at / k * k;  // the first cluster of the resample
    const double* count = counts.as<double>();
    const auto centroid = [&](std::int64_t c) { return centroids.as<double>() + c * d; };
    double most = 0, most_square = 0;
    for (std::int64_t other = first; other < first + k && count[at] > 0; ++other) {
      if (other == at || count[other] == 0) continue;
      const double square = square_distance(centroid(at), centroid(other), d);
      const double sum = mean_distance[at] + mean_distance[other];
      if (!(square > 0 && sum * sum > most_square * square)) continue;
      most = sum / std::sqrt(square);
      most_square = most * most;
    }
    worst.as<double>()[at] = most;
  });
}

}  // namespace chorale::cpu

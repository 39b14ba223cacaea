// SPDX-License-Identifier: MIT
// Weights of each point's neighbours whose width follows from the point's surroundings: t-SNE's Gaussians of
// a given perplexity and UMAP's fuzzy memberships. Both widths are found by bisection, with the starting
// values, steps and tolerance (1e-5) of scikit-learn and umap-learn, whose weights they reproduce.
//
//   t-SNE  w_t = exp(-beta (r_t^2 - r_0^2)) / sum,   log(sum) + beta sum of w_t (r_t^2 - r_0^2) =
//   log(perplexity) UMAP   w_t = exp(-max(0, r_t - rho) / sigma),    sum of w_t = log2(k + 1)
//
// Distances and weights f32 [n, k], one point a task; exponentials in f32, sums in f64 over eight lanes in
// order. 4 n k bytes are read and written once, 20 to 30 passes over a row stay in the first-level cache.
#include <cfloat>
#include <cmath>
#include <vector>

#include "kernels/cpu/vector_math.h"

#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"
#include "kernels/neighbour_widths.h"

namespace chorale::cpu {
namespace {

using namespace neighbour_widths;

constexpr int lanes = 8;
constexpr std::int64_t rows_per_task = 64;

/// Sum of f(t) over t < k.
template <class F>
double sum_over(std::int64_t k, const F& f) {
  double lane[lanes] = {};
  std::int64_t t = 0;
  for (; t + lanes <= k; t += lanes)
    for (int l = 0; l < lanes; ++l) lane[l] += f(t + l);
  for (; t < k; ++t) lane[0] += f(t);
  return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

void gaussian_row(const float* distance, std::int64_t k, double log_perplexity, float* square,
                  float* weight) {
  for (std::int64_t t = 0; t < k; ++t) square[t] = (distance[t] - distance[0]) * (distance[t] + distance[0]);
  Search beta;
  double sum = 1;
  for (int step = 0; step < gaussian_steps; ++step) {
    const float b = -static_cast<float>(beta.value);
    for (std::int64_t t = 0; t < k; ++t) weight[t] = expf(b * square[t]);
    sum = sum_over(k, [&](std::int64_t t) { return static_cast<double>(weight[t]); });
    const double spread = sum_over(
        k, [&](std::int64_t t) { return static_cast<double>(weight[t]) * static_cast<double>(square[t]); });
    const double excess = std::log(sum) + beta.value * spread / sum - log_perplexity;
    if (std::fabs(excess) <= tolerance) break;
    if (excess > 0) {
      beta.raise();
    } else {
      beta.lower();
    }
  }
  for (std::int64_t t = 0; t < k; ++t) weight[t] = static_cast<float>(static_cast<double>(weight[t]) / sum);
}

void fuzzy_row(const float* distance, std::int64_t k, double connectivity, double mean_distance,
               float* beyond, float* weight) {
  const double rho = local_radius(distance, k, connectivity);
  for (std::int64_t t = 0; t < k; ++t) beyond[t] = distance_beyond(distance[t], rho);
  const double target = std::log2(static_cast<double>(k + 1));
  Search sigma;
  for (int step = 0; step < fuzzy_steps; ++step) {
    const float scale = -1.0f / static_cast<float>(sigma.value);
    for (std::int64_t t = 0; t < k; ++t) weight[t] = expf(scale * beyond[t]);
    const double excess =
        sum_over(k, [&](std::int64_t t) { return static_cast<double>(weight[t]); }) - target;
    if (std::fabs(excess) < tolerance) break;
    if (excess > 0) {
      sigma.lower();
    } else {
      sigma.raise();
    }
  }
  const double own_mean = sum_over(k, [&](std::int64_t t) { return static_cast<double>(distance[t]); }) /
                          static_cast<double>(k + 1);
  const double least = smallest_share * (rho > 0 ? own_mean : mean_distance);
  const double width = std::max({sigma.value, least, static_cast<double>(FLT_MIN)});
  for (std::int64_t t = 0; t < k; ++t)
    weight[t] = expf(static_cast<float>(-static_cast<double>(beyond[t]) / width));
}

/// Calls row(distances, scratch of k floats, weights) for every point.
template <class Row>
void each_row(ConstView distances, View weights, const Row& row) {
  const std::int64_t n = distances.shape[0], k = distances.shape[1];
  parallel_tasks(block_count(n, rows_per_task), 16 * n * k, [&](std::int64_t task) {
    std::vector<float> scratch(static_cast<std::size_t>(k));
    for (std::int64_t i = task * rows_per_task; i < std::min(n, (task + 1) * rows_per_task); ++i)
      row(distances.as<float>() + i * k, scratch.data(), weights.as<float>() + i * k);
  });
}

}  // namespace

void perplexity_weights(Context&, ConstView distances, double perplexity, View weights) {
  require(distances.dtype == DType::f32 && distances.rank == 2 && weights.dtype == DType::f32 &&
              same_shape(distances, weights),
          "perplexity_weights", "distances, weights f32 [n, k]", distances, weights);
  const double target = std::log(perplexity);
  each_row(distances, weights, [&](const float* distance, float* square, float* weight) {
    gaussian_row(distance, distances.shape[1], target, square, weight);
  });
}

void fuzzy_weights(Context&, ConstView distances, double local_connectivity, double mean_distance,
                   View weights) {
  require(distances.dtype == DType::f32 && distances.rank == 2 && weights.dtype == DType::f32 &&
              same_shape(distances, weights),
          "fuzzy_weights", "distances, weights f32 [n, k]", distances, weights);
  each_row(distances, weights, [&](const float* distance, float* beyond, float* weight) {
    fuzzy_row(distance, distances.shape[1], local_connectivity, mean_distance, beyond, weight);
  });
}

}  // namespace chorale::cpu

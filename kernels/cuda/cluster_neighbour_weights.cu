// SPDX-License-Identifier: MIT
// Weights of each point's neighbours whose width follows from the point's surroundings: t-SNE's Gaussians of
// a given perplexity and UMAP's fuzzy memberships. Both widths are found by bisection, with the starting
// values, steps and tolerance (1e-5) of scikit-learn and umap-learn, whose weights they reproduce.
//
//   t-SNE  w_t = exp(-beta (r_t^2 - r_0^2)) / sum,   log(sum) + beta sum of w_t (r_t^2 - r_0^2) =
//   log(perplexity) UMAP   w_t = exp(-max(0, r_t - rho) / sigma),    sum of w_t = log2(k + 1)
//
// Distances and weights f32 [n, k], a warp a point; exponentials in f32, sums in f64 over lanes, then a
// butterfly. 4 n k bytes are read from memory and written once; a row is read again in every step, from the
// first-level cache.
#include <cfloat>

#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/reduction.cuh"
#include "kernels/neighbour_widths.h"

namespace chorale::cuda {
namespace {

using namespace neighbour_widths;

constexpr int threads = 128, warps = threads / warp_size;

__global__ void __launch_bounds__(threads)
    gaussian_rows(const float* distances, std::int64_t n, std::int64_t k, double log_perplexity,
                  float* weights) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * warps + threadIdx.x / warp_size;
  if (row >= n) return;
  const float* distance = distances + row * k;
  const float first = distance[0];
  Search beta;
  double sum = 1;
  float b = 0;
  for (int step = 0; step < gaussian_steps; ++step) {
    b = -static_cast<float>(beta.value);
    double spread = 0;
    sum = 0;
    for (std::int64_t t = lane; t < k; t += warp_size) {
      const float square = (distance[t] - first) * (distance[t] + first), weight = expf(b * square);
      sum += static_cast<double>(weight);
      spread += static_cast<double>(weight) * static_cast<double>(square);
    }
    sum = warp_reduce<Sum>(sum);
    spread = warp_reduce<Sum>(spread);
    const double excess = log(sum) + beta.value * spread / sum - log_perplexity;
    if (fabs(excess) <= tolerance) break;
    if (excess > 0) {
      beta.raise();
    } else {
      beta.lower();
    }
  }
  for (std::int64_t t = lane; t < k; t += warp_size) {
    const float weight = expf(b * ((distance[t] - first) * (distance[t] + first)));
    weights[row * k + t] = static_cast<float>(static_cast<double>(weight) / sum);
  }
}

__global__ void __launch_bounds__(threads)
    fuzzy_rows(const float* distances, std::int64_t n, std::int64_t k, double connectivity,
               double mean_distance, float* weights) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * warps + threadIdx.x / warp_size;
  if (row >= n) return;
  const float* distance = distances + row * k;
  const double rho = local_radius(distance, k, connectivity);
  const double target = log2(static_cast<double>(k + 1));
  Search sigma;
  for (int step = 0; step < fuzzy_steps; ++step) {
    const float scale = -1.0f / static_cast<float>(sigma.value);
    double sum = 0;
    for (std::int64_t t = lane; t < k; t += warp_size)
      sum += static_cast<double>(expf(scale * distance_beyond(distance[t], rho)));
    const double excess = warp_reduce<Sum>(sum) - target;
    if (fabs(excess) < tolerance) break;
    if (excess > 0) {
      sigma.lower();
    } else {
      sigma.raise();
    }
  }
  double own_sum = 0;
  for (std::int64_t t = lane; t < k; t += warp_size) own_sum += static_cast<double>(distance[t]);
  const double own_mean = warp_reduce<Sum>(own_sum) / static_cast<double>(k + 1);
  const double least = smallest_share * (rho > 0 ? own_mean : mean_distance);
  double width = sigma.value > least ? sigma.value : least;
  if (!(width > static_cast<double>(FLT_MIN))) width = static_cast<double>(FLT_MIN);
  for (std::int64_t t = lane; t < k; t += warp_size)
    weights[row * k + t] =
        expf(static_cast<float>(-static_cast<double>(distance_beyond(distance[t], rho)) / width));
}

void check(const ConstView& distances, const ConstView& weights, const char* op) {
  require(distances.rank == 2 && distances.size() > 0, op, "distances must be [n, k] and not empty");
  require_dtype(distances, DType::f32, op, "distances");
  require_dtype(weights, DType::f32, op, "weights");
  require_size(weights, distances.size(), op, "weights");
}

}  // namespace

void perplexity_weights(Context& context, ConstView distances, double perplexity, View weights) {
  check(distances, weights, "perplexity_weights");
  const std::int64_t n = distances.shape[0], k = distances.shape[1];
  LAUNCH((gaussian_rows), static_cast<unsigned>(ceil_div(n, warps)), threads, 0, context.stream,
         distances.as<float>(), n, k, ::log(perplexity), weights.as<float>());
}

void fuzzy_weights(Context& context, ConstView distances, double local_connectivity, double mean_distance,
                   View weights) {
  check(distances, weights, "fuzzy_weights");
  const std::int64_t n = distances.shape[0], k = distances.shape[1];
  LAUNCH((fuzzy_rows), static_cast<unsigned>(ceil_div(n, warps)), threads, 0, context.stream,
         distances.as<float>(), n, k, local_connectivity, mean_distance, weights.as<float>());
}

}  // namespace chorale::cuda

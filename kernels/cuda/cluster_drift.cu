// SPDX-License-Identifier: MIT
// How far the centers of k-means are from where they were at each of the last assignments; see
// kernels/cpu/cluster_drift.cpp.
//
// A block takes one restart and one past assignment: a warp a center, f64 sums of squares over its lanes;
// each thread then keeps the two longest ways of its centers, which are joined in a tree; the largest and
// the second largest do not depend on its order. Moves r h k d floats.
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/reduction.cuh"

namespace chorale::cuda {
namespace {

constexpr int drift_threads = 256;

struct Drift {
  const std::int32_t* restarts;
  const float* centers;
  const float* half_norms;
  std::int64_t k, d, places, place;
  float* history;
  float* largest;
  float* drift;
};

/// The two longest ways; of equals the one of the lowest center is the first.
struct Longest {
  float first, second;
  int center;
};

__device__ inline void join(Longest& a, const Longest& b) {
  const bool other = b.first > a.first || (b.first == a.first && b.center < a.center);
  const float loser = other ? a.first : b.first;
  if (other) {
    a.first = b.first;
    a.center = b.center;
  }
  a.second = fmaxf(loser, fmaxf(a.second, b.second));
}

// A block a restart: its centers and their largest |c|^2 go to `place`.
__global__ void __launch_bounds__(drift_threads) remember(Drift p) {
  const std::int64_t r = p.restarts[blockIdx.x], at = r * p.places + p.place, size = p.k * p.d;
  for (std::int64_t i = threadIdx.x; i < size; i += drift_threads)
    p.history[at * size + i] = p.centers[r * size + i];
  float norm = 0;
  for (std::int64_t c = threadIdx.x; c < p.k; c += drift_threads)
    norm = fmaxf(norm, 2.0f * p.half_norms[r * p.k + c]);
  norm = block_reduce<Max, drift_threads>(norm);
  if (threadIdx.x == 0) p.largest[at] = norm;
}

__global__ void __launch_bounds__(drift_threads) drift_since(Drift p) {
  SHARED(Longest, parts, [drift_threads / warp_size]);
  const std::int64_t r = p.restarts[blockIdx.y], then = r * p.places + blockIdx.x;
  const int thread = static_cast<int>(threadIdx.x), lane = thread % warp_size, warp = thread / warp_size;
  float* drift = p.drift + then * p.k;
  if (blockIdx.x == p.place || p.largest[then] < 0 ||
      p.largest[r * p.places + p.place] > 2.0f * p.largest[then]) {
    for (std::int64_t c = thread; c < p.k; c += drift_threads) drift[c] = INFINITY;
    return;
  }
  const float *past = p.history + then * p.k * p.d, *now = p.centers + r * p.k * p.d;
  Longest longest{0, 0, 0x7fffffff};
  for (std::int64_t c = warp; c < p.k; c += drift_threads / warp_size) {
    double square = 0;
    for (std::int64_t j = lane; j < p.d; j += warp_size) {
      const double difference =
          static_cast<double>(now[c * p.d + j]) - static_cast<double>(past[c * p.d + j]);
      square += difference * difference;
    }
    square = warp_reduce<Sum>(square);
    const float way = static_cast<float>(sqrt(square) * (1.0 + 0x1p-22));
    if (lane == 0) drift[c] = way;
    join(longest, Longest{way, 0, static_cast<int>(c)});
  }
  if (lane == 0) parts[warp] = longest;
  __syncthreads();
  longest = parts[0];
  for (int w = 1; w < drift_threads / warp_size; ++w) join(longest, parts[w]);
  for (std::int64_t c = thread; c < p.k; c += drift_threads)
    drift[c] = (drift[c] + (c == longest.center ? longest.second : longest.first)) * (1.0f + 0x1p-22f);
}

}  // namespace

void kmeans_drift(Context& context, ConstView restarts, ConstView centers, ConstView half_norms,
                  std::int64_t place, View history, View largest, View drift) {
  require(centers.rank == 3 && history.rank == 4 && history.shape[0] == centers.shape[0] &&
              history.size() == history.shape[1] * centers.size() && drift.rank == 3 && place >= 0 &&
              place < history.shape[1],
          "kmeans_drift", "centers must be [r, k, d], history [r, h, k, d], drift [r, h, k], place below h");
  require_dtype(restarts, DType::i32, "kmeans_drift", "restarts");
  require_dtype(centers, DType::f32, "kmeans_drift", "centers");
  require_size(largest, history.shape[0] * history.shape[1], "kmeans_drift", "largest");
  require_size(drift, largest.size() * centers.shape[1], "kmeans_drift", "drift");
  if (restarts.size() == 0) return;
  const Drift p{restarts.as<std::int32_t>(),
                centers.as<float>(),
                half_norms.as<float>(),
                centers.shape[1],
                centers.shape[2],
                history.shape[1],
                place,
                history.as<float>(),
                largest.as<float>(),
                drift.as<float>()};
  const auto active = static_cast<unsigned>(restarts.size());
  LAUNCH((remember), active, drift_threads, 0, context.stream, p);
  LAUNCH((drift_since), dim3(static_cast<unsigned>(p.places), active), drift_threads, 0, context.stream, p);
}

}  // namespace chorale::cuda

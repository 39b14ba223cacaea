// SPDX-License-Identifier: MIT
// The aggregate posterior q(z) = E_x q(z | x), estimated from a batch by minibatch-weighted sampling (Chen et
// al., "Isolating sources of disentanglement in variational autoencoders", NeurIPS 2018), jointly and for
// each dimension.
//
//   statistics [n, 2 d] = [mu | l], l clamped; h = exp(-l); samples = the training set's rows
//   q_ijk = -0.5 (log 2 pi + l_jk + (z_ik - mu_jk)^2 h_jk)
//   joint_i = log sum_j exp sum_k q_ijk - log(n samples)     marginals_ik = log sum_j exp q_ijk - log(n
//   samples) W_ijk = djoint_i p_ij + dmarginals_ik r_ijk, the gradient of q_ijk, with p and r the softmax
//   over j of either dz_ik = -sum_j W (z_ik - mu_jk) h_jk                     dmu_jk = sum_i W (z_ik - mu_jk)
//   h_jk dl_jk = -0.5 sum_i W (1 - (z_ik - mu_jk)^2 h_jk), 0 where clamped
//
// A first kernel writes z, mu, h and l in f32 to scratch memory. joint: a block an i, a warp a j, lanes
// across k. Everything else: a thread an (i, k) or (j, k) that walks the batch, 32 dimensions by 8 rows a
// block, so that reads are coalesced and the eight rows find them in the cache. n^2 d terms forward, twice
// backward, each with one exponential, which is the cost; never stored, only the n^2 sums over k are. f32
// terms, sums over k and the batch in f64. Bytes that must move: statistics and z.
#include <cmath>

#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/latent.cuh"
#include "kernels/cuda/reduction.cuh"
#include "kernels/cuda/vector.cuh"
#include "kernels/dtype.h"

namespace chorale::cuda {
namespace {

constexpr int block_threads = 256;
constexpr int tile_columns = 32, tile_rows = 8;
constexpr float log_two_pi = 1.8378770664093453f;

/// In scratch memory, [n, d] each.
struct Codes {
  float *z, *mu, *h, *l;
  std::int64_t n, d;
};

template <class T>
__global__ void __launch_bounds__(block_threads)
    codes_kernel(const T* statistics, const T* z, GaussianLatentParams params, Codes codes) {
  for (std::int64_t i = global_thread(); i < codes.n * codes.d; i += global_threads()) {
    const std::int64_t mu = i + quotient(i, codes.d) * codes.d;
    codes.z[i] = to_float(z[i]);
    codes.mu[i] = to_float(statistics[mu]);
    codes.l[i] = clamped(params, to_float(statistics[mu + codes.d]));
    codes.h[i] = expf(-codes.l[i]);
  }
}

/// densities[j] = sum over k of q_ijk for the block's i; visible after a barrier.
__device__ inline void log_densities(const Codes& codes, std::int64_t i, double* densities) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  for (std::int64_t j = threadIdx.x / warp_size; j < codes.n; j += block_threads / warp_size) {
    double sum = 0;
    for (std::int64_t k = lane; k < codes.d; k += warp_size) {
      const std::int64_t at = j * codes.d + k;
      const float from_mu = codes.z[i * codes.d + k] - codes.mu[at];
      sum += static_cast<double>(log_two_pi + codes.l[at] + from_mu * from_mu * codes.h[at]);
    }
    sum = warp_reduce<Sum>(sum);
    if (lane == 0) densities[j] = -0.5 * sum;
  }
}

__global__ void __launch_bounds__(block_threads)
    joint_kernel(Codes codes, double normaliser, double* all_densities, float* joint) {
  double* densities = all_densities + blockIdx.x * codes.n;
  log_densities(codes, blockIdx.x, densities);
  __syncthreads();
  double maximum = -static_cast<double>(INFINITY), sum = 0;
  for (std::int64_t j = threadIdx.x; j < codes.n; j += block_threads)
    maximum = Max::combine(maximum, densities[j]);
  maximum = block_reduce<Max, block_threads>(maximum);
  for (std::int64_t j = threadIdx.x; j < codes.n; j += block_threads)
    sum += static_cast<double>(expf(static_cast<float>(densities[j] - maximum)));
  sum = block_reduce<Sum, block_threads>(sum);
  if (threadIdx.x == 0) joint[blockIdx.x] = static_cast<float>(maximum + log(sum) - normaliser);
}

/// weights[i, j] = djoint_i p_ij. joint is rounded to f32, so the weights are normalised once more.
__global__ void __launch_bounds__(block_threads)
    joint_weights_kernel(Codes codes, double normaliser, const float* djoint, const float* joint,
                         double* all_densities, float* weights) {
  const std::int64_t i = blockIdx.x;
  double* densities = all_densities + i * codes.n;
  log_densities(codes, i, densities);
  __syncthreads();
  const double evidence = static_cast<double>(joint[i]) + normaliser;
  double sum = 0;
  for (std::int64_t j = threadIdx.x; j < codes.n; j += block_threads)
    sum += static_cast<double>(expf(static_cast<float>(densities[j] - evidence)));
  const float scale =
      static_cast<float>(static_cast<double>(djoint[i]) / block_reduce<Sum, block_threads>(sum));
  for (std::int64_t j = threadIdx.x; j < codes.n; j += block_threads)
    weights[i * codes.n + j] = scale * expf(static_cast<float>(densities[j] - evidence));
}

/// A thread's row and column of [n, d]; false outside.
__device__ inline bool place(const Codes& codes, std::int64_t& row, std::int64_t& column) {
  row = static_cast<std::int64_t>(blockIdx.x) * tile_rows + threadIdx.y;
  column = static_cast<std::int64_t>(blockIdx.y) * tile_columns + threadIdx.x;
  return row < codes.n && column < codes.d;
}

/// Maximum and sum run along together, with one exponential a term.
__global__ void __launch_bounds__(tile_columns* tile_rows)
    marginals_kernel(Codes codes, float normaliser, float* marginals) {
  std::int64_t i, k;
  if (!place(codes, i, k)) return;
  const float z = codes.z[i * codes.d + k];
  float maximum = -3.402823466e38f, sum = 0;
  for (std::int64_t j = 0; j < codes.n; ++j) {
    const std::int64_t at = j * codes.d + k;
    const float from_mu = z - codes.mu[at];
    const float q = -0.5f * (log_two_pi + codes.l[at] + from_mu * from_mu * codes.h[at]);
    const float smaller = expf(-fabsf(q - maximum));
    const bool larger = q > maximum;
    sum = larger ? sum * smaller + 1.0f : sum + smaller;
    maximum = larger ? q : maximum;
  }
  marginals[i * codes.d + k] = maximum + logf(sum) - normaliser;
}

struct Term {
  float weight;    ///< W
  float gradient;  ///< W (z - mu) h
  float square;    ///< (z - mu)^2 h
};

__device__ inline Term term(float z, float mu, float h, float l, float joint_weight, float dmarginal,
                            float marginal) {
  const float from_mu = z - mu, scaled = from_mu * h, square = from_mu * scaled;
  const float r = expf(-0.5f * (log_two_pi + l + square) - marginal);
  const float weight = joint_weight + dmarginal * r;
  return {weight, weight * scaled, square};
}

template <class T>
__global__ void __launch_bounds__(tile_columns* tile_rows)
    code_gradient_kernel(Codes codes, const float* weights, const float* dmarginals, const float* marginals,
                         float normaliser, T* dz) {
  std::int64_t i, k;
  if (!place(codes, i, k)) return;
  const std::int64_t mine = i * codes.d + k;
  const float z = codes.z[mine], dmarginal = dmarginals[mine], marginal = marginals[mine] + normaliser;
  double sum = 0;
  for (std::int64_t j = 0; j < codes.n; ++j) {
    const std::int64_t at = j * codes.d + k;
    const Term t =
        term(z, codes.mu[at], codes.h[at], codes.l[at], weights[i * codes.n + j], dmarginal, marginal);
    sum -= static_cast<double>(t.gradient);
  }
  dz[mine] = from_float<T>(static_cast<float>(sum));
}

template <class T>
__global__ void __launch_bounds__(tile_columns* tile_rows)
    statistics_gradient_kernel(Codes codes, const float* weights, const float* dmarginals,
                               const float* marginals, float normaliser, const T* statistics,
                               GaussianLatentParams params, T* dstatistics) {
  std::int64_t j, k;
  if (!place(codes, j, k)) return;
  const std::int64_t mine = j * codes.d + k, mu_at = mine + j * codes.d;
  const float mu = codes.mu[mine], h = codes.h[mine], l = codes.l[mine];
  double dmu = 0, dl = 0;
  for (std::int64_t i = 0; i < codes.n; ++i) {
    const std::int64_t at = i * codes.d + k;
    const Term t =
        term(codes.z[at], mu, h, l, weights[i * codes.n + j], dmarginals[at], marginals[at] + normaliser);
    dmu += static_cast<double>(t.gradient);
    dl -= static_cast<double>(0.5f * t.weight * (1.0f - t.square));
  }
  const bool flat = outside(params, to_float(statistics[mu_at + codes.d]));
  dstatistics[mu_at] = from_float<T>(static_cast<float>(dmu));
  dstatistics[mu_at + codes.d] = from_float<T>(flat ? 0.0f : static_cast<float>(dl));
}

void check(const char* op, const ConstView& statistics, const ConstView& z, const ConstView& joint,
           const ConstView& marginals) {
  require(z.rank == 2 && statistics.rank == 2, op, "statistics must be [n, 2 d] for z [n, d]");
  require_dtype(z, statistics.dtype, op, "z");
  require_size(statistics, 2 * z.size(), op, "statistics");
  require_dtype(joint, DType::f32, op, "joint");
  require_size(joint, z.shape[0], op, "joint");
  require_dtype(marginals, DType::f32, op, "marginals");
  require_size(marginals, z.size(), op, "marginals");
}

/// z and statistics in f32, with room for the n^2 sums.
class Batch {
 public:
  Batch(Context& context, const char* op, const ConstView& statistics, const ConstView& z,
        const GaussianLatentParams& params)
      : n_(z.shape[0]),
        d_(z.shape[1]),
        arrays_(context, static_cast<std::size_t>(4 * z.size()) * sizeof(float)),
        densities_(context, static_cast<std::size_t>(n_ * n_) * sizeof(double)) {
    dispatch_floating(op, z.dtype, [&](auto type) {
      using T = typename decltype(type)::type;
      LAUNCH((codes_kernel<T>), stride_grid(context, z.size(), block_threads), block_threads, 0,
             context.stream, statistics.as<T>(), z.as<T>(), params, codes());
    });
  }
  Codes codes() const {
    float* room = arrays_.as<float>();
    const std::int64_t size = n_ * d_;
    return {room, room + size, room + 2 * size, room + 3 * size, n_, d_};
  }
  double* densities() const { return densities_.as<double>(); }
  unsigned rows() const { return static_cast<unsigned>(n_); }
  dim3 tiles() const {
    return dim3(static_cast<unsigned>(ceil_div(n_, tile_rows)),
                static_cast<unsigned>(ceil_div(d_, tile_columns)));
  }

 private:
  std::int64_t n_, d_;
  Scratch arrays_, densities_;
};

double log_normaliser(const ConstView& z, double samples) {
  return std::log(static_cast<double>(z.shape[0]) * samples);
}

}  // namespace

void aggregate_posterior_forward(Context& context, ConstView statistics, ConstView z, double samples,
                                 GaussianLatentParams params, View joint, View marginals) {
  const char* op = "aggregate_posterior_forward";
  check(op, statistics, z, joint, marginals);
  if (z.size() == 0) return;
  const Batch batch(context, op, statistics, z, params);
  const double normaliser = log_normaliser(z, samples);
  LAUNCH((joint_kernel), batch.rows(), block_threads, 0, context.stream, batch.codes(), normaliser,
         batch.densities(), joint.as<float>());
  LAUNCH((marginals_kernel), batch.tiles(), dim3(tile_columns, tile_rows), 0, context.stream, batch.codes(),
         static_cast<float>(normaliser), marginals.as<float>());
}

void aggregate_posterior_backward(Context& context, ConstView djoint, ConstView dmarginals,
                                  ConstView statistics, ConstView z, ConstView joint, ConstView marginals,
                                  double samples, GaussianLatentParams params, View dz, View dstatistics) {
  const char* op = "aggregate_posterior_backward";
  check(op, statistics, z, joint, marginals);
  check(op, dstatistics, dz, djoint, dmarginals);
  require_dtype(dz, z.dtype, op, "dz");
  require_size(dz, z.size(), op, "dz");
  if (z.size() == 0) return;
  const Batch batch(context, op, statistics, z, params);
  const double normaliser = log_normaliser(z, samples);
  const float shift = static_cast<float>(normaliser);
  const std::int64_t n = z.shape[0];
  const Scratch weights(context, static_cast<std::size_t>(n * n) * sizeof(float));
  LAUNCH((joint_weights_kernel), batch.rows(), block_threads, 0, context.stream, batch.codes(), normaliser,
         djoint.as<float>(), joint.as<float>(), batch.densities(), weights.as<float>());
  const dim3 block(tile_columns, tile_rows);
  dispatch_floating(op, z.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    LAUNCH((code_gradient_kernel<T>), batch.tiles(), block, 0, context.stream, batch.codes(),
           weights.as<float>(), dmarginals.as<float>(), marginals.as<float>(), shift, dz.as<T>());
    LAUNCH((statistics_gradient_kernel<T>), batch.tiles(), block, 0, context.stream, batch.codes(),
           weights.as<float>(), dmarginals.as<float>(), marginals.as<float>(), shift, statistics.as<T>(),
           params, dstatistics.as<T>());
  });
}

}  // namespace chorale::cuda

// SPDX-License-Identifier: MIT
// The latent of VaDE (Jiang et al., IJCAI 2017): reparameterisation, responsibilities and KL divergence under
// a mixture of k Gaussians N(m_c, s_c) with weights pi = softmax(logits).
//
//   statistics [n, 2 d] = [mu | l], l clamped; e = exp(l / 2) epsilon; z = mu + e; v = exp(l) (1 - epsilon^2)
//   a_c = log pi_c - 0.5 sum_j (log s_cj + (z_j - m_cj)^2 / s_cj)
//   gamma = softmax(a)   L = log sum_c exp a_c   D_c = 0.5 sum_j (v_j - 2 e_j (mu_j - m_cj)) / s_cj
//   kl = sum_c gamma_c D_c - L - 0.5 sum_j (1 + l_j)
//
// kernels/cpu/mixture_latent.cpp derives this form and the gradients from the definition in kernels.def.
//
// Forward: a block a sample, which leaves mu, e and v in scratch memory; a warp a component, lanes across d,
// then the block across k. Backward: the same, then R_c and w gamma_c of each sample to scratch memory and
// dstatistics by tiles of 32 dimensions with eight threads across the components; a second kernel, a block a
// (component, 32 dimensions), sums over the samples. f32 terms, f64 sums over d and n, all in a fixed order.
// n k d terms forward, three times as many backward, from the cache; bytes that must move: statistics, z, and
// gamma n k.
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/latent.cuh"
#include "kernels/cuda/reduction.cuh"
#include "kernels/dtype.h"

namespace chorale::cuda {
namespace {

constexpr int sample_threads = 256;
constexpr int component_threads = 512;
constexpr int slab = warp_size;  // dimensions of a block or a tile

/// The prior and its sizes.
struct Mixture {
  const float *logits, *means, *log_variances;
  GaussianLatentParams params;
  std::int64_t d, k;

  __device__ float inverse(std::int64_t i) const { return expf(-clamped(params, log_variances[i])); }
};

/// One sample of the posterior in scratch memory: mu, e and v of the formulas, d values each.
struct Sample {
  float *mu, *e, *v;
};

__device__ inline Sample sample_at(float* scratch, std::int64_t row, std::int64_t d) {
  float* room = scratch + row * 3 * d;
  return {room, room + d, room + 2 * d};
}

/// What a sample weighs in a component: R_c and w gamma_c.
struct Weight {
  float r, gamma;
  /// It adds nothing to a component in which it has no weight, however far away: 0 times infinity is 0 here.
  __device__ bool none() const { return r == 0.0f && gamma == 0.0f; }
};

/// log sum exp of the logits, by all threads of a block.
template <int threads>
__device__ inline float log_partition(const Mixture& mixture) {
  float maximum = -INFINITY;
  for (std::int64_t c = threadIdx.x; c < mixture.k; c += threads)
    maximum = Max::combine(maximum, mixture.logits[c]);
  maximum = block_reduce<Max, threads>(maximum);
  double sum = 0;
  for (std::int64_t c = threadIdx.x; c < mixture.k; c += threads)
    sum += static_cast<double>(expf(mixture.logits[c] - maximum));
  return maximum + logf(static_cast<float>(block_reduce<Sum, threads>(sum)));
}

/// Draws the block's sample; returns this thread's part of sum_j (1 + l_j). z may be null.
template <class T>
__device__ inline double draw(const T* statistics, const StepState* state, std::uint32_t stream,
                              const GaussianLatentParams& params, std::int64_t row, std::int64_t d,
                              const Sample& sample, T* z) {
  double entropy = 0;
  for (std::int64_t first = threadIdx.x * 4; first < d; first += sample_threads * 4) {
    float noise[4] = {0, 0, 0, 0};
    if (params.sample) four_normals(state, stream, row * d + first, noise);
    UNROLL
    for (int i = 0; i < 4; ++i) {
      const std::int64_t j = first + i;
      if (j >= d) continue;
      const float mu = to_float(statistics[row * 2 * d + j]);
      const float l = clamped(params, to_float(statistics[row * 2 * d + d + j]));
      const float sigma = expf(0.5f * l), e = sigma * noise[i];
      sample.mu[j] = mu;
      sample.e[j] = e;
      sample.v[j] = sigma * sigma * (1.0f - noise[i] * noise[i]);
      if (z) z[row * d + j] = from_float<T>(mu + e);
      entropy += static_cast<double>(1.0f + l);
    }
  }
  return entropy;
}

/// a_c without log pi_c, and D_c.
struct Terms {
  double log_density, divergence;
};

/// Terms of all components for the block's sample, a warp each; visible after a barrier.
__device__ inline void find_terms(const Mixture& mixture, const Sample& sample, Terms* terms) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  for (std::int64_t c = threadIdx.x / warp_size; c < mixture.k; c += sample_threads / warp_size) {
    double square = 0, divergence = 0;
    for (std::int64_t j = lane; j < mixture.d; j += warp_size) {
      const std::int64_t at = c * mixture.d + j;
      const float l = clamped(mixture.params, mixture.log_variances[at]), inverse = expf(-l);
      const float e = sample.e[j], from_mu = sample.mu[j] - mixture.means[at], from_z = from_mu + e;
      square += static_cast<double>(l) + static_cast<double>(from_z * from_z * inverse);
      divergence += static_cast<double>((sample.v[j] - 2.0f * e * from_mu) * inverse);
    }
    square = warp_reduce<Sum>(square);
    divergence = warp_reduce<Sum>(divergence);
    if (lane == 0) terms[c] = {-0.5 * square, 0.5 * divergence};
  }
}

template <class T>
__global__ void __launch_bounds__(sample_threads)
    forward_kernel(const T* statistics, Mixture mixture, const StepState* state, std::uint32_t stream, T* z,
                   float* kl, float* gamma, float* samples, Terms* all_terms) {
  const std::int64_t row = blockIdx.x, k = mixture.k;
  const Sample sample = sample_at(samples, row, mixture.d);
  Terms* terms = all_terms + row * k;
  const double entropy = block_reduce<Sum, sample_threads>(
      draw(statistics, state, stream, mixture.params, row, mixture.d, sample, z));
  find_terms(mixture, sample, terms);
  const float partition = log_partition<sample_threads>(mixture);  // its barriers make the terms visible
  double maximum = -static_cast<double>(INFINITY);
  for (std::int64_t c = threadIdx.x; c < k; c += sample_threads) {
    terms[c].log_density += static_cast<double>(mixture.logits[c]) - static_cast<double>(partition);
    maximum = Max::combine(maximum, terms[c].log_density);
  }
  maximum = block_reduce<Max, sample_threads>(maximum);
  double sum = 0;
  for (std::int64_t c = threadIdx.x; c < k; c += sample_threads)
    sum += static_cast<double>(expf(static_cast<float>(terms[c].log_density - maximum)));
  sum = block_reduce<Sum, sample_threads>(sum);
  double divergence = 0;
  for (std::int64_t c = threadIdx.x; c < k; c += sample_threads) {
    const float weight = static_cast<float>(
        static_cast<double>(expf(static_cast<float>(terms[c].log_density - maximum))) / sum);
    gamma[row * k + c] = weight;
    if (weight != 0.0f) divergence += static_cast<double>(weight) * terms[c].divergence;
  }
  divergence = block_reduce<Sum, sample_threads>(divergence);
  if (threadIdx.x == 0) kl[row] = static_cast<float>(divergence - maximum - log(sum) - 0.5 * entropy);
}

/// dstatistics of the block's sample.
template <class T>
__device__ inline void sample_gradient(const Mixture& mixture, const Sample& sample, const Weight* weights,
                                       std::int64_t row, float w, const T* dz, const T* statistics,
                                       T* dstatistics) {
  constexpr int parts = sample_threads / slab;
  SHARED(float, sums, [3][parts][slab]);  // A, S, G
  const int lane = static_cast<int>(threadIdx.x) % slab, part = static_cast<int>(threadIdx.x) / slab;
  for (std::int64_t first = 0; first < mixture.d; first += slab) {
    const std::int64_t j = first + lane;
    float pull = 0, precision = 0, offset = 0;
    for (std::int64_t c = part; c < mixture.k && j < mixture.d; c += parts) {
      const Weight weight = weights[c];
      if (weight.none()) continue;
      const float inverse = mixture.inverse(c * mixture.d + j);
      const float from_mu = sample.mu[j] - mixture.means[c * mixture.d + j];
      pull -= weight.r * (from_mu + sample.e[j]) * inverse;
      precision += weight.gamma * inverse;
      offset += weight.gamma * from_mu * inverse;
    }
    sums[0][part][lane] = pull;
    sums[1][part][lane] = precision;
    sums[2][part][lane] = offset;
    __syncthreads();
    if (part == 0 && j < mixture.d) {
      for (int p = 1; p < parts; ++p) {
        pull += sums[0][p][lane];
        precision += sums[1][p][lane];
        offset += sums[2][p][lane];
      }
      const std::int64_t at = row * 2 * mixture.d + j;
      const float through_z = (dz ? to_float(dz[row * mixture.d + j]) : 0.0f) + pull, e = sample.e[j];
      const bool flat = outside(mixture.params, to_float(statistics[at + mixture.d]));
      const float gradient = 0.5f * (through_z * e + sample.v[j] * precision - e * offset - w);
      dstatistics[at] = from_float<T>(through_z - e * precision);
      dstatistics[at + mixture.d] = from_float<T>(flat ? 0.0f : gradient);
    }
    __syncthreads();
  }
}

template <class T>
__global__ void __launch_bounds__(sample_threads)
    sample_kernel(const T* dz, const float* dkl, const T* statistics, Mixture mixture, const float* gamma,
                  const StepState* state, std::uint32_t stream, T* dstatistics, float* samples,
                  Terms* all_terms, Weight* all_weights) {
  const std::int64_t row = blockIdx.x, k = mixture.k;
  const Sample sample = sample_at(samples, row, mixture.d);
  const Terms* terms = all_terms + row * k;
  Weight* weights = all_weights + row * k;
  draw(statistics, state, stream, mixture.params, row, mixture.d, sample, static_cast<T*>(nullptr));
  __syncthreads();
  find_terms(mixture, sample, all_terms + row * k);
  __syncthreads();
  double expected = 0;
  for (std::int64_t c = threadIdx.x; c < k; c += sample_threads) {
    const float weight = gamma[row * k + c];
    if (weight != 0.0f) expected += static_cast<double>(weight) * terms[c].divergence;
  }
  expected = block_reduce<Sum, sample_threads>(expected);
  const float w = dkl ? dkl[row] : 0.0f;
  for (std::int64_t c = threadIdx.x; c < k; c += sample_threads) {
    const float weight = gamma[row * k + c];
    const double divergence = weight == 0.0f ? 0.0 : terms[c].divergence;
    weights[c] = {w * weight * static_cast<float>(divergence - expected - 1.0), w * weight};
  }
  __syncthreads();
  if (dstatistics) sample_gradient(mixture, sample, weights, row, w, dz, statistics, dstatistics);
}

/// Block (c, slab): dm and dlog s of 32 dimensions of a component; the first slab also finds its dlogit.
__global__ void __launch_bounds__(component_threads)
    component_kernel(const float* dkl, Mixture mixture, float* samples, const Weight* weights, std::int64_t n,
                     float* dlogits, float* dmeans, float* dlog_variances) {
  constexpr int parts = component_threads / slab;
  SHARED(double, sums, [2][parts][slab]);
  const int lane = static_cast<int>(threadIdx.x) % slab, part = static_cast<int>(threadIdx.x) / slab;
  const std::int64_t c = blockIdx.x, j = static_cast<std::int64_t>(blockIdx.y) * slab + lane;
  const std::int64_t at = c * mixture.d + j;
  const bool inside = j < mixture.d;
  const float m = inside ? mixture.means[at] : 0.0f, inverse = inside ? mixture.inverse(at) : 0.0f;
  double dm = 0, dls = 0;
  for (std::int64_t row = part; inside && row < n; row += parts) {
    const Weight weight = weights[row * mixture.k + c];
    if (weight.none()) continue;
    const Sample sample = sample_at(samples, row, mixture.d);
    const float e = sample.e[j], from_mu = sample.mu[j] - m, from_z = from_mu + e;
    const float square = 1.0f - from_z * from_z * inverse, divergence = sample.v[j] - 2.0f * e * from_mu;
    dm += static_cast<double>((weight.r * from_z + weight.gamma * e) * inverse);
    dls -= static_cast<double>(0.5f * (weight.r * square + weight.gamma * divergence * inverse));
  }
  sums[0][part][lane] = dm;
  sums[1][part][lane] = dls;
  __syncthreads();
  if (part == 0 && inside) {
    for (int p = 1; p < parts; ++p) {
      dm += sums[0][p][lane];
      dls += sums[1][p][lane];
    }
    dmeans[at] = static_cast<float>(dm);
    dlog_variances[at] = outside(mixture.params, mixture.log_variances[at]) ? 0.0f : static_cast<float>(dls);
  }
  if (blockIdx.y != 0) return;
  const double pi = static_cast<double>(expf(mixture.logits[c] - log_partition<component_threads>(mixture)));
  double dlogit = 0;
  for (std::int64_t row = threadIdx.x; row < n; row += component_threads)
    dlogit += static_cast<double>(weights[row * mixture.k + c].r) +
              pi * (dkl ? static_cast<double>(dkl[row]) : 0.0);
  dlogit = block_reduce<Sum, component_threads>(dlogit);
  if (threadIdx.x == 0) dlogits[c] = static_cast<float>(dlogit);
}

struct Sizes {
  std::int64_t n, d, k;
};

Sizes check(const char* op, const ConstView& statistics, const ConstView& logits, const ConstView& means,
            const ConstView& log_variances, const ConstView& gamma) {
  require(statistics.rank == 2 && statistics.shape[1] % 2 == 0, op, "statistics must be [n, 2 d]");
  const Sizes size{statistics.shape[0], statistics.shape[1] / 2, logits.size()};
  require(size.k > 0, op, "logits must have components");
  for (const ConstView& v : {logits, means, log_variances, gamma})
    require_dtype(v, DType::f32, op, "the mixture and gamma");
  require_size(means, size.k * size.d, op, "means");
  require_size(log_variances, size.k * size.d, op, "log_variances");
  require_size(gamma, size.n * size.k, op, "gamma");
  return size;
}

}  // namespace

void mixture_latent_forward(Context& context, ConstView statistics, ConstView logits, ConstView means,
                            ConstView log_variances, const StepState* state, std::uint32_t stream,
                            GaussianLatentParams params, View z, View kl, View gamma) {
  const char* op = "mixture_latent_forward";
  const Sizes size = check(op, statistics, logits, means, log_variances, gamma);
  require_dtype(z, statistics.dtype, op, "z");
  require_size(z, size.n * size.d, op, "z");
  require_dtype(kl, DType::f32, op, "kl");
  require_size(kl, size.n, op, "kl");
  if (size.n == 0) return;
  const Mixture mixture{
      logits.as<float>(), means.as<float>(), log_variances.as<float>(), params, size.d, size.k};
  const Scratch samples(context, static_cast<std::size_t>(size.n * 3 * size.d) * sizeof(float));
  const Scratch terms(context, static_cast<std::size_t>(size.n * size.k) * sizeof(Terms));
  dispatch_floating(op, statistics.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    LAUNCH((forward_kernel<T>), static_cast<unsigned>(size.n), sample_threads, 0, context.stream,
           statistics.as<T>(), mixture, state, stream, z.as<T>(), kl.as<float>(), gamma.as<float>(),
           samples.as<float>(), terms.as<Terms>());
  });
}

void mixture_latent_backward(Context& context, ConstView dz, ConstView dkl, ConstView statistics,
                             ConstView logits, ConstView means, ConstView log_variances, ConstView gamma,
                             const StepState* state, std::uint32_t stream, GaussianLatentParams params,
                             View dstatistics, View dlogits, View dmeans, View dlog_variances) {
  const char* op = "mixture_latent_backward";
  const Sizes size = check(op, statistics, logits, means, log_variances, gamma);
  check(op, statistics, dlogits, dmeans, dlog_variances, gamma);
  require_size(dlogits, size.k, op, "dlogits");
  if (dstatistics) {
    require_dtype(dstatistics, statistics.dtype, op, "dstatistics");
    require_size(dstatistics, statistics.size(), op, "dstatistics");
  }
  if (dz) {
    require_dtype(dz, statistics.dtype, op, "dz");
    require_size(dz, size.n * size.d, op, "dz");
  }
  if (dkl) {
    require_dtype(dkl, DType::f32, op, "dkl");
    require_size(dkl, size.n, op, "dkl");
  }
  const Mixture mixture{
      logits.as<float>(), means.as<float>(), log_variances.as<float>(), params, size.d, size.k};
  const Scratch samples(context, static_cast<std::size_t>(size.n * 3 * size.d) * sizeof(float));
  const Scratch terms(context, static_cast<std::size_t>(size.n * size.k) * sizeof(Terms));
  const Scratch weights(context, static_cast<std::size_t>(size.n * size.k) * sizeof(Weight));
  if (size.n > 0)
    dispatch_floating(op, statistics.dtype, [&](auto type) {
      using T = typename decltype(type)::type;
      LAUNCH((sample_kernel<T>), static_cast<unsigned>(size.n), sample_threads, 0, context.stream, dz.as<T>(),
             dkl.as<float>(), statistics.as<T>(), mixture, gamma.as<float>(), state, stream,
             dstatistics.as<T>(), samples.as<float>(), terms.as<Terms>(), weights.as<Weight>());
    });
  LAUNCH((component_kernel),
         dim3(static_cast<unsigned>(size.k),
              static_cast<unsigned>(std::max<std::int64_t>(1, ceil_div(size.d, slab)))),
         component_threads, 0, context.stream, dkl.as<float>(), mixture, samples.as<float>(),
         weights.as<Weight>(), size.n, dlogits.as<float>(), dmeans.as<float>(), dlog_variances.as<float>());
}

}  // namespace chorale::cuda

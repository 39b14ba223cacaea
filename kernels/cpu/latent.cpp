// SPDX-License-Identifier: MIT
// The Gaussian latent: reparameterisation and KL divergence to the standard normal (Kingma and Welling 2014).
//
//   statistics [n, 2 d] = [mu | log_variance], log_variance clamped to [min, max] = l,  sigma = exp(l / 2)
//   z = mu + sigma epsilon         epsilon: element row d + column of the Philox normals
//   kl[c] = 1/n sum_r 0.5 (mu^2 + sigma^2 - 1 - l)
//   dmu = dz + dkl mu / n
//   dlog_variance = dz epsilon sigma / 2 + dkl (sigma^2 - 1) / (2 n), 0 where clamped
//
// One pass over the statistics each; f32, the KL's column sums in f64. Bytes moved: forward statistics + z,
// backward statistics + dz + dstatistics; the noise is drawn again, never stored.
#include "kernels/cpu/checks.h"
#include "kernels/cpu/columns.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/random.h"
#include "kernels/cpu/vector_math.h"
#include "kernels/functors.h"

namespace chorale::cpu {

void gaussian_latent_forward(Context& context, ConstView statistics, const StepState* state,
                             std::uint32_t stream, GaussianLatentParams params, View z, View kl) {
  const char* kernel = "gaussian_latent_forward";
  require_storage(kernel, statistics, z);
  const std::int64_t n = z.rows(), d = z.columns();
  require(z.rank == 2 && statistics.rank == 2 && statistics.shape[0] == n && statistics.shape[1] == 2 * d,
          kernel, "statistics must be [n, 2 d] for z [n, d]", statistics, z);
  require(kl.dtype == DType::f32 && kl.size() == d && present(kl), kernel, "kl must be f32 [d]", z, kl);
  const Scratch scratch(context, static_cast<std::size_t>(d) * sizeof(double));
  auto* sums = scratch.as<double>();
  column_sums<1>(context, 1, n, d, sums,
                 [&](std::int64_t, std::int64_t first, std::int64_t rows, std::int64_t column,
                     std::int64_t count, float(*acc)[chunk]) {
                   for (std::int64_t row = first; row < first + rows; ++row) {
                     alignas(64) float mu_buffer[chunk], lv_buffer[chunk], z_buffer[chunk], noise[chunk];
                     const float* mu = load(statistics, row * 2 * d + column, count, mu_buffer);
                     const float* lv = load(statistics, row * 2 * d + d + column, count, lv_buffer);
                     if (params.sample)
                       normals(*state, stream, row * d + column, count, noise);
                     else
                       std::fill_n(noise, count, 0.0f);
                     float* zs = target(z, row * d + column, z_buffer);
                     const float low = params.log_variance_min, high = params.log_variance_max;
#pragma omp simd
                     for (std::int64_t i = 0; i < count; ++i) {
                       const float l = functor::clamp::f(lv[i], low, high);
                       const float sigma = ::expf(0.5f * l);
                       acc[0][i] += 0.5f * (mu[i] * mu[i] + sigma * sigma - 1.0f - l);
                       zs[i] = mu[i] + sigma * noise[i];
                     }
                     store(zs, z, row * d + column, count);
                   }
                 });
  for (std::int64_t c = 0; c < d; ++c)
    kl.as<float>()[c] = static_cast<float>(sums[c] / static_cast<double>(n));
}

void gaussian_latent_backward(Context&, ConstView dz, ConstView dkl, ConstView statistics,
                              const StepState* state, std::uint32_t stream, GaussianLatentParams params,
                              View dstatistics) {
  const char* kernel = "gaussian_latent_backward";
  require_storage(kernel, statistics, dstatistics);
  require(statistics.rank == 2 && same_shape(statistics, dstatistics) && statistics.shape[1] % 2 == 0, kernel,
          "statistics and dstatistics must be [n, 2 d]", statistics, dstatistics);
  const std::int64_t n = statistics.shape[0], d = statistics.shape[1] / 2;
  require(!dz || (is_storage(dz.dtype) && dz.size() == n * d), kernel, "dz must be [n, d]", statistics, dz);
  require(!dkl || (dkl.dtype == DType::f32 && dkl.size() == d), kernel, "dkl must be f32 [d]", statistics,
          dkl);
  const float inverse_n = 1.0f / static_cast<float>(n);
  for_pieces(n, d, [&](std::int64_t first, std::int64_t rows, std::int64_t column, std::int64_t count) {
    for (std::int64_t row = first; row < first + rows; ++row) {
      alignas(64) float mu_buffer[chunk], lv_buffer[chunk], dz_buffer[chunk], noise[chunk], weight[chunk];
      alignas(64) float dmu_buffer[chunk], dlv_buffer[chunk];
      const std::int64_t at = row * 2 * d + column;
      const float* mu = load(statistics, at, count, mu_buffer);
      const float* lv = load(statistics, at + d, count, lv_buffer);
      std::fill_n(dz_buffer, count, 0.0f);
      const float* dzs = dz ? load(dz, row * d + column, count, dz_buffer) : dz_buffer;
      if (params.sample && dz)
        normals(*state, stream, row * d + column, count, noise);
      else
        std::fill_n(noise, count, 0.0f);
      for (std::int64_t i = 0; i < count; ++i)
        weight[i] = dkl ? dkl.as<float>()[column + i] * inverse_n : 0.0f;
      float* dmu = target(dstatistics, at, dmu_buffer);
      float* dlv = target(dstatistics, at + d, dlv_buffer);
      const float low = params.log_variance_min, high = params.log_variance_max;
#pragma omp simd
      for (std::int64_t i = 0; i < count; ++i) {
        const float l = functor::clamp::f(lv[i], low, high);
        const float sigma = ::expf(0.5f * l);
        const float gradient = 0.5f * (dzs[i] * noise[i] * sigma + weight[i] * (sigma * sigma - 1.0f));
        dmu[i] = dzs[i] + weight[i] * mu[i];
        dlv[i] = lv[i] < low || lv[i] > high ? 0.0f : gradient;
      }
      store(dmu, dstatistics, at, count);
      store(dlv, dstatistics, at + d, count);
    }
  });
}

}  // namespace chorale::cpu

// SPDX-License-Identifier: MIT
// The Gaussian latent: reparameterisation and KL divergence to the standard normal (Kingma and Welling 2014).
//
//   statistics [n, 2 d] = [mu | log_variance], log_variance clamped to [min, max] = l,  sigma = exp(l / 2)
//   z = mu + sigma epsilon         epsilon: element row d + column of the Philox normals
//   kl[c] = 1/n sum_r 0.5 (mu^2 + sigma^2 - 1 - l)
//   dmu = dz + dkl mu / n
//   dlog_variance = dz epsilon sigma / 2 + dkl (sigma^2 - 1) / (2 n), 0 where clamped
//
// One kernel each way. A thread takes four neighbouring columns, which share a Philox block when d is a
// multiple of 4. Forward: a block owns 32 columns and walks the rows, 32 at a time, so the KL's sum over the
// batch needs no second launch; f32 in a thread, f64 across threads, in order. Bytes: forward statistics + z,
// backward statistics + dz + dstatistics; the noise is drawn again, never stored.
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/latent.cuh"
#include "kernels/cuda/vector.cuh"

namespace chorale::cuda {
namespace {

constexpr int quad = 4;          // columns of a thread
constexpr int slab_threads = 8;  // threads across: 32 columns
constexpr int slab_rows = 32;    // threads down
constexpr int block_threads = 256;

template <class T>
__global__ void __launch_bounds__(slab_threads* slab_rows)
    forward_kernel(const T* statistics, const StepState* state, std::uint32_t stream,
                   GaussianLatentParams params, T* z, float* kl, std::int64_t n, std::int64_t d) {
  SHARED(float, parts, [slab_rows][slab_threads * quad + 1]);
  const std::int64_t first = (static_cast<std::int64_t>(blockIdx.x) * slab_threads + threadIdx.x) * quad;
  float sum[quad] = {0, 0, 0, 0};
  for (std::int64_t row = threadIdx.y; row < n && first < d; row += slab_rows) {
    float noise[quad] = {0, 0, 0, 0};
    if (params.sample) four_normals(state, stream, row * d + first, noise);
    UNROLL
    for (int j = 0; j < quad; ++j) {
      const std::int64_t column = first + j;
      if (column >= d) continue;
      const float mu = to_float(statistics[row * 2 * d + column]);
      const float l = clamped(params, to_float(statistics[row * 2 * d + d + column]));
      const float sigma = expf(0.5f * l);
      sum[j] += 0.5f * (mu * mu + sigma * sigma - 1.0f - l);
      z[row * d + column] = from_float<T>(mu + sigma * noise[j]);
    }
  }
  for (int j = 0; j < quad; ++j) parts[threadIdx.y][threadIdx.x * quad + j] = sum[j];
  __syncthreads();
  const int mine = static_cast<int>(threadIdx.y * slab_threads + threadIdx.x);
  const std::int64_t column = static_cast<std::int64_t>(blockIdx.x) * slab_threads * quad + mine;
  if (mine >= slab_threads * quad || column >= d) return;
  double total = 0;
  for (int r = 0; r < slab_rows; ++r) total += static_cast<double>(parts[r][mine]);
  kl[column] = static_cast<float>(total / static_cast<double>(n));
}

template <class T>
__global__ void __launch_bounds__(block_threads)
    backward_kernel(const T* dz, const float* dkl, const T* statistics, const StepState* state,
                    std::uint32_t stream, GaussianLatentParams params, T* dstatistics, std::int64_t n,
                    std::int64_t d) {
  const std::int64_t quads = (d + quad - 1) / quad;
  const float inverse_n = 1.0f / static_cast<float>(n);
  for (std::int64_t i = global_thread(); i < n * quads; i += global_threads()) {
    const std::int64_t row = quotient(i, quads), first = (i - row * quads) * quad;
    float noise[quad] = {0, 0, 0, 0};
    if (params.sample && dz) four_normals(state, stream, row * d + first, noise);
    UNROLL
    for (int j = 0; j < quad; ++j) {
      const std::int64_t column = first + j;
      if (column >= d) continue;
      const std::int64_t at = row * 2 * d + column;
      const float mu = to_float(statistics[at]), raw = to_float(statistics[at + d]);
      const float sigma = expf(0.5f * clamped(params, raw));
      const float gradient = dz ? to_float(dz[row * d + column]) : 0.0f;
      const float weight = dkl ? dkl[column] * inverse_n : 0.0f;
      dstatistics[at] = from_float<T>(gradient + weight * mu);
      dstatistics[at + d] = from_float<T>(
          outside(params, raw) ? 0.0f
                               : 0.5f * (gradient * noise[j] * sigma + weight * (sigma * sigma - 1.0f)));
    }
  }
}

}  // namespace

void gaussian_latent_forward(Context& context, ConstView statistics, const StepState* state,
                             std::uint32_t stream, GaussianLatentParams params, View z, View kl) {
  const char* op = "gaussian_latent_forward";
  const std::int64_t n = z.rows(), d = z.columns();
  require_dtype(z, statistics.dtype, op, "z");
  require_size(statistics, 2 * n * d, op, "statistics");
  require_dtype(kl, DType::f32, op, "kl");
  require_size(kl, d, op, "kl");
  if (n == 0 || d == 0) return;
  dispatch_floating(op, z.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    LAUNCH((forward_kernel<T>), static_cast<unsigned>(ceil_div(d, slab_threads * quad)),
           dim3(slab_threads, slab_rows), 0, context.stream, statistics.as<T>(), state, stream, params,
           z.as<T>(), kl.as<float>(), n, d);
  });
}

void gaussian_latent_backward(Context& context, ConstView dz, ConstView dkl, ConstView statistics,
                              const StepState* state, std::uint32_t stream, GaussianLatentParams params,
                              View dstatistics) {
  const char* op = "gaussian_latent_backward";
  const std::int64_t n = statistics.rows(), d = statistics.columns() / 2;
  require(statistics.columns() == 2 * d, op, "statistics must have an even number of columns");
  require_dtype(dstatistics, statistics.dtype, op, "dstatistics");
  require_size(dstatistics, statistics.size(), op, "dstatistics");
  if (dz) {
    require_dtype(dz, statistics.dtype, op, "dz");
    require_size(dz, n * d, op, "dz");
  }
  if (dkl) {
    require_dtype(dkl, DType::f32, op, "dkl");
    require_size(dkl, d, op, "dkl");
  }
  if (n == 0 || d == 0) return;
  dispatch_floating(op, statistics.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    LAUNCH((backward_kernel<T>), stride_grid(context, n * ceil_div(d, quad), block_threads), block_threads, 0,
           context.stream, dz.as<T>(), dkl.as<float>(), statistics.as<T>(), state, stream, params,
           dstatistics.as<T>(), n, d);
  });
}

}  // namespace chorale::cuda

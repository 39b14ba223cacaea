// SPDX-License-Identifier: MIT
// The maximisation of Gaussian mixtures, from sums about the old centers to parameters and what the next step
// reads, with m = N + 10 eps as in scikit-learn:
//
//   w = m / sum m    mu' = mu + first / m    full: S = second / m - N / m (mu' - mu)(mu' - mu)^T + reg I
//   tied: S = (scatter - sum_c m mu' mu'^T) / sum m + reg I       diagonal: the diagonal of full; spherical:
//   its mean S = U^T U    P = U^-1    log |P| = -sum log U_jj
//
// f64 throughout; factors are rounded once. Means and covariances are elementwise; then a block a matrix
// takes it through Cholesky by rows, in global memory (it stays in the second-level cache), and through the
// inverse from the last row up, four threads to an element; a last block tells the host's state. 2/3 d^3
// flops a matrix, 3 d barriers.
#include "kernels/cuda/cluster_gmm.cuh"
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/reduction.cuh"

namespace chorale::cuda {
namespace {

using gmm::finished;

constexpr int update_threads = 256, factor_threads = 512, factor_columns = 128,
              factor_groups = factor_threads / factor_columns;
constexpr double epsilon = 0x1p-52, log_two_pi = 1.8378770664093454836;

struct Update {
  std::int64_t k, d;
  const double* counts;
  const double* first;
  const double* second;
  const double* bound;  // may be null
  double reg_covar, tol;
  double* state;
  double* weights;
  double* means;
  double* covariances;
  float* centers;
  float* factors;
  double* constants;
  double* log_determinants;  // [matrices], NaN where not positive definite

  __device__ double divisor(std::int64_t c) const { return counts[c] + 10 * epsilon; }
  __device__ double step(std::int64_t c, std::int64_t j) const { return first[c * d + j] / divisor(c); }
};

__device__ inline double not_a_number() { return static_cast<double>(NAN); }
__device__ inline bool positive(double value) { return value > 0 && value < static_cast<double>(INFINITY); }

// A block a component.
__global__ void __launch_bounds__(update_threads) move_means(Update u) {
  if (finished(u.state)) return;
  double total = 0;
  for (std::int64_t c = threadIdx.x; c < u.k; c += update_threads) total += u.divisor(c);
  total = block_reduce<Sum, update_threads>(total);
  const std::int64_t c = blockIdx.x;
  if (threadIdx.x == 0) u.weights[c] = u.divisor(c) / total;
  for (std::int64_t j = threadIdx.x; j < u.d; j += update_threads) {
    const double mean = static_cast<double>(u.centers[c * u.d + j]) + u.step(c, j);
    u.means[c * u.d + j] = mean;
    u.centers[c * u.d + j] = static_cast<float>(mean);
  }
}

// Both triangles, also to `copy`.
__global__ void find_covariances(Update u, std::int64_t matrices, bool tied, double* copy) {
  if (finished(u.state)) return;
  for (std::int64_t at = global_thread(); at < matrices * u.d * u.d; at += global_threads()) {
    const std::int64_t c = at / (u.d * u.d), row = at / u.d % u.d, column = at % u.d,
                       i = row < column ? row : column, j = row < column ? column : row;
    double value = u.second[(c * u.d + i) * u.d + j];
    if (tied) {
      double total = 0;
      for (std::int64_t l = 0; l < u.k; ++l) {
        value -= u.divisor(l) * u.means[l * u.d + i] * u.means[l * u.d + j];
        total += u.divisor(l);
      }
      value /= total;
    } else {
      value = value / u.divisor(c) - u.counts[c] / u.divisor(c) * u.step(c, i) * u.step(c, j);
    }
    if (i == j) value += u.reg_covar;
    u.covariances[at] = value;
    copy[at] = value;
  }
}

// A block a matrix: a [d, d] becomes U, inverse U^-1.
__global__ void __launch_bounds__(factor_threads) factorize(Update u, double* all, double* inverses) {
  if (finished(u.state)) return;
  SHARED(double, parts, [factor_groups][factor_columns]);
  const std::int64_t d = u.d;
  const int thread = static_cast<int>(threadIdx.x), column = thread % factor_columns,
            group = thread / factor_columns;
  double* a = all + blockIdx.x * d * d;
  double* inverse = inverses + blockIdx.x * d * d;
  float* factor = u.factors + blockIdx.x * d * d;
  for (std::int64_t p = 0; p < d; ++p) {
    const double pivot = a[p * d + p];
    if (!positive(pivot)) {
      if (thread == 0) u.log_determinants[blockIdx.x] = not_a_number();
      return;
    }
    const double scale = 1 / sqrt(pivot);
    __syncthreads();  // all have read the pivot
    for (std::int64_t j = p + thread; j < d; j += factor_threads) a[p * d + j] *= scale;
    __syncthreads();
    for (std::int64_t i = p + 1 + group; i < d; i += factor_groups)
      for (std::int64_t j = p + 1 + column; j < d; j += factor_columns)
        if (j >= i) a[i * d + j] -= a[p * d + i] * a[p * d + j];
    __syncthreads();
  }
  for (std::int64_t i = d - 1; i >= 0; --i) {
    const double scale = 1 / a[i * d + i];
    for (std::int64_t first = 0; first < d; first += factor_columns) {
      const std::int64_t j = first + column;
      double sum = 0;
      if (j < d)
        for (std::int64_t p = i + 1 + group; p <= j; p += factor_groups)
          sum += a[i * d + p] * inverse[p * d + j];
      parts[group][column] = sum;
      __syncthreads();
      if (group == 0 && j < d) {
        for (int g = 1; g < factor_groups; ++g) sum += parts[g][column];
        const double value = j > i ? -scale * sum : j == i ? scale : 0.0;
        inverse[i * d + j] = value;
        factor[i * d + j] = static_cast<float>(value);
      }
      __syncthreads();
    }
  }
  double log_determinant = 0;
  for (std::int64_t j = thread; j < d; j += factor_threads) log_determinant -= log(a[j * d + j]);
  log_determinant = block_reduce<Sum, factor_threads>(log_determinant);
  if (thread == 0) u.log_determinants[blockIdx.x] = log_determinant;
}

// A block a component; covariances [k, d], or [k] if spherical.
__global__ void __launch_bounds__(update_threads) find_variances(Update u, bool spherical) {
  if (finished(u.state)) return;
  const std::int64_t c = blockIdx.x;
  const auto variance_of = [&](std::int64_t j) {
    const double value =
        u.second[c * u.d + j] / u.divisor(c) - u.counts[c] / u.divisor(c) * u.step(c, j) * u.step(c, j);
    return (value > 0 ? value : 0) + u.reg_covar;
  };
  double mean = 0;
  if (spherical) {
    for (std::int64_t j = threadIdx.x; j < u.d; j += update_threads)
      mean += variance_of(j) / static_cast<double>(u.d);
    mean = block_reduce<Sum, update_threads>(mean);
    if (threadIdx.x == 0) u.covariances[c] = mean;
  }
  double log_determinant = 0;
  for (std::int64_t j = threadIdx.x; j < u.d; j += update_threads) {
    const double variance = spherical ? mean : variance_of(j);
    if (!spherical) u.covariances[c * u.d + j] = variance;
    u.factors[c * u.d + j] = static_cast<float>(1 / sqrt(variance));
    log_determinant += positive(variance) ? -0.5 * log(variance) : not_a_number();
  }
  log_determinant = block_reduce<Sum, update_threads>(log_determinant);
  if (threadIdx.x == 0) u.log_determinants[c] = log_determinant;
}

// One block, the last to run: constants, and whether all is done.
__global__ void __launch_bounds__(update_threads) finish_update(Update u, std::int64_t matrices) {
  if (finished(u.state)) return;
  SHARED(std::int64_t, lowest, [update_threads]);
  std::int64_t failed = u.k;
  for (std::int64_t c = threadIdx.x; c < u.k; c += update_threads) {
    const double log_determinant = u.log_determinants[matrices == u.k ? c : 0];
    if (log_determinant != log_determinant && c < failed) failed = c;
    u.constants[c] = log(u.weights[c]) + log_determinant - 0.5 * static_cast<double>(u.d) * log_two_pi;
  }
  lowest[threadIdx.x] = failed;
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (int t = 1; t < update_threads; ++t) failed = lowest[t] < failed ? lowest[t] : failed;
  if (failed < u.k) u.state[gmm_failed] = static_cast<double>(failed + 1);
  if (!u.bound) return;
  const double change = *u.bound - u.state[gmm_bound];
  u.state[gmm_converged] = (change < 0 ? -change : change) < u.tol ? 1 : 0;
  u.state[gmm_bound] = *u.bound;
  u.state[gmm_steps] += 1;
}

}  // namespace

void gmm_update(Context& context, ConstView counts, ConstView first, ConstView second, ConstView bound,
                double reg_covar, double tol, View state, View weights, View means, View covariances,
                View centers, View factors, View constants) {
  require(centers.rank == 2, "gmm_update", "centers must be [k, d]");
  require_dtype(centers, DType::f32, "gmm_update", "centers");
  require_dtype(second, DType::f64, "gmm_update", "second");
  require_size(counts, centers.shape[0], "gmm_update", "counts");
  require_size(first, centers.size(), "gmm_update", "first");
  require_size(state, gmm_state_size, "gmm_update", "state");
  if (covariances.rank != 1) require_size(covariances, second.size(), "gmm_update", "covariances");
  const std::int64_t k = centers.shape[0], d = centers.shape[1],
                     matrices = covariances.rank == 3 ? covariances.shape[0] : k;
  const Scratch log_determinants(context, static_cast<std::size_t>(matrices) * sizeof(double));
  const Update u{k,
                 d,
                 counts.as<double>(),
                 first.as<double>(),
                 second.as<double>(),
                 bound.as<double>(),
                 reg_covar,
                 tol,
                 state.as<double>(),
                 weights.as<double>(),
                 means.as<double>(),
                 covariances.as<double>(),
                 centers.as<float>(),
                 factors.as<float>(),
                 constants.as<double>(),
                 log_determinants.as<double>()};
  LAUNCH((move_means), static_cast<unsigned>(k), update_threads, 0, context.stream, u);
  if (covariances.rank == 3) {
    const Scratch work(context, static_cast<std::size_t>(2 * matrices * d * d) * sizeof(double));
    double* inverses = work.as<double>() + matrices * d * d;
    LAUNCH((find_covariances), stride_grid(context, matrices * d * d, update_threads), update_threads, 0,
           context.stream, u, matrices, matrices < k, work.as<double>());
    LAUNCH((factorize), static_cast<unsigned>(matrices), factor_threads, 0, context.stream, u,
           work.as<double>(), inverses);
  } else {
    LAUNCH((find_variances), static_cast<unsigned>(k), update_threads, 0, context.stream, u,
           covariances.rank == 1);
  }
  LAUNCH((finish_update), 1, update_threads, 0, context.stream, u, matrices);
}

}  // namespace chorale::cuda

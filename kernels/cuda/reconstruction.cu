// SPDX-License-Identifier: MIT
// Negative log-likelihood of the input under the decoder's output, per row, and its gradient.
//
//   nll[r] = sum over d of  -log p(target[r, d] | y[r, d])         kinds in kernels/params.h, in nats
//   dy[r, d] = dnll[r] d nll / d y
//
// Layout: rows of d values; a grid of (pieces of a row, rows), because a batch of 32 rows of 165,376 bins
// must fill the device. 16-byte loads, f32 in a thread, f64 across threads and pieces, in order; constants
// are added once per row. Bytes: forward y + target; backward, and both in one pass, y + target + dy.
#include "kernels/cuda/reconstruction.h"

#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/reduction.cuh"
#include "kernels/cuda/vector.cuh"

namespace chorale::cuda {
namespace {

constexpr int block_threads = 256;
constexpr int min_blocks = 4;  // of a multiprocessor: leaves registers enough to spill none
constexpr std::int64_t max_grid_y = 65535;

/// A likelihood without its constant; `inverse_scale` as in LikelihoodParams.
struct SquaredError {
  __device__ static float value(float y, float x, float) { return (x - y) * (x - y); }
  __device__ static float derivative(float y, float x, float) { return 2.0f * (y - x); }
};
struct Gaussian {
  __device__ static float value(float y, float x, float inverse_scale) {
    const float d = (x - y) * inverse_scale;
    return 0.5f * d * d;
  }
  __device__ static float derivative(float y, float x, float inverse_scale) {
    return (y - x) * inverse_scale * inverse_scale;
  }
};
struct Laplace {
  __device__ static float value(float y, float x, float inverse_scale) {
    return fabsf(x - y) * inverse_scale;
  }
  __device__ static float derivative(float y, float x, float inverse_scale) {
    const float d = y - x;
    return d > 0.0f ? inverse_scale : (d < 0.0f ? -inverse_scale : d * 0.0f);
  }
};
struct Bernoulli {
  __device__ static float value(float y, float x, float) {
    return (y > 0.0f ? y : y * 0.0f) - x * y + log1pf(expf(-fabsf(y)));
  }
  __device__ static float derivative(float y, float x, float) { return 1.0f / (1.0f + expf(-y)) - x; }
};

template <class F>
void with_likelihood(const LikelihoodParams& params, F&& f) {
  switch (params.kind) {
    case Likelihood::squared_error:
      return f(SquaredError{}, 0.0);
    case Likelihood::gaussian:
      return f(Gaussian{}, std::log(static_cast<double>(params.scale)) + 0.9189385332046727);
    case Likelihood::laplace:
      return f(Laplace{}, std::log(2.0 * static_cast<double>(params.scale)));
    case Likelihood::bernoulli:
      return f(Bernoulli{}, 0.0);
  }
}

struct Rows {
  std::int64_t rows, columns, piece_size;
  bool packed;
};

// Writes the gradient to `dy` (may be y itself) if given, scaled by dnll if given; sums to `partial` if
// given.
template <class L, class T, class X, int N, bool with_sum, bool with_gradient>
__global__ void __launch_bounds__(block_threads, min_blocks)
    rows_kernel(const T* y, const X* target, const float* dnll, float inverse_scale, T* dy, double* partial,
                Rows r) {
  const std::int64_t begin = blockIdx.x * r.piece_size;
  const std::int64_t end = begin + r.piece_size < r.columns ? begin + r.piece_size : r.columns;
  for (std::int64_t row = blockIdx.y; row < r.rows; row += gridDim.y) {
    const T* ys = y + row * r.columns;
    const X* xs = target + row * r.columns;
    T* dys = dy + row * r.columns;
    const float factor = dnll ? dnll[row] : 1.0f;
    float sum = 0;
    if (r.packed) {
      for (std::int64_t i = begin / N + threadIdx.x; i < end / N; i += block_threads) {
        const Pack<T, N> a = load_pack<N>(ys, i);
        const Pack<X, N> b = load_pack<N>(xs, i);
        Pack<T, N> out;
        for (int j = 0; j < N; ++j) {
          const float u = to_float(a.value[j]), v = to_float(b.value[j]);
          if constexpr (with_sum) sum += L::value(u, v, inverse_scale);
          if constexpr (with_gradient)
            out.value[j] = from_float<T>(factor * L::derivative(u, v, inverse_scale));
        }
        if constexpr (with_gradient) store_pack(dys, i, out);
      }
    } else {
      for (std::int64_t i = begin + threadIdx.x; i < end; i += block_threads) {
        const float u = to_float(ys[i]), v = to_float(xs[i]);
        if constexpr (with_sum) sum += L::value(u, v, inverse_scale);
        if constexpr (with_gradient) dys[i] = from_float<T>(factor * L::derivative(u, v, inverse_scale));
      }
    }
    if constexpr (with_sum) {
      const double total = block_reduce<Sum, block_threads>(static_cast<double>(sum));
      if (threadIdx.x == 0) partial[row * gridDim.x + blockIdx.x] = total;
    }
  }
}

__global__ void __launch_bounds__(block_threads, min_blocks)
    finish_rows(const double* partial, int pieces, double constant, float* nll, std::int64_t rows) {
  constexpr int rows_per_block = block_threads / warp_size;
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  for (std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * rows_per_block; first < rows;
       first += static_cast<std::int64_t>(gridDim.x) * rows_per_block) {
    const std::int64_t row = first + threadIdx.x / warp_size;
    double sum = 0;
    for (int i = lane; row < rows && i < pieces; i += warp_size) sum += partial[row * pieces + i];
    sum = warp_reduce<Sum>(sum);
    if (lane == 0 && row < rows) nll[row] = static_cast<float>(sum + constant);
  }
}

struct Job {
  const char* op;
  ConstView y, target, dnll;
  LikelihoodParams params;
  View dy, nll;
};

template <bool with_sum, bool with_gradient>
void run(Context& context, const Job& job) {
  const std::int64_t rows = job.y.rows(), columns = job.y.columns();
  require_size(job.target, rows * columns, job.op, "target");
  require(job.params.kind == Likelihood::squared_error || job.params.kind == Likelihood::bernoulli ||
              job.params.scale > 0.0f,
          job.op, "scale must be positive");
  if (with_sum) {
    require_dtype(job.nll, DType::f32, job.op, "nll");
    require_size(job.nll, rows, job.op, "nll");
  }
  if (with_gradient) {
    require_dtype(job.dy, job.y.dtype, job.op, "dy");
    require_size(job.dy, rows * columns, job.op, "dy");
  }
  if (rows == 0) return;
  const float inverse_scale = 1.0f / job.params.scale;
  dispatch_floating_or_f32(job.op, job.y.dtype, job.target.dtype, [&](auto output, auto input) {
    using T = typename decltype(output)::type;
    using X = typename decltype(input)::type;
    constexpr int N = pack_width<T, X>();
    with_likelihood(job.params, [&](auto likelihood, double constant) {
      using L = decltype(likelihood);
      const bool packed = columns % N == 0 && packable<N>(job.y.template as<T>()) &&
                          packable<N>(job.target.template as<X>()) && packable<N>(job.dy.template as<T>());
      const std::int64_t wanted = ceil_div(static_cast<std::int64_t>(multiprocessors(context)) * 8, rows);
      std::int64_t pieces = std::max<std::int64_t>(1, std::min(wanted, columns / (block_threads * N)));
      const std::int64_t size = std::max<std::int64_t>(N, ceil_div(ceil_div(columns, pieces), N) * N);
      pieces = std::max<std::int64_t>(1, ceil_div(columns, size));
      const Scratch partial(context, with_sum ? static_cast<std::size_t>(rows * pieces) * sizeof(double) : 0);
      LAUNCH((rows_kernel<L, T, X, N, with_sum, with_gradient>),
             dim3(static_cast<unsigned>(pieces), static_cast<unsigned>(std::min(rows, max_grid_y))),
             block_threads, 0, context.stream, job.y.template as<T>(), job.target.template as<X>(),
             job.dnll.template as<float>(), inverse_scale, job.dy.template as<T>(),
             partial.template as<double>(), Rows{rows, columns, size, packed});
      if constexpr (with_sum) {
        LAUNCH((finish_rows), stride_grid(context, rows, block_threads / warp_size), block_threads, 0,
               context.stream, partial.template as<double>(), static_cast<int>(pieces),
               constant * static_cast<double>(columns), job.nll.template as<float>(), rows);
      }
    });
  });
}

}  // namespace

void reconstruction_forward(Context& context, ConstView y, ConstView target, LikelihoodParams params,
                            View nll) {
  run<true, false>(context, {"reconstruction_forward", y, target, {}, params, {}, nll});
}

void reconstruction_backward(Context& context, ConstView dnll, ConstView y, ConstView target,
                             LikelihoodParams params, View dy) {
  const char* op = "reconstruction_backward";
  require_dtype(dnll, DType::f32, op, "dnll");
  require_size(dnll, y.rows(), op, "dnll");
  run<false, true>(context, {op, y, target, dnll, params, dy, {}});
}

void reconstruction_in_place(Context& context, View y, ConstView target, LikelihoodParams params, View nll) {
  run<true, true>(context, {"linear_reconstruction", y, target, {}, params, y, nll});
}

}  // namespace chorale::cuda

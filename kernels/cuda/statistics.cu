// SPDX-License-Identifier: MIT
// Scalars that a training step keeps on the device.
//
//   square_sum           out += sum x^2                                     bytes: x
//   accumulate_metrics   sums[i] += weight values[i], sums[k] += weight     non-finite values are left out
//
// square_sum: squares and sums in f64, since gradients times a loss scale of 65,536 overflow f32 squares.
// Every block writes one partial sum, a last block adds them in order.
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/reduction.cuh"
#include "kernels/cuda/vector.cuh"

namespace chorale::cuda {
namespace {

constexpr int block_threads = 256;

template <class T, int N>
__global__ void __launch_bounds__(block_threads)
    square_sum_partial(const T* x, double* partial, std::int64_t size, std::int64_t packs) {
  double sum = 0;
  for (std::int64_t i = global_thread(); i < packs; i += global_threads()) {
    const Pack<T, N> pack = load_pack<N>(x, i);
    for (int j = 0; j < N; ++j) {
      const double value = static_cast<double>(to_float(pack.value[j]));
      sum += value * value;
    }
  }
  for (std::int64_t i = packs * N + global_thread(); i < size; i += global_threads()) {
    const double value = static_cast<double>(to_float(x[i]));
    sum += value * value;
  }
  sum = block_reduce<Sum, block_threads>(sum);
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

__global__ void __launch_bounds__(block_threads) add_partials(const double* partial, int count, double* out) {
  double sum = 0;
  for (int i = static_cast<int>(threadIdx.x); i < count; i += block_threads) sum += partial[i];
  sum = block_reduce<Sum, block_threads>(sum);
  if (threadIdx.x == 0) *out += sum;
}

__global__ void __launch_bounds__(block_threads)
    accumulate_metrics_kernel(const float* values, double weight, double* sums, std::int64_t k) {
  for (std::int64_t i = threadIdx.x; i <= k; i += block_threads) {
    if (i == k) {
      sums[k] += weight;
    } else if (fabsf(values[i]) < INFINITY) {
      sums[i] += weight * static_cast<double>(values[i]);
    }
  }
}

}  // namespace

void square_sum(Context& context, ConstView x, View out) {
  require_dtype(out, DType::f64, "square_sum", "out");
  require_size(out, 1, "square_sum", "out");
  const std::int64_t size = x.size();
  if (size == 0) return;
  dispatch_floating("square_sum", x.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    constexpr int N = pack_width<T>();
    const unsigned blocks = stride_grid(context, size, block_threads * N * 4, 4);
    const Scratch partial(context, blocks * sizeof(double));
    LAUNCH((square_sum_partial<T, N>), blocks, block_threads, 0, context.stream, x.as<T>(),
           partial.as<double>(), size, pack_count<N>(size, x.as<T>()));
    LAUNCH((add_partials), 1, block_threads, 0, context.stream, partial.as<double>(),
           static_cast<int>(blocks), out.as<double>());
  });
}

void accumulate_metrics(Context& context, ConstView values, double weight, View sums) {
  const char* op = "accumulate_metrics";
  require_dtype(values, DType::f32, op, "values");
  require_dtype(sums, DType::f64, op, "sums");
  require_size(sums, values.size() + 1, op, "sums");
  LAUNCH((accumulate_metrics_kernel), 1, block_threads, 0, context.stream, values.as<float>(), weight,
         sums.as<double>(), values.size());
}

}  // namespace chorale::cuda

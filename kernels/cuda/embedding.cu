// SPDX-License-Identifier: MIT
// The gradient of rows taken from a table:  dw[v] = beta dw[v] + sum of the rows dy[r] with index[r] = v.
//
// dy [n, d], index i64 [n], dw [v, d]. A block owns a row of dw and 256 columns. It looks through the index
// 256 at a time and adds the rows that are its own, in order, f64 in a thread: no atomics, no sorting. Bytes:
// dy + dw and, for every row of dw, the index, which stays in the cache; batches are small beside tables
// here.
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/launch.cuh"

namespace chorale::cuda {
namespace {

constexpr int block_threads = 256;

template <class T, class W>
__global__ void __launch_bounds__(block_threads)
    backward_kernel(const T* dy, const std::int64_t* index, std::int64_t rows, std::int64_t d, float beta,
                    W* dw) {
  SHARED(bool, mine, [block_threads]);
  const std::int64_t tiles = (d + block_threads - 1) / block_threads, v = blockIdx.x / tiles;
  const std::int64_t column = (blockIdx.x - v * tiles) * block_threads + threadIdx.x;
  double sum = 0;
  for (std::int64_t base = 0; base < rows; base += block_threads) {
    const bool own = base + threadIdx.x < rows && index[base + threadIdx.x] == v;
    mine[threadIdx.x] = own;
    if (__syncthreads_or(own) && column < d) {
      for (int k = 0; k < block_threads; ++k)
        if (mine[k]) sum += static_cast<double>(to_float(dy[(base + k) * d + column]));
    }
    __syncthreads();
  }
  if (column >= d) return;
  if (beta != 0.0f) sum += static_cast<double>(beta) * static_cast<double>(to_float(dw[v * d + column]));
  dw[v * d + column] = from_float<W>(static_cast<float>(sum));
}

}  // namespace

void embedding_backward(Context& context, ConstView dy, ConstView index, View dw, float beta) {
  const char* op = "embedding_backward";
  require(dy.rank == 2 && dw.rank == 2 && dy.shape[1] == dw.shape[1], op, "dy must be [n, d] and dw [v, d]");
  require_dtype(index, DType::i64, op, "index");
  require_size(index, dy.shape[0], op, "index");
  if (dw.size() == 0) return;
  const std::int64_t d = dw.shape[1];
  dispatch_floating_or_f32(op, dy.dtype, dw.dtype, [&](auto from, auto to) {
    using T = typename decltype(from)::type;
    using W = typename decltype(to)::type;
    LAUNCH((backward_kernel<T, W>), static_cast<unsigned>(dw.shape[0] * ceil_div(d, block_threads)),
           block_threads, 0, context.stream, dy.as<T>(), index.as<std::int64_t>(), dy.shape[0], d, beta,
           dw.as<W>());
  });
}

}  // namespace chorale::cuda

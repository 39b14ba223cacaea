// SPDX-License-Identifier: MIT
// Each column in a random order of its own: samples of the product of the marginals, from a batch of the
// joint (Kim and Mnih, "Disentangling by factorising", ICML 2018).
//
//   y[rank_k(r), k] = x[r, k],   rank_k(r) = place of word[r, k] among the words of column k, ties by row
//
// x, y [n, d]; word[r, k] is word r d + k of the Philox stream, so that the order is a function of seed and
// offset alone. One kernel draws the words, column by column in scratch memory; a second counts, a thread an
// element: its rank is the number of words before it, of which tiles of 256 pass through shared memory. n^2 d
// comparisons, in any order the same, and no bound on n; for a batch of some hundreds that is less than the
// launches. Bytes: x + y.
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/vector.cuh"
#include "kernels/philox.h"

namespace chorale::cuda {
namespace {

constexpr int block_threads = 256;

/// words [d, n]; a thread a Philox block, four elements of x.
__global__ void __launch_bounds__(block_threads)
    words_kernel(const StepState* state, std::uint32_t stream, std::uint32_t* words, std::int64_t n,
                 std::int64_t d) {
  const std::uint64_t seed = state->seed, offset = state->rng_offset;
  for (std::int64_t i = global_thread(); i * 4 < n * d; i += global_threads()) {
    const philox::Block block = philox::block(seed, offset, stream, static_cast<std::uint64_t>(i));
    for (int w = 0; w < 4 && i * 4 + w < n * d; ++w) {
      const std::int64_t row = quotient(i * 4 + w, d), column = i * 4 + w - row * d;
      words[column * n + row] = block.word[w];
    }
  }
}

/// Block (rows, column): 256 rows of a column.
template <class T>
__global__ void __launch_bounds__(block_threads)
    permute_kernel(const T* x, const std::uint32_t* words, T* y, std::int64_t n, std::int64_t d) {
  SHARED(std::uint32_t, tile, [block_threads]);
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * block_threads + threadIdx.x;
  for (std::int64_t column = blockIdx.y; column < d; column += gridDim.y) {
    const std::uint32_t* all = words + column * n;
    const std::uint32_t mine = row < n ? all[row] : 0;
    std::int64_t rank = 0;
    for (std::int64_t first = 0; first < n; first += block_threads) {
      if (first + threadIdx.x < n) tile[threadIdx.x] = all[first + threadIdx.x];
      __syncthreads();
      const int count = n - first < block_threads ? static_cast<int>(n - first) : block_threads;
      // Rows before this one win ties; their tile is this block's own or a lower one.
      const std::int64_t before = row - first;
      for (int i = 0; i < count; ++i) rank += tile[i] < mine || (tile[i] == mine && i < before);
      __syncthreads();
    }
    if (row < n) y[rank * d + column] = x[row * d + column];
  }
}

}  // namespace

void permute_columns(Context& context, ConstView x, const StepState* state, std::uint32_t stream, View y) {
  const char* op = "permute_columns";
  require(x.rank == 2, op, "x must be [n, d]");
  require_dtype(y, x.dtype, op, "y");
  require_size(y, x.size(), op, "y");
  if (x.size() == 0) return;
  const std::int64_t n = x.shape[0], d = x.shape[1];
  const Scratch words(context, static_cast<std::size_t>(n * d) * sizeof(std::uint32_t));
  LAUNCH((words_kernel), stride_grid(context, ceil_div(n * d, 4), block_threads), block_threads, 0,
         context.stream, state, stream, words.as<std::uint32_t>(), n, d);
  const dim3 grid(static_cast<unsigned>(ceil_div(n, block_threads)),
                  static_cast<unsigned>(std::min<std::int64_t>(d, 65535)));
  dispatch_floating(op, x.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    LAUNCH((permute_kernel<T>), grid, block_threads, 0, context.stream, x.as<T>(), words.as<std::uint32_t>(),
           y.as<T>(), n, d);
  });
}

}  // namespace chorale::cuda

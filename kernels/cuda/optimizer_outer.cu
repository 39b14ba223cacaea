// SPDX-License-Identifier: MIT
// The optimizer update of a linear layer's weight with the gradient formed on the fly, never stored.
//
//   g[o, i] = sum_r dy[r, o] x[r, i], then the rule in kernels/cuda/optimizer.cuh on p, m, v [out, in]
//
// A block owns a 64 x 64 tile of p and walks the batch in steps of 32 rows: dy's and x's columns of the tile
// go through shared memory, a thread keeps a 4 x 4 tile of g in registers, f32. Then p, m and v are touched
// once, 16 bytes at a time. Bytes for adamw: 24 a parameter (26 with a 16-bit shadow), and dy and x once per
// 64 columns of the other: batch / 16 bytes a parameter, little beside that for the batches trained on.
#include "kernels/cuda/optimizer.cuh"

namespace chorale::cuda {
namespace {

constexpr int tile = 64, depth = 32, quad = 4, across = tile / quad, block_threads = across * across;
constexpr int min_blocks = 2;  // of a multiprocessor: leaves registers enough to spill none

/// Columns [first, first + tile) of rows [row, row + depth) of a [n, columns], f32, zero outside.
template <class T>
__device__ inline void load_tile(const T* a, std::int64_t row, std::int64_t n, std::int64_t first,
                                 std::int64_t columns, float (&buffer)[depth][tile]) {
  for (int i = static_cast<int>(threadIdx.x); i < depth * tile; i += block_threads) {
    const std::int64_t r = row + i / tile, c = first + i % tile;
    buffer[i / tile][i % tile] = r < n && c < columns ? to_float(a[r * columns + c]) : 0.0f;
  }
}

template <class T, class S>
__global__ void __launch_bounds__(block_threads, min_blocks)
    outer_kernel(const StepState* state, OptimizerParams params, const T* dy, const T* x,
                 Parameters<S> parameters, std::int64_t n, std::int64_t out, std::int64_t in, bool packed) {
  SHARED(float, left, [depth][tile]);
  SHARED(float, right, [depth][tile]);
  if (state->found_inf) return;
  const UpdateRule rule(*state, params);
  const int column = static_cast<int>(threadIdx.x) % across * quad,
            row = static_cast<int>(threadIdx.x) / across * quad;
  const std::int64_t tiles_across = (in + tile - 1) / tile, tiles = tiles_across * ((out + tile - 1) / tile);
  for (std::int64_t t = blockIdx.x; t < tiles; t += gridDim.x) {
    const std::int64_t o0 = t / tiles_across * tile, i0 = t % tiles_across * tile;
    float g[quad][quad] = {};
    for (std::int64_t r = 0; r < n; r += depth) {
      load_tile(dy, r, n, o0, out, left);
      load_tile(x, r, n, i0, in, right);
      __syncthreads();
      for (int k = 0; k < depth; ++k) {
        const Pack<float, 4> a = *reinterpret_cast<const Pack<float, 4>*>(&left[k][row]);
        const Pack<float, 4> b = *reinterpret_cast<const Pack<float, 4>*>(&right[k][column]);
        for (int u = 0; u < quad; ++u)
          for (int v = 0; v < quad; ++v) g[u][v] += a.value[u] * b.value[v];
      }
      __syncthreads();
    }
    UNROLL
    for (int u = 0; u < quad; ++u) {
      const std::int64_t o = o0 + row + u, i = i0 + column;
      if (o < out && packed && i + quad <= in) {
        parameters.update_pack(rule, (o * in + i) / quad, g[u]);
      } else {
        UNROLL
        for (int v = 0; v < quad; ++v)
          if (o < out && i + v < in) parameters.update_one(rule, o * in + i + v, g[u][v]);
      }
    }
  }
}

}  // namespace

void optimizer_step_outer(Context& context, const StepState* state, OptimizerParams params, ConstView dy,
                          ConstView x, View p, View m, View v, View shadow) {
  const char* op = "optimizer_step_outer";
  const std::int64_t n = dy.rows(), out = dy.columns(), in = x.columns();
  require_dtype(x, dy.dtype, op, "x");
  require(x.rows() == n, op, "dy and x must have the same rows");
  require_size(p, out * in, op, "p");
  if (p.size() == 0) return;
  with_parameters(op, params, p, m, v, shadow, [&](auto copy) {
    using S = typename decltype(copy)::type;
    dispatch_floating(op, dy.dtype, [&](auto type) {
      using T = typename decltype(type)::type;
      const Parameters<S> parameters = parameters_of<S>(params, p, m, v, shadow);
      const std::int64_t tiles = ceil_div(out, tile) * ceil_div(in, tile);
      LAUNCH((outer_kernel<T, S>), static_cast<unsigned>(std::min<std::int64_t>(tiles, 0x7fffffff)),
             block_threads, 0, context.stream, state, params, dy.as<T>(), x.as<T>(), parameters, n, out, in,
             in % quad == 0 && parameters_packable(parameters));
    });
  });
}

}  // namespace chorale::cuda

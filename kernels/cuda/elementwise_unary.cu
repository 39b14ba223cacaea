// SPDX-License-Identifier: MIT
// y = f(x; a, b) and dx = dy * f'(x, y; a, b) for every functor of unary.def.
//
// Layout: any contiguous shape, read as one row of n elements. f32 arithmetic whatever the storage.
// Bytes: forward 2 n, backward up to 4 n storage elements; what a functor's derivative does not use is not
// loaded. A thread moves 16 bytes per array and step of its grid-stride loop.
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/vector.cuh"
#include "kernels/functors.h"

namespace chorale::cuda {
namespace {

constexpr int block_threads = 256;
constexpr int min_blocks = 4;  // of a multiprocessor: leaves registers enough to spill none

template <class F, class T, int N>
__global__ void __launch_bounds__(block_threads, min_blocks)
    unary_forward(const T* x, T* y, std::int64_t size, std::int64_t packs, float a, float b) {
  for (std::int64_t i = global_thread(); i < packs; i += global_threads()) {
    const Pack<T, N> in = load_pack<N>(x, i);
    Pack<T, N> out;
    for (int j = 0; j < N; ++j) out.value[j] = from_float<T>(F::f(to_float(in.value[j]), a, b));
    store_pack(y, i, out);
  }
  for (std::int64_t i = packs * N + global_thread(); i < size; i += global_threads())
    y[i] = from_float<T>(F::f(to_float(x[i]), a, b));
}

template <class F, class T, int N>
__global__ void __launch_bounds__(block_threads, min_blocks)
    unary_backward(const T* dy, const T* x, const T* y, T* dx, std::int64_t size, std::int64_t packs, float a,
                   float b) {
  for (std::int64_t i = global_thread(); i < packs; i += global_threads()) {
    const Pack<T, N> gradient = load_pack<N>(dy, i), in = load_pack<N>(x, i), value = load_pack<N>(y, i);
    Pack<T, N> out;
    for (int j = 0; j < N; ++j)
      out.value[j] = from_float<T>(to_float(gradient.value[j]) *
                                   F::df(to_float(in.value[j]), to_float(value.value[j]), a, b));
    store_pack(dx, i, out);
  }
  for (std::int64_t i = packs * N + global_thread(); i < size; i += global_threads())
    dx[i] = from_float<T>(to_float(dy[i]) * F::df(to_float(x[i]), to_float(y[i]), a, b));
}

template <class F>
void forward(Context& context, const char* op, const ConstView& x, const View& y, float a, float b) {
  const std::int64_t size = x.size();
  require_dtype(y, x.dtype, op, "y");
  require_size(y, size, op, "y");
  if (size == 0) return;
  dispatch_floating(op, x.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    constexpr int N = pack_width<T>();
    const std::int64_t packs = pack_count<N>(size, x.as<T>(), y.as<T>());
    LAUNCH((unary_forward<F, T, N>), stride_grid(context, size, block_threads * N), block_threads, 0,
           context.stream, x.as<T>(), y.as<T>(), size, packs, a, b);
  });
}

template <class F>
void backward(Context& context, const char* op, const ConstView& dy, ConstView x, ConstView y, const View& dx,
              float a, float b) {
  const std::int64_t size = dy.size();
  if (!x) x = y;  // a caller may leave out what the derivative does not use
  if (!y) y = x;
  require(static_cast<bool>(x), op, "neither x nor y is given");
  require_dtype(x, dy.dtype, op, "x");
  require_dtype(y, dy.dtype, op, "y");
  require_dtype(dx, dy.dtype, op, "dx");
  require_size(x, size, op, "x");
  require_size(y, size, op, "y");
  require_size(dx, size, op, "dx");
  if (size == 0) return;
  dispatch_floating(op, dy.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    constexpr int N = pack_width<T>();
    const std::int64_t packs = pack_count<N>(size, dy.as<T>(), x.as<T>(), y.as<T>(), dx.as<T>());
    LAUNCH((unary_backward<F, T, N>), stride_grid(context, size, block_threads * N), block_threads, 0,
           context.stream, dy.as<T>(), x.as<T>(), y.as<T>(), dx.as<T>(), size, packs, a, b);
  });
}

}  // namespace

#define UNARY(name)                                                                                \
  void name##_forward(Context& context, ConstView x, View y, float a, float b) {                   \
    forward<functor::name>(context, #name "_forward", x, y, a, b);                                 \
  }                                                                                                \
  void name##_backward(Context& context, ConstView dy, ConstView x, ConstView y, View dx, float a, \
                       float b) {                                                                  \
    backward<functor::name>(context, #name "_backward", dy, x, y, dx, a, b);                       \
  }
#include "kernels/unary.def"
#undef UNARY

}  // namespace chorale::cuda

// SPDX-License-Identifier: MIT
// out = f(x, y), dx = dout * df/dx and dy = dout * df/dy for every functor of binary.def.
//
// Layout: x, out and the gradients are rows of n elements; y has m of them, n a multiple of m, and repeats:
// element i of x meets element i mod m of y. f32 arithmetic whatever the storage. dy is not reduced over the
// repeats. Bytes: forward 2 n + m, backward up to 4 n + m storage elements. A thread moves 16 bytes per array
// and step; y goes by 16 bytes too when m is a multiple of that, and is one register when m is 1.
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/vector.cuh"
#include "kernels/functors.h"

namespace chorale::cuda {
namespace {

constexpr int block_threads = 256;
constexpr int min_blocks = 4;  // of a multiprocessor: leaves registers enough to spill none

template <int N, class T>
__device__ inline Pack<T, N> load_repeated(const T* y, std::int64_t pack, std::int64_t size,
                                           std::int64_t period) {
  if (period == size) return load_pack<N>(y, pack);
  if (period > 1) return load_pack<N>(y, wrap(pack, period / N));
  Pack<T, N> same;
  for (int j = 0; j < N; ++j) same.value[j] = y[0];
  return same;
}

template <class F, class T, int N>
__global__ void __launch_bounds__(block_threads, min_blocks)
    binary_forward(const T* x, const T* y, T* out, std::int64_t size, std::int64_t period,
                   std::int64_t packs) {
  for (std::int64_t i = global_thread(); i < packs; i += global_threads()) {
    const Pack<T, N> a = load_pack<N>(x, i), b = load_repeated<N>(y, i, size, period);
    Pack<T, N> result;
    for (int j = 0; j < N; ++j)
      result.value[j] = from_float<T>(F::f(to_float(a.value[j]), to_float(b.value[j])));
    store_pack(out, i, result);
  }
  for (std::int64_t i = packs * N + global_thread(); i < size; i += global_threads())
    out[i] = from_float<T>(F::f(to_float(x[i]), to_float(y[wrap(i, period)])));
}

template <class F, class T, int N>
__global__ void __launch_bounds__(block_threads, min_blocks)
    binary_backward(const T* dout, const T* x, const T* y, T* dx, T* dy, std::int64_t size,
                    std::int64_t period, std::int64_t packs) {
  for (std::int64_t i = global_thread(); i < packs; i += global_threads()) {
    const Pack<T, N> g = load_pack<N>(dout, i), a = load_pack<N>(x, i),
                     b = load_repeated<N>(y, i, size, period);
    Pack<T, N> by_x, by_y;
    for (int j = 0; j < N; ++j) {
      const float gradient = to_float(g.value[j]), u = to_float(a.value[j]), v = to_float(b.value[j]);
      by_x.value[j] = from_float<T>(gradient * F::dx(u, v));
      by_y.value[j] = from_float<T>(gradient * F::dy(u, v));
    }
    if (dx) store_pack(dx, i, by_x);
    if (dy) store_pack(dy, i, by_y);
  }
  for (std::int64_t i = packs * N + global_thread(); i < size; i += global_threads()) {
    const float gradient = to_float(dout[i]), u = to_float(x[i]), v = to_float(y[wrap(i, period)]);
    if (dx) dx[i] = from_float<T>(gradient * F::dx(u, v));
    if (dy) dy[i] = from_float<T>(gradient * F::dy(u, v));
  }
}

/// Elements of y, whose shape must be a suffix of x's, or one element.
std::int64_t repeated_size(const char* op, const ConstView& x, const ConstView& y) {
  require_dtype(y, x.dtype, op, "y");
  bool suffix = y.rank <= x.rank;
  for (int i = 1; suffix && i <= y.rank; ++i)
    suffix = y.shape[static_cast<std::size_t>(y.rank - i)] == x.shape[static_cast<std::size_t>(x.rank - i)];
  require(suffix || y.size() == 1, op, "y's shape must be a suffix of x's, or one element");
  return y.size();
}

template <class F>
void forward(Context& context, const char* op, const ConstView& x, const ConstView& y, const View& out) {
  const std::int64_t size = x.size(), period = repeated_size(op, x, y);
  require_dtype(out, x.dtype, op, "out");
  require_size(out, size, op, "out");
  if (size == 0) return;
  dispatch_floating(op, x.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    constexpr int N = pack_width<T>();
    const bool whole = period == size || period == 1 || period % N == 0;
    const bool y_aligned = period == 1 || packable<N>(y.as<T>());
    const std::int64_t packs = whole && y_aligned ? pack_count<N>(size, x.as<T>(), out.as<T>()) : 0;
    LAUNCH((binary_forward<F, T, N>), stride_grid(context, size, block_threads * N), block_threads, 0,
           context.stream, x.as<T>(), y.as<T>(), out.as<T>(), size, period, packs);
  });
}

template <class F>
void backward(Context& context, const char* op, const ConstView& dout, const ConstView& x, const ConstView& y,
              const View& dx, const View& dy) {
  const std::int64_t size = dout.size(), period = repeated_size(op, x, y);
  require_dtype(x, dout.dtype, op, "x");
  require_size(x, size, op, "x");
  for (const View* gradient : {&dx, &dy}) {
    if (!*gradient) continue;
    require_dtype(*gradient, dout.dtype, op, "gradient");
    require_size(*gradient, size, op, "gradient");
  }
  if (size == 0 || (!dx && !dy)) return;
  dispatch_floating(op, dout.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    constexpr int N = pack_width<T>();
    const bool whole = period == size || period == 1 || period % N == 0;
    const bool y_aligned = period == 1 || packable<N>(y.as<T>());
    const std::int64_t packs =
        whole && y_aligned ? pack_count<N>(size, dout.as<T>(), x.as<T>(), dx.as<T>(), dy.as<T>()) : 0;
    LAUNCH((binary_backward<F, T, N>), stride_grid(context, size, block_threads * N), block_threads, 0,
           context.stream, dout.as<T>(), x.as<T>(), y.as<T>(), dx.as<T>(), dy.as<T>(), size, period, packs);
  });
}

}  // namespace

#define BINARY(name)                                                                                        \
  void name##_forward(Context& context, ConstView x, ConstView y, View out) {                               \
    forward<functor::name>(context, #name "_forward", x, y, out);                                           \
  }                                                                                                         \
  void name##_backward(Context& context, ConstView dout, ConstView x, ConstView y, View dx, View dy_full) { \
    backward<functor::name>(context, #name "_backward", dout, x, y, dx, dy_full);                           \
  }
#include "kernels/binary.def"
#undef BINARY

}  // namespace chorale::cuda

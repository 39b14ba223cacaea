// SPDX-License-Identifier: MIT
// Feature-wise linear modulation (Perez et al., AAAI 2018) of x [n, ..., c] by film [n, 2 c] = [scale |
// shift]:
//
//   y = x (1 + scale) + shift
//   dx = dy (1 + scale)     dscale = sum dy x, dshift = sum dy over the pixels of a sample
//
// A sample is a matrix [pixels, c], walked as kernels/cuda/columns.cuh says: f32 sums in a thread, then f64.
// Bytes: forward x + y, backward dy + x + dx in one pass; partial sums are added by a second, small launch.
#include "kernels/cuda/columns.cuh"
#include "kernels/cuda/dispatch_packs.cuh"

namespace chorale::cuda {
namespace {

template <class T, int V>
__device__ inline void load_scale(const T* film, const Walk& w, const Place<V>& p, float (&scale)[V]) {
  for (int j = 0; j < V; ++j) scale[j] = 1.0f + to_float(film[p.group * 2 * w.columns + p.column + j]);
}

template <class T, int V>
__global__ void __launch_bounds__(slab_threads)
    forward_kernel(const T* __restrict__ x, const T* film, Walk w, T* __restrict__ y) {
  const Place<V> p = place_of<V>(w);
  if (!p.active) return;
  float scale[V], shift[V];
  load_scale<T, V>(film, w, p, scale);
  for (int j = 0; j < V; ++j) shift[j] = to_float(film[(p.group * 2 + 1) * w.columns + p.column + j]);
  for (std::int64_t r = p.first; r < p.last; r += Place<V>::stride) {
    const std::int64_t i = (p.group * w.rows + r) * w.columns + p.column;
    Pack<T, V> pack = load_pack<V>(x + i, 0);
    for (int j = 0; j < V; ++j) pack.value[j] = from_float<T>(to_float(pack.value[j]) * scale[j] + shift[j]);
    store_pack(y + i, 0, pack);
  }
}

/// dx where asked for, and partial[unit][column] = sums of dy x and dy.
template <class T, int V>
__global__ void __launch_bounds__(slab_threads)
    backward_kernel(const T* __restrict__ dy, const T* __restrict__ x, const T* film, Walk w,
                    T* __restrict__ dx, Pair* partial) {
  const Place<V> p = place_of<V>(w);
  float scale[V] = {}, product[V] = {}, sum[V] = {};
  if (p.active) {
    load_scale<T, V>(film, w, p, scale);
    for (std::int64_t r = p.first; r < p.last; r += Place<V>::stride) {
      const std::int64_t i = (p.group * w.rows + r) * w.columns + p.column;
      Pack<T, V> gradient = load_pack<V>(dy + i, 0);
      const Pack<T, V> in = load_pack<V>(x + i, 0);
      for (int j = 0; j < V; ++j) {
        const float g = to_float(gradient.value[j]);
        product[j] += g * to_float(in.value[j]);
        sum[j] += g;
        gradient.value[j] = from_float<T>(g * scale[j]);
      }
      if (dx) store_pack(dx + i, 0, gradient);
    }
  }
  store_sums<V>(w, p, product, sum, partial);
}

template <class T>
__global__ void __launch_bounds__(slab_threads) finish_kernel(const Pair* partial, Walk w, T* dfilm) {
  for (std::int64_t i = global_thread(); i < w.groups * w.columns; i += global_threads()) {
    const std::int64_t sample = quotient(i, w.columns), column = i - sample * w.columns;
    Pair sum{0, 0};
    for (std::int64_t piece = 0; piece < w.pieces; ++piece) {
      const Pair part = partial[(sample * w.pieces + piece) * w.columns + column];
      sum.a += part.a;
      sum.b += part.b;
    }
    dfilm[sample * 2 * w.columns + column] = from_float<T>(static_cast<float>(sum.a));
    dfilm[(sample * 2 + 1) * w.columns + column] = from_float<T>(static_cast<float>(sum.b));
  }
}

void check(const char* op, const ConstView& x, const ConstView& film) {
  require(x.rank >= 2 && film.rank == 2 && film.shape[0] == x.shape[0] && film.shape[1] == 2 * x.columns(),
          op, "film must be [n, 2 c] for x [n, ..., c]");
  require_dtype(film, x.dtype, op, "film");
}

void check_like_x(const char* op, const ConstView& x, const ConstView& v) {
  require_dtype(v, x.dtype, op, "an argument like x");
  require_size(v, x.size(), op, "an argument like x");
}

/// Samples as matrices [pixels, c].
Walk samples_of(const Context& context, const ConstView& x) {
  return walk_of(context, x.shape[0], x.rows() / x.shape[0], x.columns());
}

}  // namespace

void film_forward(Context& context, ConstView x, ConstView film, View y) {
  const char* op = "film_forward";
  check(op, x, film);
  check_like_x(op, x, y);
  if (x.size() == 0) return;
  const Walk w = samples_of(context, x);
  dispatch_packs(op, w.columns, x, y, x, [&](auto type, auto width) {
    using T = typename decltype(type)::type;
    LAUNCH((forward_kernel<T, decltype(width)::value>), w.blocks(), slab_threads, 0, context.stream,
           x.as<T>(), film.as<T>(), w, y.as<T>());
  });
}

void film_backward(Context& context, ConstView dy, ConstView x, ConstView film, View dx, View dfilm) {
  const char* op = "film_backward";
  check(op, x, film);
  check_like_x(op, x, dy);
  if (dx) check_like_x(op, x, dx);
  if (dfilm) check_like_x(op, film, dfilm);
  if (film.size() == 0) return;
  require(x.size() > 0, op, "x must have pixels");
  const Walk w = samples_of(context, x);
  const Scratch partial(context, static_cast<std::size_t>(w.groups * w.pieces * w.columns) * sizeof(Pair));
  dispatch_packs(op, w.columns, x, dy, dx, [&](auto type, auto width) {
    using T = typename decltype(type)::type;
    LAUNCH((backward_kernel<T, decltype(width)::value>), w.blocks(), slab_threads, 0, context.stream,
           dy.as<T>(), x.as<T>(), film.as<T>(), w, dx.as<T>(), partial.as<Pair>());
    if (dfilm)
      LAUNCH((finish_kernel<T>), stride_grid(context, w.groups * w.columns, slab_threads), slab_threads, 0,
             context.stream, partial.as<Pair>(), w, dfilm.as<T>());
  });
}

}  // namespace chorale::cuda

// SPDX-License-Identifier: MIT
// What batch and group normalisation share. x is `groups` matrices [rows, columns]; column c of group g has
// mean[at], rstd[at] with at = g stride + c / width:
//
//   batch norm   stride = 0, width = 1: statistics by column for all groups
//   group norm   stride = statistics of a sample, width = columns of each
//
//   xhat = (x - mean) rstd                  y = dropout(activation(gamma xhat + beta))
//   g = dropout(dy) activation'(gamma xhat + beta)
//   dx = rstd (gamma g - mean_g - xhat mean_gx), mean_g and mean_gx the means of gamma g and gamma g xhat
//   over the elements that share statistics
//
// The variance comes from sums of x - x[group's first row, c], so a large mean cancels nothing. f32
// arithmetic; sums as kernels/cuda/columns.cuh says. Bytes: moments x, forward x + y, gradient sums dy + x,
// backward dy + x + dx.
#pragma once
#include "kernels/cuda/columns.cuh"
#include "kernels/cuda/dispatch_packs.cuh"
#include "kernels/functors.h"
#include "kernels/philox.h"

namespace chorale::cuda {

struct Normalisation {
  const float *gamma, *beta, *mean, *rstd;
  std::int64_t stride, width;
  Activation activation;
  float slope;
  ChannelDropout dropout;
  const StepState* state;
};

__device__ inline float activate(Activation activation, float slope, float x) {
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::relu:
      return functor::relu::f(x, 0.0f, 0.0f);
    case Activation::leaky_relu:
      return functor::leaky_relu::f(x, slope, 0.0f);
    case Activation::tanh:
      return functor::tanh::f(x, 0.0f, 0.0f);
    case Activation::gelu:
      return functor::gelu::f(x, 0.0f, 0.0f);
  }
  return x;
}
__device__ inline float activation_slope(Activation activation, float slope, float x) {
  if (activation == Activation::relu) return functor::relu::df(x, 0.0f, 0.0f, 0.0f);
  if (activation == Activation::leaky_relu) return functor::leaky_relu::df(x, 0.0f, slope, 0.0f);
  return 1.0f;
}

/// Which of V columns dropout keeps: drawn once for a sample's channels, or for each row.
template <int V>
class Mask {
 public:
  __device__ Mask(const Normalisation& n, std::int64_t index) : dropout_(n.dropout), state_(n.state) {
    keep_ = dropout_.p > 0.0f ? 1.0f / (1.0f - dropout_.p) : 1.0f;
    if (dropout_.p > 0.0f && dropout_.rows_per_sample > 1) draw(index);
  }
  /// For elements `index` to index + V of x.
  __device__ void row(std::int64_t index) {
    if (dropout_.p > 0.0f && dropout_.rows_per_sample == 1) draw(index);
  }
  __device__ float apply(int j, float value) const { return kept_ >> j & 1u ? value * keep_ : 0.0f; }

 private:
  __device__ void draw(std::int64_t index) {
    constexpr int step = V % 4 == 0 ? 4 : 1;  // packs start at a multiple of their width
    kept_ = 0;
    for (int j = 0; j < V; j += step) {
      const philox::Block block = philox::block(state_->seed, state_->rng_offset, dropout_.stream,
                                                static_cast<std::uint64_t>(index + j) / 4);
      for (int k = 0; k < 4; ++k) {
        const bool keep = philox::uniform(block.word[k]) >= dropout_.p;
        if (step == 4)
          kept_ |= static_cast<unsigned>(keep) << (j + k);
        else if (k == (index + j) % 4)
          kept_ |= static_cast<unsigned>(keep) << j;
      }
    }
  }
  ChannelDropout dropout_;
  const StepState* state_;
  float keep_;
  unsigned kept_ = ~0u;  ///< bit j: column j
};

/// A thread's columns of the arguments.
template <int V>
struct Arguments {
  Arguments() = default;
  __device__ Arguments(const Normalisation& n, const Place<V>& p) {
    for (int j = 0; j < V; ++j) {
      const std::int64_t c = p.column + j, at = p.group * n.stride + c / n.width;
      mean[j] = n.mean[at];
      rstd[j] = n.rstd[at];
      gamma[j] = n.gamma[c];
      beta[j] = n.beta[c];
    }
  }
  float mean[V], rstd[V], gamma[V], beta[V];
};

/// Adds x - pivot and its square over the place's rows.
template <class T, int V>
__device__ inline void shifted_sums(const T* __restrict__ x, const Walk& w, const Place<V>& p,
                                    float (&sum)[V], float (&squares)[V]) {
  const T* matrix = x + p.group * w.rows * w.columns + p.column;
  const Pack<T, V> first = load_pack<V>(matrix, 0);
  float pivot[V];
  for (int j = 0; j < V; ++j) pivot[j] = to_float(first.value[j]);
  for (std::int64_t r = p.first; r < p.last; r += Place<V>::stride) {
    const Pack<T, V> in = load_pack<V>(matrix + r * w.columns, 0);
    for (int j = 0; j < V; ++j) {
      const float d = to_float(in.value[j]) - pivot[j];
      sum[j] += d;
      squares[j] += d * d;
    }
  }
}

/// partial[unit][column] = sums of x - pivot and its square.
template <class T, int V>
__global__ void __launch_bounds__(slab_threads, slab_blocks)
    moments_partial(const T* x, Walk w, Pair* partial) {
  const Place<V> p = place_of<V>(w);
  float sum[V] = {}, squares[V] = {};
  if (p.active) shifted_sums<T, V>(x, w, p, sum, squares);
  store_sums<V>(w, p, sum, squares, partial);
}

template <class T, int V>
__device__ inline void normalise_rows(const T* __restrict__ x, const Walk& w, const Place<V>& p,
                                      const Normalisation& n, const Arguments<V>& a, T* __restrict__ y) {
  Mask<V> mask(n, p.group * w.columns + p.column);
  float scale[V];
  for (int j = 0; j < V; ++j) scale[j] = a.gamma[j] * a.rstd[j];
  for (std::int64_t r = p.first; r < p.last; r += Place<V>::stride) {
    const std::int64_t i = (p.group * w.rows + r) * w.columns + p.column;
    Pack<T, V> pack = load_pack<V>(x + i, 0);
    mask.row(i);
    for (int j = 0; j < V; ++j) {
      const float pre = (to_float(pack.value[j]) - a.mean[j]) * scale[j] + a.beta[j];
      pack.value[j] = from_float<T>(mask.apply(j, activate(n.activation, n.slope, pre)));
    }
    store_pack(y + i, 0, pack);
  }
}

template <class T, int V>
__global__ void __launch_bounds__(slab_threads, slab_blocks)
    normalise_forward(const T* x, Walk w, Normalisation n, T* y) {
  const Place<V> p = place_of<V>(w);
  if (p.active) normalise_rows<T, V>(x, w, p, n, Arguments<V>(n, p), y);
}

/// g and xhat of one element.
template <int V>
__device__ inline void gradient_at(const Normalisation& n, const Arguments<V>& a, const Mask<V>& mask, int j,
                                   float dy, float x, float& g, float& xhat) {
  xhat = (x - a.mean[j]) * a.rstd[j];
  g = mask.apply(j, dy) * activation_slope(n.activation, n.slope, a.gamma[j] * xhat + a.beta[j]);
}

/// Adds g and g xhat over the place's rows.
template <class T, int V>
__device__ inline void gradient_sums(const T* __restrict__ dy, const T* __restrict__ x, const Walk& w,
                                     const Place<V>& p, const Normalisation& n, const Arguments<V>& a,
                                     float (&sum)[V], float (&product)[V]) {
  Mask<V> mask(n, p.group * w.columns + p.column);
  for (std::int64_t r = p.first; r < p.last; r += Place<V>::stride) {
    const std::int64_t i = (p.group * w.rows + r) * w.columns + p.column;
    const Pack<T, V> gradient = load_pack<V>(dy + i, 0), in = load_pack<V>(x + i, 0);
    mask.row(i);
    for (int j = 0; j < V; ++j) {
      float g, xhat;
      gradient_at(n, a, mask, j, to_float(gradient.value[j]), to_float(in.value[j]), g, xhat);
      sum[j] += g;
      product[j] += g * xhat;
    }
  }
}

/// partial[unit][column] = sums of g and g xhat.
template <class T, int V>
__global__ void __launch_bounds__(slab_threads, slab_blocks)
    gradient_partial(const T* dy, const T* x, Walk w, Normalisation n, Pair* partial) {
  const Place<V> p = place_of<V>(w);
  float sum[V] = {}, product[V] = {};
  if (p.active) gradient_sums<T, V>(dy, x, w, p, n, Arguments<V>(n, p), sum, product);
  store_sums<V>(w, p, sum, product, partial);
}

template <class T, int V>
__device__ inline void write_dx(const T* __restrict__ dy, const T* __restrict__ x, const Walk& w,
                                const Place<V>& p, const Normalisation& n, const Arguments<V>& a,
                                const float (&mean_g)[V], const float (&mean_gx)[V], T* __restrict__ dx) {
  Mask<V> mask(n, p.group * w.columns + p.column);
  for (std::int64_t r = p.first; r < p.last; r += Place<V>::stride) {
    const std::int64_t i = (p.group * w.rows + r) * w.columns + p.column;
    const Pack<T, V> gradient = load_pack<V>(dy + i, 0), in = load_pack<V>(x + i, 0);
    mask.row(i);
    Pack<T, V> out;
    for (int j = 0; j < V; ++j) {
      float g, xhat;
      gradient_at(n, a, mask, j, to_float(gradient.value[j]), to_float(in.value[j]), g, xhat);
      out.value[j] = from_float<T>(a.rstd[j] * (a.gamma[j] * g - mean_g[j] - xhat * mean_gx[j]));
    }
    store_pack(dx + i, 0, out);
  }
}

/// `means` holds mean_g, then mean_gx, `statistics` of each.
template <class T, int V>
__global__ void __launch_bounds__(slab_threads, slab_blocks)
    normalise_backward(const T* dy, const T* x, Walk w, Normalisation n, const float* means,
                       std::int64_t statistics, T* dx) {
  const Place<V> p = place_of<V>(w);
  if (!p.active) return;
  float mean_g[V], mean_gx[V];
  for (int j = 0; j < V; ++j) {
    const std::int64_t at = p.group * n.stride + (p.column + j) / n.width;
    mean_g[j] = means[at];
    mean_gx[j] = means[statistics + at];
  }
  write_dx<T, V>(dy, x, w, p, n, Arguments<V>(n, p), mean_g, mean_gx, dx);
}

// ---- checks ----
inline void check_normalisation(const char* op, const ConstView& x, std::initializer_list<ConstView> like_x,
                                std::initializer_list<ConstView> columns) {
  require(x.rank >= 2, op, "x must have rows and columns");
  for (const ConstView& v : like_x) {
    require_dtype(v, x.dtype, op, "an argument like x");
    require_size(v, x.size(), op, "an argument like x");
  }
  for (const ConstView& v : columns) {
    require_dtype(v, DType::f32, op, "a per-column argument");
    require_size(v, x.columns(), op, "a per-column argument");
  }
}
inline void check_gradient(const char* op, Activation activation) {
  require(activation == Activation::none || activation == Activation::relu ||
              activation == Activation::leaky_relu,
          op, "activation must be none, relu or leaky_relu");
}

}  // namespace chorale::cuda

// SPDX-License-Identifier: MIT
// Group normalisation (Wu and He, ECCV 2018) of x [n, ..., c], with the activation that follows it: as batch
// normalisation, but mean and variance are those of one sample over the pixels and the c / groups channels of
// a group.
//
//   xhat = (x - mean) rstd     y = activation(gamma xhat + beta)     g = dy activation'(gamma xhat + beta)
//   dbeta = sum g, dgamma = sum g xhat over samples and pixels
//   dx = rstd (gamma g - mean of gamma g - xhat mean of gamma g xhat), means over the sample's group
//
// Partial sums for each (sample, channel) and piece of the pixels, a warp joins those of a (sample, group) in
// f64, then one elementwise pass (kernels/cuda/normalise.cuh). Bytes: forward 2 x + y, backward 2 (dy + x) +
// dx.
#include "kernels/cuda/normalise.cuh"
#include "kernels/cuda/reduction.cuh"

namespace chorale::cuda {
namespace {

/// The sum over a sample's pieces of one channel.
__device__ inline Pair over_pieces(const Pair* partial, const Walk& w, std::int64_t sample,
                                   std::int64_t channel) {
  Pair sum{0, 0};
  for (std::int64_t piece = 0; piece < w.pieces; ++piece) {
    const Pair part = partial[(sample * w.pieces + piece) * w.columns + channel];
    sum.a += part.a;
    sum.b += part.b;
  }
  return sum;
}

/// The warp's (sample, group); one warp for each.
__device__ inline std::int64_t warp_number() { return global_thread() / warp_size; }
__device__ inline int lane_number() { return static_cast<int>(threadIdx.x) % warp_size; }

// Channels were summed around pivots of their own; here all deviations are taken from the first channel's
// pivot.
template <class T>
__global__ void __launch_bounds__(slab_threads)
    forward_finish(const T* x, const Pair* partial, Walk w, std::int64_t groups, float epsilon, float* mean,
                   float* rstd) {
  const std::int64_t at = warp_number(), width = w.columns / groups;
  if (at >= w.groups * groups) return;
  const std::int64_t sample = at / groups, first = at % groups * width;
  const T* row = x + sample * w.rows * w.columns;
  const double centre = static_cast<double>(to_float(row[first])), rows = static_cast<double>(w.rows);
  double shift = 0, shift_squares = 0, squares = 0;
  for (std::int64_t c = first + lane_number(); c < first + width; c += warp_size) {
    const Pair sums = over_pieces(partial, w, sample, c);
    const double d = static_cast<double>(to_float(row[c])) - centre + sums.a / rows,
                 own = sums.b - sums.a * sums.a / rows;
    shift += d;
    shift_squares += d * d;
    squares += own < 0 ? 0 : own;
  }
  shift = warp_reduce<Sum>(shift) / static_cast<double>(width);
  const double between = warp_reduce<Sum>(shift_squares) / static_cast<double>(width) - shift * shift;
  const double within = warp_reduce<Sum>(squares) / (rows * static_cast<double>(width));
  if (lane_number() != 0) return;
  mean[at] = static_cast<float>(centre + shift);
  rstd[at] =
      static_cast<float>(1.0 / sqrt(within + (between < 0 ? 0 : between) + static_cast<double>(epsilon)));
}

/// totals [n, c] and the means of gamma g and gamma g xhat over (sample, group): `means` [2][n groups].
__global__ void __launch_bounds__(slab_threads)
    backward_means(const Pair* partial, Walk w, Normalisation n, std::int64_t groups, Pair* totals,
                   float* means) {
  const std::int64_t at = warp_number(), width = w.columns / groups, statistics = w.groups * groups;
  if (at >= statistics) return;
  const std::int64_t sample = at / groups, first = at % groups * width;
  double g = 0, gx = 0;
  for (std::int64_t c = first + lane_number(); c < first + width; c += warp_size) {
    const Pair sums = over_pieces(partial, w, sample, c);
    totals[sample * w.columns + c] = sums;
    g += static_cast<double>(n.gamma[c]) * sums.a;
    gx += static_cast<double>(n.gamma[c]) * sums.b;
  }
  g = warp_reduce<Sum>(g);
  gx = warp_reduce<Sum>(gx);
  if (lane_number() != 0) return;
  const double elements = static_cast<double>(w.rows * width);
  means[at] = static_cast<float>(g / elements);
  means[statistics + at] = static_cast<float>(gx / elements);
}

__global__ void __launch_bounds__(adding_threads)
    backward_finish(const Pair* totals, std::int64_t samples, std::int64_t columns, float* dgamma,
                    float* dbeta) {
  const std::int64_t column = static_cast<std::int64_t>(blockIdx.x) * slab + threadIdx.x % slab;
  const Pair sums = add_pieces(totals, samples, column, columns);
  if (column >= columns || threadIdx.x >= slab) return;
  dbeta[column] = static_cast<float>(sums.a);
  dgamma[column] = static_cast<float>(sums.b);
}

/// Samples as matrices [pixels, c].
Walk samples_of(const Context& context, const ConstView& x) {
  return walk_of(context, x.shape[0], x.rows() / x.shape[0], x.columns());
}

unsigned warp_blocks(std::int64_t warps) {
  return static_cast<unsigned>(ceil_div(warps * warp_size, slab_threads));
}

void check(const char* op, const ConstView& x, std::int64_t groups, const ConstView& mean,
           const ConstView& rstd) {
  require(groups > 0 && x.columns() % groups == 0, op, "groups must divide the channels");
  for (const ConstView& v : {mean, rstd}) {
    require_dtype(v, DType::f32, op, "mean or rstd");
    require_size(v, x.shape[0] * groups, op, "mean or rstd");
  }
}

}  // namespace

void group_norm_forward(Context& context, ConstView x, ConstView gamma, ConstView beta, std::int64_t groups,
                        float epsilon, Activation activation, float slope, View y, View mean, View rstd) {
  const char* op = "group_norm_forward";
  check_normalisation(op, x, {y}, {gamma, beta});
  check(op, x, groups, mean, rstd);
  if (x.size() == 0) return;
  const Walk w = samples_of(context, x);
  const Normalisation n{gamma.as<float>(),
                        beta.as<float>(),
                        mean.as<float>(),
                        rstd.as<float>(),
                        groups,
                        w.columns / groups,
                        activation,
                        slope,
                        {},
                        nullptr};
  const Scratch partial(context, static_cast<std::size_t>(w.groups * w.pieces * w.columns) * sizeof(Pair));
  dispatch_packs(op, w.columns, x, y, x, [&](auto type, auto width) {
    using T = typename decltype(type)::type;
    constexpr int V = decltype(width)::value;
    LAUNCH((moments_partial<T, V>), w.blocks(), slab_threads, 0, context.stream, x.as<T>(), w,
           partial.as<Pair>());
    LAUNCH((forward_finish<T>), warp_blocks(w.groups * groups), slab_threads, 0, context.stream, x.as<T>(),
           partial.as<Pair>(), w, groups, epsilon, mean.as<float>(), rstd.as<float>());
    LAUNCH((normalise_forward<T, V>), w.blocks(), slab_threads, 0, context.stream, x.as<T>(), w, n,
           y.as<T>());
  });
}

void group_norm_backward(Context& context, ConstView dy, ConstView x, ConstView gamma, ConstView beta,
                         ConstView mean, ConstView rstd, std::int64_t groups, Activation activation,
                         float slope, View dx, View dgamma, View dbeta) {
  const char* op = "group_norm_backward";
  check_normalisation(op, x, {dy, dx}, {gamma, beta, dgamma, dbeta});
  check(op, x, groups, mean, rstd);
  check_gradient(op, activation);
  require(x.size() > 0, op, "x must have elements");
  const Walk w = samples_of(context, x);
  const Normalisation n{gamma.as<float>(),
                        beta.as<float>(),
                        mean.as<float>(),
                        rstd.as<float>(),
                        groups,
                        w.columns / groups,
                        activation,
                        slope,
                        {},
                        nullptr};
  const Scratch partial(context, static_cast<std::size_t>(w.groups * w.pieces * w.columns) * sizeof(Pair));
  const Scratch totals(context, static_cast<std::size_t>(w.groups * w.columns) * sizeof(Pair));
  const Scratch means(context, static_cast<std::size_t>(2 * w.groups * groups) * sizeof(float));
  dispatch_packs(op, w.columns, x, dy, dx, [&](auto type, auto width) {
    using T = typename decltype(type)::type;
    constexpr int V = decltype(width)::value;
    LAUNCH((gradient_partial<T, V>), w.blocks(), slab_threads, 0, context.stream, dy.as<T>(), x.as<T>(), w, n,
           partial.as<Pair>());
    LAUNCH((backward_means), warp_blocks(w.groups * groups), slab_threads, 0, context.stream,
           partial.as<Pair>(), w, n, groups, totals.as<Pair>(), means.as<float>());
    LAUNCH((backward_finish), static_cast<unsigned>(w.slabs()), adding_threads, 0, context.stream,
           totals.as<Pair>(), w.groups, w.columns, dgamma.as<float>(), dbeta.as<float>());
    LAUNCH((normalise_backward<T, V>), w.blocks(), slab_threads, 0, context.stream, dy.as<T>(), x.as<T>(), w,
           n, means.as<float>(), w.groups * groups, dx.as<T>());
  });
}

}  // namespace chorale::cuda

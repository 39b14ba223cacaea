// SPDX-License-Identifier: MIT
// Batch normalisation over the rows of x [n, c], with the activation and the dropout of channels that follow
// it.
//
//   mean = sum x / n     variance = sum (x - mean)^2 / n     rstd = 1 / sqrt(variance + epsilon)
//   xhat = (x - mean) rstd                 y = dropout(activation(gamma xhat + beta))
//   running = (1 - momentum) running + momentum batch, with the variance over n - 1 (over n for one row)
//   g = dropout(dy) activation'(gamma xhat + beta)     dbeta = sum g     dgamma = sum g xhat
//   dx = gamma rstd (g - dbeta / n - xhat dgamma / n)
//
// A block owns 32 columns and a piece of the rows (kernels/cuda/columns.cuh); masks are drawn where they are
// used. Up to 2,048 rows one kernel does it all and finds the slab in the cache when it reads it again;
// beyond, partial sums, then their total, then one elementwise pass. Bytes: forward 2 x + y, backward 2 (dy +
// x) + dx.
#include "kernels/cuda/normalise.cuh"

namespace chorale::cuda {
namespace {

constexpr std::int64_t one_kernel_rows = 2048;

struct BatchStatistics {
  float *running_mean, *running_variance;
  float momentum, epsilon;
  float *mean, *rstd;
};

/// Mean and rstd of a column from its shifted sums.
__device__ inline void statistics_of(const BatchStatistics& s, float pivot, Pair sums, std::int64_t rows,
                                     float& mean, float& rstd, double& squares) {
  const double n = static_cast<double>(rows), shift = sums.a / n;
  squares = sums.b - sums.a * shift;
  squares = squares < 0 ? 0 : squares;
  mean = static_cast<float>(static_cast<double>(pivot) + shift);
  rstd = static_cast<float>(1.0 / sqrt(squares / n + static_cast<double>(s.epsilon)));
}

__device__ inline void store_statistics(const BatchStatistics& s, std::int64_t column, std::int64_t rows,
                                        float mean, float rstd, double squares) {
  const double take = static_cast<double>(s.momentum), keep = 1.0 - take;
  const double unbiased = squares / (rows > 1 ? static_cast<double>(rows - 1) : 1.0);
  s.mean[column] = mean;
  s.rstd[column] = rstd;
  s.running_mean[column] = static_cast<float>(keep * static_cast<double>(s.running_mean[column]) +
                                              take * static_cast<double>(mean));
  s.running_variance[column] =
      static_cast<float>(keep * static_cast<double>(s.running_variance[column]) + take * unbiased);
}

/// One block for each slab; the walk has one group of one piece.
template <class T, int V>
__global__ void __launch_bounds__(slab_threads)
    forward_one_kernel(const T* x, Walk w, Normalisation n, BatchStatistics s, T* y) {
  const Place<V> p = place_of<V>(w);
  float sum[V] = {}, squares[V] = {};
  if (p.active) shifted_sums<T, V>(x, w, p, sum, squares);
  const Pair* sums = slab_sums<V>(sum, squares);
  if (!p.active) return;
  Arguments<V> a;
  for (int j = 0; j < V; ++j) {
    const std::int64_t c = p.column + j;
    double deviations;
    statistics_of(s, to_float(x[c]), sums[c % slab], w.rows, a.mean[j], a.rstd[j], deviations);
    a.gamma[j] = n.gamma[c];
    a.beta[j] = n.beta[c];
    if (threadIdx.x < slab / V) store_statistics(s, c, w.rows, a.mean[j], a.rstd[j], deviations);
  }
  normalise_rows<T, V>(x, w, p, n, a, y);
}

template <class T>
__global__ void __launch_bounds__(adding_threads)
    forward_finish(const T* x, const Pair* partial, std::int64_t units, BatchStatistics s, std::int64_t rows,
                   std::int64_t columns) {
  const std::int64_t column = static_cast<std::int64_t>(blockIdx.x) * slab + threadIdx.x % slab;
  const Pair sums = add_pieces(partial, units, column, columns);
  if (column >= columns || threadIdx.x >= slab) return;
  float mean, rstd;
  double squares;
  statistics_of(s, to_float(x[column]), sums, rows, mean, rstd, squares);
  store_statistics(s, column, rows, mean, rstd, squares);
}

__global__ void __launch_bounds__(slab_threads)
    rstd_kernel(const float* variance, float epsilon, float* rstd, std::int64_t columns) {
  for (std::int64_t c = global_thread(); c < columns; c += global_threads())
    rstd[c] = static_cast<float>(1.0 / sqrt(static_cast<double>(variance[c]) + static_cast<double>(epsilon)));
}

/// mean_g and mean_gx of a column, and its gradients where `store`.
struct Gradients {
  float *dgamma, *dbeta;
};
__device__ inline void finish_gradients(const Gradients& to, const Normalisation& n, std::int64_t column,
                                        Pair sums, std::int64_t rows, bool store, float& mean_g,
                                        float& mean_gx) {
  const double factor = static_cast<double>(n.gamma[column]) / static_cast<double>(rows);
  mean_g = static_cast<float>(factor * sums.a);
  mean_gx = static_cast<float>(factor * sums.b);
  if (!store) return;
  to.dbeta[column] = static_cast<float>(sums.a);
  to.dgamma[column] = static_cast<float>(sums.b);
}

template <class T, int V>
__global__ void __launch_bounds__(slab_threads)
    backward_one_kernel(const T* dy, const T* x, Walk w, Normalisation n, Gradients to, T* dx) {
  const Place<V> p = place_of<V>(w);
  float sum[V] = {}, product[V] = {};
  if (p.active) gradient_sums<T, V>(dy, x, w, p, n, Arguments<V>(n, p), sum, product);
  const Pair* sums = slab_sums<V>(sum, product);
  if (!p.active) return;
  float mean_g[V], mean_gx[V];
  for (int j = 0; j < V; ++j)
    finish_gradients(to, n, p.column + j, sums[(p.column + j) % slab], w.rows, threadIdx.x < slab / V,
                     mean_g[j], mean_gx[j]);
  write_dx<T, V>(dy, x, w, p, n, Arguments<V>(n, p), mean_g, mean_gx, dx);
}

__global__ void __launch_bounds__(adding_threads)
    backward_finish(const Pair* partial, std::int64_t units, Normalisation n, Gradients to, float* means,
                    std::int64_t rows, std::int64_t columns) {
  const std::int64_t column = static_cast<std::int64_t>(blockIdx.x) * slab + threadIdx.x % slab;
  const Pair sums = add_pieces(partial, units, column, columns);
  if (column < columns && threadIdx.x < slab)
    finish_gradients(to, n, column, sums, rows, true, means[column], means[columns + column]);
}

/// The matrices that masks are drawn for: samples where a channel is dropped as a whole, else all rows in
/// one.
Walk dropout_walk(const Context& context, const ConstView& x, const ChannelDropout& dropout) {
  const std::int64_t rows =
      dropout.p > 0.0f && dropout.rows_per_sample > 1 ? dropout.rows_per_sample : x.rows();
  return walk_of(context, x.rows() / rows, rows, x.columns());
}

void check_dropout(const char* op, const ConstView& x, const ChannelDropout& dropout,
                   const StepState* state) {
  require(dropout.p >= 0.0f && dropout.p < 1.0f, op, "dropout p must be in [0, 1)");
  if (dropout.p == 0.0f) return;
  require(state != nullptr, op, "dropout needs the step state");
  require(dropout.rows_per_sample > 0 && x.rows() % dropout.rows_per_sample == 0, op,
          "dropout's rows_per_sample must divide the rows");
}

/// All rows in one block for each slab: what fits the cache and needs no masks of whole samples.
bool in_one_kernel(const ConstView& x, const ChannelDropout& dropout) {
  return x.rows() <= one_kernel_rows && !(dropout.p > 0.0f && dropout.rows_per_sample > 1);
}

}  // namespace

void batch_norm_forward(Context& context, ConstView x, ConstView gamma, ConstView beta, View running_mean,
                        View running_variance, float momentum, float epsilon, Activation activation,
                        float slope, ChannelDropout dropout, const StepState* state, View y, View mean,
                        View rstd) {
  const char* op = "batch_norm_forward";
  check_normalisation(op, x, {y}, {gamma, beta, running_mean, running_variance, mean, rstd});
  check_dropout(op, x, dropout, state);
  const std::int64_t rows = x.rows(), columns = x.columns();
  require(rows > 0, op, "x must have rows");
  if (columns == 0) return;
  const Normalisation n{gamma.as<float>(),
                        beta.as<float>(),
                        mean.as<float>(),
                        rstd.as<float>(),
                        0,
                        1,
                        activation,
                        slope,
                        dropout,
                        state};
  const BatchStatistics s{
      running_mean.as<float>(), running_variance.as<float>(), momentum, epsilon, mean.as<float>(),
      rstd.as<float>()};
  dispatch_packs(op, columns, x, y, x, [&](auto type, auto width) {
    using T = typename decltype(type)::type;
    constexpr int V = decltype(width)::value;
    if (in_one_kernel(x, dropout)) {
      const Walk whole{1, rows, columns, rows, 1};
      LAUNCH((forward_one_kernel<T, V>), whole.blocks(), slab_threads, 0, context.stream, x.as<T>(), whole, n,
             s, y.as<T>());
      return;
    }
    const Walk all = walk_of(context, 1, rows, columns), samples = dropout_walk(context, x, dropout);
    const Scratch partial(context, static_cast<std::size_t>(all.pieces * columns) * sizeof(Pair));
    LAUNCH((moments_partial<T, V>), all.blocks(), slab_threads, 0, context.stream, x.as<T>(), all,
           partial.as<Pair>());
    LAUNCH((forward_finish<T>), static_cast<unsigned>(all.slabs()), adding_threads, 0, context.stream,
           x.as<T>(), partial.as<Pair>(), all.pieces, s, rows, columns);
    LAUNCH((normalise_forward<T, V>), samples.blocks(), slab_threads, 0, context.stream, x.as<T>(), samples,
           n, y.as<T>());
  });
}

void batch_norm_inference(Context& context, ConstView x, ConstView gamma, ConstView beta,
                          ConstView running_mean, ConstView running_variance, float epsilon,
                          Activation activation, float slope, View y) {
  const char* op = "batch_norm_inference";
  if (x.size() == 0) return;
  check_normalisation(op, x, {y}, {gamma, beta, running_mean, running_variance});
  const std::int64_t columns = x.columns();
  const Scratch rstd(context, static_cast<std::size_t>(columns) * sizeof(float));
  LAUNCH((rstd_kernel), stride_grid(context, columns, slab_threads), slab_threads, 0, context.stream,
         running_variance.as<float>(), epsilon, rstd.as<float>(), columns);
  const Normalisation n{gamma.as<float>(),
                        beta.as<float>(),
                        running_mean.as<float>(),
                        rstd.as<float>(),
                        0,
                        1,
                        activation,
                        slope,
                        {},
                        nullptr};
  dispatch_packs(op, columns, x, y, x, [&](auto type, auto width) {
    using T = typename decltype(type)::type;
    const Walk w = walk_of(context, 1, x.rows(), columns);
    LAUNCH((normalise_forward<T, decltype(width)::value>), w.blocks(), slab_threads, 0, context.stream,
           x.as<T>(), w, n, y.as<T>());
  });
}

void batch_norm_backward(Context& context, ConstView dy, ConstView x, ConstView gamma, ConstView beta,
                         ConstView mean, ConstView rstd, Activation activation, float slope,
                         ChannelDropout dropout, const StepState* state, View dx, View dgamma, View dbeta) {
  const char* op = "batch_norm_backward";
  check_normalisation(op, x, {dy, dx}, {gamma, beta, mean, rstd, dgamma, dbeta});
  check_dropout(op, x, dropout, state);
  check_gradient(op, activation);
  const std::int64_t rows = x.rows(), columns = x.columns();
  require(rows > 0, op, "x must have rows");
  if (columns == 0) return;
  const Normalisation n{gamma.as<float>(),
                        beta.as<float>(),
                        mean.as<float>(),
                        rstd.as<float>(),
                        0,
                        1,
                        activation,
                        slope,
                        dropout,
                        state};
  const Gradients to{dgamma.as<float>(), dbeta.as<float>()};
  dispatch_packs(op, columns, x, dy, dx, [&](auto type, auto width) {
    using T = typename decltype(type)::type;
    constexpr int V = decltype(width)::value;
    if (in_one_kernel(x, dropout)) {
      const Walk whole{1, rows, columns, rows, 1};
      LAUNCH((backward_one_kernel<T, V>), whole.blocks(), slab_threads, 0, context.stream, dy.as<T>(),
             x.as<T>(), whole, n, to, dx.as<T>());
      return;
    }
    const Walk w = dropout_walk(context, x, dropout);
    const Scratch partial(context, static_cast<std::size_t>(w.groups * w.pieces * columns) * sizeof(Pair));
    const Scratch means(context, static_cast<std::size_t>(2 * columns) * sizeof(float));
    LAUNCH((gradient_partial<T, V>), w.blocks(), slab_threads, 0, context.stream, dy.as<T>(), x.as<T>(), w, n,
           partial.as<Pair>());
    LAUNCH((backward_finish), static_cast<unsigned>(w.slabs()), adding_threads, 0, context.stream,
           partial.as<Pair>(), w.groups * w.pieces, n, to, means.as<float>(), rows, columns);
    LAUNCH((normalise_backward<T, V>), w.blocks(), slab_threads, 0, context.stream, dy.as<T>(), x.as<T>(), w,
           n, means.as<float>(), columns, dx.as<T>());
  });
}

}  // namespace chorale::cuda

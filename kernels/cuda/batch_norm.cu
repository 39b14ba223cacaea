// SPDX-License-Identifier: MIT
// Batch normalisation over the rows of x [n, c], with the activation that follows it.
//
//   mean = sum x / n     variance = sum (x - mean)^2 / n     rstd = 1 / sqrt(variance + epsilon)
//   xhat = (x - mean) rstd                 y = activation(gamma xhat + beta)
//   running = (1 - momentum) running + momentum batch, with the variance over n - 1 (over n for one row)
//   g = dy activation'(gamma xhat + beta)   dbeta = sum g   dgamma = sum g xhat
//   dx = gamma rstd (g - dbeta / n - xhat dgamma / n)
//
// A block owns a slab of 32 columns: 16 rows of threads, loads coalesced across columns. Sums are f32 in a
// thread, f64 across threads and pieces. The variance comes from sums of x - x[0, c], so a large mean cancels
// nothing. Up to 2,048 rows one kernel does it all and finds the slab in the cache when it reads it again;
// beyond, rows are cut into pieces: partial sums, then their total, then one elementwise pass. Bytes: forward
// 2 x + y, backward 2 (dy + x) + dx.
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/dtype.h"
#include "kernels/functors.h"

namespace chorale::cuda {
namespace {

constexpr int slab = 32, slab_rows = 16;
constexpr std::int64_t one_kernel_rows = 2048;

struct Pair {
  double a, b;
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

/// This thread's column of the slab.
__device__ inline std::int64_t slab_column() {
  return static_cast<std::int64_t>(blockIdx.x) * slab + threadIdx.x;
}

/// Adds the pairs of the block's 16 threads of one column, in order; every thread gets its column's sum.
__device__ inline Pair add_over_rows(Pair mine) {
  SHARED(Pair, parts, [slab_rows][slab]);
  parts[threadIdx.y][threadIdx.x] = mine;
  __syncthreads();
  Pair sum{0, 0};
  for (int r = 0; r < slab_rows; ++r) {
    sum.a += parts[r][threadIdx.x].a;
    sum.b += parts[r][threadIdx.x].b;
  }
  __syncthreads();
  return sum;
}

/// Sums of x - pivot and its square over this thread's rows of [first, last).
template <class T>
__device__ inline Pair shifted_sums(const T* x, float pivot, std::int64_t first, std::int64_t last,
                                    std::int64_t columns) {
  float sum = 0, squares = 0;
  const T* p = x + slab_column();
  for (std::int64_t r = first + threadIdx.y; r < last; r += slab_rows) {
    const float d = to_float(p[r * columns]) - pivot;
    sum += d;
    squares += d * d;
  }
  return Pair{static_cast<double>(sum), static_cast<double>(squares)};
}

struct BatchStatistics {
  float* running_mean;
  float* running_variance;
  float momentum, epsilon;
  float* mean;
  float* rstd;
};

/// Mean and rstd of a column from its shifted sums; one thread of the column stores them.
__device__ inline void finish_statistics(const BatchStatistics& s, std::int64_t column, float pivot,
                                         Pair sums, std::int64_t rows, bool store, float& mean, float& rstd) {
  const double n = static_cast<double>(rows), shift = sums.a / n;
  double squares = sums.b - sums.a * shift;
  squares = squares > 0 || squares != squares ? squares : 0;
  mean = static_cast<float>(static_cast<double>(pivot) + shift);
  rstd = static_cast<float>(1.0 / sqrt(squares / n + static_cast<double>(s.epsilon)));
  if (!store) return;
  const double take = static_cast<double>(s.momentum), keep = 1.0 - take;
  const double unbiased = squares / (rows > 1 ? n - 1 : 1.0);
  s.mean[column] = mean;
  s.rstd[column] = rstd;
  s.running_mean[column] = static_cast<float>(keep * static_cast<double>(s.running_mean[column]) +
                                              take * static_cast<double>(mean));
  s.running_variance[column] =
      static_cast<float>(keep * static_cast<double>(s.running_variance[column]) + take * unbiased);
}

struct Affine {
  const float* gamma;
  const float* beta;
  Activation activation;
  float slope;
};

template <class T>
__device__ inline void normalise(const T* x, T* y, const Affine& affine, std::int64_t column, float mean,
                                 float rstd, std::int64_t first, std::int64_t last, std::int64_t columns) {
  const float scale = affine.gamma[column] * rstd, shift = affine.beta[column];
  for (std::int64_t r = first + threadIdx.y; r < last; r += slab_rows) {
    const std::int64_t i = r * columns + column;
    y[i] = from_float<T>(activate(affine.activation, affine.slope, (to_float(x[i]) - mean) * scale + shift));
  }
}

template <class T>
__global__ void __launch_bounds__(slab* slab_rows)
    forward_one_kernel(const T* x, T* y, Affine affine, BatchStatistics s, std::int64_t rows,
                       std::int64_t columns) {
  const std::int64_t column = slab_column();
  const bool active = column < columns;
  const float pivot = active ? to_float(x[column]) : 0.0f;
  const Pair sums = add_over_rows(active ? shifted_sums(x, pivot, 0, rows, columns) : Pair{0, 0});
  if (!active) return;
  float mean, rstd;
  finish_statistics(s, column, pivot, sums, rows, threadIdx.y == 0, mean, rstd);
  normalise(x, y, affine, column, mean, rstd, 0, rows, columns);
}

template <class T>
__global__ void __launch_bounds__(slab* slab_rows)
    forward_partial(const T* x, Pair* partial, std::int64_t rows, std::int64_t columns,
                    std::int64_t piece_size) {
  const std::int64_t column = slab_column(), first = blockIdx.y * piece_size;
  const std::int64_t last = first + piece_size < rows ? first + piece_size : rows;
  const bool active = column < columns;
  const Pair sums =
      add_over_rows(active ? shifted_sums(x, to_float(x[column]), first, last, columns) : Pair{0, 0});
  if (active && threadIdx.y == 0) partial[blockIdx.y * columns + column] = sums;
}

__device__ inline Pair add_pieces(const Pair* partial, std::int64_t column, std::int64_t columns,
                                  int pieces) {
  Pair mine{0, 0};
  for (int p = static_cast<int>(threadIdx.y); column < columns && p < pieces; p += slab_rows) {
    mine.a += partial[p * columns + column].a;
    mine.b += partial[p * columns + column].b;
  }
  return add_over_rows(mine);
}

template <class T>
__global__ void __launch_bounds__(slab* slab_rows)
    forward_finish(const T* x, const Pair* partial, int pieces, BatchStatistics s, std::int64_t rows,
                   std::int64_t columns) {
  const std::int64_t column = slab_column();
  const Pair sums = add_pieces(partial, column, columns, pieces);
  if (column >= columns || threadIdx.y) return;
  float mean, rstd;
  finish_statistics(s, column, to_float(x[column]), sums, rows, true, mean, rstd);
}

// With `rstd` the saved statistics of a batch; without, the running ones: `variance` and epsilon.
template <class T>
__global__ void __launch_bounds__(slab* slab_rows)
    normalise_kernel(const T* x, T* y, Affine affine, const float* mean, const float* rstd,
                     const float* variance, float epsilon, std::int64_t rows, std::int64_t columns,
                     std::int64_t piece_size) {
  const std::int64_t column = slab_column(), first = blockIdx.y * piece_size;
  const std::int64_t last = first + piece_size < rows ? first + piece_size : rows;
  if (column >= columns) return;
  const float by = rstd ? rstd[column]
                        : static_cast<float>(1.0 / sqrt(static_cast<double>(variance[column]) +
                                                        static_cast<double>(epsilon)));
  normalise(x, y, affine, column, mean[column], by, first, last, columns);
}

struct Backward {
  Affine affine;
  const float* mean;
  const float* rstd;
  float* dgamma;
  float* dbeta;
};

/// g and xhat of one element.
template <class T>
__device__ inline void gradient_at(const Backward& b, const T* dy, const T* x, std::int64_t i, float mean,
                                   float rstd, float gamma, float beta, float& g, float& xhat) {
  xhat = (to_float(x[i]) - mean) * rstd;
  g = to_float(dy[i]) * activation_slope(b.affine.activation, b.affine.slope, gamma * xhat + beta);
}

template <class T>
__device__ inline Pair gradient_sums(const Backward& b, const T* dy, const T* x, std::int64_t column,
                                     std::int64_t first, std::int64_t last, std::int64_t columns) {
  const float mean = b.mean[column], rstd = b.rstd[column], gamma = b.affine.gamma[column],
              beta = b.affine.beta[column];
  float sum = 0, product = 0;
  for (std::int64_t r = first + threadIdx.y; r < last; r += slab_rows) {
    float g, xhat;
    gradient_at(b, dy, x, r * columns + column, mean, rstd, gamma, beta, g, xhat);
    sum += g;
    product += g * xhat;
  }
  return Pair{static_cast<double>(sum), static_cast<double>(product)};
}

template <class T>
__device__ inline void write_dx(const Backward& b, const T* dy, const T* x, T* dx, std::int64_t column,
                                Pair sums, std::int64_t first, std::int64_t last, std::int64_t rows,
                                std::int64_t columns) {
  const float mean = b.mean[column], rstd = b.rstd[column], gamma = b.affine.gamma[column],
              beta = b.affine.beta[column];
  const float mean_g = static_cast<float>(sums.a / static_cast<double>(rows));
  const float mean_gx = static_cast<float>(sums.b / static_cast<double>(rows));
  for (std::int64_t r = first + threadIdx.y; r < last; r += slab_rows) {
    const std::int64_t i = r * columns + column;
    float g, xhat;
    gradient_at(b, dy, x, i, mean, rstd, gamma, beta, g, xhat);
    dx[i] = from_float<T>(gamma * rstd * (g - mean_g - xhat * mean_gx));
  }
}

template <class T>
__global__ void __launch_bounds__(slab* slab_rows)
    backward_one_kernel(const T* dy, const T* x, T* dx, Backward b, std::int64_t rows, std::int64_t columns) {
  const std::int64_t column = slab_column();
  const bool active = column < columns;
  const Pair sums = add_over_rows(active ? gradient_sums(b, dy, x, column, 0, rows, columns) : Pair{0, 0});
  if (!active) return;
  if (threadIdx.y == 0) {
    b.dbeta[column] = static_cast<float>(sums.a);
    b.dgamma[column] = static_cast<float>(sums.b);
  }
  write_dx(b, dy, x, dx, column, sums, 0, rows, rows, columns);
}

template <class T>
__global__ void __launch_bounds__(slab* slab_rows)
    backward_partial(const T* dy, const T* x, Pair* partial, Backward b, std::int64_t rows,
                     std::int64_t columns, std::int64_t piece_size) {
  const std::int64_t column = slab_column(), first = blockIdx.y * piece_size;
  const std::int64_t last = first + piece_size < rows ? first + piece_size : rows;
  const bool active = column < columns;
  const Pair sums =
      add_over_rows(active ? gradient_sums(b, dy, x, column, first, last, columns) : Pair{0, 0});
  if (active && threadIdx.y == 0) partial[blockIdx.y * columns + column] = sums;
}

__global__ void __launch_bounds__(slab* slab_rows)
    backward_finish(const Pair* partial, int pieces, Pair* total, float* dgamma, float* dbeta,
                    std::int64_t columns) {
  const std::int64_t column = slab_column();
  const Pair sums = add_pieces(partial, column, columns, pieces);
  if (column >= columns || threadIdx.y) return;
  total[column] = sums;
  dbeta[column] = static_cast<float>(sums.a);
  dgamma[column] = static_cast<float>(sums.b);
}

template <class T>
__global__ void __launch_bounds__(slab* slab_rows)
    backward_apply(const T* dy, const T* x, T* dx, Backward b, const Pair* total, std::int64_t rows,
                   std::int64_t columns, std::int64_t piece_size) {
  const std::int64_t column = slab_column(), first = blockIdx.y * piece_size;
  const std::int64_t last = first + piece_size < rows ? first + piece_size : rows;
  if (column < columns) write_dx(b, dy, x, dx, column, total[column], first, last, rows, columns);
}

struct Grid {
  dim3 blocks;
  std::int64_t piece_size;
  int pieces;
};

/// Slabs across, pieces of the rows down: enough blocks to fill the device, each with at least 256 rows.
Grid grid_for(const Context& context, std::int64_t rows, std::int64_t columns) {
  const std::int64_t slabs = ceil_div(columns, slab);
  const std::int64_t wanted = ceil_div(static_cast<std::int64_t>(multiprocessors(context)) * 4, slabs);
  std::int64_t pieces = std::max<std::int64_t>(1, std::min(wanted, rows / 256));
  const std::int64_t size = ceil_div(rows, pieces);
  pieces = ceil_div(rows, size);
  return {dim3(static_cast<unsigned>(slabs), static_cast<unsigned>(pieces)), size, static_cast<int>(pieces)};
}

const dim3 slab_block(slab, slab_rows);

void check(const char* op, const ConstView& x, const ConstView& y, std::initializer_list<ConstView> columns) {
  require(x.rank >= 2 && x.rows() > 0, op, "x must have rows and columns");
  require_dtype(y, x.dtype, op, "y");
  require_size(y, x.size(), op, "y");
  for (const ConstView& v : columns) {
    require_dtype(v, DType::f32, op, "a per-column argument");
    require_size(v, x.columns(), op, "a per-column argument");
  }
}

}  // namespace

void batch_norm_forward(Context& context, ConstView x, ConstView gamma, ConstView beta, View running_mean,
                        View running_variance, float momentum, float epsilon, Activation activation,
                        float slope, ChannelDropout, const StepState*, View y, View mean, View rstd) {
  const char* op = "batch_norm_forward";
  check(op, x, y, {gamma, beta, running_mean, running_variance, mean, rstd});
  const std::int64_t rows = x.rows(), columns = x.columns();
  if (columns == 0) return;
  const Affine affine{gamma.as<float>(), beta.as<float>(), activation, slope};
  const BatchStatistics s{
      running_mean.as<float>(), running_variance.as<float>(), momentum, epsilon, mean.as<float>(),
      rstd.as<float>()};
  dispatch_floating(op, x.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const Grid grid = grid_for(context, rows, columns);
    const dim3 slabs(grid.blocks.x);
    if (rows <= one_kernel_rows) {
      LAUNCH((forward_one_kernel<T>), slabs, slab_block, 0, context.stream, x.as<T>(), y.as<T>(), affine, s,
             rows, columns);
      return;
    }
    const Scratch partial(context, static_cast<std::size_t>(grid.pieces * columns) * sizeof(Pair));
    LAUNCH((forward_partial<T>), grid.blocks, slab_block, 0, context.stream, x.as<T>(), partial.as<Pair>(),
           rows, columns, grid.piece_size);
    LAUNCH((forward_finish<T>), slabs, slab_block, 0, context.stream, x.as<T>(), partial.as<Pair>(),
           grid.pieces, s, rows, columns);
    LAUNCH((normalise_kernel<T>), grid.blocks, slab_block, 0, context.stream, x.as<T>(), y.as<T>(), affine,
           s.mean, s.rstd, nullptr, 0.0f, rows, columns, grid.piece_size);
  });
}

void batch_norm_inference(Context& context, ConstView x, ConstView gamma, ConstView beta,
                          ConstView running_mean, ConstView running_variance, float epsilon,
                          Activation activation, float slope, View y) {
  const char* op = "batch_norm_inference";
  if (x.size() == 0) return;
  check(op, x, y, {gamma, beta, running_mean, running_variance});
  const std::int64_t rows = x.rows(), columns = x.columns();
  const Affine affine{gamma.as<float>(), beta.as<float>(), activation, slope};
  dispatch_floating(op, x.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const Grid grid = grid_for(context, rows, columns);
    LAUNCH((normalise_kernel<T>), grid.blocks, slab_block, 0, context.stream, x.as<T>(), y.as<T>(), affine,
           running_mean.as<float>(), nullptr, running_variance.as<float>(), epsilon, rows, columns,
           grid.piece_size);
  });
}

void batch_norm_backward(Context& context, ConstView dy, ConstView x, ConstView gamma, ConstView beta,
                         ConstView mean, ConstView rstd, Activation activation, float slope, ChannelDropout, const StepState*, View dx,
                         View dgamma, View dbeta) {
  const char* op = "batch_norm_backward";
  check(op, x, dx, {gamma, beta, mean, rstd, dgamma, dbeta});
  require_dtype(dy, x.dtype, op, "dy");
  require_size(dy, x.size(), op, "dy");
  require(activation == Activation::none || activation == Activation::relu ||
              activation == Activation::leaky_relu,
          op, "activation must be none, relu or leaky_relu");
  const std::int64_t rows = x.rows(), columns = x.columns();
  if (columns == 0) return;
  const Backward b{{gamma.as<float>(), beta.as<float>(), activation, slope},
                   mean.as<float>(),
                   rstd.as<float>(),
                   dgamma.as<float>(),
                   dbeta.as<float>()};
  dispatch_floating(op, x.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const Grid grid = grid_for(context, rows, columns);
    const dim3 slabs(grid.blocks.x);
    if (rows <= one_kernel_rows) {
      LAUNCH((backward_one_kernel<T>), slabs, slab_block, 0, context.stream, dy.as<T>(), x.as<T>(),
             dx.as<T>(), b, rows, columns);
      return;
    }
    const Scratch partial(context, static_cast<std::size_t>((grid.pieces + 1) * columns) * sizeof(Pair));
    Pair* total = partial.as<Pair>() + grid.pieces * columns;
    LAUNCH((backward_partial<T>), grid.blocks, slab_block, 0, context.stream, dy.as<T>(), x.as<T>(),
           partial.as<Pair>(), b, rows, columns, grid.piece_size);
    LAUNCH((backward_finish), slabs, slab_block, 0, context.stream, partial.as<Pair>(), grid.pieces, total,
           b.dgamma, b.dbeta, columns);
    LAUNCH((backward_apply<T>), grid.blocks, slab_block, 0, context.stream, dy.as<T>(), x.as<T>(), dx.as<T>(),
           b, total, rows, columns, grid.piece_size);
  });
}

}  // namespace chorale::cuda

// SPDX-License-Identifier: MIT
// Convolutions of NHWC images: cuDNN (convolution.h), or here as products of gathered patches.
//
//   forward   y[p, o] = sum over (i, j, c) of x[patch(p, i, j), c] w[o, i, j, c] + bias[o]      p = (n, oh,
//   ow) input     dx[q, c] = sum over (i, j, o) of dy[source(q, i, j), o] w[o, i, j, c] + bias[c]   q = (n,
//   h, w) weight    dw[o, (i, j, c)] = beta dw + sum over p of dy[p, o] x[patch(p, i, j), c]
//
// A block of 256 threads owns a 64 x 64 tile of the result and walks the sum in steps of 16: elements of both
// factors are gathered into shared memory as f32, a thread keeps 4 x 4 sums in registers. The sum of `weight`
// is long and its result small, so it is cut into pieces, whose partial results are added in their order.
// Patches overlap in the cache; from memory each factor is read about once per 64 rows or columns of the
// other.
#include "kernels/cuda/convolution.h"

#include <algorithm>

#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/vector.cuh"

namespace chorale::cuda {
namespace {

constexpr int tile = 64, depth = 16, quad = 4, across = tile / quad, block_threads = across * across;

/// A position of an image, and of a kernel.
struct Place {
  std::int64_t image, row, column;
};
__device__ inline Place place(std::int64_t p, std::int64_t height, std::int64_t width) {
  const std::int64_t line = quotient(p, width), image = quotient(line, height);
  return {image, line - image * height, p - line * width};
}

/// x at the patch of output position p, kernel element k = (i, j, c); zero outside the image.
template <class T>
__device__ inline float patch(const T* x, const ConvolutionShape& s, std::int64_t p, std::int64_t k) {
  const Place at = place(p, s.oh, s.ow), tap = place(k, s.kw, s.c);  // tap: (i, j, c)
  const std::int64_t row = at.row * s.params.stride_height - s.params.padding_height + tap.image;
  const std::int64_t column = at.column * s.params.stride_width - s.params.padding_width + tap.row;
  if (row < 0 || row >= s.h || column < 0 || column >= s.w) return 0.0f;
  return to_float(x[((at.image * s.h + row) * s.w + column) * s.c + tap.column]);
}

/// The factors of a product: a(m, k) and b(k, n) for m < rows, n < columns, k < length.
template <class T>
struct ForwardFactors {
  ConvolutionShape s;
  const T* x;
  const T* w;
  __device__ float a(std::int64_t p, std::int64_t k) const { return patch(x, s, p, k); }
  __device__ float b(std::int64_t k, std::int64_t o) const { return to_float(w[o * s.kh * s.kw * s.c + k]); }
};

template <class T>
struct InputFactors {
  ConvolutionShape s;
  const T* dy;
  const T* w;
  /// k = (i, j, o)
  __device__ float a(std::int64_t q, std::int64_t k) const {
    const Place at = place(q, s.h, s.w), tap = place(k, s.kw, s.o);
    const std::int64_t row = at.row + s.params.padding_height - tap.image,
                       column = at.column + s.params.padding_width - tap.row;
    if (row < 0 || column < 0 || row % s.params.stride_height || column % s.params.stride_width) return 0.0f;
    const std::int64_t oh = row / s.params.stride_height, ow = column / s.params.stride_width;
    if (oh >= s.oh || ow >= s.ow) return 0.0f;
    return to_float(dy[((at.image * s.oh + oh) * s.ow + ow) * s.o + tap.column]);
  }
  __device__ float b(std::int64_t k, std::int64_t c) const {
    const std::int64_t tap = quotient(k, s.o), o = k - tap * s.o;
    return to_float(w[(o * s.kh * s.kw + tap) * s.c + c]);
  }
};

template <class T>
struct WeightFactors {
  ConvolutionShape s;
  const T* dy;
  const T* x;
  __device__ float a(std::int64_t o, std::int64_t p) const { return to_float(dy[p * s.o + o]); }
  __device__ float b(std::int64_t p, std::int64_t k) const { return patch(x, s, p, k); }
};

struct ProductSize {
  std::int64_t rows, columns, length, piece;  // piece: of the sum, a block's share
};

/// result[piece][m, n] = the product over the piece, plus bias[n].
template <class F, class R, class B>
__global__ void __launch_bounds__(block_threads)
    product_kernel(F factors, ProductSize size, const B* bias, R* result) {
  SHARED(float, left, [depth][tile + 1]);
  SHARED(float, right, [depth][tile + 1]);
  const int column = static_cast<int>(threadIdx.x) % across * quad,
            row = static_cast<int>(threadIdx.x) / across * quad;
  const std::int64_t tiles_across = (size.columns + tile - 1) / tile;
  const std::int64_t tiles = tiles_across * ((size.rows + tile - 1) / tile);
  const std::int64_t k_begin = blockIdx.y * size.piece;
  const std::int64_t k_end = k_begin + size.piece < size.length ? k_begin + size.piece : size.length;
  R* const out = result + static_cast<std::int64_t>(blockIdx.y) * size.rows * size.columns;
  for (std::int64_t t = blockIdx.x; t < tiles; t += gridDim.x) {
    const std::int64_t m0 = t / tiles_across * tile, n0 = t % tiles_across * tile;
    float sums[quad][quad] = {};
    for (std::int64_t k0 = k_begin; k0 < k_end; k0 += depth) {
      for (int i = static_cast<int>(threadIdx.x); i < depth * tile; i += block_threads) {
        const std::int64_t k = k0 + i / tile, m = m0 + i % tile, n = n0 + i % tile;
        left[i / tile][i % tile] = k < k_end && m < size.rows ? factors.a(m, k) : 0.0f;
        right[i / tile][i % tile] = k < k_end && n < size.columns ? factors.b(k, n) : 0.0f;
      }
      __syncthreads();
      for (int k = 0; k < depth; ++k)
        for (int u = 0; u < quad; ++u)
          for (int v = 0; v < quad; ++v) sums[u][v] += left[k][row + u] * right[k][column + v];
      __syncthreads();
    }
    for (int u = 0; u < quad; ++u)
      for (int v = 0; v < quad; ++v) {
        const std::int64_t m = m0 + row + u, n = n0 + column + v;
        if (m < size.rows && n < size.columns)
          out[m * size.columns + n] = from_float<R>(sums[u][v] + (bias ? to_float(bias[n]) : 0.0f));
      }
  }
}

/// y = beta y + the sum of the pieces of x, in their order.
template <class X, class Y>
__global__ void __launch_bounds__(block_threads)
    add_pieces_kernel(const X* x, int pieces, float beta, Y* y, std::int64_t size) {
  for (std::int64_t i = global_thread(); i < size; i += global_threads()) {
    float sum = 0;
    for (int piece = 0; piece < pieces; ++piece) sum += to_float(x[piece * size + i]);
    y[i] = from_float<Y>(beta != 0.0f ? sum + beta * to_float(y[i]) : sum);
  }
}

template <class T, class B>
__global__ void __launch_bounds__(block_threads)
    add_bias_kernel(T* y, const B* bias, std::int64_t channels, std::int64_t size) {
  for (std::int64_t i = global_thread(); i < size; i += global_threads())
    y[i] = from_float<T>(to_float(y[i]) + to_float(bias[wrap(i, channels)]));
}

ConvolutionShape shape_of(const char* op, const ConstView& image, const ConstView& w, const ConstView& y,
                          const ConvolutionParams& p) {
  require(image.rank == 4 && w.rank == 4 && y.rank == 4, op, "images and weights must have rank 4");
  require_dtype(w, image.dtype, op, "w");
  require_dtype(y, image.dtype, op, "y");
  require(p.stride_height > 0 && p.stride_width > 0 && p.padding_height >= 0 && p.padding_width >= 0, op,
          "strides must be positive, paddings not negative");
  const ConvolutionShape s{image.shape[0], image.shape[1], image.shape[2], image.shape[3], y.shape[1],
                           y.shape[2],     y.shape[3],     w.shape[1],     w.shape[2],     p,
                           image.dtype};
  const auto fits = [](std::int64_t in, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                       std::int64_t out) {
    return in + 2 * padding >= kernel && (in + 2 * padding - kernel) / stride + 1 == out;
  };
  require(y.shape[0] == s.n && w.shape[0] == s.o && w.shape[3] == s.c &&
              fits(s.h, s.kh, p.stride_height, p.padding_height, s.oh) &&
              fits(s.w, s.kw, p.stride_width, p.padding_width, s.ow),
          op, "sizes do not agree");
  return s;
}

template <class F, class R>
void run_product(Context& context, const F& factors, ProductSize size, const ConstView& bias, R* result) {
  const std::int64_t tiles = ceil_div(size.rows, tile) * ceil_div(size.columns, tile);
  const dim3 grid(static_cast<unsigned>(std::min<std::int64_t>(tiles, 0x7fffffff)),
                  static_cast<unsigned>(std::max<std::int64_t>(1, ceil_div(size.length, size.piece))));
  dispatch_floating("conv2d", bias ? bias.dtype : DType::f32, [&](auto type) {
    using B = typename decltype(type)::type;
    LAUNCH((product_kernel<F, R, B>), grid, block_threads, 0, context.stream, factors, size, bias.as<B>(),
           result);
  });
}

void add_bias(Context& context, const View& y, const ConstView& bias) {
  if (!bias) return;
  dispatch_floating_or_f32("conv2d", y.dtype, bias.dtype, [&](auto storage, auto other) {
    using T = typename decltype(storage)::type;
    using B = typename decltype(other)::type;
    LAUNCH((add_bias_kernel<T, B>), stride_grid(context, y.size(), block_threads), block_threads, 0,
           context.stream, y.as<T>(), bias.as<B>(), bias.size(), y.size());
  });
}

/// The pieces of a weight gradient's sum: enough blocks to fill a large device, whatever the device is.
std::int64_t weight_piece(const ProductSize& size) {
  const std::int64_t tiles = ceil_div(size.rows, tile) * ceil_div(size.columns, tile);
  const std::int64_t pieces = std::max<std::int64_t>(1, std::min(ceil_div(512, tiles), size.length / 256));
  return std::max<std::int64_t>(1, ceil_div(ceil_div(size.length, pieces), depth)) * depth;
}

template <class T>
void weight_gradient(Context& context, const ConvolutionShape& s, const ConstView& dy, const ConstView& x,
                     const View& dw, float beta) {
  const auto add = [&](const auto* parts, int pieces) {
    dispatch_floating("conv2d_backward_weight", dw.dtype, [&](auto type) {
      using R = typename decltype(type)::type;
      using P = std::remove_const_t<std::remove_pointer_t<decltype(parts)>>;
      LAUNCH((add_pieces_kernel<P, R>), stride_grid(context, dw.size(), block_threads), block_threads, 0,
             context.stream, parts, pieces, beta, dw.as<R>(), dw.size());
    });
  };
  const bool direct = beta == 0.0f && dw.dtype == s.dtype;
  const Scratch whole(context, direct ? 0 : static_cast<std::size_t>(dw.size()) * sizeof(T));
  T* const target = direct ? dw.as<T>() : whole.as<T>();
  if (library_convolution(context, ConvolutionPass::weight, s, x.data, nullptr, dy.data, target)) {
    if (!direct) add(static_cast<const T*>(target), 1);
    return;
  }
  ProductSize size{s.o, s.kh * s.kw * s.c, s.n * s.oh * s.ow, 0};
  size.piece = weight_piece(size);
  const auto pieces = static_cast<int>(std::max<std::int64_t>(1, ceil_div(size.length, size.piece)));
  const Scratch parts(context, static_cast<std::size_t>(pieces * dw.size()) * sizeof(float));
  run_product(context, WeightFactors<T>{s, dy.as<T>(), x.as<T>()}, size, ConstView(), parts.as<float>());
  add(static_cast<const float*>(parts.as<float>()), pieces);
}

}  // namespace

void conv2d_forward(Context& context, ConstView x, ConstView w, ConstView bias, ConvolutionParams params,
                    View y) {
  const char* op = "conv2d_forward";
  const ConvolutionShape s = shape_of(op, x, w, y, params);
  if (bias) require_size(bias, s.o, op, "bias");
  if (y.size() == 0) return;
  if (library_convolution(context, ConvolutionPass::forward, s, x.data, w.data, nullptr, y.data))
    return add_bias(context, y, bias);
  const std::int64_t length = s.kh * s.kw * s.c;
  dispatch_floating(op, s.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    run_product(context, ForwardFactors<T>{s, x.as<T>(), w.as<T>()}, {s.n * s.oh * s.ow, s.o, length, length},
                bias, y.as<T>());
  });
}

void conv2d_backward_input(Context& context, ConstView dy, ConstView w, ConstView bias,
                           ConvolutionParams params, View dx) {
  const char* op = "conv2d_backward_input";
  const ConvolutionShape s = shape_of(op, dx, w, dy, params);
  if (bias) require_size(bias, s.c, op, "bias");
  if (dx.size() == 0) return;
  if (library_convolution(context, ConvolutionPass::input, s, nullptr, w.data, dy.data, dx.data))
    return add_bias(context, dx, bias);
  const std::int64_t length = s.kh * s.kw * s.o;
  dispatch_floating(op, s.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    run_product(context, InputFactors<T>{s, dy.as<T>(), w.as<T>()}, {s.n * s.h * s.w, s.c, length, length},
                bias, dx.as<T>());
  });
}

void conv2d_backward_weight(Context& context, ConstView dy, ConstView x, ConvolutionParams params, View dw,
                            View dbias, float beta) {
  const char* op = "conv2d_backward_weight";
  if (dw) {
    const ConvolutionShape s = shape_of(
        op, x, ConstView(dw.data, x.dtype, {dw.shape[0], dw.shape[1], dw.shape[2], dw.shape[3]}), dy, params);
    if (dw.size() > 0)
      dispatch_floating(op, s.dtype, [&](auto type) {
        weight_gradient<typename decltype(type)::type>(context, s, dy, x, dw, beta);
      });
  }
  if (dbias) linear_backward_weight(context, dy, dy, View(), dbias, beta);  // the columns' sums
}

}  // namespace chorale::cuda

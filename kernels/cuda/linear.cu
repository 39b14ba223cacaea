// SPDX-License-Identifier: MIT
// Matrix products and linear layers around product() (kernels/cuda/product.h).
//
//   matmul                  c = alpha op(a) op(b) + beta c
//   linear_forward          y = activation(x w^T + bias)                  x [n, in], w [out, in], y [n, out]
//   linear_backward_input   dx = dy w
//   linear_backward_weight  dw = beta dw + dy^T x,  dbias = beta dbias + sum over n of dy
//   linear_reconstruction   y = x w^T + bias goes where dy will be; one more pass makes nll and dy of it
//
// Bias and ReLU go into the product's epilogue, as does dbias where the library can; the exact (erf) GELU,
// tanh and LeakyReLU (slope 0.2) take one pass of their own in place, 2 n out storage elements.
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/product.h"
#include "kernels/cuda/reconstruction.h"
#include "kernels/cuda/vector.cuh"
#include "kernels/functors.h"

namespace chorale::cuda {

ProductShape product_shape(const Product& p) {
  const char* op = "matrix product";
  require(p.a.rank == 2 && p.b.rank == 2 && p.c.rank == 2, op, "a, b and c must be matrices");
  const std::int64_t m = p.a.shape[p.transpose_a ? 1 : 0], k = p.a.shape[p.transpose_a ? 0 : 1];
  const std::int64_t n = p.b.shape[p.transpose_b ? 0 : 1];
  require(p.b.shape[p.transpose_b ? 1 : 0] == k && p.c.shape[0] == m && p.c.shape[1] == n, op,
          "sizes do not agree");
  require_dtype(p.b, p.a.dtype, op, "b");
  if (p.c.dtype != DType::f32) require_dtype(p.c, p.a.dtype, op, "c");
  return {m, n, k};
}

namespace {

constexpr int block_threads = 256;

template <class T, class B, int N>
__global__ void __launch_bounds__(block_threads)
    bias_activation_kernel(T* y, const B* bias, Activation activation, std::int64_t columns,
                           std::int64_t size, std::int64_t packs) {
  const auto apply = [&](float value) {
    switch (activation) {
      case Activation::none:
        return value;
      case Activation::relu:
        return functor::relu::f(value, 0.0f, 0.0f);
      case Activation::leaky_relu:
        return functor::leaky_relu::f(value, 0.2f, 0.0f);
      case Activation::tanh:
        return functor::tanh::f(value, 0.0f, 0.0f);
      case Activation::gelu:
        return functor::gelu::f(value, 0.0f, 0.0f);
    }
    return value;
  };
  for (std::int64_t i = global_thread(); i < packs; i += global_threads()) {
    Pack<T, N> pack = load_pack<N>(y, i);
    const std::int64_t column = bias ? wrap(i * N, columns) : 0;
    for (int j = 0; j < N; ++j) {
      const float shift = bias ? to_float(bias[column + j]) : 0.0f;
      pack.value[j] = from_float<T>(apply(to_float(pack.value[j]) + shift));
    }
    store_pack(y, i, pack);
  }
  for (std::int64_t i = packs * N + global_thread(); i < size; i += global_threads())
    y[i] = from_float<T>(apply(to_float(y[i]) + (bias ? to_float(bias[wrap(i, columns)]) : 0.0f)));
}

void bias_activation(Context& context, const View& y, const ConstView& bias, Activation activation) {
  if (!bias && activation == Activation::none) return;
  const std::int64_t size = y.size(), columns = y.columns();
  dispatch_floating_or_f32(
      "linear_forward", y.dtype, bias ? bias.dtype : y.dtype, [&](auto storage, auto other) {
        using T = typename decltype(storage)::type;
        using B = typename decltype(other)::type;
        constexpr int N = pack_width<T>();
        const std::int64_t packs = bias && columns % N != 0 ? 0 : pack_count<N>(size, y.as<T>());
        LAUNCH((bias_activation_kernel<T, B, N>), stride_grid(context, size, block_threads * N),
               block_threads, 0, context.stream, y.as<T>(), bias.as<B>(), activation, columns, size, packs);
      });
}

template <class T>
__global__ void __launch_bounds__(block_threads)
    blend_kernel(const float* x, float beta, T* y, std::int64_t size) {
  for (std::int64_t i = global_thread(); i < size; i += global_threads())
    y[i] = from_float<T>(x[i] + beta * to_float(y[i]));
}

void bias_gradient(Context& context, const ConstView& dy, const View& dbias, float beta) {
  const std::int64_t n = dy.rows(), out = dy.columns();
  const ConstView columns(dy.data, dy.dtype, {1, n, out});
  if (beta == 0.0f) return reduce_sum(context, columns, View(dbias.data, dbias.dtype, {1, out}));
  const Scratch sums(context, static_cast<std::size_t>(out) * sizeof(float));
  reduce_sum(context, columns, View(sums.as<float>(), {1, out}));
  dispatch_floating("linear_backward_weight", dbias.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    LAUNCH((blend_kernel<T>), stride_grid(context, out, block_threads), block_threads, 0, context.stream,
           sums.as<float>(), beta, dbias.as<T>(), out);
  });
}

/// Leading dimensions joined to one.
template <class V>
V matrix(const V& v) {
  return V(v.data, v.dtype, {v.rows(), v.columns()});
}

void linear(Context& context, const char* op, const ConstView& x, const ConstView& w, const ConstView& bias,
            Activation activation, const View& y) {
  require(w.rank == 2, op, "w must be [out, in]");
  if (bias) require_size(bias, w.shape[0], op, "bias");
  if (y.size() == 0) return;
  Product p;
  p.a = matrix(x);
  p.b = w;
  p.c = matrix(y);
  p.transpose_b = true;
  p.bias = bias;
  p.relu = activation == Activation::relu;
  const Fused fused = product(context, p);
  bias_activation(context, p.c, fused.bias ? ConstView() : bias, fused.relu ? Activation::none : activation);
}

}  // namespace

void matmul(Context& context, ConstView a, ConstView b, View c, bool transpose_a, bool transpose_b,
            float alpha, float beta) {
  Product p;
  p.a = a;
  p.b = b;
  p.c = c;
  p.transpose_a = transpose_a;
  p.transpose_b = transpose_b;
  p.alpha = alpha;
  p.beta = beta;
  if (c.size()) product(context, p);
}

void linear_forward(Context& context, ConstView x, ConstView w, ConstView bias, Activation activation,
                    View y) {
  linear(context, "linear_forward", x, w, bias, activation, y);
}

void linear_backward_input(Context& context, ConstView dy, ConstView w, View dx) {
  Product p;
  p.a = matrix(dy);
  p.b = w;
  p.c = matrix(dx);
  if (dx.size()) product(context, p);
}

void linear_backward_weight(Context& context, ConstView dy, ConstView x, View dw, View dbias, float beta) {
  const char* op = "linear_backward_weight";
  require(dy.rows() == x.rows(), op, "dy and x must have the same rows");
  const std::int64_t out = dy.columns();
  if (dbias) require_size(dbias, out, op, "dbias");
  Fused fused;
  if (dw) {
    Product p;
    p.a = matrix(dy);
    p.b = matrix(x);
    p.c = View(dw.data, dw.dtype, {out, x.columns()});
    require_size(dw, out * x.columns(), op, "dw");
    p.transpose_a = true;
    p.beta = beta;
    if (beta == 0.0f) p.row_sums = dbias;
    if (dw.size()) fused = product(context, p);
  }
  if (dbias && !fused.row_sums) bias_gradient(context, dy, dbias, beta);
}

void linear_reconstruction(Context& context, ConstView x, ConstView w, ConstView bias, ConstView target,
                           LikelihoodParams params, View nll, View dy) {
  const char* op = "linear_reconstruction";
  require_dtype(dy, x.dtype, op, "dy");
  require_size(dy, x.rows() * w.shape[0], op, "dy");
  linear(context, op, x, w, bias, Activation::none, dy);
  reconstruction_in_place(context, matrix(dy), matrix(target), params, nll);
}

}  // namespace chorale::cuda

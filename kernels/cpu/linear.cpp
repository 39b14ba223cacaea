// SPDX-License-Identifier: MIT
// The fully connected layer.
//
//   linear_forward         y = activation(x w^T + bias)
//   linear_backward_input  dx = dy w
//   linear_backward_weight dw = beta dw + dy^T x, dbias = beta dbias + sum_n dy
//
// x [n, in], w [out, in], y [n, out], f32 sums. Up to `narrow` rows (a training batch) w is the operand that
// is read once, element by element, against vectors along the batch: y^T = w x^T, dx^T = w^T dy^T. So a layer
// of 165,376 inputs moves w once and x once, and needs no packed copy of w. Longer batches keep their vectors
// along out or in.
#include "kernels/cpu/checks.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"
#include "kernels/functors.h"

namespace chorale::cpu {
namespace {

using gemm::lanes;
using gemm::load_upto;
using gemm::store_upto;
using gemm::Vector;

constexpr std::int64_t narrow = 64;

template <class F>
void with_activation(Activation activation, const F& f) {
  switch (activation) {
    case Activation::none:
      return f([](float x) { return x; });
    case Activation::relu:
      return f([](float x) { return functor::relu::f(x, 0, 0); });
    case Activation::leaky_relu:
      return f([](float x) { return functor::leaky_relu::f(x, 0.2f, 0); });
    case Activation::tanh:
      return f([](float x) { return functor::tanh::f(x, 0, 0); });
    case Activation::gelu:
      return f([](float x) { return functor::gelu::f(x, 0, 0); });
  }
}

template <class F>
Vector each(Vector v, const F& f) {
  float x[lanes];
  gemm::store(x, v);
  for (int i = 0; i < lanes; ++i) x[i] = f(x[i]);
  return gemm::load(x);
}

}  // namespace

void linear_forward(Context& context, ConstView x, ConstView w, ConstView bias, Activation activation,
                    View y) {
  require_storage("linear_forward", x, w, y);
  const std::int64_t n = x.rows(), in = w.columns(), out = w.rows();
  require(w.rank == 2 && x.columns() == in, "linear_forward", "w must be [out, in] for x [n, in]", x, w);
  require(!bias || (is_storage(bias.dtype) && bias.size() == out), "linear_forward", "bias must be [out]", w,
          bias);
  require(y.rows() == n && y.columns() == out, "linear_forward", "y must be [n, out]", x, w, y);
  const Scratch offsets(context, bias ? sizeof(float) * static_cast<std::size_t>(out) : 0);
  const float* const b = offsets.as<float>();
  if (bias) gemm::pack({bias.data, bias.dtype, out, 1}, 0, 0, 1, out, out, offsets.as<float>());
  gemm::with_storage(y.dtype, y.data, [&](auto* result) {
    with_activation(activation, [&](auto f) {
      if (n <= narrow) {
        const auto epilogue = [=](std::int64_t row, std::int64_t column, std::int64_t rows,
                                  std::int64_t columns, const float* block, std::int64_t stride) {
          gemm::for_each_transposed(block, stride, rows, columns,
                                    [&](std::int64_t j, std::int64_t i, std::int64_t count, Vector v) {
                                      const std::int64_t o = row + i;
                                      if (b) v += load_upto(b + o, count);
                                      store_upto(result + (column + j) * out + o, each(v, f), count);
                                    });
        };
        gemm::product(context, out, n, in, gemm::matrix(w), gemm::matrix(x).transposed(),
                      gemm::choose_blocks(out, n, in), epilogue);
      } else {
        const auto epilogue = [=](std::int64_t row, std::int64_t column, std::int64_t rows,
                                  std::int64_t columns, const float* block, std::int64_t stride) {
          for (std::int64_t i = 0; i < rows; ++i) {
            for (std::int64_t j = 0; j < columns; j += lanes) {
              const std::int64_t count = columns - j, o = column + j;
              Vector v = load_upto(block + i * stride + j, count);
              if (b) v += load_upto(b + o, count);
              store_upto(result + (row + i) * out + o, each(v, f), count);
            }
          }
        };
        gemm::product(context, n, out, in, gemm::matrix(x), gemm::matrix(w).transposed(),
                      gemm::choose_blocks(n, out, in), epilogue);
      }
    });
  });
}

void linear_backward_input(Context& context, ConstView dy, ConstView w, View dx) {
  require_storage("linear_backward_input", dy, w, dx);
  const std::int64_t n = dy.rows(), in = w.columns(), out = w.rows();
  require(w.rank == 2 && dy.columns() == out && dx.columns() == in && dx.rows() == n, "linear_backward_input",
          "sizes do not agree", dy, w, dx);
  gemm::with_storage(dx.dtype, dx.data, [&](auto* result) {
    const auto epilogue = [=](std::int64_t row, std::int64_t column, std::int64_t rows, std::int64_t columns,
                              const float* block, std::int64_t stride) {
      for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t j = 0; j < columns; j += lanes) {
          const std::int64_t count = columns - j;
          store_upto(result + (row + i) * in + column + j, load_upto(block + i * stride + j, count), count);
        }
      }
    };
    gemm::Blocks blocks = gemm::choose_blocks(n, in, out);
    if (n <= narrow) {
      blocks.columns = std::min<std::int64_t>(gemm::round_up(in, lanes), 512);
      blocks.k_chunk = std::clamp<std::int64_t>(65536 / blocks.columns, 128, 2048);
    }
    gemm::product(context, n, in, out, gemm::matrix(dy), gemm::matrix(w), blocks, epilogue);
  });
}

void linear_backward_weight(Context& context, ConstView dy, ConstView x, View dw, View dbias, float beta) {
  require_storage("linear_backward_weight", dy, x);
  const std::int64_t n = dy.rows(), out = dy.columns(), in = x.columns();
  require(x.rows() == n, "linear_backward_weight", "dy and x must have the same rows", dy, x);
  if (dw) {
    require(is_storage(dw.dtype) && dw.size() == out * in, "linear_backward_weight", "dw must be [out, in]",
            dw);
    gemm::with_storage(dw.dtype, dw.data, [&](auto* gradient) {
      const auto epilogue = [=](std::int64_t row, std::int64_t column, std::int64_t rows,
                                std::int64_t columns, const float* block, std::int64_t stride) {
        for (std::int64_t i = 0; i < rows; ++i) {
          auto* const p = gradient + (row + i) * in + column;
          for (std::int64_t j = 0; j < columns; j += lanes) {
            const std::int64_t count = columns - j;
            Vector v = load_upto(block + i * stride + j, count);
            if (beta != 0.0f) v += beta * load_upto(p + j, count);
            store_upto(p + j, v, count);
          }
        }
      };
      gemm::product(context, out, in, n, gemm::matrix(dy).transposed(), gemm::matrix(x),
                    gemm::choose_blocks(out, in, n), epilogue);
    });
  }
  if (dbias) {
    require(is_storage(dbias.dtype) && dbias.size() == out, "linear_backward_weight", "dbias must be [out]",
            dbias);
    gemm::with_storage(dy.dtype, dy.data, [&](const auto* d) {
      gemm::with_storage(dbias.dtype, dbias.data, [&](auto* gradient) {
        constexpr std::int64_t strip = 16 * lanes;
        parallel_tasks(block_count(out, strip), n * out, [=](std::int64_t task) {
          for (std::int64_t o = task * strip; o < std::min(out, (task + 1) * strip); o += lanes) {
            const std::int64_t count = out - o;
            Vector sum{};
            for (std::int64_t r = 0; r < n; ++r) sum += load_upto(d + r * out + o, count);
            if (beta != 0.0f) sum += beta * load_upto(gradient + o, count);
            store_upto(gradient + o, sum, count);
          }
        });
      });
    });
  }
}

}  // namespace chorale::cpu

// SPDX-License-Identifier: MIT
#include "kernels/cpu/normalise.h"

#include "kernels/cpu/checks.h"
#include "kernels/cpu/random.h"
#include "kernels/cpu/vector_math.h"
#include "kernels/functors.h"

namespace chorale::cpu {
namespace {

struct Identity {
  static float f(float x, float, float) { return x; }
  static float df(float, float, float, float) { return 1.0f; }
};

template <class Body>
void with_activation(Activation activation, const Body& body) {
  switch (activation) {
    case Activation::none:
      return body(Identity{});
    case Activation::relu:
      return body(functor::relu{});
    case Activation::leaky_relu:
      return body(functor::leaky_relu{});
    case Activation::tanh:
      return body(functor::tanh{});
    case Activation::gelu:
      return body(functor::gelu{});
  }
}

/// The activations that backward can compute again from its input; see check_gradient.
template <class Body>
void with_piecewise_linear(Activation activation, const Body& body) {
  if (activation == Activation::relu) return body(functor::relu{});
  if (activation == Activation::leaky_relu) return body(functor::leaky_relu{});
  body(Identity{});
}

/// A block without dropout: `apply` is the identity and costs nothing.
struct Whole {
  Whole(const Lines&, const Block&, const Normalisation&) {}
  const float* line(std::int64_t, std::int64_t) { return nullptr; }
  static float apply(const float*, std::int64_t, float value) { return value; }
};

/// Dropout's factors for the lines of a block: 1 / (1 - p) or 0, drawn once where they hold for a whole
/// sample.
class Dropped {
 public:
  Dropped(const Lines& l, const Block& b, const Normalisation& n) : n_(n) {
    if (n.dropout.rows_per_sample == 1) return;
    alignas(64) Line drawn;
    draw(b.group * l.columns + b.column, b.columns, drawn);
    fill_line(l, b, factors_, [&](std::int64_t c) { return drawn[c - b.column]; });
  }
  const float* line(std::int64_t offset, std::int64_t count) {
    if (n_.dropout.rows_per_sample == 1) draw(offset, count, factors_);
    return factors_;
  }
  static float apply(const float* factors, std::int64_t i, float value) {
    return factors[i] > 0.0f ? value * factors[i] : 0.0f;
  }

 private:
  void draw(std::int64_t first, std::int64_t count, float* factors) const {
    uniforms(*n_.state, n_.dropout.stream, first, count, factors);
    const float p = n_.dropout.p, keep = 1.0f / (1.0f - p);
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) factors[i] = factors[i] >= p ? keep : 0.0f;
  }
  const Normalisation& n_;
  alignas(64) Line factors_;
};

template <class Body>
void with_dropout(const ChannelDropout& dropout, const Body& body) {
  if (dropout.p > 0.0f)
    body.template operator()<Dropped>();
  else
    body.template operator()<Whole>();
}

/// The arguments of a block, repeated to lines.
struct Arguments {
  Arguments(const Lines& l, const Block& b, const Normalisation& n) {
    const auto at = [&](std::int64_t c) { return b.group * n.stride + c / n.width; };
    fill_line(l, b, mean, [&](std::int64_t c) { return n.mean[at(c)]; });
    fill_line(l, b, rstd, [&](std::int64_t c) { return n.rstd[at(c)]; });
    fill_line(l, b, gamma, [&](std::int64_t c) { return n.gamma[c]; });
    fill_line(l, b, beta, [&](std::int64_t c) { return n.beta[c]; });
  }
  alignas(64) Line mean, rstd, gamma, beta;
};

}  // namespace

Lines dropout_lines(const ConstView& x, const ChannelDropout& dropout) {
  if (!(dropout.p > 0.0f) || dropout.rows_per_sample == 1) return Lines(1, x.rows(), x.columns());
  return Lines(x.rows() / dropout.rows_per_sample, dropout.rows_per_sample, x.columns());
}

void normalise_forward(const ConstView& x, const Lines& l, const Normalisation& n, const View& y) {
  with_activation(n.activation, [&]<class F>(F) {
    with_dropout(n.dropout, [&]<class Mask>() {
      for_blocks(l, [&](const Block& b) {
        alignas(64) Line x_buffer, y_buffer, scale;
        const Arguments a(l, b, n);
        Mask mask(l, b, n);
        for (std::int64_t i = 0; i < l.repeat * b.columns; ++i) scale[i] = a.gamma[i] * a.rstd[i];
        for_lines(l, b, [&](std::int64_t offset, std::int64_t count) {
          const float *xs = load(x, offset, count, x_buffer), *factors = mask.line(offset, count);
          float* ys = target(y, offset, y_buffer);
          const float slope = n.slope;
#pragma omp simd
          for (std::int64_t i = 0; i < count; ++i)
            ys[i] = Mask::apply(factors, i, F::f((xs[i] - a.mean[i]) * scale[i] + a.beta[i], slope, 0.0f));
          store(ys, y, offset, count);
        });
      });
    });
  });
}

void normalise_gradient_sums(Context& context, const ConstView& dy, const ConstView& x, const Lines& l,
                             const Normalisation& n, double* sums) {
  with_piecewise_linear(n.activation, [&]<class F>(F) {
    with_dropout(n.dropout, [&]<class Mask>() {
      line_sums<2>(context, l, sums, [&](const Block& b, LineSums<2>& total) {
        alignas(64) Line dy_buffer, x_buffer;
        const Arguments a(l, b, n);
        Mask mask(l, b, n);
        for_lines(l, b, [&](std::int64_t offset, std::int64_t count) {
          const float *dys = load(dy, offset, count, dy_buffer), *xs = load(x, offset, count, x_buffer);
          const float* factors = mask.line(offset, count);
          Line* sum = total.next();
          const float slope = n.slope;
#pragma omp simd
          for (std::int64_t i = 0; i < count; ++i) {
            const float xhat = (xs[i] - a.mean[i]) * a.rstd[i];
            const float g =
                Mask::apply(factors, i, dys[i]) * F::df(a.gamma[i] * xhat + a.beta[i], 0.0f, slope, 0.0f);
            sum[0][i] += g;
            sum[1][i] += g * xhat;
          }
        });
      });
    });
  });
}

void normalise_backward(const ConstView& dy, const ConstView& x, const Lines& l, const Normalisation& n,
                        const float* mean_g, const float* mean_gx, const View& dx) {
  with_piecewise_linear(n.activation, [&]<class F>(F) {
    with_dropout(n.dropout, [&]<class Mask>() {
      for_blocks(l, [&](const Block& b) {
        alignas(64) Line dy_buffer, x_buffer, dx_buffer, mg, mgx;
        const Arguments a(l, b, n);
        Mask mask(l, b, n);
        const auto at = [&](std::int64_t c) { return b.group * n.stride + c / n.width; };
        fill_line(l, b, mg, [&](std::int64_t c) { return mean_g[at(c)]; });
        fill_line(l, b, mgx, [&](std::int64_t c) { return mean_gx[at(c)]; });
        for_lines(l, b, [&](std::int64_t offset, std::int64_t count) {
          const float *dys = load(dy, offset, count, dy_buffer), *xs = load(x, offset, count, x_buffer);
          const float* factors = mask.line(offset, count);
          float* dxs = target(dx, offset, dx_buffer);
          const float slope = n.slope;
#pragma omp simd
          for (std::int64_t i = 0; i < count; ++i) {
            const float xhat = (xs[i] - a.mean[i]) * a.rstd[i];
            const float g =
                Mask::apply(factors, i, dys[i]) * F::df(a.gamma[i] * xhat + a.beta[i], 0.0f, slope, 0.0f);
            dxs[i] = a.rstd[i] * (a.gamma[i] * g - mg[i] - xhat * mgx[i]);
          }
          store(dxs, dx, offset, count);
        });
      });
    });
  });
}

void check_normalisation(const char* kernel, const ConstView& x, std::initializer_list<ConstView> like_x,
                         std::initializer_list<ConstView> columns) {
  require_storage(kernel, x);
  require(x.rank >= 2, kernel, "x must have rank 2 or more", x);
  for (const ConstView& v : like_x) {
    require_storage(kernel, v);
    require(same_shape(x, v), kernel, "x, y and their gradients must have one shape", x, v);
  }
  for (const ConstView& v : columns)
    require(v.dtype == DType::f32 && v.size() == x.columns() && present(v), kernel,
            "a per-column view must hold one f32 per column", x, v);
}

void check_gradient(const char* kernel, const ConstView& x, Activation activation) {
  require(activation == Activation::none || activation == Activation::relu ||
              activation == Activation::leaky_relu,
          kernel, "activation must be none, relu or leaky_relu", x);
}

void check_dropout(const char* kernel, const ConstView& x, const ChannelDropout& dropout,
                   const StepState* state) {
  require(dropout.p >= 0.0f && dropout.p < 1.0f, kernel, "dropout p must be in [0, 1)", x);
  if (dropout.p == 0.0f) return;
  require(state != nullptr, kernel, "dropout needs the step state", x);
  require(dropout.rows_per_sample > 0 && x.rows() % dropout.rows_per_sample == 0, kernel,
          "dropout's rows_per_sample must divide the rows", x);
}

}  // namespace chorale::cpu

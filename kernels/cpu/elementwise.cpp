// SPDX-License-Identifier: MIT
// The rows of unary.def and binary.def.
//
//   y = f(x)            dx = dy f'(x, y)                  one argument
//   out = f(x, y)       dx = dout f_x,  dy_full = dout f_y    two arguments, y broadcast over the leading
//   dimensions
//
// Layout: contiguous, walked in chunks of f32; a broadcast argument is repeated into the chunk's buffer.
// Arithmetic: f32, one rounding to the storage type at the end. Bytes moved: each view once, forward 2 or 3 x
// size, backward 4 or 5 x size of the storage type; bound by memory for all but tanh, gelu, softplus.
#include <cstring>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/storage.h"
#include "kernels/cpu/vector_math.h"
#include "kernels/functors.h"

namespace chorale::cpu {
namespace {

/// Calls body(offset, count) for every chunk of [0, n).
template <class Body>
void for_chunks(std::int64_t n, const Body& body) {
  parallel_blocks(n, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t offset = begin; offset < end; offset += chunk)
      body(offset, std::min(chunk, end - offset));
  });
}

template <class Functor>
void unary_forward(const char* kernel, const ConstView& x, const View& y, float a, float b) {
  require_storage(kernel, x, y);
  require(same_shape(x, y), kernel, "x and y must have one shape", x, y);
  for_chunks(x.size(), [&](std::int64_t offset, std::int64_t count) {
    alignas(64) float x_buffer[chunk], y_buffer[chunk];
    const float* xs = load(x, offset, count, x_buffer);
    float* ys = target(y, offset, y_buffer);
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) ys[i] = Functor::f(xs[i], a, b);
    store(ys, y, offset, count);
  });
}

template <class Functor>
void unary_backward(const char* kernel, const ConstView& dy, const ConstView& x, const ConstView& y,
                    const View& dx, float a, float b) {
  require_storage(kernel, dy, x, y, dx);
  require(same_shape(x, dy) && same_shape(x, y) && same_shape(x, dx), kernel, "all views must have one shape",
          dy, x, y, dx);
  for_chunks(x.size(), [&](std::int64_t offset, std::int64_t count) {
    alignas(64) float dy_buffer[chunk], x_buffer[chunk], y_buffer[chunk], dx_buffer[chunk];
    const float* dys = load(dy, offset, count, dy_buffer);
    const float* xs = load(x, offset, count, x_buffer);
    const float* ys = load(y, offset, count, y_buffer);
    float* dxs = target(dx, offset, dx_buffer);
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) dxs[i] = dys[i] * Functor::df(xs[i], ys[i], a, b);
    store(dxs, dx, offset, count);
  });
}

/// True if y's shape is a suffix of x's, or y has one element.
bool broadcasts(const ConstView& x, const ConstView& y) {
  if (y.size() == 1) return true;
  if (y.rank > x.rank) return false;
  for (int i = 0; i < y.rank; ++i)
    if (y.shape[static_cast<std::size_t>(y.rank - 1 - i)] !=
        x.shape[static_cast<std::size_t>(x.rank - 1 - i)])
      return false;
  return true;
}

/// As `load`, from a view of `period` elements that is repeated without end.
const float* load_repeated(const ConstView& v, std::int64_t period, std::int64_t offset, std::int64_t count,
                           float* buffer) {
  if (period == 1) {
    std::fill_n(buffer, count, load_one(v, 0));
    return buffer;
  }
  std::int64_t from = offset % period;
  if (from + count <= period) return load(v, from, count, buffer);
  for (std::int64_t done = 0; done < count; from = 0) {
    const std::int64_t part = std::min(count - done, period - from);
    const float* values = load(v, from, part, buffer + done);
    if (values != buffer + done)
      std::memcpy(buffer + done, values, static_cast<std::size_t>(part) * sizeof(float));
    done += part;
  }
  return buffer;
}

template <class Functor>
void binary_forward(const char* kernel, const ConstView& x, const ConstView& y, const View& out) {
  require_storage(kernel, x, y, out);
  require(same_shape(x, out), kernel, "x and out must have one shape", x, out);
  require(broadcasts(x, y), kernel, "y's shape must be a suffix of x's, or one element", x, y);
  const std::int64_t period = y.size();
  for_chunks(x.size(), [&](std::int64_t offset, std::int64_t count) {
    alignas(64) float x_buffer[chunk], y_buffer[chunk], out_buffer[chunk];
    const float* xs = load(x, offset, count, x_buffer);
    const float* ys = load_repeated(y, period, offset, count, y_buffer);
    float* outs = target(out, offset, out_buffer);
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) outs[i] = Functor::f(xs[i], ys[i]);
    store(outs, out, offset, count);
  });
}

template <class Functor>
void binary_backward(const char* kernel, const ConstView& dout, const ConstView& x, const ConstView& y,
                     const View& dx, const View& dy_full) {
  require_storage(kernel, dout, x, y);
  require(same_shape(x, dout), kernel, "dout and x must have one shape", dout, x);
  require(broadcasts(x, y), kernel, "y's shape must be a suffix of x's, or one element", x, y);
  require(!dx || (same_shape(x, dx) && is_storage(dx.dtype)), kernel, "dx must be shaped as x", x, dx);
  require(!dy_full || (dy_full.size() == x.size() && is_storage(dy_full.dtype)), kernel,
          "dy_full must be shaped as x", x, dy_full);
  const std::int64_t period = y.size();
  for_chunks(x.size(), [&](std::int64_t offset, std::int64_t count) {
    alignas(64) float dout_buffer[chunk], x_buffer[chunk], y_buffer[chunk], result_buffer[chunk];
    const float* douts = load(dout, offset, count, dout_buffer);
    const float* xs = load(x, offset, count, x_buffer);
    const float* ys = load_repeated(y, period, offset, count, y_buffer);
    if (dx && dy_full) {  // both at once: either may be the memory of an input
      alignas(64) float dy_buffer[chunk];
#pragma omp simd
      for (std::int64_t i = 0; i < count; ++i) dy_buffer[i] = douts[i] * Functor::dy(xs[i], ys[i]);
      float* dxs = target(dx, offset, result_buffer);
#pragma omp simd
      for (std::int64_t i = 0; i < count; ++i) dxs[i] = douts[i] * Functor::dx(xs[i], ys[i]);
      store(dxs, dx, offset, count);
      float* dys = target(dy_full, offset, dy_buffer);
      if (dys != dy_buffer) std::memcpy(dys, dy_buffer, static_cast<std::size_t>(count) * sizeof(float));
      store(dys, dy_full, offset, count);
    } else if (dx) {
      float* dxs = target(dx, offset, result_buffer);
#pragma omp simd
      for (std::int64_t i = 0; i < count; ++i) dxs[i] = douts[i] * Functor::dx(xs[i], ys[i]);
      store(dxs, dx, offset, count);
    } else if (dy_full) {
      float* dys = target(dy_full, offset, result_buffer);
#pragma omp simd
      for (std::int64_t i = 0; i < count; ++i) dys[i] = douts[i] * Functor::dy(xs[i], ys[i]);
      store(dys, dy_full, offset, count);
    }
  });
}

}  // namespace

#define UNARY(name)                                                                                   \
  void name##_forward(Context&, ConstView x, View y, float a, float b) {                              \
    unary_forward<functor::name>(#name "_forward", x, y, a, b);                                       \
  }                                                                                                   \
  void name##_backward(Context&, ConstView dy, ConstView x, ConstView y, View dx, float a, float b) { \
    unary_backward<functor::name>(#name "_backward", dy, x, y, dx, a, b);                             \
  }
#include "kernels/unary.def"
#undef UNARY

#define BINARY(name)                                                                                \
  void name##_forward(Context&, ConstView x, ConstView y, View out) {                               \
    binary_forward<functor::name>(#name "_forward", x, y, out);                                     \
  }                                                                                                 \
  void name##_backward(Context&, ConstView dout, ConstView x, ConstView y, View dx, View dy_full) { \
    binary_backward<functor::name>(#name "_backward", dout, x, y, dx, dy_full);                     \
  }
#include "kernels/binary.def"
#undef BINARY

}  // namespace chorale::cpu

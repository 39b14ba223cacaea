// SPDX-License-Identifier: MIT
// Elementwise functions read by both compilers: `f` is the value, `df` the derivative with respect to x,
// given x and y = f(x). Binary functors give the derivatives by both arguments. f32 arithmetic for every
// storage type.
#pragma once
#include <cmath>

#include "kernels/macros.h"

namespace chorale::functor {

struct relu {
  CHORALE_HD static float f(float x, float, float) { return x > 0.0f ? x : (x == x ? 0.0f : x); }
  CHORALE_HD static float df(float x, float, float, float) { return x > 0.0f ? 1.0f : 0.0f; }
};
struct leaky_relu {
  CHORALE_HD static float f(float x, float a, float) { return x > 0.0f ? x : a * x; }
  CHORALE_HD static float df(float x, float, float a, float) { return x > 0.0f ? 1.0f : a; }
};
struct tanh {
  CHORALE_HD static float f(float x, float, float) { return ::tanhf(x); }
  CHORALE_HD static float df(float, float y, float, float) { return 1.0f - y * y; }
};
struct sigmoid {
  CHORALE_HD static float f(float x, float, float) { return 1.0f / (1.0f + ::expf(-x)); }
  CHORALE_HD static float df(float, float y, float, float) { return y * (1.0f - y); }
};
struct softplus {
  CHORALE_HD static float f(float x, float, float) {
    return (x > 0.0f ? x : 0.0f) + ::log1pf(::expf(-::fabsf(x)));
  }
  CHORALE_HD static float df(float x, float, float, float) { return 1.0f / (1.0f + ::expf(-x)); }
};
struct gelu {
  CHORALE_HD static float f(float x, float, float) { return 0.5f * x * (1.0f + ::erff(x * 0.70710678f)); }
  CHORALE_HD static float df(float x, float, float, float) {
    return 0.5f * (1.0f + ::erff(x * 0.70710678f)) + x * 0.39894228f * ::expf(-0.5f * x * x);
  }
};
struct exp {
  CHORALE_HD static float f(float x, float, float) { return ::expf(x); }
  CHORALE_HD static float df(float, float y, float, float) { return y; }
};
struct log {
  CHORALE_HD static float f(float x, float, float) { return ::logf(x); }
  CHORALE_HD static float df(float x, float, float, float) { return 1.0f / x; }
};
struct sqrt {
  CHORALE_HD static float f(float x, float, float) { return ::sqrtf(x); }
  CHORALE_HD static float df(float, float y, float, float) { return 0.5f / y; }
};
struct square {
  CHORALE_HD static float f(float x, float, float) { return x * x; }
  CHORALE_HD static float df(float x, float, float, float) { return 2.0f * x; }
};
struct abs {
  CHORALE_HD static float f(float x, float, float) { return ::fabsf(x); }
  CHORALE_HD static float df(float x, float, float, float) {
    return x > 0.0f ? 1.0f : (x < 0.0f ? -1.0f : 0.0f);
  }
};
struct clamp {
  CHORALE_HD static float f(float x, float a, float b) { return x < a ? a : (x > b ? b : x); }
  CHORALE_HD static float df(float x, float, float a, float b) { return x >= a && x <= b ? 1.0f : 0.0f; }
};
struct affine {
  CHORALE_HD static float f(float x, float a, float b) { return a * x + b; }
  CHORALE_HD static float df(float, float, float a, float) { return a; }
};

struct add {
  CHORALE_HD static float f(float x, float y) { return x + y; }
  CHORALE_HD static float dx(float, float) { return 1.0f; }
  CHORALE_HD static float dy(float, float) { return 1.0f; }
};
struct sub {
  CHORALE_HD static float f(float x, float y) { return x - y; }
  CHORALE_HD static float dx(float, float) { return 1.0f; }
  CHORALE_HD static float dy(float, float) { return -1.0f; }
};
struct mul {
  CHORALE_HD static float f(float x, float y) { return x * y; }
  CHORALE_HD static float dx(float, float y) { return y; }
  CHORALE_HD static float dy(float x, float) { return x; }
};
struct div {
  CHORALE_HD static float f(float x, float y) { return x / y; }
  CHORALE_HD static float dx(float, float y) { return 1.0f / y; }
  CHORALE_HD static float dy(float x, float y) { return -x / (y * y); }
};
struct maximum {  // ties share the gradient, as in PyTorch
  CHORALE_HD static float f(float x, float y) { return x != x ? x : (y != y ? y : (x > y ? x : y)); }
  CHORALE_HD static float dx(float x, float y) { return x > y ? 1.0f : (x == y ? 0.5f : 0.0f); }
  CHORALE_HD static float dy(float x, float y) { return y > x ? 1.0f : (x == y ? 0.5f : 0.0f); }
};
struct minimum {
  CHORALE_HD static float f(float x, float y) { return x != x ? x : (y != y ? y : (x < y ? x : y)); }
  CHORALE_HD static float dx(float x, float y) { return x < y ? 1.0f : (x == y ? 0.5f : 0.0f); }
  CHORALE_HD static float dy(float x, float y) { return y < x ? 1.0f : (x == y ? 0.5f : 0.0f); }
};

}  // namespace chorale::functor

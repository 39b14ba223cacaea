// SPDX-License-Identifier: MIT
// Winograd's minimal filtering (Lavin and Gray, CVPR 2016) on tiles of 4 x 4 points with the interpolation
// points 0, 1, -1 and infinity, for kernels of R = 2 or 3 points, which give M = 5 - R results a side:
//
//   y = A^T [(G g G^T) . (B^T d B)] A          d 4 x 4, g R x R, y M x M, . elementwise
//
//         1  0 -1  0          1 1  1 0                 1   0             1   0   0
//   B^T = 0  1  1  0    A^T = 0 1 -1 0 (M = 3)    G = 1/2  1/2 (R = 2)  1/2 1/2 1/2 (R = 3)
//         0 -1  1  0          0 1  1 1                1/2 -1/2          1/2 -1/2 1/2
//         0 -1  0  1    A^T = 1 1 1 0, 0 1 -1 1 (2)    0   1             0   0   1
//
// 16 products stand for M M R R = 36: 2.25 times fewer. B and A only add, so f32 keeps a relative error of a
// few 1e-7. Each function here works on vectors of channels in registers. The gradient of the weights uses
// the same matrices, transposed: dg = G^T [(B^T d B) . (A dy A^T)] G.
#pragma once
#include "kernels/cpu/gemm_vector.h"

namespace chorale::cpu::winograd {

using gemm::Vector;

constexpr int tile = 4, positions = tile * tile;
template <int R>
constexpr int results = 5 - R;

/// d <- B^T d B
[[gnu::always_inline]] inline void transform_input(Vector (&d)[positions]) {
  const auto line = [&](int first, int step) __attribute__((always_inline)) {
    const Vector d0 = d[first], d1 = d[first + step], d2 = d[first + 2 * step], d3 = d[first + 3 * step];
    d[first] = d0 - d2;
    d[first + step] = d1 + d2;
    d[first + 2 * step] = d2 - d1;
    d[first + 3 * step] = d3 - d1;
  };
#pragma GCC unroll 4
  for (int j = 0; j < tile; ++j) line(j, tile);
#pragma GCC unroll 4
  for (int i = 0; i < tile; ++i) line(i * tile, 1);
}

/// y = A^T m A
template <int R>
[[gnu::always_inline]] inline void transform_output(const Vector (&m)[positions],
                                                    Vector (&y)[results<R> * results<R>]) {
  constexpr int M = results<R>;
  Vector half[M * tile];
  const auto line = [](const Vector* in, int step, Vector* out, int out_step) __attribute__((always_inline)) {
    const Vector sum = in[step] + in[2 * step], difference = in[step] - in[2 * step];
    out[0] = in[0] + sum;
    out[out_step] = M == 3 ? difference : difference + in[3 * step];
    if (M == 3) out[2 * out_step] = sum + in[3 * step];
  };
#pragma GCC unroll 4
  for (int j = 0; j < tile; ++j) line(m + j, tile, half + j, tile);
#pragma GCC unroll 4
  for (int i = 0; i < M; ++i) line(half + i * tile, 1, y + i * M, 1);
}

/// m = A y A^T
template <int R>
[[gnu::always_inline]] inline void spread_output(const Vector (&y)[results<R> * results<R>],
                                                 Vector (&m)[positions]) {
  constexpr int M = results<R>;
  Vector half[tile * M];
  const auto line = [](const Vector* in, int step, Vector* out, int out_step) __attribute__((always_inline)) {
    const Vector even = M == 3 ? in[0] + in[2 * step] : in[0], odd = in[step];
    out[0] = in[0];
    out[out_step] = even + odd;
    out[2 * out_step] = even - odd;
    out[3 * out_step] = in[(M - 1) * step];
  };
#pragma GCC unroll 4
  for (int j = 0; j < M; ++j) line(y + j, M, half + j, M);
#pragma GCC unroll 4
  for (int i = 0; i < tile; ++i) line(half + i * M, 1, m + i * tile, 1);
}

/// u = G g G^T
template <int R>
[[gnu::always_inline]] inline void transform_weight(const Vector (&g)[R * R], Vector (&u)[positions]) {
  Vector half[tile * R];
  const auto line = [](const Vector* in, int step, Vector* out, int out_step) __attribute__((always_inline)) {
    const Vector even = 0.5f * (R == 3 ? in[0] + in[2 * step] : in[0]), odd = 0.5f * in[step];
    out[0] = in[0];
    out[out_step] = even + odd;
    out[2 * out_step] = even - odd;
    out[3 * out_step] = in[(R - 1) * step];
  };
#pragma GCC unroll 4
  for (int j = 0; j < R; ++j) line(g + j, R, half + j, R);
#pragma GCC unroll 4
  for (int i = 0; i < tile; ++i) line(half + i * R, 1, u + i * tile, 1);
}

/// g = G^T u G
template <int R>
[[gnu::always_inline]] inline void gather_weight(const Vector (&u)[positions], Vector (&g)[R * R]) {
  Vector half[R * tile];
  const auto line = [](const Vector* in, int step, Vector* out, int out_step) __attribute__((always_inline)) {
    const Vector sum = 0.5f * (in[step] + in[2 * step]), difference = 0.5f * (in[step] - in[2 * step]);
    out[0] = in[0] + sum;
    out[out_step] = R == 3 ? difference : difference + in[3 * step];
    if (R == 3) out[2 * out_step] = sum + in[3 * step];
  };
#pragma GCC unroll 4
  for (int j = 0; j < tile; ++j) line(u + j, tile, half + j, tile);
#pragma GCC unroll 4
  for (int i = 0; i < R; ++i) line(half + i * tile, 1, g + i * R, 1);
}

}  // namespace chorale::cpu::winograd

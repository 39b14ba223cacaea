// SPDX-License-Identifier: MIT
// Forward and input gradient by Winograd's filtering: one engine,
//
//   to [points, n] = sum over R x R neighbours of from [points, k] g [R, R, k, n] + bias
//
// with k = s s c, n = o for y, and k = o, n = s s c, the kernel turned around, for dx (winograd_tiles.h). A
// task takes a few dozen tiles through all three steps in its own scratch memory, about the size of the
// second-level cache: V[16][tiles, k] = B^T d B, the products M[p] = V[p] U[p], and y = A^T M A with the
// bias. U = G g G^T is made once a call, 4 or 16 / 9 times the weights. Nothing else is kept: images are read
// and written once, but for the rim that neighbouring tiles share.
//
// V and U are f32, or bf16 where the storage is and the processor multiplies it; sums are f32. The relative
// error as a whole is then 4e-3, of which 1.7e-3 come from storing the result (f32: 4e-7). A NaN or an
// infinity reaches every result of the tiles that hold it.
#include "kernels/cpu/winograd.h"

#include <omp.h>

#include "kernels/cpu/gemm.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/winograd_tiles.h"

namespace chorale::cpu::winograd {
namespace {

using gemm::lanes;
using gemm::round_up;

/// Sizes of the products and of a task's scratch memory.
struct Plan {
  Grid from, to;
  Tiles tiles;
  std::int64_t k, n;
  std::int64_t block;  ///< tiles a task
  // Distances, in elements, between rows of V and between the 16 matrices.
  std::int64_t v_row, v_matrix, m_matrix;

  Plan(const Grid& from_, const Grid& to_, const Tiles& tiles_)
      : from(from_), to(to_), tiles(tiles_), k(from_.depth()), n(to_.depth()) {
    constexpr std::int64_t scratch_floats = 240 * 1024;
    block =
        std::clamp(scratch_floats / positions / (k + n) / gemm::tile_rows, std::int64_t{2}, std::int64_t{4}) *
        gemm::tile_rows;
    v_row = k + 16;
    v_matrix = spread(block * v_row, 32);
    m_matrix = spread(block * n, 16);
  }
};

/// V of tiles first, first + 1, ...; `zeros` holds a pixel's channels.
template <class T, class E>
void transform_tiles(const Plan& plan, const T* image, const T* zeros, std::int64_t first, std::int64_t count,
                     E* v) {
  constexpr std::int64_t staged = 64;
  alignas(64) float stage[positions * staged];
  const std::int64_t channels = plan.from.channels, v_row = plan.v_row, v_matrix = plan.v_matrix;
  const auto transform = [&](std::int64_t t, std::int64_t part, const auto& pixels) {
    E* const out = v + t * v_row + part * channels;
    for (std::int64_t c = 0; c < channels; c += lanes) {
      Vector d[positions];
#pragma GCC unroll 16
      for (int p = 0; p < positions; ++p) d[p] = gemm::load(pixels(p) + c);
      transform_input(d);
      if constexpr (pair<E> == 1) {
#pragma GCC unroll 16
        for (int p = 0; p < positions; ++p) gemm::store(out + p * v_matrix + c, d[p]);
      } else {
        const std::int64_t at = c % staged;
#pragma GCC unroll 16
        for (int p = 0; p < positions; ++p) gemm::store(stage + p * staged + at, d[p]);
        if (at + lanes == staged || c + lanes >= channels)
          gemm::round_rows(positions, at + lanes, stage, staged, out + c - at, v_matrix);
      }
    }
  };
  for_each_window<tile>(plan.from, plan.tiles, first, count, image, zeros, transform);
}

/// How far a sum over k goes at once: a panel of U stays in the first-level cache, and f32 sums are shorter.
template <class E>
constexpr std::int64_t k_chunk = 128 * pair<E>;

/// M[p] = V[p] U[p]; upcoming(p) is fetched meanwhile.
template <class Ahead>
void multiply(const Plan& plan, std::int64_t count, const float* v, const float* u, float* m,
              const Ahead& upcoming) {
  for (int p = 0; p < positions; ++p, v += plan.v_matrix, m += plan.m_matrix) {
    for (std::int64_t k = 0; k < plan.k; k += k_chunk<float>) {
      const std::int64_t depth = std::min(k_chunk<float>, plan.k - k);
      gemm::product_block(count, plan.n, depth, {v + k, plan.v_row, 1}, u, m, plan.n, k > 0,
                          k == 0 ? upcoming(p) : gemm::UpcomingList{});
      u += depth * plan.n;
    }
  }
}
template <class Ahead>
void multiply(const Plan& plan, std::int64_t count, const bf16* v, const bf16* u, float* m,
              const Ahead& upcoming) {
  const auto* left = reinterpret_cast<const std::uint32_t*>(v);
  const auto* right = reinterpret_cast<const std::uint32_t*>(u);
  for (int p = 0; p < positions; ++p, left += plan.v_matrix / 2, m += plan.m_matrix) {
    for (std::int64_t k = 0; k < plan.k; k += k_chunk<bf16>) {
      const std::int64_t depth = std::min(k_chunk<bf16>, plan.k - k) / 2;
      gemm::product_block(count, plan.n, depth, {left + k / 2, plan.v_row / 2, 1}, right, m, plan.n, k > 0,
                          k == 0 ? upcoming(p) : gemm::UpcomingList{});
      right += depth * plan.n;
    }
  }
}

/// Results of the same tiles, to the pixels that there are.
template <int R, class T>
void transform_results(const Plan& plan, const float* m, const float* bias, std::int64_t first,
                       std::int64_t count, T* image) {
  constexpr int M = results<R>;
  const std::int64_t channels = plan.to.channels, m_matrix = plan.m_matrix;
  const auto transform = [&]<class Pixels>(std::int64_t t, std::int64_t part, const Pixels& pixels) {
    const float* const in = m + t * plan.n + part * channels;
    for (std::int64_t c = 0; c < channels; c += lanes) {
      Vector sums[positions], y[M * M];
#pragma GCC unroll 16
      for (int p = 0; p < positions; ++p) sums[p] = gemm::load(in + p * m_matrix + c);
      transform_output<R>(sums, y);
      const Vector offset = bias ? gemm::load(bias + c) : Vector{};
#pragma GCC unroll 9
      for (int i = 0; i < M * M; ++i)
        if (std::is_same_v<Pixels, Inside<M, T>> || pixels(i)) gemm::store(pixels(i) + c, y[i] + offset);
    }
  };
  for_each_window<M>(plan.to, plan.tiles, first, count, image, static_cast<T*>(nullptr), transform);
}

/// Where U keeps element (k, n): chunks of k, in them panels of tile_columns, k-major, pairs of k side by
/// side.
template <class E>
std::int64_t place(std::int64_t depth, std::int64_t k, std::int64_t n, std::int64_t columns) {
  const std::int64_t chunk = k / k_chunk<E> * k_chunk<E>, panel = n / gemm::tile_columns * gemm::tile_columns;
  const std::int64_t width = std::min<std::int64_t>(gemm::tile_columns, columns - panel);
  return chunk * columns + panel * std::min(k_chunk<E>, depth - chunk) +
         ((k - chunk) / pair<E> * width + n - panel) * pair<E>;
}

/// U of the elements (k, n), (k, n + 1), ...; with pairs, of k + 1 too.
template <int R, class E>
void put_weights(const Vector (&g)[pair<E>][R * R], std::int64_t depth, std::int64_t columns, std::int64_t k,
                 std::int64_t n, E* u) {
  Vector transformed[pair<E>][positions];
  for (int i = 0; i < pair<E>; ++i) transform_weight<R>(g[i], transformed[i]);
  E* const out = u + place<E>(depth, k, n, columns);
  const std::int64_t matrix = depth * columns;
  if constexpr (pair<E> == 1) {
    for (int p = 0; p < positions; ++p) gemm::store(out + p * matrix, transformed[0][p]);
  } else {
    float low[positions * lanes], high[positions * lanes];
    for (int p = 0; p < positions; ++p) {
      gemm::store(low + p * lanes, transformed[0][p]);
      gemm::store(high + p * lanes, transformed[1][p]);
    }
    gemm::round_pairs(positions, lanes, low, high, lanes, reinterpret_cast<std::uint32_t*>(out), matrix / 2);
  }
}

/// For y: k runs over parts and channels, n over outs. w has its vectors along k, U along n.
template <int R, class T, class E>
void transform_weights_forward(const Sizes& s, const T* w, E* u) {
  const std::int64_t step = s.stride_height, depth = step * step * s.channels, filter = s.taps() * s.channels;
  const std::int64_t squares = s.outs / lanes * (depth / lanes);
  parallel_tasks(squares, s.outs * filter, [&](std::int64_t square) {
    const std::int64_t n = square % (s.outs / lanes) * lanes, k = square / (s.outs / lanes) * lanes;
    const std::int64_t part = k / s.channels, c = k % s.channels;
    Vector taps[R * R][lanes];
    for (int a = 0; a < R; ++a) {
      for (int b = 0; b < R; ++b) {
        const std::int64_t tap = (step * a + part / step) * s.kernel_width + step * b + part % step;
        gemm::load_square(w + n * filter + tap * s.channels + c, filter, lanes, lanes, taps[a * R + b]);
      }
    }
    for (int i = 0; i < lanes; i += pair<E>) {
      Vector g[pair<E>][R * R];
      for (int h = 0; h < pair<E>; ++h)
        for (int t = 0; t < R * R; ++t) g[h][t] = taps[t][i + h];
      put_weights<R>(g, depth, s.outs, k + i, n, u);
    }
  });
}

/// For dx: k runs over outs, n over parts and channels, and the kernel is turned around.
template <int R, class T, class E>
void transform_weights_backward(const Sizes& s, const T* w, E* u) {
  const std::int64_t step = s.stride_height, columns = step * step * s.channels,
                     filter = s.taps() * s.channels;
  parallel_tasks(s.outs / pair<E>, s.outs * filter, [&](std::int64_t task) {
    const std::int64_t k = task * pair<E>;
    for (std::int64_t n = 0; n < columns; n += lanes) {
      const std::int64_t part = n / s.channels, c = n % s.channels;
      Vector g[pair<E>][R * R];
      for (int h = 0; h < pair<E>; ++h) {
        for (int a = 0; a < R; ++a) {
          for (int b = 0; b < R; ++b) {
            const std::int64_t tap =
                (step * (R - 1 - a) + part / step) * s.kernel_width + step * (R - 1 - b) + part % step;
            g[h][a * R + b] = gemm::load(w + (k + h) * filter + tap * s.channels + c);
          }
        }
      }
      put_weights<R>(g, s.outs, columns, k, n, u);
    }
  });
}

template <int R, class T, class E>
void convolve(Context& context, const Plan& plan, const T* from, const E* u, const float* bias, T* to) {
  const std::int64_t v_bytes = round_up(positions * plan.v_matrix * static_cast<std::int64_t>(sizeof(E)), 64),
                     m_bytes = positions * plan.m_matrix * static_cast<std::int64_t>(sizeof(float));
  const std::int64_t slab = v_bytes + m_bytes + 64,
                     pixel_bytes = plan.from.channels * static_cast<std::int64_t>(sizeof(T));
  const Scratch scratch(context, static_cast<std::size_t>(slab * omp_get_max_threads() + pixel_bytes));
  T* const zeros = reinterpret_cast<T*>(scratch.as<char>() + slab * omp_get_max_threads());
  std::fill_n(zeros, plan.from.channels, T{});
  const std::int64_t tasks = block_count(plan.tiles.count(), plan.block);
  // A thread takes a few tasks in a row: what it fetches ahead is its own.
  const std::int64_t turn = std::clamp<std::int64_t>(tasks / (4 * omp_get_max_threads()), 1, 8);
#pragma omp parallel for schedule(dynamic, turn) if (tasks > 1)
  for (std::int64_t task = 0; task < tasks; ++task) {
    char* const own = scratch.as<char>() + slab * omp_get_thread_num();
    E* const v = reinterpret_cast<E*>(own);
    float* const m = reinterpret_cast<float*>(own + v_bytes);
    const std::int64_t first = task * plan.block, count = std::min(plan.block, plan.tiles.count() - first);
    transform_tiles(plan, from, zeros, first, count, v);
    multiply(plan, count, v, u, m, [&](int p) {
      return upcoming_pixels<tile>(plan.from, plan.tiles, first + count, plan.block, 0, plan.from.channels,
                                   from, p);
    });
    transform_results<R>(plan, m, bias, first, count, to);
  }
}

}  // namespace

bool applies(const Sizes& s) {
  constexpr std::int64_t block = 16;
  const std::int64_t step = s.stride_height, points = s.kernel_height / step;
  return s.stride_width == step && s.kernel_width == s.kernel_height && (step == 1 || step == 2) &&
         s.kernel_height % step == 0 && (points == 2 || points == 3) && s.channels % block == 0 &&
         s.outs % block == 0 && s.channels > 0 && s.outs > 0;
}

void forward(Context& context, const Sizes& s, const ConstView& x, const ConstView& w, const float* bias,
             const View& y) {
  gemm::with_storage(y.dtype, y.data, [&]<class T>(T* to) {
    with_method<T>(s, [&](auto points, auto element) {
      constexpr int R = points;
      using E = decltype(element);
      const Plan plan(grid_of_x(s), grid_of_y(s, 0),
                      tiles_of(s.images, s.out_height, s.out_width, results<R>));
      const Scratch u(context, sizeof(E) * static_cast<std::size_t>(positions * plan.k * plan.n));
      transform_weights_forward<R>(s, w.as<T>(), u.as<E>());
      convolve<R>(context, plan, x.as<T>(), static_cast<const E*>(u.as<E>()), bias, to);
    });
  });
}

void backward_input(Context& context, const Sizes& s, const ConstView& dy, const ConstView& w,
                    const float* bias, const View& dx) {
  gemm::with_storage(dx.dtype, dx.data, [&]<class T>(T* to) {
    with_method<T>(s, [&](auto points, auto element) {
      constexpr int R = points;
      using E = decltype(element);
      const Grid grid = grid_of_x(s);
      const Plan plan(grid_of_y(s, R - 1), grid,
                      tiles_of(s.images, (s.height - 1 + s.padding_height) / grid.step + 1,
                               (s.width - 1 + s.padding_width) / grid.step + 1, results<R>));
      const Scratch u(context, sizeof(E) * static_cast<std::size_t>(positions * plan.k * plan.n));
      transform_weights_backward<R>(s, w.as<T>(), u.as<E>());
      convolve<R>(context, plan, dy.as<T>(), static_cast<const E*>(u.as<E>()), bias, to);
    });
  });
}

}  // namespace chorale::cpu::winograd

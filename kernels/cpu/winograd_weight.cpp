// SPDX-License-Identifier: MIT
// The gradient of the weights by Winograd's filtering: the engine of winograd.cpp differentiated,
//
//   dU[p] [k, o] = sum over tiles of V[p] [tile, k] D[p] [tile, o]     V = B^T x B, D = A dy A^T, dg = G^T dU
//   G
//
// A task owns a slice of k (all parts of some channels), a slice of o, and a group of tiles. Its dU, 16
// matrices of slice x slice f32 sums, stays in the second-level cache while blocks of tiles are transformed
// and multiplied. The transforms are made again for every slice of the other operand: a few percent of the
// products. Each task ends with dg, 4 or 16 / 9 times smaller than dU; groups, whose number depends on the
// sizes alone, are added in their order. V and D are f32, or words of two bf16 neighbours in the order of
// tiles.
#include <omp.h>

#include "kernels/cpu/gemm.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/winograd.h"
#include "kernels/cpu/winograd_tiles.h"

namespace chorale::cpu::winograd {
namespace {

using gemm::lanes;

/// One element of V or D: a float, or a word of two bf16.
template <class E>
using Cell = std::conditional_t<pair<E> == 2, std::uint32_t, float>;

struct Plan {
  Grid x, y;
  Tiles tiles;
  std::int64_t channels, outs;  ///< of a slice
  std::int64_t channel_slices, out_slices;
  std::int64_t k;      ///< parts x channels of a slice
  std::int64_t block;  ///< tiles that are transformed together
  std::int64_t blocks_of_group, groups;
  std::int64_t v_matrix, d_matrix, sum_matrix;  ///< distances between the 16 matrices

  Plan(const Sizes& s, std::int64_t side, int pair)
      : x(grid_of_x(s)), y(grid_of_y(s, 0)), tiles(tiles_of(s.images, s.out_height, s.out_width, side)) {
    constexpr std::int64_t slice = 64, most_tasks = 64, most_groups = 16;
    channels = std::min(s.channels, slice / x.parts());
    outs = std::min(s.outs, slice);
    channel_slices = block_count(s.channels, channels);
    out_slices = block_count(s.outs, outs);
    k = x.parts() * channels;
    block = 48 * pair;
    const std::int64_t blocks = std::max<std::int64_t>(1, block_count(tiles.count(), block));
    const std::int64_t wanted = std::clamp<std::int64_t>(most_tasks / (channel_slices * out_slices), 1,
                                                         std::min(most_groups, blocks));
    blocks_of_group = block_count(blocks, wanted);
    groups = block_count(blocks, blocks_of_group);
    v_matrix = spread(block / pair * k, 16);
    d_matrix = spread(block / pair * outs, 16);
    sum_matrix = k * outs;
  }
};

/// The memory of one thread.
template <class E>
struct Workspace {
  Cell<E>*v, *d;
  float* sums;
  static std::int64_t size(const Plan& plan) {
    return positions * (plan.v_matrix + plan.d_matrix + plan.sum_matrix);
  }
  Workspace(const Plan& plan, float* memory)
      : v(reinterpret_cast<Cell<E>*>(memory)),
        d(v + positions * plan.v_matrix),
        sums(memory + positions * (plan.v_matrix + plan.d_matrix)) {}
};

/// Writes the 16 transforms of `pair` tiles to `out`.
template <class E>
void put(const Vector (&values)[pair<E>][positions], Cell<E>* out, std::int64_t matrix) {
  if constexpr (pair<E> == 1) {
#pragma GCC unroll 16
    for (int p = 0; p < positions; ++p) gemm::store(out + p * matrix, values[0][p]);
  } else {
    gemm::round_pairs(positions, lanes, reinterpret_cast<const float*>(values[0]),
                      reinterpret_cast<const float*>(values[1]), lanes, out, matrix);
  }
}

/// V of tiles first, ..., as [tile, k]; a tile that pairs miss is zero.
template <class T, class E>
void transform_x(const Plan& plan, const T* image, const T* zeros, std::int64_t channel,
                 std::int64_t channels, std::int64_t first, std::int64_t count, Cell<E>* v) {
  for (std::int64_t t = 0; t < count; t += pair<E>) {
    for (std::int64_t part = 0; part < plan.x.parts(); ++part) {
      const T* pixels[pair<E>][positions];
      for (int h = 0; h < pair<E>; ++h) {
        if (t + h < count)
          find_pixels<tile>(plan.x, plan.tiles, first + t + h, part, image, zeros, pixels[h]);
        else
          std::fill_n(pixels[h], positions, zeros);
      }
      Cell<E>* const out = v + (t / pair<E> * plan.x.parts() + part) * channels;
      for (std::int64_t c = 0; c < channels; c += lanes) {
        Vector d[pair<E>][positions];
        for (int h = 0; h < pair<E>; ++h) {
#pragma GCC unroll 16
          for (int p = 0; p < positions; ++p) d[h][p] = gemm::load(pixels[h][p] + channel + c);
          transform_input(d[h]);
        }
        put<E>(d, out + c, plan.v_matrix);
      }
    }
  }
}

/// D of the same tiles, in product_block's panels.
template <int R, class T, class E>
void transform_y(const Plan& plan, const T* image, const T* zeros, std::int64_t first_out, std::int64_t outs,
                 std::int64_t first, std::int64_t count, Cell<E>* out) {
  constexpr int M = results<R>;
  const std::int64_t depth = block_count(count, pair<E>);
  for (std::int64_t t = 0; t < count; t += pair<E>) {
    const T* pixels[pair<E>][M * M];
    for (int h = 0; h < pair<E>; ++h) {
      if (t + h < count)
        find_pixels<M>(plan.y, plan.tiles, first + t + h, 0, image, zeros, pixels[h]);
      else
        std::fill_n(pixels[h], M * M, zeros);
    }
    for (std::int64_t o = 0; o < outs; o += lanes) {
      Vector d[pair<E>][positions];
      for (int h = 0; h < pair<E>; ++h) {
        Vector y[M * M];
#pragma GCC unroll 9
        for (int p = 0; p < M * M; ++p) y[p] = gemm::load(pixels[h][p] + first_out + o);
        spread_output<R>(y, d[h]);
      }
      const std::int64_t panel = o / gemm::tile_columns * gemm::tile_columns,
                         width = std::min<std::int64_t>(gemm::tile_columns, outs - panel);
      put<E>(d, out + panel * depth + t / pair<E> * width + o - panel, plan.d_matrix);
    }
  }
}

template <class Ahead>
void accumulate(const Plan& plan, std::int64_t k, std::int64_t outs, std::int64_t count, const float* v,
                const float* d, float* sums, const Ahead& upcoming) {
  for (int p = 0; p < positions; ++p)
    gemm::product_block(k, outs, count, {v + p * plan.v_matrix, 1, k}, d + p * plan.d_matrix,
                        sums + p * plan.sum_matrix, outs, true, upcoming(p));
}
template <class Ahead>
void accumulate(const Plan& plan, std::int64_t k, std::int64_t outs, std::int64_t count,
                const std::uint32_t* v, const std::uint32_t* d, float* sums, const Ahead& upcoming) {
  for (int p = 0; p < positions; ++p)
    gemm::product_block(k, outs, block_count(count, 2), {v + p * plan.v_matrix, 1, k}, d + p * plan.d_matrix,
                        sums + p * plan.sum_matrix, outs, true, upcoming(p));
}

/// dg [taps channels, width] of a slice from its dU.
template <int R>
void finish(const Sizes& s, const Plan& plan, std::int64_t channel, std::int64_t channels, std::int64_t outs,
            const float* sums, float* out) {
  const std::int64_t step = plan.x.step;
  for (std::int64_t part = 0; part < plan.x.parts(); ++part) {
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t o = 0; o < outs; o += lanes) {
        Vector u[positions], g[R * R];
        for (int p = 0; p < positions; ++p)
          u[p] = gemm::load(sums + p * plan.sum_matrix + (part * channels + c) * outs + o);
        gather_weight<R>(u, g);
        for (int a = 0; a < R; ++a) {
          for (int b = 0; b < R; ++b) {
            const std::int64_t tap = (step * a + part / step) * s.kernel_width + step * b + part % step;
            gemm::store(out + (tap * s.channels + channel + c) * s.outs + o, g[a * R + b]);
          }
        }
      }
    }
  }
}

template <int R, class T, class E>
void sum_tiles(Context& context, const Sizes& s, const T* dy, const T* x, const View& dw, float beta) {
  const Plan plan(s, results<R>, pair<E>);
  const std::int64_t weights = s.taps() * s.channels * s.outs, slices = plan.channel_slices * plan.out_slices;
  const std::int64_t slab = gemm::round_up(Workspace<E>::size(plan), 16), threads = omp_get_max_threads();
  const std::int64_t zeros_size = std::max(s.channels, s.outs);
  const Scratch scratch(
      context, sizeof(float) * static_cast<std::size_t>(plan.groups * weights + slab * threads + zeros_size));
  float* const partials = scratch.as<float>();
  float* const slabs = partials + plan.groups * weights;
  T* const zeros = reinterpret_cast<T*>(slabs + slab * threads);
  std::fill_n(zeros, zeros_size, T{});
  const std::int64_t tasks = plan.groups * slices;
#pragma omp parallel for schedule(dynamic, 1) if (tasks > 1)
  for (std::int64_t task = 0; task < tasks; ++task) {
    const Workspace<E> work(plan, slabs + slab * omp_get_thread_num());
    const std::int64_t group = task / slices, channel = task % slices / plan.out_slices * plan.channels,
                       out = task % plan.out_slices * plan.outs;
    const std::int64_t channels = std::min(plan.channels, s.channels - channel),
                       outs = std::min(plan.outs, s.outs - out), k = plan.x.parts() * channels;
    std::fill_n(work.sums, positions * plan.sum_matrix, 0.0f);
    const std::int64_t last = std::min(plan.tiles.count(), (group + 1) * plan.blocks_of_group * plan.block);
    for (std::int64_t first = group * plan.blocks_of_group * plan.block; first < last; first += plan.block) {
      const std::int64_t count = std::min(plan.block, last - first);
      transform_x<T, E>(plan, x, zeros, channel, channels, first, count, work.v);
      transform_y<R, T, E>(plan, dy, zeros, out, outs, first, count, work.d);
      accumulate(plan, k, outs, count, work.v, work.d, work.sums, [&](int p) {
        const std::int64_t next = first + count, more = std::min(plan.block, last - next);
        gemm::UpcomingList list =
            upcoming_pixels<tile>(plan.x, plan.tiles, next, more, channel, channels, x, p);
        const gemm::UpcomingList others =
            upcoming_pixels<results<R>>(plan.y, plan.tiles, next, more, out, outs, dy, p);
        list[2] = others[0], list[3] = others[1];
        return list;
      });
    }
    finish<R>(s, plan, channel, channels, outs, work.sums, partials + group * weights + out);
  }
  convolution::add_weight_gradient(s, partials, plan.groups, s.outs, dw, beta);
}

}  // namespace

void backward_weight(Context& context, const Sizes& s, const ConstView& dy, const ConstView& x,
                     const View& dw, float beta) {
  gemm::with_storage(dy.dtype, dy.data, [&]<class T>(const T* from) {
    with_method<T>(s, [&](auto points, auto element) {
      sum_tiles<points, T, decltype(element)>(context, s, from, x.as<T>(), dw, beta);
    });
  });
}

}  // namespace chorale::cpu::winograd

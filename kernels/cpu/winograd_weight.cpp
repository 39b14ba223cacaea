// SPDX-License-Identifier: MIT
// The gradient of the weights by Winograd's filtering: the engine of winograd.cpp differentiated,
//
//   dU[p] [k, o] = sum over tiles of V[p] [tile, k] D[p] [tile, o]     V = B^T x B, D = A dy A^T
//   dg = G^T dU G
//
// A task owns a slice of k (all parts of some channels), a slice of o, and a group of tiles. Its dU, 16
// matrices of f32 sums, stays in the second-level cache while blocks of tiles are transformed and multiplied.
// The transforms are made again for every slice of the other operand. Each task ends with dg, 4 or 16 / 9
// times smaller than dU; groups, whose number depends on the sizes alone, are added in their order. V and D
// are f32, or words of two bf16 neighbours in the order of tiles.
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

/// Elements of k and of o in a slice, and tiles that are transformed together: 650 KiB in f32. bf16, whose
/// products cost half, takes wider slices of k, so that fewer transforms are made again: 950 KiB.
template <class E>
constexpr std::int64_t k_slice = 64 * pair<E>;
constexpr std::int64_t o_slice = 64;
template <class E>
constexpr std::int64_t tile_block = pair<E> == 1 ? 48 : 72;

template <class E>
struct Plan {
  Grid x, y;
  Tiles tiles;
  std::int64_t channels, outs;  ///< of a slice
  std::int64_t channel_slices, out_slices;
  std::int64_t k;      ///< parts x channels of a slice
  std::int64_t block;  ///< tiles
  std::int64_t blocks_of_group, groups;
  std::int64_t v_matrix, d_matrix, sum_matrix;  ///< distances between the 16 matrices

  Plan(const Sizes& s, std::int64_t side)
      : x(grid_of_x(s)), y(grid_of_y(s, 0)), tiles(tiles_of(s.images, s.out_height, s.out_width, side)) {
    constexpr std::int64_t most_tasks = 64, most_groups = 16;
    channels = std::min(s.channels, k_slice<E> / x.parts());
    outs = std::min(s.outs, o_slice);
    channel_slices = block_count(s.channels, channels);
    out_slices = block_count(s.outs, outs);
    k = x.parts() * channels;
    block = tile_block<E>;
    const std::int64_t blocks = std::max<std::int64_t>(1, block_count(tiles.count(), block));
    const std::int64_t wanted = std::clamp<std::int64_t>(most_tasks / (channel_slices * out_slices), 1,
                                                         std::min(most_groups, blocks));
    blocks_of_group = block_count(blocks, wanted);
    groups = block_count(blocks, blocks_of_group);
    v_matrix = spread(block / pair<E> * k, 16);
    d_matrix = spread(block / pair<E> * outs, 16);
    sum_matrix = k * outs;
  }
};

/// The memory of one thread.
template <class E>
struct Workspace {
  Cell<E>*v, *d;
  float* sums;
  static std::int64_t size(const Plan<E>& plan) {
    return positions * (plan.v_matrix + plan.d_matrix + plan.sum_matrix);
  }
  Workspace(const Plan<E>& plan, float* memory)
      : v(reinterpret_cast<Cell<E>*>(memory)),
        d(v + positions * plan.v_matrix),
        sums(memory + positions * (plan.v_matrix + plan.d_matrix)) {}
};

/// V of tiles first, ..., as [tile, k]; where a word lacks its second tile, that is zero.
template <class T, class E>
void transform_x(const Plan<E>& plan, const T* image, const T* zeros, std::int64_t channel,
                 std::int64_t channels, std::int64_t first, std::int64_t count, Cell<E>* v) {
  const std::int64_t parts = plan.x.parts(), k = parts * channels;
  alignas(64) float stage[pair<E> == 2 ? 2 * positions * k_slice<E> : 1];
  const auto transform = [&](std::int64_t t, std::int64_t part, const auto& pixels) {
    float* out;
    std::int64_t matrix;
    if constexpr (pair<E> == 1)
      out = v + t * k, matrix = plan.v_matrix;
    else
      out = stage + t % 2 * positions * k, matrix = k;
    for (std::int64_t c = 0; c < channels; c += lanes) {
      Vector d[positions];
#pragma GCC unroll 16
      for (int p = 0; p < positions; ++p) d[p] = gemm::load(pixels(p) + channel + c);
      transform_input(d);
#pragma GCC unroll 16
      for (int p = 0; p < positions; ++p) gemm::store(out + p * matrix + part * channels + c, d[p]);
    }
    if constexpr (pair<E> == 2) {
      if (part + 1 < parts || (t % 2 == 0 && t + 1 < count)) return;
      if (t % 2 == 0) std::fill_n(stage + positions * k, positions * k, 0.0f);
      gemm::round_pairs(positions, k, stage, stage + positions * k, k, v + t / 2 * k, plan.v_matrix);
    }
  };
  for_each_window<tile>(plan.x, plan.tiles, first, count, image, zeros, transform);
}

/// D of the same tiles, in product_block's panels.
template <int R, class T, class E>
void transform_y(const Plan<E>& plan, const T* image, const T* zeros, std::int64_t first_out,
                 std::int64_t outs, std::int64_t first, std::int64_t count, Cell<E>* d) {
  constexpr int M = results<R>;
  const std::int64_t depth = block_count(count, pair<E>);
  alignas(64) float stage[pair<E> == 2 ? 2 * positions * o_slice : 1];
  const auto transform = [&](std::int64_t t, std::int64_t, const auto& pixels) {
    for (std::int64_t panel = 0; panel < outs; panel += gemm::tile_columns) {
      const std::int64_t width = std::min<std::int64_t>(gemm::tile_columns, outs - panel);
      Cell<E>* const to = d + panel * depth + t / pair<E> * width;
      float* out;
      std::int64_t matrix;
      if constexpr (pair<E> == 1)
        out = to, matrix = plan.d_matrix;
      else
        out = stage + t % 2 * positions * o_slice + panel, matrix = o_slice;
      for (std::int64_t o = 0; o < width; o += lanes) {
        Vector y[M * M], spread[positions];
#pragma GCC unroll 9
        for (int p = 0; p < M * M; ++p) y[p] = gemm::load(pixels(p) + first_out + panel + o);
        spread_output<R>(y, spread);
#pragma GCC unroll 16
        for (int p = 0; p < positions; ++p) gemm::store(out + p * matrix + o, spread[p]);
      }
      if constexpr (pair<E> == 2) {
        if (t % 2 == 0 && t + 1 < count) continue;
        float* const second = stage + positions * o_slice;
        if (t % 2 == 0) std::fill_n(second, positions * o_slice, 0.0f);
        gemm::round_pairs(positions, width, stage + panel, second + panel, o_slice, to, plan.d_matrix);
      }
    }
  };
  for_each_window<M>(plan.y, plan.tiles, first, count, image, zeros, transform);
}

template <class Ahead>
void accumulate(const Plan<float>& plan, std::int64_t k, std::int64_t outs, std::int64_t count,
                const float* v, const float* d, float* sums, const Ahead& upcoming) {
  for (int p = 0; p < positions; ++p)
    gemm::product_block(k, outs, count, {v + p * plan.v_matrix, 1, k}, d + p * plan.d_matrix,
                        sums + p * plan.sum_matrix, outs, true, upcoming(p));
}
template <class Ahead>
void accumulate(const Plan<bf16>& plan, std::int64_t k, std::int64_t outs, std::int64_t count,
                const std::uint32_t* v, const std::uint32_t* d, float* sums, const Ahead& upcoming) {
  for (int p = 0; p < positions; ++p)
    gemm::product_block(k, outs, block_count(count, 2), {v + p * plan.v_matrix, 1, k}, d + p * plan.d_matrix,
                        sums + p * plan.sum_matrix, outs, true, upcoming(p));
}

/// dg [taps channels, width] of a slice from its dU.
template <int R, class E>
void finish(const Sizes& s, const Plan<E>& plan, std::int64_t channel, std::int64_t channels,
            std::int64_t outs, const float* sums, float* out) {
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
  const Plan<E> plan(s, results<R>);
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

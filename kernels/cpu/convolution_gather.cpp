// SPDX-License-Identifier: MIT
// Convolutions of any kernel, stride and padding as matrix products of gathered patches:
//
//   forward         y [pixels, o]  = patches(x) [pixels, a b c] w [a b c, o] + bias
//   backward_input  dx [pixels, c] = patches(dy) [pixels, a' b' o] w [a' b' o, c] + bias
//
// A pixel of dx meets only the kernel's rows a with (h + ph - a) divisible by sh, and likewise its columns.
// Pixels with the same remainders meet the same ones, so each such phase is a product of its own, without
// zeros. A few rows of patches at a time are widened to f32 into the cache; the weights are packed once a
// call. f32 sums, each by one thread in the order of taps and channels. x is read from memory once (again per
// tap from the cache), y is written once.
#include "kernels/cpu/convolution_gather.h"

#include <omp.h>

#include "kernels/cpu/parallel.h"

namespace chorale::cpu::convolution {
namespace {

using gemm::lanes;
using gemm::round_up;

/// Floats of patches that a thread holds at once; they stay in the second-level cache beside the weights.
constexpr std::int64_t patch_floats = 65536;

/// Where the results of a lattice go: point (i, j) to pixel (first_row + i step_height, ...) of `image`.
struct Target {
  View image;
  std::int64_t height, width;
  std::int64_t first_row, first_column, step_height, step_width;
};

/// Rows of patches times `panels` (gemm::pack_panels' layout), plus bias.
void multiply(Context& context, const Lattice& lattice, const float* panels, const float* bias,
              const Target& target) {
  const std::int64_t outs = target.image.columns(), depth = lattice.patch(), points = lattice.points();
  if (points == 0 || outs == 0) return;
  const std::int64_t rows = std::clamp(patch_floats / std::max<std::int64_t>(1, depth) / gemm::tile_rows,
                                       std::int64_t{1}, std::int64_t{8}) *
                            gemm::tile_rows;
  const std::int64_t width = round_up(outs, lanes), slab = round_up(rows * (depth + width), 64);
  const Scratch scratch(context, sizeof(float) * static_cast<std::size_t>(slab * omp_get_max_threads()));
  gemm::with_storage(target.image.dtype, target.image.data, [&](auto* out) {
    parallel_tasks(block_count(points, rows), points * outs * (depth + 1), [&](std::int64_t task) {
      float* const patch = scratch.as<float>() + slab * omp_get_thread_num();
      float* const sums = patch + rows * depth;
      const std::int64_t first = task * rows, count = std::min(rows, points - first);
      gather(lattice, first, count, 0, static_cast<std::int64_t>(lattice.taps.size()), patch);
      if (depth == 0) std::fill_n(sums, rows * width, 0.0f);
      if (depth > 0) gemm::product_block(count, outs, depth, {patch, depth, 1}, panels, sums, width, false);
      for (std::int64_t p = 0; p < count; ++p) {
        const std::int64_t point = first + p, column = point % lattice.columns,
                           row = point / lattice.columns % lattice.rows,
                           image = point / lattice.columns / lattice.rows;
        auto* const to =
            out + ((image * target.height + target.first_row + row * target.step_height) * target.width +
                   target.first_column + column * target.step_width) *
                      outs;
        for (std::int64_t o = 0; o < outs; o += lanes) {
          gemm::Vector v = gemm::load_upto(sums + p * width + o, outs - o);
          if (bias) v += gemm::load_upto(bias + o, outs - o);
          gemm::store_upto(to + o, v, outs - o);
        }
      }
    });
  });
}

}  // namespace

void gather_forward(Context& context, const Sizes& s, const ConstView& x, const ConstView& w,
                    const float* bias, const View& y) {
  const std::int64_t depth = s.taps() * s.channels;
  const Scratch scratch(context, sizeof(float) * static_cast<std::size_t>(gemm::panels_size(depth, s.outs)));
  float* const panels = scratch.as<float>();
  const gemm::Matrix weights{w.data, w.dtype, 1, depth};
  parallel_blocks(
      s.outs,
      [&](std::int64_t first, std::int64_t last) {
        gemm::pack_panels(weights, 0, first, depth, last - first, panels + first * depth);
      },
      gemm::tile_columns);
  multiply(context, patches(s, x), panels, bias, {y, s.out_height, s.out_width, 0, 0, 1, 1});
}

void gather_backward_input(Context& context, const Sizes& s, const ConstView& dy, const ConstView& w,
                           const float* bias, const View& dx) {
  const Scratch scratch(
      context, sizeof(float) * static_cast<std::size_t>(gemm::panels_size(s.taps() * s.outs, s.channels)));
  float* const panels = scratch.as<float>();
  const gemm::Matrix weights{w.data, w.dtype, s.taps() * s.channels, 1};
  for (std::int64_t row = 0; row < std::min(s.stride_height, s.height); ++row) {
    for (std::int64_t column = 0; column < std::min(s.stride_width, s.width); ++column) {
      Lattice lattice{dy,
                      s.out_height,
                      s.out_width,
                      s.outs,
                      s.images,
                      gemm::divide_up(s.height - row, s.stride_height),
                      gemm::divide_up(s.width - column, s.stride_width),
                      1,
                      1,
                      {}};
      std::vector<std::int64_t> used;  // the kernel's elements that this phase meets
      for (std::int64_t a = (row + s.padding_height) % s.stride_height; a < s.kernel_height;
           a += s.stride_height) {
        for (std::int64_t b = (column + s.padding_width) % s.stride_width; b < s.kernel_width;
             b += s.stride_width) {
          lattice.taps.push_back({(row + s.padding_height - a) / s.stride_height,
                                  (column + s.padding_width - b) / s.stride_width});
          used.push_back(a * s.kernel_width + b);
        }
      }
      const std::int64_t depth = lattice.patch(), taps = static_cast<std::int64_t>(used.size());
      parallel_tasks(block_count(s.channels, gemm::tile_columns), depth * s.channels, [&](std::int64_t task) {
        const std::int64_t c = task * gemm::tile_columns,
                           count = std::min<std::int64_t>(gemm::tile_columns, s.channels - c),
                           width = round_up(count, lanes);
        for (std::int64_t t = 0; t < taps; ++t)
          gemm::pack(weights, 0, used[static_cast<std::size_t>(t)] * s.channels + c, s.outs, count, width,
                     panels + c * depth + t * s.outs * width);
      });
      multiply(context, lattice, panels, bias,
               {dx, s.height, s.width, row, column, s.stride_height, s.stride_width});
    }
  }
}

void gather_backward_weight(Context& context, const Sizes& s, const ConstView& dy, const ConstView& x,
                            const View& dw, float beta) {
  // dw^T [a b c, o] = patches(x)^T dy. Pixels are cut into groups; their sums are added in the groups' order.
  constexpr std::int64_t pixel_block = 128, slice_depth = 96, most_groups = 16, partial_bytes = 16 << 20;
  const std::int64_t depth = s.taps() * s.channels, width = round_up(s.outs, lanes);
  if (depth == 0 || s.outs == 0) return;
  const std::int64_t pixels = s.out_pixels(), blocks = block_count(pixels, pixel_block);
  const std::int64_t allowed = partial_bytes / (depth * width * static_cast<std::int64_t>(sizeof(float)));
  const std::int64_t most =
      std::min({most_groups, std::max<std::int64_t>(1, allowed), std::max<std::int64_t>(1, blocks)});
  const std::int64_t group_blocks = std::max<std::int64_t>(1, block_count(blocks, most)),
                     groups = std::max<std::int64_t>(1, block_count(blocks, group_blocks));
  // A task takes a few taps, so that several of them share the work of one group.
  const std::int64_t slice_taps = std::min(s.taps(), block_count(slice_depth, s.channels)),
                     slices = block_count(s.taps(), slice_taps);
  const std::int64_t slab = round_up(pixel_block * (slice_taps * s.channels + width), 64);
  const Scratch scratch(context, sizeof(float) * static_cast<std::size_t>(groups * depth * width +
                                                                          slab * omp_get_max_threads()));
  float* const partials = scratch.as<float>();
  const Lattice lattice = patches(s, x);
  parallel_tasks(groups * slices, s.products(), [&](std::int64_t task) {
    float* const patch = partials + groups * depth * width + slab * omp_get_thread_num();
    float* const panels = patch + pixel_block * slice_taps * s.channels;
    const std::int64_t group = task / slices, tap = task % slices * slice_taps,
                       last_tap = std::min(s.taps(), tap + slice_taps);
    const std::int64_t part = (last_tap - tap) * s.channels;
    float* const sums = partials + (group * depth + tap * s.channels) * width;
    std::fill_n(sums, part * width, 0.0f);
    const std::int64_t last = std::min(pixels, (group + 1) * group_blocks * pixel_block);
    for (std::int64_t first = group * group_blocks * pixel_block; first < last; first += pixel_block) {
      const std::int64_t count = std::min(pixel_block, last - first);
      gather(lattice, first, count, tap, last_tap, patch);
      gemm::pack_panels(gemm::matrix(dy), first, 0, count, s.outs, panels);
      gemm::product_block(part, s.outs, count, {patch, 1, part}, panels, sums, width, true);
    }
  });
  add_weight_gradient(s, partials, groups, width, dw, beta);
}

void add_weight_gradient(const Sizes& s, float* partials, std::int64_t groups, std::int64_t width,
                         const View& dw, float beta) {
  const std::int64_t depth = s.taps() * s.channels;
  gemm::with_storage(dw.dtype, dw.data, [&](auto* gradient) {
    parallel_blocks(
        depth,
        [&](std::int64_t first, std::int64_t last) {
          float* const sums = partials + first * width;
          const std::int64_t count = (last - first) * width;
          for (std::int64_t g = 1; g < groups; ++g) {
            const float* const more = sums + g * depth * width;
            for (std::int64_t i = 0; i < count; ++i) sums[i] += more[i];
          }
          gemm::for_each_transposed(sums, width, last - first, s.outs,
                                    [&](std::int64_t o, std::int64_t k, std::int64_t n, gemm::Vector v) {
                                      auto* const to = gradient + o * depth + first + k;
                                      if (beta != 0.0f) v += beta * gemm::load_upto(to, n);
                                      gemm::store_upto(to, v, n);
                                    });
        },
        lanes);
  });
}

}  // namespace chorale::cpu::convolution

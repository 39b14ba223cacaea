// SPDX-License-Identifier: MIT
// Convolutions of images with very few channels, where a patch is shorter than a vector or two: the ends of
// an autoencoder. With [k] = [kernel rows, kernel columns, channels], k up to 128,
//
//   forward          y [row of pixels, o] = patches of the row's band of x [.., k] w [k, o] + bias: vectors
//   along o,
//                    the band widened to f32 with its margins of zeros, so that patches are read where they
//                    lie
//   backward_input   p [row of pixels, k] = dy [.., o] w [o, k]; then p is turned to vectors of pixels, which
//   are
//                    added, shifted, to the rows of dx that they meet: kernel rows in a ring, stride phases
//                    apart
//   backward_weight  dw^T [k, o] = sum over pixels of patch [k] dy [o], by fixed groups of rows
//
// Sums are f32. Each image moves once; for 1 -> 32 channels and 16 taps that is the time to write or read
// the 32.
#include <omp.h>

#include "kernels/cpu/convolution.h"
#include "kernels/cpu/convolution_gather.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/parallel.h"

namespace chorale::cpu::convolution {
namespace {

using gemm::lanes;
using gemm::round_up;
using gemm::tile_columns;
using gemm::tile_rows;
using gemm::Vector;

/// The rows of x under one row of y, f32, with zeros where they reach beyond the image.
class Band {
 public:
  Band(const Sizes& s, float* memory) : sizes_(s), memory_(memory) {}
  static std::int64_t row_size(const Sizes& s) {
    const std::int64_t reached = (s.out_width - 1) * s.stride_width + s.kernel_width;
    return round_up(std::max(reached, s.width + s.padding_width) * s.channels, lanes);
  }
  static std::int64_t size(const Sizes& s) { return s.kernel_height * row_size(s); }
  const float* row(std::int64_t a) const { return memory_ + a * row_size(sizes_); }

  void fill(const ConstView& x, std::int64_t image, std::int64_t out_row) const {
    const Sizes& s = sizes_;
    gemm::with_storage(x.dtype, x.data, [&](const auto* data) {
      for (std::int64_t a = 0; a < s.kernel_height; ++a) {
        float* const to = memory_ + a * row_size(s);
        const std::int64_t h = out_row * s.stride_height + a - s.padding_height;
        std::fill_n(to, row_size(s), 0.0f);
        if (h >= 0 && h < s.height)
          widen(data + (image * s.height + h) * s.width * s.channels, s.width * s.channels,
                to + s.padding_width * s.channels);
      }
    });
  }

 private:
  Sizes sizes_;
  float* memory_;
};

/// R pixels of a row of y and up to C vectors of channels.
template <int R, int C, class T>
__attribute__((noinline)) void forward_tile(const Sizes& s, const Band& band, std::int64_t pixel,
                                            const float* w, std::int64_t width, const float* bias, T* y,
                                            std::int64_t count) {
  const std::int64_t step = s.stride_width * s.channels, depth = s.kernel_width * s.channels;
  Vector sum[R][C] = {};
  for (std::int64_t a = 0; a < s.kernel_height; ++a)
    gemm::multiply_tile<R, C>({band.row(a) + pixel * step, step, 1}, w + a * depth * width, width, depth,
                              sum);
  for (int v = 0; v < C; ++v) {
    const std::int64_t left = count - v * lanes;
    if (left <= 0) break;
    const Vector offset = bias ? gemm::load_upto(bias + v * lanes, left) : Vector{};
    for (int r = 0; r < R; ++r) gemm::store_upto(y + r * s.outs + v * lanes, sum[r][v] + offset, left);
  }
}

template <int C, int R = tile_rows, class T>
void forward_pixels(std::int64_t pixels, const Sizes& s, const Band& band, std::int64_t pixel, const float* w,
                    std::int64_t width, const float* bias, T* y, std::int64_t count) {
  if (pixels >= R) {
    forward_tile<R, C>(s, band, pixel, w, width, bias, y, count);
  } else if constexpr (R > 1) {
    forward_pixels<C, R - 1>(pixels, s, band, pixel, w, width, bias, y, count);
  }
}

/// Rows of dx in the making: sums for every stride phase apart, so that a vector of pixels is added at once.
class Ring {
 public:
  Ring(const Sizes& s, float* memory) : sizes_(s), memory_(memory) { std::fill_n(memory, size(s), 0.0f); }
  static std::int64_t phase_size(const Sizes& s) {
    const std::int64_t reached = s.out_width + (s.kernel_width - 1) / s.stride_width,
                       asked = (s.width - 1 + s.padding_width) / s.stride_width + 1;
    return round_up(std::max(reached, asked) + lanes, lanes);
  }
  static std::int64_t size(const Sizes& s) {
    return s.kernel_height * s.channels * s.stride_width * phase_size(s);
  }
  /// Sums of channel c at columns phase, phase + stride, ... of row `h` (both counted from the padding's
  /// start).
  float* at(std::int64_t h, std::int64_t c, std::int64_t phase) const {
    return memory_ + ((h % sizes_.kernel_height * sizes_.channels + c) * sizes_.stride_width + phase) *
                         phase_size(sizes_);
  }
  /// Writes row h to `out` and makes room for the next one.
  template <class T>
  void take(std::int64_t h, const float* bias, T* out) const {
    const Sizes& s = sizes_;
    for (std::int64_t c = 0; c < s.channels; ++c) {
      const float offset = bias ? bias[c] : 0.0f;
      for (std::int64_t phase = 0; phase < s.stride_width; ++phase) {
        float* const from = at(h, c, phase);
        const std::int64_t shift = s.padding_width - phase;
        const std::int64_t first = shift <= 0 ? 0 : gemm::divide_up(shift, s.stride_width);
        for (std::int64_t j = first; j * s.stride_width - shift < s.width; ++j)
          out[(j * s.stride_width - shift) * s.channels + c] = from_float<T>(from[j] + offset);
        std::fill_n(from, phase_size(s), 0.0f);
      }
    }
  }

 private:
  Sizes sizes_;
  float* memory_;
};

constexpr std::int64_t rows_of_task = 32;
/// Elements of a kernel, channels included.
constexpr std::int64_t most_taps = 128;

}  // namespace

bool is_narrow(const Sizes& s) { return s.channels <= 4 && s.taps() * s.channels <= most_taps; }

void narrow_forward(Context& context, const Sizes& s, const ConstView& x, const ConstView& w,
                    const float* bias, const View& y) {
  const std::int64_t depth = s.taps() * s.channels, width = round_up(s.outs, tile_columns);
  const std::int64_t slab = round_up(Band::size(s), 64);
  const Scratch scratch(
      context, sizeof(float) * static_cast<std::size_t>(depth * width + slab * omp_get_max_threads()));
  float* const weights = scratch.as<float>();
  gemm::pack({w.data, w.dtype, 1, depth}, 0, 0, depth, s.outs, width, weights);
  const std::int64_t blocks = block_count(s.out_height, rows_of_task);
  const std::int64_t tiles = block_count(s.out_width, tile_rows);
  gemm::with_storage(y.dtype, y.data, [&](auto* out) {
    parallel_tasks(s.images * blocks, s.products(), [&](std::int64_t task) {
      const Band band(s, weights + depth * width + slab * omp_get_thread_num());
      const std::int64_t image = task / blocks, first = task % blocks * rows_of_task;
      for (std::int64_t row = first; row < std::min(s.out_height, first + rows_of_task); ++row) {
        band.fill(x, image, row);
        auto* const to = out + (image * s.out_height + row) * s.out_width * s.outs;
        for (std::int64_t t = 0; t < tiles; ++t) {
          // Pixels are shared out evenly among the tiles of a row.
          const std::int64_t pixel = s.out_width * t / tiles, pixels = s.out_width * (t + 1) / tiles - pixel;
          for (std::int64_t o = 0; o < s.outs; o += tile_columns) {
            const std::int64_t count = std::min<std::int64_t>(tile_columns, s.outs - o);
            forward_pixels<gemm::tile_vectors>(pixels, s, band, pixel, weights + o, width,
                                               bias ? bias + o : nullptr, to + pixel * s.outs + o, count);
          }
        }
      }
    });
  });
}

void narrow_backward_input(Context& context, const Sizes& s, const ConstView& dy, const ConstView& w,
                           const float* bias, const View& dx) {
  const std::int64_t depth = s.taps() * s.channels, width = round_up(depth, lanes);
  const std::int64_t strip = 8 * tile_rows;  // pixels whose products are in the cache at once
  const std::int64_t row_size = dy.dtype == DType::f32 ? 0 : round_up(strip * s.outs, 64);
  const std::int64_t slab = round_up(Ring::size(s), 64) + row_size + strip * width;
  const Scratch scratch(
      context, sizeof(float) * static_cast<std::size_t>(s.outs * width + slab * omp_get_max_threads()));
  float* const weights = scratch.as<float>();
  gemm::pack_panels(gemm::Matrix{w.data, w.dtype, depth, 1}, 0, 0, s.outs, depth, weights);
  const std::int64_t blocks = block_count(s.height, rows_of_task);
  gemm::with_storage(dx.dtype, dx.data, [&](auto* out) {
    parallel_tasks(s.images * blocks, s.products(), [&](std::int64_t task) {
      float* const own = weights + s.outs * width + slab * omp_get_thread_num();
      const Ring ring(s, own);
      float* const widened = own + round_up(Ring::size(s), 64);
      float* const products = widened + row_size;
      // Rows are counted from the padding's start.
      const std::int64_t image = task / blocks, first = task % blocks * rows_of_task + s.padding_height,
                         last = std::min(s.height + s.padding_height, first + rows_of_task);
      std::int64_t done = first;
      const auto take_until = [&](std::int64_t end) {
        for (; done < std::min(end, last); ++done)
          ring.take(done, bias, out + (image * s.height + done - s.padding_height) * s.width * s.channels);
      };
      const std::int64_t above = std::max<std::int64_t>(0, first - s.kernel_height + 1);
      for (std::int64_t row = gemm::divide_up(above, s.stride_height);
           row < s.out_height && row * s.stride_height < last; ++row) {
        float*
            sums[most_taps];  // where the products with each element of the kernel go; null: not this task's
        for (std::int64_t k = 0; k < depth; ++k) {
          const std::int64_t b = k / s.channels % s.kernel_width,
                             h = row * s.stride_height + k / s.channels / s.kernel_width;
          sums[k] = h < first || h >= last
                        ? nullptr
                        : ring.at(h, k % s.channels, b % s.stride_width) + b / s.stride_width;
        }
        for (std::int64_t pixel = 0; pixel < s.out_width; pixel += strip) {
          const std::int64_t count = std::min(strip, s.out_width - pixel),
                             offset = ((image * s.out_height + row) * s.out_width + pixel) * s.outs;
          const float* const from = load(dy, offset, count * s.outs, widened);
          gemm::product_block(count, depth, s.outs, {from, s.outs, 1}, weights, products, width, false);
          gemm::for_each_transposed(products, width, count, depth,
                                    [&](std::int64_t k, std::int64_t i, std::int64_t n, Vector v) {
                                      if (!sums[k]) return;
                                      float* const sum = sums[k] + pixel + i;
                                      gemm::store_upto(sum, gemm::load_upto(sum, n) + v, n);
                                    });
        }
        take_until((row + 1) * s.stride_height);
      }
      take_until(last);
    });
  });
}

void narrow_backward_weight(Context& context, const Sizes& s, const ConstView& dy, const ConstView& x,
                            const View& dw, float beta) {
  constexpr std::int64_t strip = 128, most_groups = 64;
  const std::int64_t depth = s.taps() * s.channels, width = round_up(s.outs, lanes),
                     run = s.kernel_width * s.channels;
  const std::int64_t rows = s.images * s.out_height, rows_of_group = block_count(rows, most_groups),
                     groups = std::max<std::int64_t>(
                         1, block_count(rows, std::max<std::int64_t>(1, rows_of_group)));
  // A row of f32 that is as wide as a tile is a panel already.
  const bool direct = dy.dtype == DType::f32 && s.outs == tile_columns;
  const std::int64_t slab = round_up(Band::size(s) + (direct ? 0 : strip * width), 64);
  const Scratch scratch(context, sizeof(float) * static_cast<std::size_t>(groups * depth * width +
                                                                          slab * omp_get_max_threads()));
  float* const partials = scratch.as<float>();
  parallel_tasks(groups, s.products(), [&](std::int64_t group) {
    float* const own = partials + groups * depth * width + slab * omp_get_thread_num();
    const Band band(s, own);
    float* const panels = own + Band::size(s);
    float* const sums = partials + group * depth * width;
    std::fill_n(sums, depth * width, 0.0f);
    for (std::int64_t row = group * rows_of_group; row < std::min(rows, (group + 1) * rows_of_group); ++row) {
      band.fill(x, row / s.out_height, row % s.out_height);
      for (std::int64_t pixel = 0; pixel < s.out_width; pixel += strip) {
        const std::int64_t count = std::min(strip, s.out_width - pixel), first = row * s.out_width + pixel;
        if (!direct) gemm::pack_panels(gemm::matrix(dy), first, 0, count, s.outs, panels);
        const float* const right = direct ? dy.as<float>() + first * s.outs : panels;
        const std::int64_t step = s.stride_width * s.channels;
        for (std::int64_t a = 0; a < s.kernel_height; ++a)
          gemm::product_block(run, s.outs, count, {band.row(a) + pixel * step, 1, step}, right,
                              sums + a * run * width, width, true);
      }
    }
  });
  add_weight_gradient(s, partials, groups, width, dw, beta);
}

}  // namespace chorale::cpu::convolution

// SPDX-License-Identifier: MIT
// Adaptive average pooling of images x [n, h, w, c] to y [n, oh, ow, c]: means over the bins of
// kernels/image_axis.h.
//
//   y[n, i, j] = sum of x over bin (i, j) / area(i, j)     dx[n, p, q] = sum of dy / area over the bins that
//   hold (p, q)
//
// Channels are contiguous. Sums are f32 for a row of a bin, f64 across rows. Bytes moved: x + y either way,
// as long as bins do not overlap; a row of a bin is contiguous memory.
#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/storage.h"
#include "kernels/image_axis.h"

namespace chorale::cpu {
namespace {

struct Pooling {
  std::int64_t n, height, width, bins_down, bins_across, channels;
};

Pooling pooling_of(const char* kernel, const ConstView& image, const ConstView& pooled) {
  require_storage(kernel, image, pooled);
  require(image.rank == 4 && pooled.rank == 4 && image.shape[0] == pooled.shape[0] &&
              image.shape[3] == pooled.shape[3],
          kernel, "shapes must be [n, h, w, c] and [n, oh, ow, c]", image, pooled);
  require(pooled.size() == 0 || image.size() > 0, kernel, "an image without pixels has no mean", image,
          pooled);
  return {image.shape[0], image.shape[1], image.shape[2], pooled.shape[1], pooled.shape[2], image.shape[3]};
}

/// sum[c] += `pixels` pixels of x from element `offset` on, channels [0, count) of each.
void add_pixels(const ConstView& x, std::int64_t offset, std::int64_t pixels, std::int64_t channels,
                std::int64_t count, double* sum) {
  alignas(64) float part[chunk], buffer[chunk];
  std::fill_n(part, count, 0.0f);
  // Whole pixels are converted together where they fit.
  const std::int64_t step = count == channels ? std::max<std::int64_t>(1, chunk / channels) : 1;
  for (std::int64_t p = 0; p < pixels; p += step) {
    const std::int64_t together = std::min(step, pixels - p);
    const float* xs = load(x, offset + p * channels, (together - 1) * channels + count, buffer);
    for (std::int64_t k = 0; k < together; ++k)
#pragma omp simd
      for (std::int64_t i = 0; i < count; ++i) part[i] += xs[k * channels + i];
  }
  for (std::int64_t i = 0; i < count; ++i) sum[i] += static_cast<double>(part[i]);
}

}  // namespace

void average_pool_forward(Context&, ConstView x, View y) {
  const Pooling s = pooling_of("average_pool_forward", x, y);
  const std::int64_t tile = std::min(s.channels, chunk),
                     tiles = block_count(s.channels, std::max<std::int64_t>(1, tile));
  parallel_tasks(s.n * s.bins_down * s.bins_across * tiles, x.size(), [&](std::int64_t task) {
    const std::int64_t c = task % tiles * tile, count = std::min(tile, s.channels - c);
    const std::int64_t bin = task / tiles, image = bin / s.bins_across / s.bins_down;
    const Interval rows = pixels_of_bin(bin / s.bins_across % s.bins_down, s.bins_down, s.height);
    const Interval columns = pixels_of_bin(bin % s.bins_across, s.bins_across, s.width);
    alignas(64) float mean[chunk];
    double sum[chunk] = {};
    for (std::int64_t row = rows.first; row < rows.last; ++row)
      add_pixels(x, ((image * s.height + row) * s.width + columns.first) * s.channels + c, columns.size(),
                 s.channels, count, sum);
    const double area = static_cast<double>(rows.size() * columns.size());
    float* ys = target(y, bin * s.channels + c, mean);
    for (std::int64_t i = 0; i < count; ++i) ys[i] = static_cast<float>(sum[i] / area);
    store(ys, y, bin * s.channels + c, count);
  });
}

void average_pool_backward(Context&, ConstView dy, View dx) {
  const Pooling s = pooling_of("average_pool_backward", dx, dy);
  const std::int64_t tile = std::min(s.channels, chunk),
                     tiles = block_count(s.channels, std::max<std::int64_t>(1, tile));
  parallel_tasks(s.n * s.height, dx.size(), [&](std::int64_t task) {
    const std::int64_t image = task / s.height;
    const Interval down = bins_of_pixel(task % s.height, s.bins_down, s.height);
    alignas(64) float gradient[chunk], buffer[chunk];
    for (std::int64_t t = 0; t < tiles; ++t) {
      const std::int64_t c = t * tile, count = std::min(tile, s.channels - c);
      Interval held{0, 0};  // the bins that `gradient` was made for: neighbours often share them
      for (std::int64_t column = 0; column < s.width; ++column) {
        const Interval across = bins_of_pixel(column, s.bins_across, s.width);
        if (column == 0 || across.first != held.first || across.last != held.last) {
          std::fill_n(gradient, count, 0.0f);
          for (std::int64_t i = down.first; i < down.last; ++i)
            for (std::int64_t j = across.first; j < across.last; ++j) {
              const std::int64_t area = pixels_of_bin(i, s.bins_down, s.height).size() *
                                        pixels_of_bin(j, s.bins_across, s.width).size();
              const float weight = 1.0f / static_cast<float>(area);
              const float* dys =
                  load(dy, ((image * s.bins_down + i) * s.bins_across + j) * s.channels + c, count, buffer);
#pragma omp simd
              for (std::int64_t k = 0; k < count; ++k) gradient[k] += weight * dys[k];
            }
          held = across;
        }
        const std::int64_t offset = (task * s.width + column) * s.channels + c;
        if (dx.dtype == DType::f32) std::copy_n(gradient, count, dx.as<float>() + offset);
        store(gradient, dx, offset, count);
      }
    }
  });
}

}  // namespace chorale::cpu

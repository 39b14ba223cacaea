// SPDX-License-Identifier: MIT
// Patches of an image as rows of a matrix: what makes a convolution a matrix product.
#pragma once
#include <vector>

#include "kernels/cpu/convolution.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/storage.h"

namespace chorale::cpu::convolution {

/// A pixel of the source, relative to a lattice point's own.
struct Tap {
  std::int64_t row, column;
};

/// Points of a regular lattice, rows x columns of them in each image. Point (i, j) stands at pixel
/// (i step_height, j step_width) of the source; its patch is the source at every tap, zero outside the image.
struct Lattice {
  ConstView source;
  std::int64_t height, width, channels;
  std::int64_t images, rows, columns;
  std::int64_t step_height, step_width;
  std::vector<Tap> taps;

  std::int64_t points() const { return images * rows * columns; }
  std::int64_t patch() const { return static_cast<std::int64_t>(taps.size()) * channels; }
};

inline void widen(const float* from, std::int64_t count, float* to) { std::copy_n(from, count, to); }
inline void widen(const half* from, std::int64_t count, float* to) { convert(from, count, to); }
inline void widen(const bf16* from, std::int64_t count, float* to) { convert(from, count, to); }

/// out [count, (last_tap - first_tap) channels] f32 <- those taps of points first, first + 1, ...
inline void gather(const Lattice& lattice, std::int64_t first, std::int64_t count, std::int64_t first_tap,
                   std::int64_t last_tap, float* out) {
  const std::int64_t channels = lattice.channels;
  gemm::with_storage(lattice.source.dtype, lattice.source.data, [&](const auto* source) {
    std::int64_t column = first % lattice.columns, row = first / lattice.columns % lattice.rows;
    std::int64_t image = first / lattice.columns / lattice.rows;
    for (std::int64_t point = 0; point < count; ++point) {
      const auto* const from = source + image * lattice.height * lattice.width * channels;
      for (std::int64_t t = first_tap; t < last_tap; ++t, out += channels) {
        const Tap tap = lattice.taps[static_cast<std::size_t>(t)];
        const std::int64_t h = row * lattice.step_height + tap.row,
                           w = column * lattice.step_width + tap.column;
        if (h >= 0 && h < lattice.height && w >= 0 && w < lattice.width)
          widen(from + (h * lattice.width + w) * channels, channels, out);
        else
          std::fill_n(out, channels, 0.0f);
      }
      if (++column == lattice.columns) {
        column = 0;
        if (++row == lattice.rows) row = 0, ++image;
      }
    }
  });
}

/// The patches that y is made of.
inline Lattice patches(const Sizes& s, const ConstView& x) {
  Lattice lattice{x,           s.height,        s.width,        s.channels, s.images, s.out_height,
                  s.out_width, s.stride_height, s.stride_width, {}};
  for (std::int64_t a = 0; a < s.kernel_height; ++a)
    for (std::int64_t b = 0; b < s.kernel_width; ++b)
      lattice.taps.push_back({a - s.padding_height, b - s.padding_width});
  return lattice;
}

}  // namespace chorale::cpu::convolution

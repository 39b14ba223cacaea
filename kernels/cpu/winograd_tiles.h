// SPDX-License-Identifier: MIT
// What the Winograd convolutions share: an image as a grid of points, and the tiles that cover it.
//
// A kernel of s R points and stride s is one of R points and stride 1 on the grid whose point (i, j) holds
// the s x s pixels from (s i - padding, s j - padding) on, side by side as channels (space to depth). So 4 x
// 4 with stride 2 becomes 2 x 2, and 3 x 3 with stride 1 stays what it is. The gradient of the input is the
// same kind of convolution, read from the plain grid of dy and written to the grid of x.
#pragma once
#include <type_traits>

#include "kernels/cpu/convolution.h"
#include "kernels/cpu/gemm_pairs.h"
#include "kernels/cpu/winograd_transforms.h"

namespace chorale::cpu::winograd {

using convolution::Sizes;

/// Points of a grid; those beyond the image are zero, and not written.
struct Grid {
  std::int64_t height, width, channels;  ///< of the image
  std::int64_t step, padding_height, padding_width;
  std::int64_t parts() const { return step * step; }
  std::int64_t depth() const { return parts() * channels; }
};

inline Grid grid_of_x(const Sizes& s) {
  return {s.height, s.width, s.channels, s.stride_height, s.padding_height, s.padding_width};
}
/// `margin` points of zeros before the first row and column.
inline Grid grid_of_y(const Sizes& s, std::int64_t margin) {
  return {s.out_height, s.out_width, s.outs, 1, margin, margin};
}

/// Tiles of `side` x `side` results that cover rows x columns points of each image, counted through all
/// images.
struct Tiles {
  std::int64_t images, rows, columns, side;
  std::int64_t count() const { return images * rows * columns; }
};
inline Tiles tiles_of(std::int64_t images, std::int64_t rows, std::int64_t columns, std::int64_t side) {
  return {images, (rows + side - 1) / side, (columns + side - 1) / side, side};
}

/// The pixels under the Side x Side points of a tile, for one of the grid's parts: pointers to their
/// channels.
template <int Side, class T>
struct Inside {
  T* corner;
  std::int64_t down, right;
  T* operator()(int i) const { return corner + i / Side * down + i % Side * right; }
};
/// The same where the image ends within the tile: some are `outside`.
template <int Side, class T>
struct Rim {
  T* pixels[Side * Side];
  T* operator()(int i) const { return pixels[i]; }
};

/// Calls f(t, part, pixels) for every part of the tiles first + t, t < count.
template <int Side, class T, class F>
inline void for_each_window(const Grid& grid, const Tiles& tiles, std::int64_t first, std::int64_t count,
                            T* image, T* outside, const F& f) {
  const std::int64_t step = grid.step, right = step * grid.channels, down = grid.width * right;
  std::int64_t column = first % tiles.columns, row = first / tiles.columns % tiles.rows,
               n = first / tiles.columns / tiles.rows;
  for (std::int64_t t = 0; t < count; ++t) {
    const std::int64_t top = row * tiles.side * step - grid.padding_height,
                       left = column * tiles.side * step - grid.padding_width;
    const bool inside =
        top >= 0 && left >= 0 && top + Side * step <= grid.height && left + Side * step <= grid.width;
    for (std::int64_t part = 0; part < grid.parts(); ++part) {
      const std::int64_t h = top + part / step, w = left + part % step;
      T* const corner = image + ((n * grid.height + h) * grid.width + w) * grid.channels;
      if (inside) {
        f(t, part, Inside<Side, T>{corner, down, right});
        continue;
      }
      Rim<Side, T> rim;
      for (int i = 0; i < Side; ++i) {
        for (int j = 0; j < Side; ++j) {
          const std::int64_t y = h + i * step, x = w + j * step;
          rim.pixels[i * Side + j] =
              y >= 0 && y < grid.height && x >= 0 && x < grid.width ? corner + i * down + j * right : outside;
        }
      }
      f(t, part, rim);
    }
    if (++column == tiles.columns) {
      column = 0;
      if (++row == tiles.rows) row = 0, ++n;
    }
  }
}

/// The memory under tiles first, first + 1, ..., which products fetch while they compute: the share of the
/// p-th of the 16 matrices. `side` points of every tile are read, of each pixel `count` channels from
/// `channel` on.
template <int Side, class T>
inline gemm::UpcomingList upcoming_pixels(const Grid& grid, const Tiles& tiles, std::int64_t first,
                                          std::int64_t count, std::int64_t channel, std::int64_t channels,
                                          const T* image, int p) {
  gemm::UpcomingList list;
  const std::int64_t lines = Side * grid.step, parts = std::max<std::int64_t>(1, positions / lines);
  const std::int64_t end = std::min(first + count, tiles.count());
  for (gemm::Upcoming& upcoming : list) {
    if (first >= end) break;
    const std::int64_t column = first % tiles.columns, row = first / tiles.columns % tiles.rows,
                       n = first / tiles.columns / tiles.rows,
                       run = std::min(end - first, tiles.columns - column);
    first += run;
    const std::int64_t h = row * tiles.side * grid.step - grid.padding_height + p / parts;
    const std::int64_t left = std::max<std::int64_t>(0, column * tiles.side * grid.step - grid.padding_width),
                       right = std::min(grid.width, (column + run) * tiles.side * grid.step);
    if (p / parts >= lines || h < 0 || h >= grid.height || left >= right) continue;
    const std::int64_t begin = left + (right - left) * (p % parts) / parts,
                       pixels = left + (right - left) * (p % parts + 1) / parts - begin;
    const T* const from = image + ((n * grid.height + h) * grid.width + begin) * grid.channels + channel;
    const auto size = static_cast<std::int64_t>(sizeof(T));
    upcoming = channels == grid.channels
                   ? gemm::Upcoming(from, 1, pixels * channels * size, 0)
                   : gemm::Upcoming(from, pixels, channels * size, grid.channels * size);
  }
  return list;
}

/// What an operand element is kept as: f32 one by one, or words of two bf16 along k.
template <class E>
constexpr int pair = std::is_same_v<E, bf16> ? 2 : 1;

/// Calls f(R, operand element) with values of the right types.
template <class T, class F>
void with_method(const Sizes& s, const F& f) {
  const auto with_points = [&](auto element) {
    if (s.kernel_height / s.stride_height == 2)
      f(std::integral_constant<int, 2>{}, element);
    else
      f(std::integral_constant<int, 3>{}, element);
  };
  if constexpr (gemm::pairs_built && std::is_same_v<T, bf16>) {
    if (gemm::pairs_available()) return with_points(bf16{});
  }
  with_points(float{});
}

/// Distance between the 16 matrices of a block: an odd number of cache lines, so that they do not share a
/// set.
constexpr std::int64_t spread(std::int64_t elements, std::int64_t line) {
  return ((elements + line - 1) / line | 1) * line;
}

}  // namespace chorale::cpu::winograd

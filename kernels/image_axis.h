// SPDX-License-Identifier: MIT
// Which pixels adaptive pooling and bilinear resizing read along one axis of an image, and who reads a pixel;
// the same integers on every device.
#pragma once
#include <cstdint>

#include "kernels/macros.h"

namespace chorale {

/// [first, last).
struct Interval {
  std::int64_t first, last;
  CHORALE_HD std::int64_t size() const { return last - first; }
};

/// a / b for a >= 0, b > 0; 32-bit division is several times faster on a GPU.
CHORALE_HD inline std::int64_t divide(std::int64_t a, std::int64_t b) {
  if (a <= 0xffffffffll && b <= 0xffffffffll)
    return static_cast<std::uint32_t>(a) / static_cast<std::uint32_t>(b);
  return a / b;
}
CHORALE_HD inline std::int64_t divide_up(std::int64_t a, std::int64_t b) { return divide(a + b - 1, b); }

// ---- torch.nn.AdaptiveAvgPool2d: bins overlap where their number does not divide the pixels ----

/// Bin i of `bins` over `size` pixels: floor(i size / bins) to ceil((i + 1) size / bins).
CHORALE_HD inline Interval pixels_of_bin(std::int64_t bin, std::int64_t bins, std::int64_t size) {
  return {divide(bin * size, bins), divide_up((bin + 1) * size, bins)};
}
/// The bins that hold a pixel: the same formula, the roles exchanged.
CHORALE_HD inline Interval bins_of_pixel(std::int64_t pixel, std::int64_t bins, std::int64_t size) {
  return {divide(pixel * bins, size), divide_up((pixel + 1) * bins, size)};
}

// ---- torch.nn.functional.interpolate, bilinear, align_corners=False ----
// Output i of `resized` lies at (i + 1/2) size / resized - 1/2, not below 0, between two neighbouring pixels.

/// From pixel `first`: value (1 - weight) x[first] + weight x[second].
struct Taps {
  std::int64_t first, second;
  float weight;
  /// What the output takes of a pixel.
  CHORALE_HD float of(std::int64_t pixel) const {
    return (first == pixel ? 1.0f - weight : 0.0f) + (second == pixel ? weight : 0.0f);
  }
};

CHORALE_HD inline Taps taps_of(std::int64_t output, std::int64_t size, std::int64_t resized) {
  const std::int64_t position = (2 * output + 1) * size - resized, unit = 2 * resized;  // position / unit
  if (position <= 0) return {0, size > 1 ? 1 : 0, 0.0f};
  const std::int64_t first = divide(position, unit);
  return {first, first + 1 < size ? first + 1 : first,
          static_cast<float>(position - first * unit) / static_cast<float>(unit)};
}

/// The first output whose taps begin at `pixel` or beyond.
CHORALE_HD inline std::int64_t first_output(std::int64_t pixel, std::int64_t size, std::int64_t resized) {
  if (pixel <= 0) return 0;
  const std::int64_t output = divide((2 * pixel + 1) * resized + size - 1, 2 * size);
  return output < resized ? output : resized;
}

/// Resizing: what makes output `made` reads, and how much of it.
struct ResizedAxis {
  std::int64_t size, resized;
  CHORALE_HD std::int64_t sources() const { return size; }
  CHORALE_HD Interval reads(std::int64_t made) const {
    const Taps t = taps_of(made, size, resized);
    return {t.first, t.second + 1};
  }
  CHORALE_HD float weight(std::int64_t made, std::int64_t source) const {
    return taps_of(made, size, resized).of(source);
  }
};

/// Its gradient: the outputs that read pixel `made`, and how much they took of it.
struct ResizedAxisGradient {
  std::int64_t size, resized;
  CHORALE_HD std::int64_t sources() const { return resized; }
  CHORALE_HD Interval reads(std::int64_t made) const {
    return {first_output(made - 1, size, resized), first_output(made + 1, size, resized)};
  }
  CHORALE_HD float weight(std::int64_t made, std::int64_t source) const {
    return taps_of(source, size, resized).of(made);
  }
};

}  // namespace chorale

// SPDX-License-Identifier: MIT
// A small Fourier transform from portable sines: bit for bit the same everywhere, which a library's is not.
#pragma once
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "data/synth/portable_math.h"

namespace chorale::data::synth {

/// Radix-2 transform of a fixed size, a power of two.
class Fourier {
 public:
  explicit Fourier(std::size_t size) : cosine_(size / 2), sine_(size / 2), reversed_(size) {
    for (std::size_t i = 0; i < size / 2; ++i) {
      const double turns = static_cast<double>(i) / static_cast<double>(size);
      cosine_[i] = static_cast<float>(sine_of_turns(turns + 0.25));
      sine_[i] = static_cast<float>(sine_of_turns(turns));
    }
    for (std::size_t i = 1; i < size; ++i) reversed_[i] = reversed_[i / 2] / 2 + (i % 2) * (size / 2);
  }
  std::size_t size() const { return reversed_.size(); }

  /// In place: X[k] = sum of x[n] exp(-2 pi i n k / size).
  void transform(std::span<float> real, std::span<float> imaginary) const {
    const std::size_t n = size();
    for (std::size_t i = 0; i < n; ++i) {
      if (reversed_[i] > i) {
        std::swap(real[i], real[reversed_[i]]);
        std::swap(imaginary[i], imaginary[reversed_[i]]);
      }
    }
    for (std::size_t half = 1; half < n; half *= 2) {
      const std::size_t stride = n / (2 * half);
      for (std::size_t start = 0; start < n; start += 2 * half) {
        for (std::size_t i = 0; i < half; ++i) {
          const float c = cosine_[i * stride], s = -sine_[i * stride];
          const std::size_t a = start + i, b = a + half;
          const float re = c * real[b] - s * imaginary[b], im = c * imaginary[b] + s * real[b];
          real[b] = real[a] - re;
          imaginary[b] = imaginary[a] - im;
          real[a] += re;
          imaginary[a] += im;
        }
      }
    }
  }

 private:
  std::vector<float> cosine_, sine_;
  std::vector<std::size_t> reversed_;
};

}  // namespace chorale::data::synth

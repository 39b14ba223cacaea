// SPDX-License-Identifier: MIT
// Convolution of a square grid of real numbers with a kernel whose transform is real (an even kernel), padded
// with zeros to twice its side.
//
// With m = 2 side, of a grid [side, side]:
//   1. columns: `lanes` pairs of columns at once, as real and imaginary parts of one complex transform of
//      length m down the rows; of its m results half + 1 = side + 1 frequencies are kept for each column;
//   2. rows: `lanes` frequencies at once, transposed into the lanes: transform along the row, times the
//      spectrum, and back, of which only the first `side` are kept;
//   3. columns back, again in pairs.
// Transforms are those of fft_mixed.h, `lanes` of them (128 m bytes a pass for 16) in the second-level cache;
// m is a product of 2 and 3, f32 throughout. The half-transformed grid, 8 side (side + 1) bytes, crosses the
// cache twice in each direction.
#pragma once
#include <omp.h>

#include "kernels/context.h"
#include "kernels/cpu/fft_mixed.h"
#include "kernels/cpu/parallel.h"

namespace chorale::cpu::simd {

/// Workspace of the calling thread within `scratch`, `floats` of it for each.
inline float* own_workspace(const Scratch& scratch, std::size_t floats) {
  return scratch.as<float>() + floats * static_cast<std::size_t>(omp_get_thread_num());
}

/// Convolves grids f32 [side, side], side a multiple of 2 lanes.
class GridConvolution {
 public:
  GridConvolution(Context& context, int side)
      : context_(context), side_(side), half_(side + 1), transform_(2 * side) {}

  /// spectrum f32 [side + 1, side + 1] = transform of kernel(a, b), symmetric in its lags a, b <= side, times
  /// window(k) window(l), scaled for `run`. Beyond frequency `side` it is mirrored.
  template <class Kernel, class Window>
  void make_spectrum(const Kernel& kernel, const Window& window, float* spectrum) const {
    const int m = 2 * side_, blocks = static_cast<int>(block_count(half_, 2 * lanes));
    const Scratch columns(context_, sizeof(float) * static_cast<std::size_t>(half_ * half_));
    const std::size_t own =
        static_cast<std::size_t>(transform_.work_floats()) + static_cast<std::size_t>(m * complex_floats);
    const Scratch scratch(context_, sizeof(float) * own * static_cast<std::size_t>(omp_get_max_threads()));
    float* half_done = columns.as<float>();
    // A real even sequence has a real transform, so two of them share a complex one without being separated.
    const auto pairs = [&](int first, const auto& value, const auto& take) {
      float* work = own_workspace(scratch, own);
      float* input = work + transform_.work_floats();
      for (int j = 0; j <= side_; ++j)
        for (int part = 0; part < 2; ++part)
          for (int l = 0; l < lanes; ++l)
            input[j * complex_floats + part * lanes + l] =
                value(j, std::min(first + part * lanes + l, side_));
      const float* z = transform_.forward(
          [=](int j) { return load_complex(input + std::min(j, m - j) * complex_floats); }, work);
      for (int part = 0; part < 2; ++part)
        for (int l = 0; l < lanes && first + part * lanes + l <= side_; ++l)
          take(first + part * lanes + l, z + part * lanes + l);
    };
    parallel_tasks(blocks, std::int64_t{m} * m, [&](std::int64_t block) {
      pairs(
          static_cast<int>(block) * 2 * lanes, [&](int j, int c) { return kernel(j, c); },
          [&](int c, const float* z) {
            for (int k = 0; k <= side_; ++k) half_done[k * half_ + c] = z[k * complex_floats];
          });
    });
    // Of two columns that share a transform `run` gets twice the spectrum.
    const float scale = 0.5f / (static_cast<float>(m) * static_cast<float>(m));
    parallel_tasks(blocks, std::int64_t{m} * m, [&](std::int64_t block) {
      pairs(
          static_cast<int>(block) * 2 * lanes, [&](int j, int k) { return half_done[k * half_ + j]; },
          [&](int k, const float* z) {
            const float own_scale = scale * window(k);
            for (int l = 0; l <= side_; ++l)
              spectrum[l * half_ + k] = z[l * complex_floats] * own_scale * window(l);
          });
    });
  }

  /// potential [side, side] = kernel convolved with charges [side, side].
  void run(const float* charges, const float* spectrum, float* potential) const {
    const Scratch planes(context_, sizeof(float) * static_cast<std::size_t>(2 * half_ * side_));
    const std::size_t own =
        static_cast<std::size_t>(transform_.work_floats()) + static_cast<std::size_t>(side_ * complex_floats);
    const Scratch scratch(context_, sizeof(float) * own * static_cast<std::size_t>(omp_get_max_threads()));
    float* re = planes.as<float>();
    float* im = re + half_ * side_;
    const std::int64_t work = std::int64_t{16} * side_ * side_;
    parallel_tasks(side_ / (2 * lanes), work, [&](std::int64_t block) {
      columns_forward(charges, static_cast<int>(block) * 2 * lanes, own_workspace(scratch, own), re, im);
    });
    parallel_tasks(block_count(half_, lanes), work, [&](std::int64_t block) {
      rows(spectrum, static_cast<int>(block) * lanes, own_workspace(scratch, own), re, im);
    });
    parallel_tasks(side_ / (2 * lanes), work, [&](std::int64_t block) {
      columns_back(re, im, static_cast<int>(block) * 2 * lanes, own_workspace(scratch, own), potential);
    });
  }

 private:
  void columns_forward(const float* charges, int first, float* work, float* re, float* im) const {
    const float* z = transform_.forward(
        [&](int j) {
          if (j >= side_) return Complex{Vector{}, Vector{}};
          const float* row = charges + j * side_ + first;
          return Complex{load(row), load(row + lanes)};
        },
        work);
    for (int k = 0; k < half_; ++k) {
      const Complex a = load_complex(z + k * complex_floats);
      const Complex b = load_complex(z + (k ? 2 * side_ - k : 0) * complex_floats);
      const std::int64_t at = k * side_ + first;
      store(re + at, a.re + b.re);  // twice the spectrum of the first `lanes` columns
      store(im + at, a.im - b.im);
      store(re + at + lanes, a.im + b.im);  // and of the others
      store(im + at + lanes, b.re - a.re);
    }
  }

  void rows(const float* spectrum, int first, float* work, float* re, float* im) const {
    const int m = 2 * side_, used = std::min(lanes, half_ - first);
    float* input = work + transform_.work_floats();
    const auto transposed = [&](float* plane, int column, const auto& take) {
      Vector v[lanes];
      for (int l = 0; l < lanes; ++l) v[l] = load(plane + std::min(first + l, side_) * side_ + column);
      interleave<lanes>(v);
      for (int l = 0; l < lanes; ++l) take(column + l, v[l]);
    };
    for (int column = 0; column < side_; column += lanes) {
      transposed(re, column, [&](int c, Vector v) { store(input + c * complex_floats, v); });
      transposed(im, column, [&](int c, Vector v) { store(input + c * complex_floats + lanes, v); });
    }
    float* z = transform_.forward(
        [&](int j) {
          return j < side_ ? load_complex(input + j * complex_floats) : Complex{Vector{}, Vector{}};
        },
        work);
    for (int l = 0; l < m; ++l) {
      const Vector s = load_some(spectrum + std::min(l, m - l) * half_ + first, used);
      const Complex value = load_complex(z + l * complex_floats);
      store_complex(z + l * complex_floats, {value.im * s, value.re * s});
    }
    // With real and imaginary parts exchanged, the transform is its own inverse.
    const float* y = transform_.again(z, work);
    const auto write = [&](int part, float* plane) {
      for (int column = 0; column < side_; column += lanes) {
        Vector v[lanes];
        for (int c = 0; c < lanes; ++c) v[c] = load(y + (column + c) * complex_floats + part * lanes);
        interleave<lanes>(v);
        for (int l = 0; l < used; ++l) store(plane + (first + l) * side_ + column, v[l]);
      }
    };
    write(1, re);
    write(0, im);
  }

  void columns_back(const float* re, const float* im, int first, float* work, float* potential) const {
    const int m = 2 * side_;
    const float* y = transform_.forward(
        [&](int j) {
          const int k = std::min(j, m - j);
          const std::int64_t at = std::int64_t{k} * side_ + first;
          const float sign = j <= side_ ? 1.0f : -1.0f;  // the spectrum of real columns is conjugate beyond
          const Vector a_re = load(re + at), a_im = sign * load(im + at);
          const Vector b_re = load(re + at + lanes), b_im = sign * load(im + at + lanes);
          return Complex{a_im + b_re, a_re - b_im};  // a + i b, parts exchanged
        },
        work);
    for (int j = 0; j < side_; ++j) {
      const Complex value = load_complex(y + j * complex_floats);
      store(potential + j * side_ + first, value.im);
      store(potential + j * side_ + first + lanes, value.re);
    }
  }

  Context& context_;
  int side_, half_;
  LaneTransform transform_;
};

}  // namespace chorale::cpu::simd

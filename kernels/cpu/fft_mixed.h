// SPDX-License-Identifier: MIT
// Complex transforms of `lanes` sequences at once, of m points, a product of 2, 3 and 5: lanes hold
// independent transforms, so no butterfly shuffles.
//
// Stockham's algorithm: a pass of radix R from stride s, with L = m / s and part = L / R, computes for p <
// part and q < s
//   out[q + s (R p + k)] = w_L^{p k} * sum over r < R of in[q + s (p + part r)] w_R^{r k}
// and leaves the results in order. All points of a block (8 m lanes bytes: 77 KB for 16 sequences of 600
// points) are read and written once a pass, in the second-level cache.
#pragma once
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include "kernels/cpu/audio_fft.h"

namespace chorale::cpu::simd {

class LaneTransform {
 public:
  explicit LaneTransform(int m) : m_(m), twiddles_(static_cast<std::size_t>(2 * m)) {
    for (int j = 0; j < m; ++j) {
      const double angle = -2 * std::numbers::pi * j / m;
      twiddles_[static_cast<std::size_t>(2 * j)] = static_cast<float>(std::cos(angle));
      twiddles_[static_cast<std::size_t>(2 * j + 1)] = static_cast<float>(std::sin(angle));
    }
    const auto take = [&](int radix) { radices_.push_back(radix), m /= radix; };
    while (m % 32 == 0) take(8);
    for (const int radix : {16, 8, 4, 2, 3, 5})
      while (m % radix == 0) take(radix);
  }

  std::int64_t work_floats() const { return std::int64_t{2} * m_ * complex_floats; }

  /// Where in `work` the transform of source(j), j < m, lies, one complex vector after the other. The source
  /// may be the half of `work` that `start` is not.
  template <class Source>
  float* forward(const Source& source, float* work, float* start = nullptr) const {
    float* const second = work + std::int64_t{m_} * complex_floats;
    float* out = start ? start : work;
    float* in = out == work ? second : work;
    int s = 1;
    for (const int radix : radices_) {
      if (s == 1) {
        pass_of(radix, source, s, out);
      } else {
        pass_of(
            radix, [=](int j) { return load_complex(in + std::int64_t{complex_floats} * j); }, s, out);
      }
      std::swap(in, out);
      s *= radix;
    }
    return in;
  }

  /// The transform of what lies at z, one half of `work`.
  float* again(const float* z, float* work) const {
    return forward([=](int j) { return load_complex(z + std::int64_t{complex_floats} * j); }, work,
                   z == work ? work + std::int64_t{m_} * complex_floats : work);
  }

 private:
  template <class Source>
  void pass_of(int radix, const Source& source, int s, float* out) const {
    switch (radix) {
      case 2:
        return pass<2>(source, s, out);
      case 3:
        return pass<3>(source, s, out);
      case 4:
        return pass<4>(source, s, out);
      case 5:
        return pass<5>(source, s, out);
      case 8:
        return pass<8>(source, s, out);
      default:
        return pass<16>(source, s, out);
    }
  }

  template <int R, class Source>
  void pass(const Source& source, int s, float* out) const {
    const int part = m_ / s / R;
    for (int p = 0; p < part; ++p)
      for (int q = 0; q < s; ++q) {
        Complex x[R];
        for (int r = 0; r < R; ++r) x[r] = source(q + s * (p + part * r));
        butterfly<R>(x);
        float* to = out + std::int64_t{complex_floats} * (q + s * R * p);
        store_complex(to, x[0]);
        for (int k = 1; k < R; ++k)
          store_complex(to + std::int64_t{complex_floats} * s * k,
                        times(x[k], twiddles_.data() + 2 * s * p * k));
      }
  }

  int m_;
  std::vector<int> radices_;
  std::vector<float> twiddles_;  ///< w_m^j for j < m
};

}  // namespace chorale::cpu::simd

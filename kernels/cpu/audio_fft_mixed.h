// SPDX-License-Identifier: MIT
// Real transforms of `lanes` frames at once (audio_fft.h), for frame lengths n = 2 M whose half is a product
// of 2, 3 and 5; and the choice between both.
//
// z[j] = x[2j] + i x[2j + 1], j < M, goes through the passes of fft_mixed.h, and its spectrum is split into
// that of x.
#pragma once
#include <cmath>
#include <numbers>
#include <vector>

#include "kernels/cpu/fft_mixed.h"

namespace chorale::cpu::simd {

/// The transform of n samples; the interface of FixedTransform.
class MixedTransform {
 public:
  explicit MixedTransform(int n) : M_(n / 2), points_(M_) {
    for (int j = 0; j <= M_; ++j) {
      const double angle = -2 * std::numbers::pi * j / n;
      real_.insert(real_.end(), {static_cast<float>(std::sin(angle)), -static_cast<float>(std::cos(angle))});
    }
  }

  std::int64_t work_floats() const { return points_.work_floats(); }

  template <class Sample, class Sink>
  void forward(const Sample& sample, float* work, const Sink& sink) const {
    const float* z = points_.forward([&](int j) { return Complex{sample(2 * j), sample(2 * j + 1)}; }, work);
    const auto at = [&](int k) { return load_complex(z + std::int64_t{complex_floats} * k); };
    for (int k = 0; 2 * k <= M_; ++k)
      join_spectrum(k, M_, at(k), at(k ? M_ - k : 0), real_.data() + 2 * k, sink);
  }

  template <class Spectrum, class Sink>
  void inverse(const Spectrum& spectrum, float* work, const Sink& sink) const {
    const float* z = points_.forward(
        [&](int k) {
          const Complex z = split_spectrum(spectrum(k), spectrum(M_ - k), real_.data() + 2 * k);
          return Complex{z.im, z.re};
        },
        work);
    for (int j = 0; j < M_; ++j) {
      const Complex value = load_complex(z + std::int64_t{complex_floats} * j);
      sink(2 * j, value.im);
      sink(2 * j + 1, value.re);
    }
  }

 private:
  int M_;
  LaneTransform points_;
  std::vector<float> real_;  ///< -i w_n^k for k <= M
};

/// Calls run(transform) with the transform of n_fft samples.
template <class Run>
void with_transform(int n_fft, const Run& run) {
  const auto fixed = [&]<int A, int B>() {
    static const FixedTransform<A, B> transform;
    run(transform);
  };
  switch (n_fft) {
    case 64:
      return fixed.template operator()<8, 4>();
    case 128:
      return fixed.template operator()<8, 8>();
    case 256:
      return fixed.template operator()<16, 8>();
    case 512:
      return fixed.template operator()<16, 16>();
    case 1024:
      return fixed.template operator()<32, 16>();
    case 2048:
      return fixed.template operator()<32, 32>();
    case 4096:
      return fixed.template operator()<64, 32>();
    case 8192:
      return fixed.template operator()<64, 64>();
    case 16384:
      return fixed.template operator()<128, 64>();
    default:
      run(MixedTransform(n_fft));
  }
}

}  // namespace chorale::cpu::simd

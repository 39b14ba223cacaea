// SPDX-License-Identifier: MIT
// Real transforms of `lanes` frames at once (audio_fft.h), for frame lengths n = 2 M whose half is a product
// of 2, 3 and 5; and the choice between both.
//
// Stockham's algorithm on the M complex points z[j] = x[2j] + i x[2j + 1]: a pass of radix R from stride s,
// with L = M / s and m = L / R, computes for p < m and q < s
//   out[q + s (R p + k)] = w_L^{p k} * sum over r < R of in[q + s (p + m r)] w_R^{r k}
// and leaves the results in order. All points of a block (77 KB for 16 frames of 1,200) are read and written
// once a pass, in the second-level cache.
#pragma once
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include "kernels/cpu/audio_fft.h"

namespace chorale::cpu::simd {

/// Radices of the passes over M points, M a product of 2, 3 and 5.
inline std::vector<int> mixed_radices(int M) {
  std::vector<int> radices;
  const auto take = [&](int radix) { radices.push_back(radix), M /= radix; };
  while (M % 32 == 0) take(8);
  for (const int radix : {16, 8, 4, 2, 3, 5})
    while (M % radix == 0) take(radix);
  return radices;
}

/// The transform of n samples; the interface of FixedTransform.
class MixedTransform {
 public:
  explicit MixedTransform(int n) : M_(n / 2), radices_(mixed_radices(M_)) {
    for (int j = 0; j < n; ++j) {
      const double angle = -2 * std::numbers::pi * j / n;
      const float c = static_cast<float>(std::cos(angle)), s = static_cast<float>(std::sin(angle));
      twiddles_.insert(twiddles_.end(), {c, s});
      if (j <= M_) real_.insert(real_.end(), {s, -c});
    }
  }

  std::int64_t work_floats() const { return std::int64_t{2} * M_ * complex_floats; }

  template <class Sample, class Sink>
  void forward(const Sample& sample, float* work, const Sink& sink) const {
    const float* z = passes([&](int j) { return Complex{sample(2 * j), sample(2 * j + 1)}; }, work);
    const auto at = [&](int k) { return load_complex(z + std::int64_t{complex_floats} * k); };
    for (int k = 0; 2 * k <= M_; ++k)
      join_spectrum(k, M_, at(k), at(k ? M_ - k : 0), real_.data() + 2 * k, sink);
  }

  template <class Spectrum, class Sink>
  void inverse(const Spectrum& spectrum, float* work, const Sink& sink) const {
    const float* z = passes(
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
  /// Where in `work` the transformed points lie.
  template <class Source>
  const float* passes(const Source& source, float* work) const {
    float *in = work, *out = work + std::int64_t{M_} * complex_floats;
    int s = 1;
    for (const int radix : radices_) {
      if (s == 1) {
        pass_of(radix, source, s, out);
      } else {
        pass_of(
            radix, [&](int j) { return load_complex(in + std::int64_t{complex_floats} * j); }, s, out);
      }
      std::swap(in, out);
      s *= radix;
    }
    return in;
  }

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
    const int m = M_ / s / R;
    for (int p = 0; p < m; ++p)
      for (int q = 0; q < s; ++q) {
        Complex x[R];
        for (int r = 0; r < R; ++r) x[r] = source(q + s * (p + m * r));
        butterfly<R>(x);
        float* to = out + std::int64_t{complex_floats} * (q + s * R * p);
        store_complex(to, x[0]);
        for (int k = 1; k < R; ++k)
          store_complex(to + std::int64_t{complex_floats} * s * k,
                        times(x[k], twiddles_.data() + 4 * s * p * k));
      }
  }

  int M_;
  std::vector<int> radices_;
  std::vector<float> twiddles_;  ///< w_n^j for j < n
  std::vector<float> real_;      ///< -i w_n^k for k <= M
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

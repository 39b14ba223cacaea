// SPDX-License-Identifier: MIT
// Real transforms of `lanes` frames at once, for frame lengths n that are powers of two: lane l of every
// vector belongs to frame l, so that no butterfly, twiddle or real-input step shuffles anything and one
// twiddle serves all lanes. audio_fft_mixed.h has the same for the other lengths.
//
// A real frame of n samples is M = n / 2 complex points z[j] = x[2j] + i x[2j + 1]; with M = A B:
//   1. for each n2 < B: Z'[k1][n2] = w^{n2 k1} * sum over n1 < A of z[B n1 + n2] w_A^{n1 k1}
//   2. for each k1 < A: Z[k1 + A k2] = sum over n2 < B of Z'[k1][n2] w_B^{n2 k2}
//   3. X[k] = Z[k] + conj Z[M - k] - i w_n^k (Z[k] - conj Z[M - k]), twice the spectrum
// Transforms of A and B points stay in the first-level cache, all M points in the second (128 KB for 16
// frames of 2,048), which they cross twice. Rows k1 and A - k1 of step 2 hold the pairs that step 3 joins.
// The inverse makes Z from X, runs steps 1 and 2 with real and imaginary parts exchanged, and yields n x.
#pragma once
#include <bit>
#include <cmath>
#include <numbers>
#include <vector>

#include "kernels/cpu/audio_simd.h"

namespace chorale::cpu::simd {

struct Complex {
  Vector re, im;
};
inline Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
inline Complex operator-(Complex a, Complex b) { return {a.re - b.re, a.im - b.im}; }
inline Complex times(Complex a, const float* w) {
  const Vector re = broadcast(w[0]), im = broadcast(w[1]);
  return {a.re * re - a.im * im, a.re * im + a.im * re};
}
inline Complex load_complex(const float* p) { return {load(p), load(p + lanes)}; }
inline void store_complex(float* p, Complex z) {
  store(p, z.re);
  store(p + lanes, z.im);
}
constexpr int complex_floats = 2 * lanes;  ///< one complex value of every frame

/// x[k] <- sum over n of x[n] exp(-2 pi i n k / R), in registers.
template <int R>
[[gnu::always_inline]] inline void butterfly(Complex* x) {
  if constexpr (R == 2) {
    const Complex a = x[0];
    x[0] = a + x[1];
    x[1] = a - x[1];
  } else if constexpr (R == 3) {
    constexpr float s = std::numbers::sqrt3_v<float> / 2;
    const Complex sum = x[1] + x[2], difference = x[1] - x[2];
    const Complex middle{x[0].re - 0.5f * sum.re, x[0].im - 0.5f * sum.im};
    x[0] = x[0] + sum;
    x[1] = {middle.re + s * difference.im, middle.im - s * difference.re};
    x[2] = {middle.re - s * difference.im, middle.im + s * difference.re};
  } else if constexpr (R == 5) {
    constexpr float c1 = 0.30901699437494742f, c2 = -0.80901699437494742f;  // cos of 2 pi / 5 and 4 pi / 5
    constexpr float s1 = 0.95105651629515357f, s2 = 0.58778525229247313f;   // their sines
    const Complex a = x[1] + x[4], b = x[2] + x[3], c = x[1] - x[4], d = x[2] - x[3];
    const Complex near{x[0].re + c1 * a.re + c2 * b.re, x[0].im + c1 * a.im + c2 * b.im};
    const Complex far{x[0].re + c2 * a.re + c1 * b.re, x[0].im + c2 * a.im + c1 * b.im};
    const Complex p{s1 * c.re + s2 * d.re, s1 * c.im + s2 * d.im};
    const Complex q{s2 * c.re - s1 * d.re, s2 * c.im - s1 * d.im};
    x[0] = x[0] + a + b;
    x[1] = {near.re + p.im, near.im - p.re};
    x[4] = {near.re - p.im, near.im + p.re};
    x[2] = {far.re + q.im, far.im - q.re};
    x[3] = {far.re - q.im, far.im + q.re};
  } else if constexpr (R == 4) {
    const Complex a = x[0] + x[2], b = x[0] - x[2], c = x[1] + x[3], d = x[1] - x[3];
    x[0] = a + c;
    x[1] = {b.re + d.im, b.im - d.re};
    x[2] = a - c;
    x[3] = {b.re - d.im, b.im + d.re};
  } else if constexpr (R == 8) {
    constexpr float h = std::numbers::sqrt2_v<float> / 2;
    Complex even[4], odd[4];
    for (int k = 0; k < 4; ++k) even[k] = x[k] + x[k + 4], odd[k] = x[k] - x[k + 4];
    odd[1] = {(odd[1].re + odd[1].im) * h, (odd[1].im - odd[1].re) * h};
    odd[2] = {odd[2].im, -odd[2].re};
    odd[3] = {(odd[3].im - odd[3].re) * h, (odd[3].re + odd[3].im) * -h};
    butterfly<4>(even);
    butterfly<4>(odd);
    for (int k = 0; k < 4; ++k) x[2 * k] = even[k], x[2 * k + 1] = odd[k];
  } else {
    static_assert(R == 16);
    constexpr float c = 0.92387953251128674f, s = 0.38268343236508977f;
    static constexpr float w[8][2] = {
        {c, -s},  {0.70710678118654752f, -0.70710678118654752f},  {s, -c},  {0, -1},
        {-s, -c}, {-0.70710678118654752f, -0.70710678118654752f}, {-c, -s}, {-1, 0}};
    Complex even[8], odd[8];
    for (int k = 0; k < 8; ++k) even[k] = x[k] + x[k + 8], odd[k] = x[k] - x[k + 8];
    for (int k = 1; k < 8; ++k) odd[k] = times(odd[k], w[k - 1]);
    butterfly<8>(even);
    butterfly<8>(odd);
    for (int k = 0; k < 8; ++k) x[2 * k] = even[k], x[2 * k + 1] = odd[k];
  }
}

/// Radix of the first of at most two passes of an L-point transform.
constexpr int first_radix(int L) { return L == 128 ? 16 : L >= 32 ? 8 : L == 16 ? 4 : L; }

/// One L-point transform: source(n) gives the input, sink(k, value) takes the output. `twiddles` holds
/// w_L^{p k} for p < L / R, k < R, R = first_radix(L); `scratch` L complex values.
template <int L, class Source, class Sink>
[[gnu::always_inline]] inline void transform(const float* twiddles, float* scratch, const Source& source,
                                             const Sink& sink) {
  constexpr int R0 = first_radix(L), R1 = L / R0;
  Complex x[R0];
  if constexpr (R1 == 1) {
    for (int k = 0; k < R0; ++k) x[k] = source(k);
    butterfly<R0>(x);
    for (int k = 0; k < R0; ++k) sink(k, x[k]);
  } else {
    for (int p = 0; p < R1; ++p) {
      for (int k = 0; k < R0; ++k) x[k] = source(p + R1 * k);
      butterfly<R0>(x);
      float* out = scratch + complex_floats * R0 * p;
      store_complex(out, x[0]);
      for (int k = 1; k < R0; ++k)
        store_complex(out + complex_floats * k, times(x[k], twiddles + 2 * (p * R0 + k)));
    }
    for (int q = 0; q < R0; ++q) {
      Complex y[R1];
      for (int k = 0; k < R1; ++k) y[k] = load_complex(scratch + complex_floats * (q + R0 * k));
      butterfly<R1>(y);
      for (int k = 0; k < R1; ++k) sink(q + R0 * k, y[k]);
    }
  }
}

/// Twiddles of one frame length, computed in f64.
struct Twiddles {
  std::vector<float> rows, columns;  ///< of transform<A> and transform<B>
  std::vector<float> between;        ///< w_M^{n2 k1} at [n2][k1]
  std::vector<float> real;           ///< -i w_n^k for k <= M

  Twiddles(int n, int A, int B) {
    const auto append = [](std::vector<float>& to, double numerator, double denominator, double quarter = 0) {
      const double angle = -2 * std::numbers::pi * (numerator / denominator + quarter / 4);
      to.push_back(static_cast<float>(std::cos(angle)));
      to.push_back(static_cast<float>(std::sin(angle)));
    };
    const auto inner = [&](std::vector<float>& to, int L) {
      for (int p = 0; p < L / first_radix(L); ++p)
        for (int k = 0; k < first_radix(L); ++k) append(to, p * k, L);
    };
    inner(rows, A);
    inner(columns, B);
    for (int n2 = 0; n2 < B; ++n2)
      for (int k1 = 0; k1 < A; ++k1) append(between, n2 * k1, n / 2);
    for (int k = 0; k <= n / 2; ++k) append(real, k, n, 1);
  }
};

/// Z[k] (scaled by 2) from X[k] and X[M - k]; `turn` is -i w_n^k.
[[gnu::always_inline]] inline Complex split_spectrum(Complex a, Complex mirrored, const float* turn) {
  const float back[2] = {turn[0], -turn[1]};
  return Complex{a.re + mirrored.re, a.im - mirrored.im} +
         times({a.re - mirrored.re, a.im + mirrored.im}, back);
}

/// Hands sink the spectrum at k and at M - k, made from Z[k] and Z[M - k]; `turn` is -i w_n^k.
template <class Sink>
[[gnu::always_inline]] inline void join_spectrum(int k, int M, Complex a, Complex mirrored, const float* turn,
                                                 const Sink& sink) {
  const Complex even{a.re + mirrored.re, a.im - mirrored.im};
  const Complex turned = times({a.re - mirrored.re, a.im + mirrored.im}, turn);
  sink(k, even + turned);
  sink(M - k, Complex{even.re - turned.re, turned.im - even.im});
}

/// The transform of n = 2 A B samples.
template <int A, int B>
class FixedTransform {
 public:
  FixedTransform() : twiddles_(2 * M, A, B) {}

  /// Floats of the caller's that each call works in, aligned to a vector.
  static constexpr std::int64_t work_floats() { return A * stride; }

  /// sample(m): half the windowed sample m of every frame. sink(k, X[k]) once or twice for each k <= M, in no
  /// order.
  template <class Sample, class Sink>
  void forward(const Sample& sample, float* work, const Sink& sink) const {
    alignas(64) float scratch[scratch_floats], low[complex_floats * B], high[complex_floats * B];
    const float* real = twiddles_.real.data();
    rows([=](int j) { return Complex{sample(2 * j), sample(2 * j + 1)}; }, scratch, work);
    const auto row = [&](int k1, float* out) {
      column(k1, work, scratch, [=](int k2, Complex z) { store_complex(out + complex_floats * k2, z); });
    };
    const auto join = [=](int k, const float* at, const float* mirrored) {
      join_spectrum(k, M, load_complex(at), load_complex(mirrored), real + 2 * k, sink);
    };
    row(0, low);
    for (int k2 = 0; k2 <= B / 2; ++k2)
      join(A * k2, low + complex_floats * k2, low + complex_floats * ((B - k2) % B));
    row(A / 2, low);
    for (int k2 = 0; k2 < B / 2; ++k2)
      join(A / 2 + A * k2, low + complex_floats * k2, low + complex_floats * (B - 1 - k2));
    for (int k1 = 1; k1 < A / 2; ++k1) {
      row(k1, low);
      row(A - k1, high);
      for (int k2 = 0; k2 < B; ++k2)
        join(k1 + A * k2, low + complex_floats * k2, high + complex_floats * (B - 1 - k2));
    }
  }

  /// spectrum(k): X[k] of every frame, called twice for each k <= M. sink(m, x): n times sample m of every
  /// frame, each m once.
  template <class Spectrum, class Sink>
  void inverse(const Spectrum& spectrum, float* work, const Sink& sink) const {
    alignas(64) float scratch[scratch_floats];
    rows(
        [&](int k) {
          const Complex z = split_spectrum(spectrum(k), spectrum(M - k), twiddles_.real.data() + 2 * k);
          return Complex{z.im, z.re};
        },
        scratch, work);
    for (int k1 = 0; k1 < A; ++k1)
      column(k1, work, scratch, [&](int k2, Complex z) {
        const int m = 2 * (k1 + A * k2);
        sink(m, z.im);
        sink(m + 1, z.re);
      });
  }

 private:
  static constexpr int M = A * B;
  static constexpr int stride =
      complex_floats * (B + 1);  // the extra value keeps rows off each other's cache sets
  static constexpr int scratch_floats = complex_floats * (A > B ? A : B);

  template <class Source>
  [[gnu::always_inline]] void rows(const Source& source, float* scratch, float* work) const {
    for (int n2 = 0; n2 < B; ++n2) {
      const float* w = twiddles_.between.data() + 2 * n2 * A;
      transform<A>(
          twiddles_.rows.data(), scratch, [&](int n1) { return source(B * n1 + n2); },
          [&](int k1, Complex z) {
            store_complex(work + k1 * stride + complex_floats * n2, times(z, w + 2 * k1));
          });
    }
  }

  template <class Sink>
  [[gnu::always_inline]] void column(int k1, const float* work, float* scratch, const Sink& sink) const {
    transform<B>(
        twiddles_.columns.data(), scratch,
        [&](int n2) { return load_complex(work + k1 * stride + complex_floats * n2); }, sink);
  }

  Twiddles twiddles_;
};

}  // namespace chorale::cpu::simd

// SPDX-License-Identifier: MIT
// Float vectors of this module's register width, in the compilers' vector extensions: one source for every
// instruction set, with the transposition that the standard's simd proposals lack.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace chorale::cpu::simd {

#if defined(__AVX512F__)
constexpr int lanes = 16;
#elif defined(__AVX__)
constexpr int lanes = 8;
#else
constexpr int lanes = 4;
#endif

typedef float Vector __attribute__((vector_size(lanes * 4)));
typedef std::int32_t IntVector __attribute__((vector_size(lanes * 4)));
typedef float Unaligned __attribute__((vector_size(lanes * 4), aligned(4), may_alias));

inline Vector load(const float* p) { return *reinterpret_cast<const Unaligned*>(p); }
inline void store(float* p, Vector v) { *reinterpret_cast<Unaligned*>(p) = v; }
inline Vector broadcast(float x) { return Vector{} + x; }
inline Vector maximum(Vector a, Vector b) { return a > b ? a : b; }

namespace detail {
template <bool high, std::size_t... I>
inline Vector zip(Vector a, Vector b, std::index_sequence<I...>) {
  return __builtin_shufflevector(a, b,
                                 static_cast<int>(I / 2 + (high ? lanes / 2 : 0) + (I % 2 ? lanes : 0))...);
}
template <int first, std::size_t... I>
inline Vector unzip(Vector a, Vector b, std::index_sequence<I...>) {
  return __builtin_shufflevector(a, b, static_cast<int>(2 * I + first)...);
}
}  // namespace detail

/// Every second element of a and b one after the other, from element `first` (0 or 1) of a.
template <int first>
inline Vector unzip(Vector a, Vector b) {
  return detail::unzip<first>(a, b, std::make_index_sequence<lanes>{});
}

/// a0 b0 a1 b1 ... from the first (low) or the second half of both.
template <bool high>
inline Vector zip(Vector a, Vector b) {
  return detail::zip<high>(a, b, std::make_index_sequence<lanes>{});
}

/// The elements of v[0 .. R) as one sequence v[0][0] v[1][0] ... v[R-1][0] v[0][1] ...; with R = lanes, the
/// transposed square.
template <int R>
[[gnu::always_inline]] inline void interleave(Vector* v) {
  if constexpr (R > 1) {
    Vector even[R / 2], odd[R / 2];
    for (int j = 0; j < R / 2; ++j) even[j] = v[2 * j], odd[j] = v[2 * j + 1];
    interleave<R / 2>(even);
    interleave<R / 2>(odd);
    for (int j = 0; j < R / 2; ++j) {
      v[2 * j] = zip<false>(even[j], odd[j]);
      v[2 * j + 1] = zip<true>(even[j], odd[j]);
    }
  }
}

/// The first `count` elements at p, zero beyond; none where count is 0 or less.
inline Vector load_some(const float* p, std::int64_t count) {
  if (count >= lanes) return load(p);
  alignas(Vector) float buffer[lanes] = {};
  for (std::int64_t i = 0; i < count; ++i) buffer[i] = p[i];
  return load(buffer);
}
inline void store_some(float* p, Vector v, std::int64_t count) {
  if (count >= lanes) return store(p, v);
  alignas(Vector) float buffer[lanes];
  store(buffer, v);
  for (std::int64_t i = 0; i < count; ++i) p[i] = buffer[i];
}

/// Natural logarithm of positive, normal x; relative error about 2e-7 away from 1, absolute near it.
/// x = 2^e m with m in [sqrt(1/2), sqrt(2)); log m = 2 artanh(s), s = (m - 1) / (m + 1), by its power series.
inline Vector log(Vector x) {
  constexpr std::int32_t root_half = 0x3f3504f3;  // bits of sqrt(1/2)
  const IntVector bits = reinterpret_cast<IntVector>(x);
  const IntVector exponent = (bits - root_half) >> 23;
  const Vector m = reinterpret_cast<Vector>(bits - (exponent << 23));
  const Vector s = (m - 1.0f) / (m + 1.0f), q = s * s;
  const Vector series = ((q * (1.0f / 9) + 1.0f / 7) * q + 1.0f / 5) * q + 1.0f / 3;
  return __builtin_convertvector(exponent, Vector) * 0.693147180559945f + (s + s * q * series) * 2.0f;
}

}  // namespace chorale::cpu::simd

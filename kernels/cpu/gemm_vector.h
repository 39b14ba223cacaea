// SPDX-License-Identifier: MIT
// Vectors of the module's instruction set (GCC vector extensions), 16-bit storage as f32 vectors, and the
// transposition of a square of V x V floats in registers. For the matrix products and the optimizer.
#pragma once
#include <cstdint>
#include <cstring>

#if defined(__F16C__) || defined(__AVX512F__)
#include <immintrin.h>
#endif

#include "kernels/dtype.h"

namespace chorale::cpu::gemm {

#if defined(__AVX512F__)
constexpr int lanes = 16, vector_registers = 32;
#elif defined(__AVX2__)
constexpr int lanes = 8, vector_registers = 16;
#else
constexpr int lanes = 4, vector_registers = 16;
#endif

using Vector = float __attribute__((vector_size(lanes * 4)));
using Words = std::uint32_t __attribute__((vector_size(lanes * 4)));
using SignedWords = std::int32_t __attribute__((vector_size(lanes * 4)));
using Shorts = std::uint16_t __attribute__((vector_size(lanes * 2)));

inline Vector load(const float* p) {
  Vector v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
inline void store(float* p, Vector v) { std::memcpy(p, &v, sizeof v); }

inline Vector load(const bf16* p) {
  Shorts s;
  std::memcpy(&s, p, sizeof s);
  const Words w = __builtin_convertvector(s, Words) << 16;
  Vector v;
  std::memcpy(&v, &w, sizeof v);
  return v;
}
inline void store(bf16* p, Vector v) {
  Words w;
  std::memcpy(&w, &v, sizeof w);
  const Words nan = Words((w & 0x7fffffffu) > 0x7f800000u);
  const Words rounded = (w + 0x7fffu + ((w >> 16) & 1u)) >> 16, quiet = (w >> 16) | 0x40u;
  const Shorts s = __builtin_convertvector((quiet & nan) | (rounded & ~nan), Shorts);
  std::memcpy(p, &s, sizeof s);
}

inline Vector load(const half* p) {
#if defined(__AVX512F__)
  // The masked forms: the plain ones warn of an undefined operand in g++ 12.
  return _mm512_maskz_cvtph_ps(0xffff, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
#elif defined(__F16C__)
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
#else
  Vector v;
  for (int i = 0; i < lanes; ++i) v[i] = to_float(p[i]);
  return v;
#endif
}
inline void store(half* p, Vector v) {
#if defined(__AVX512F__)
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                      _mm512_maskz_cvtps_ph(0xffff, v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
#elif defined(__F16C__)
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p),
                   _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
#else
  for (int i = 0; i < lanes; ++i) p[i] = to_half(v[i]);
#endif
}

/// The first `count` (< lanes) elements; the other lanes are zero.
template <class T>
inline Vector load_part(const T* p, std::int64_t count) {
  T buffer[lanes] = {};
  for (std::int64_t i = 0; i < count; ++i) buffer[i] = p[i];
  return load(buffer);
}
template <class T>
inline void store_part(T* p, Vector v, std::int64_t count) {
  T buffer[lanes];
  store(buffer, v);
  for (std::int64_t i = 0; i < count; ++i) p[i] = buffer[i];
}
#if defined(__AVX512F__)
inline Vector load_part(const float* p, std::int64_t count) {
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), p);
}
inline void store_part(float* p, Vector v, std::int64_t count) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << count) - 1), v);
}
#endif
/// As many of `count` elements as a vector holds.
template <class T>
inline Vector load_upto(const T* p, std::int64_t count) {
  return count >= lanes ? load(p) : load_part(p, count);
}
template <class T>
inline void store_upto(T* p, Vector v, std::int64_t count) {
  if (count >= lanes) {
    store(p, v);
  } else {
    store_part(p, v, count);
  }
}

inline Vector broadcast(float x) { return x - Vector{}; }

/// Lanes in a fixed order: halves are added until one is left.
inline float horizontal_sum(Vector v) {
  float x[lanes];
  std::memcpy(x, &v, sizeof x);
  for (int h = lanes / 2; h; h /= 2)
    for (int i = 0; i < h; ++i) x[i] += x[i + h];
  return x[0];
}

namespace detail {
// Swaps the off-diagonal blocks of size S in every 2S x 2S block spanned by rows a and b.
template <int S>
inline void exchange(Vector& a, Vector& b) {
  Words first, second;
  for (int j = 0; j < lanes; ++j) {
    first[j] = j & S ? lanes + j - S : j;
    second[j] = j & S ? lanes + j : j + S;
  }
#if defined(__clang__)
  Vector x, y;
  for (int j = 0; j < lanes; ++j) {
    x[j] = j & S ? b[j - S] : a[j];
    y[j] = j & S ? b[j] : a[j + S];
  }
#else
  const Vector x = __builtin_shuffle(a, b, first), y = __builtin_shuffle(a, b, second);
#endif
  a = x;
  b = y;
}
template <int S>
inline void transpose_stages(Vector (&r)[lanes]) {
  if constexpr (S < lanes) {
#pragma GCC unroll 16
    for (int i = 0; i < lanes; ++i)
      if (!(i & S)) exchange<S>(r[i], r[i + S]);
    transpose_stages<2 * S>(r);
  }
}
}  // namespace detail

inline void transpose(Vector (&r)[lanes]) { detail::transpose_stages<1>(r); }

}  // namespace chorale::cpu::gemm

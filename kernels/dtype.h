// SPDX-License-Identifier: MIT
// Element types. `half` (IEEE binary16) and `bf16` are plain 2-byte types with exact, round-to-nearest-even
// conversions in integer arithmetic, so every machine computes the same bits.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "kernels/macros.h"

namespace chorale {

enum class DType : std::uint8_t { f32, f16, bf16, f64, i32, i64, u8, i16 };

struct half {
  std::uint16_t bits;
};
struct bf16 {
  std::uint16_t bits;
};

namespace detail {
CHORALE_HD inline std::uint32_t float_bits(float x) {
  std::uint32_t u;
  __builtin_memcpy(&u, &x, 4);
  return u;
}
CHORALE_HD inline float bits_float(std::uint32_t u) {
  float x;
  __builtin_memcpy(&x, &u, 4);
  return x;
}
}  // namespace detail

CHORALE_HD inline float to_float(bf16 x) {
  return detail::bits_float(static_cast<std::uint32_t>(x.bits) << 16);
}

CHORALE_HD inline float to_float(half x) {
#if defined(__CUDA_ARCH__)
  if ((x.bits & 0x7fffu) <= 0x7c00u) {  // the instruction would lose a NaN's sign and payload
    float y;
    asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));
    return y;
  }
#endif
  const std::uint32_t sign = static_cast<std::uint32_t>(x.bits & 0x8000u) << 16;
  const std::uint32_t magnitude = static_cast<std::uint32_t>(x.bits & 0x7fffu) << 13;
  if ((x.bits & 0x7c00u) == 0x7c00u) return detail::bits_float(sign | 0x7f800000u | (magnitude & 0x7fffffu));
  // Scaling by 2^112 re-biases the exponent and is exact for subnormal halves too.
  return detail::bits_float(sign | detail::float_bits(detail::bits_float(magnitude) * 0x1p112f));
}

CHORALE_HD inline bf16 to_bf16(float x) {
  const std::uint32_t u = detail::float_bits(x);
  if ((u & 0x7fffffffu) > 0x7f800000u) return bf16{static_cast<std::uint16_t>((u >> 16) | 0x40u)};
  return bf16{static_cast<std::uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16)};
}

CHORALE_HD inline half to_half(float x) {
  const std::uint32_t u = detail::float_bits(x);
#if defined(__CUDA_ARCH__)
  if (x == x) {
    half y;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
    return y;
  }
#endif
  const std::uint32_t sign = (u >> 16) & 0x8000u;
  const std::uint32_t magnitude = u & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return half{static_cast<std::uint16_t>(sign | 0x7e00u)};
  if (magnitude >= 0x477ff000u)
    return half{static_cast<std::uint16_t>(sign | 0x7c00u)};  // rounds to infinity
  if (magnitude < 0x38800000u) {  // subnormal: let the addition of 0.5 round the bits into place
    const float shifted = detail::bits_float(magnitude) + 0.5f;
    return half{static_cast<std::uint16_t>(sign | (detail::float_bits(shifted) - 0x3f000000u))};
  }
  const std::uint32_t rounded = magnitude + 0xc8000fffu + ((magnitude >> 13) & 1u);
  return half{static_cast<std::uint16_t>(sign | (rounded >> 13))};
}

CHORALE_HD inline float to_float(float x) { return x; }

/// Rounds to the storage type `T` (float, half or bf16).
template <class T>
CHORALE_HD inline T from_float(float x) {
  if constexpr (std::is_same_v<T, half>) {
    return to_half(x);
  } else if constexpr (std::is_same_v<T, bf16>) {
    return to_bf16(x);
  } else {
    return static_cast<T>(x);
  }
}

constexpr std::size_t dtype_size(DType t) {
  switch (t) {
    case DType::f64:
    case DType::i64:
      return 8;
    case DType::f32:
    case DType::i32:
      return 4;
    case DType::f16:
    case DType::bf16:
    case DType::i16:
      return 2;
    case DType::u8:
      return 1;
  }
  return 0;
}

constexpr std::string_view dtype_name(DType t) {
  switch (t) {
    case DType::f32:
      return "f32";
    case DType::f16:
      return "f16";
    case DType::bf16:
      return "bf16";
    case DType::f64:
      return "f64";
    case DType::i32:
      return "i32";
    case DType::i64:
      return "i64";
    case DType::u8:
      return "u8";
    case DType::i16:
      return "i16";
  }
  return "?";
}

template <class T>
struct dtype_of;
template <>
struct dtype_of<float> : std::integral_constant<DType, DType::f32> {};
template <>
struct dtype_of<half> : std::integral_constant<DType, DType::f16> {};
template <>
struct dtype_of<bf16> : std::integral_constant<DType, DType::bf16> {};
template <>
struct dtype_of<double> : std::integral_constant<DType, DType::f64> {};
template <>
struct dtype_of<std::int32_t> : std::integral_constant<DType, DType::i32> {};
template <>
struct dtype_of<std::int64_t> : std::integral_constant<DType, DType::i64> {};
template <>
struct dtype_of<std::uint8_t> : std::integral_constant<DType, DType::u8> {};
template <>
struct dtype_of<std::int16_t> : std::integral_constant<DType, DType::i16> {};

}  // namespace chorale

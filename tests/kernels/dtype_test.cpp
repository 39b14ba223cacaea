// SPDX-License-Identifier: MIT
// f16 and bf16: every bit pattern there and back, and rounding against exact arithmetic in f64.
#include "kernels/dtype.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "kernels/launch.h"
#include "tests/harness/run_case.h"

namespace chorale {
namespace {

/// The value of a 16-bit pattern, from the definition of the format.
double exact_value(std::uint32_t bits, int exponent_bits) {
  const int fraction_bits = 15 - exponent_bits, bias = (1 << (exponent_bits - 1)) - 1;
  const double sign = bits & 0x8000u ? -1 : 1;
  const auto exponent = static_cast<int>((bits & 0x7fffu) >> fraction_bits);
  const auto fraction = static_cast<double>(bits & ((1u << fraction_bits) - 1));
  if (exponent == (1 << exponent_bits) - 1) return fraction == 0 ? sign * INFINITY : NAN;
  if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias - fraction_bits);
  return sign * std::ldexp(fraction + std::ldexp(1.0, fraction_bits), exponent - bias - fraction_bits);
}

template <class T>
struct Format;
template <>
struct Format<half> {
  static constexpr int exponent_bits = 5;
  static half from(float x) { return to_half(x); }
};
template <>
struct Format<bf16> {
  static constexpr int exponent_bits = 8;
  static bf16 from(float x) { return to_bf16(x); }
};

template <class T>
class SixteenBit : public testing::Test {};
using Formats = testing::Types<half, bf16>;
TYPED_TEST_SUITE(SixteenBit, Formats);

TYPED_TEST(SixteenBit, EveryPatternHasItsValueAndComesBack) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const float value = to_float(TypeParam{static_cast<std::uint16_t>(bits)});
    const double expected = exact_value(bits, Format<TypeParam>::exponent_bits);
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(value)) << bits;
      ASSERT_TRUE(std::isnan(to_float(Format<TypeParam>::from(value)))) << bits;
      continue;
    }
    ASSERT_EQ(static_cast<double>(value), expected) << bits;
    ASSERT_EQ(std::signbit(value), std::signbit(expected)) << bits;
    ASSERT_EQ(Format<TypeParam>::from(value).bits, bits);
  }
}

// Between two neighbours: just below the middle goes down, just above goes up, the middle to the even one.
TYPED_TEST(SixteenBit, RoundsToNearestTiesToEven) {
  constexpr int exponent_bits = Format<TypeParam>::exponent_bits;
  const std::uint32_t infinity = ((1u << exponent_bits) - 1) << (15 - exponent_bits);
  for (std::uint32_t bits = 0; bits + 1 < infinity; ++bits) {
    const double low = exact_value(bits, exponent_bits), high = exact_value(bits + 1, exponent_bits);
    const auto middle = static_cast<float>((low + high) / 2);
    const std::uint32_t even = bits % 2 == 0 ? bits : bits + 1;
    if (static_cast<double>(middle) == (low + high) / 2) {
      ASSERT_EQ(Format<TypeParam>::from(middle).bits, even) << bits;
      ASSERT_EQ(Format<TypeParam>::from(-middle).bits, even | 0x8000u) << bits;
    }
    const float below = std::nextafter(middle, 0.0f), above = std::nextafter(middle, INFINITY);
    if (static_cast<double>(below) > low) {
      ASSERT_EQ(Format<TypeParam>::from(below).bits, bits) << bits;
    }
    if (static_cast<double>(above) < high) {
      ASSERT_EQ(Format<TypeParam>::from(above).bits, bits + 1) << bits;
    }
  }
}

TEST(SixteenBit, OverflowAndNaN) {
  EXPECT_EQ(to_half(65504.0f).bits, 0x7bff);
  EXPECT_EQ(to_half(std::nextafter(65520.0f, 0.0f)).bits, 0x7bff);
  EXPECT_EQ(to_half(65520.0f).bits, 0x7c00);
  EXPECT_EQ(to_half(-1e9f).bits, 0xfc00);
  EXPECT_EQ(to_half(0x1p-25f).bits, 0);  // a tie with zero
  EXPECT_EQ(to_half(std::nextafter(0x1p-25f, 1.0f)).bits, 1);
  EXPECT_EQ(to_bf16(3.4e38f).bits, 0x7f80);
  EXPECT_TRUE(std::isnan(to_float(to_half(NAN))));
  EXPECT_TRUE(std::isnan(to_float(to_bf16(NAN))));
  EXPECT_TRUE(
      std::isnan(to_float(to_bf16(detail::bits_float(0x7f800001u)))));  // payload in the low bits only
}

// The kernels convert in vector registers: the same bits as the functions above.
TEST(SixteenBit, CastKernelAgreesWithTheFunctions) {
  ExecutionContext& context = harness::test_context(DeviceKind::cpu);
  const ContextScope scope(context);
  std::mt19937 engine(7);
  std::vector<float> values(100'003);
  for (float& value : values) {
    do {
      value = detail::bits_float(static_cast<std::uint32_t>(engine()));
    } while (std::isnan(value));
  }
  const Tensor x = Tensor::from_host(values, {static_cast<std::int64_t>(values.size())});
  const auto f16 = x.to(DType::f16).to_host<half>();
  const auto b16 = x.to(DType::bf16).to_host<bf16>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(f16[i].bits, to_half(values[i]).bits) << values[i];
    ASSERT_EQ(b16[i].bits, to_bf16(values[i]).bits) << values[i];
  }
}

}  // namespace
}  // namespace chorale

// SPDX-License-Identifier: MIT
#include "kernels/philox.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "kernels/launch.h"
#include "tests/harness/run_case.h"

namespace chorale {
namespace {

struct KnownAnswer {
  std::uint32_t counter[4], key[2], result[4];
};

// philox4x32-10 in Random123's kat_vectors.
constexpr KnownAnswer known_answers[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

TEST(Philox, KnownAnswers) {
  for (const KnownAnswer& known : known_answers) {
    const std::uint64_t index = known.counter[0] | std::uint64_t{known.counter[1]} << 32;
    const std::uint64_t seed = known.key[0] | std::uint64_t{known.key[1]} << 32;
    const philox::Block block = philox::block(seed, known.counter[3], known.counter[2], index);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(block.word[i], known.result[i]) << i;
  }
}

std::vector<float> draw(bool normal, StepState state, std::uint32_t stream, std::int64_t n) {
  const autograd::TrainState device(state);
  Tensor y({n}, DType::f32);
  if (normal)
    kernel::normal_fill(current_context(), device.device(), stream, y);
  else
    kernel::uniform_fill(current_context(), device.device(), stream, y);
  return y.to_host<float>();
}

class RandomStream : public testing::TestWithParam<DeviceKind> {
 protected:
  ContextScope scope_{harness::test_context(GetParam())};
};

// Each of seed, offset and stream gives other numbers; the same of all three gives the same bits.
TEST_P(RandomStream, DependsOnSeedOffsetAndStream) {
  StepState base, seed, offset;
  base.seed = 11;
  seed.seed = 12;
  offset.seed = 11;
  offset.rng_offset = 1;
  const auto first = draw(true, base, 1, 1000);
  EXPECT_EQ(first, draw(true, base, 1, 1000));
  EXPECT_NE(first, draw(true, seed, 1, 1000));
  EXPECT_NE(first, draw(true, offset, 1, 1000));
  EXPECT_NE(first, draw(true, base, 2, 1000));
  // A longer run starts with the shorter one.
  auto longer = draw(true, base, 1, 1500);
  longer.resize(1000);
  EXPECT_EQ(first, longer);
}

// Moments within five standard errors; uniforms fill all of [0, 1).
TEST_P(RandomStream, Moments) {
  constexpr std::int64_t n = 20000;
  StepState state;
  state.seed = 5;
  double sum = 0, square = 0, fourth = 0;
  for (const float x : draw(true, state, 3, n)) {
    const double value = static_cast<double>(x);
    sum += value;
    square += value * value;
    fourth += value * value * value * value;
  }
  EXPECT_NEAR(sum / n, 0, 5 / std::sqrt(n));
  EXPECT_NEAR(square / n, 1, 5 * std::sqrt(2.0 / n));
  EXPECT_NEAR(fourth / n, 3, 5 * std::sqrt(96.0 / n));
  std::set<int> buckets;
  double total = 0;
  for (const float x : draw(false, state, 3, n)) {
    ASSERT_GE(x, 0.0f);
    ASSERT_LT(x, 1.0f);
    total += static_cast<double>(x);
    buckets.insert(static_cast<int>(x * 100));
  }
  EXPECT_NEAR(total / n, 0.5, 5 * std::sqrt(1.0 / 12 / n));
  EXPECT_EQ(buckets.size(), 100u);
}

INSTANTIATE_TEST_SUITE_P(Devices, RandomStream, testing::ValuesIn(harness::test_devices()),
                         [](const auto& info) { return std::string(device_kind_name(info.param)); });

}  // namespace
}  // namespace chorale

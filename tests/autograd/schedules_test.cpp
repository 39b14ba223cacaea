// SPDX-License-Identifier: MIT
#include "autograd/schedules.h"

#include <gtest/gtest.h>

#include <cmath>

namespace chorale::autograd {
namespace {

TEST(LearningRate, PlateauAsInPyTorch) {
  // torch 2.x: ReduceLROnPlateau(factor=0.5, patience=2), losses below; rate after each.
  LearningRateSchedule schedule({.base = 1.0, .factor = 0.5, .patience = 2});
  const double losses[] = {10, 9, 9, 9, 9, 9, 9, 8.9999, 8, NAN};
  const double rates[] = {1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25};
  for (int i = 0; i < 10; ++i) {
    schedule.observe(losses[i]);
    EXPECT_DOUBLE_EQ(schedule.state().rate, rates[i]) << "after loss " << i;
  }
}

TEST(LearningRate, CosineFallsFromBaseToMinimum) {
  const LearningRateSchedule schedule(
      {.kind = LearningRateOptions::Kind::cosine, .base = 1e-3, .minimum = 1e-5, .epochs = 10});
  EXPECT_FLOAT_EQ(schedule.epoch_rates(0, 4)[0], 1e-3f);
  EXPECT_NEAR(schedule.epoch_rates(5, 4)[0], 0.5 * (1e-3 + 1e-5), 1e-9);
  EXPECT_NEAR(schedule.epoch_rates(10, 1)[0], 1e-5, 1e-9);
}

TEST(LearningRate, WarmUpReachesTheBaseAtItsEnd) {
  const LearningRateSchedule schedule(
      {.kind = LearningRateOptions::Kind::constant, .base = 1.0, .warmup_epochs = 2});
  const auto first = schedule.epoch_rates(0, 4), second = schedule.epoch_rates(1, 4);
  EXPECT_FLOAT_EQ(first[0], 0.125f);
  EXPECT_FLOAT_EQ(second[3], 1.0f);
  EXPECT_FLOAT_EQ(schedule.epoch_rates(2, 4)[0], 1.0f);
}

TEST(KlSchedule, Linear) {
  const KlOptions options{.weight = 4.0, .warmup_epochs = 2};
  EXPECT_FLOAT_EQ(kl_tables(options, 0, 2).weights[0], 0.0f);
  EXPECT_FLOAT_EQ(kl_tables(options, 1, 2).weights[1], 3.0f);
  EXPECT_FLOAT_EQ(kl_tables(options, 7, 2).weights[0], 4.0f);
  EXPECT_FLOAT_EQ(kl_tables(options, 7, 2).capacities[0], 0.0f);
}

TEST(KlSchedule, CyclicalRisesInTheFirstHalfOfEachCycle) {
  const KlOptions options{.kind = KlOptions::Kind::cyclical, .weight = 1.0, .cycles = 2, .epochs = 8};
  const float expected[] = {0.0f, 0.5f, 1.0f, 1.0f, 0.0f, 0.5f, 1.0f, 1.0f, 1.0f};
  for (int epoch = 0; epoch < 9; ++epoch)
    EXPECT_FLOAT_EQ(kl_tables(options, epoch, 1).weights[0], expected[epoch]) << epoch;
}

TEST(KlSchedule, CapacityGrowsAtConstantWeight) {
  const KlOptions options{
      .kind = KlOptions::Kind::capacity, .weight = 100, .warmup_epochs = 10, .capacity = 25};
  EXPECT_FLOAT_EQ(kl_tables(options, 5, 1).weights[0], 100.0f);
  EXPECT_FLOAT_EQ(kl_tables(options, 5, 1).capacities[0], 12.5f);
  EXPECT_FLOAT_EQ(kl_tables(options, 20, 1).capacities[0], 25.0f);
}

}  // namespace
}  // namespace chorale::autograd

// SPDX-License-Identifier: MIT
// The emulator runs sound kernels rightly and finds the faults of broken ones, under every schedule and with
// both ways of switching fibers.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "tests/simt/broken_kernels.cuh"

namespace chorale::simt {
namespace {

#if CHORALE_SIMT_TSAN
constexpr bool race_detector = true;
#else
constexpr bool race_detector = false;
#endif

struct Setting {
  Schedule schedule;
  FiberSwitch fiber_switch;
};

class Emulator : public testing::TestWithParam<Setting> {
 protected:
  void SetUp() override {
    before_ = options();
    options().schedule = GetParam().schedule;
    options().fiber_switch = GetParam().fiber_switch;
    options().seed = 12345;
  }
  void TearDown() override { options() = before_; }

  /// The message of the error that `launch` must end in.
  template <class F>
  static std::string fault(F launch) {
    try {
      launch();
    } catch (const EmulatorError& error) {
      return error.what();
    }
    ADD_FAILURE() << "no error";
    return "";
  }
  static void expect_contains(const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  }

 private:
  Options before_;
};

TEST_P(Emulator, FindsBarrierDivergence) {
  const std::string message = fault([] { launch(1, 32, 0, [] { broken::barrier_in_branches(); }); });
  expect_contains(message, "barrier divergence");
  expect_contains(message, "broken_kernels.cuh:");
}

TEST_P(Emulator, FindsDeadlockOfReturnedThreads) {
  const std::string message = fault([] { LAUNCH((broken::early_return), 1, 32, 0, nullptr, 20); });
  expect_contains(message, "deadlock: 12 of 32 threads have returned");
  expect_contains(message, "(20 wait)");
  expect_contains(fault([] { launch(1, 32, 0, [] { broken::different_number_of_barriers(); }); }),
                  "deadlock");
}

TEST_P(Emulator, FindsWarpDivergence) {
  expect_contains(fault([] { launch(1, 32, 0, [] { broken::shuffle_in_branches(); }); }), "warp divergence");
  // The upper half may be through before the lower one asks for it.
  const std::string masks = fault([] { launch(1, 32, 0, [] { broken::different_masks(); }); });
  expect_contains(masks,
                  GetParam().schedule == Schedule::forward ? "warp divergence" : "simt: block (0,0,0)");
}

TEST_P(Emulator, FindsWrongMasks) {
  expect_contains(fault([] { launch(1, 32, 0, [] { broken::caller_not_in_mask(); }); }),
                  "not in its own mask");
  expect_contains(fault([] { launch(1, 32, 0, [] { broken::source_not_in_mask(); }); }),
                  "which is not in the mask");
  expect_contains(fault([] { launch(1, 32, 0, [] { broken::lane_gone(); }); }), "deadlock: 1 of 32");
}

TEST_P(Emulator, RefusesInvalidLaunches) {
  const auto nothing = [] {};
  expect_contains(fault([&] { launch(1, 1025, 0, nothing); }), "invalid block: (1025,1,1)");
  expect_contains(fault([&] { launch(1, 0, 0, nothing); }), "invalid block");
  expect_contains(fault([&] { launch(1, dim3(1, 1, 65), 0, nothing); }), "invalid block");
  expect_contains(fault([&] { launch(dim3(1, 70000), 32, 0, nothing); }), "invalid grid: (1,70000,1)");
  expect_contains(fault([&] { launch(dim3(0), 32, 0, nothing); }), "invalid grid");
  expect_contains(fault([&] { launch(1, 32, 48 * 1024 + 1, nothing); }), "dynamic shared memory");
  expect_contains(fault([] { launch(1, 32, 0, [] { broken::too_much_shared(); }); }), "static shared memory");
  expect_contains(fault([] { launch(1, 1, 0, [] { launch(1, 1, 0, [] {}); }); }),
                  "launch from inside a kernel");
}

TEST_P(Emulator, PoisonsSharedMemoryOfEveryBlock) {
  std::vector<float> out(64, 0);
  LAUNCH((broken::unwritten_shared), 1, 64, 0, nullptr, out.data());
  for (const float value : out) EXPECT_TRUE(std::isnan(value));
  std::fill(out.begin(), out.end(), 0.0f);
  LAUNCH((broken::unwritten_dynamic_shared), 1, 64, 64 * sizeof(float), nullptr, out.data());
  for (const float value : out) EXPECT_TRUE(std::isnan(value));
  LAUNCH((broken::shared_outlives_block), 2, 32, 0, nullptr, out.data());
  EXPECT_EQ(out[0], 1);
  EXPECT_TRUE(std::isnan(out[32]));
}

TEST_P(Emulator, GoesOnAfterAFault) {
  for (int round = 0; round < 3; ++round) {
    fault([] { launch(2, 256, 0, [] { broken::different_number_of_barriers(); }); });
    EXPECT_THROW(LAUNCH((broken::throws), 1, 64, 0, nullptr, 40), int);
    std::vector<float> out(64);
    LAUNCH((sound::barrier_sum), 3, 64, 0, nullptr, out.data());
    EXPECT_EQ(out[0], 4 * 33 + 600);
  }
}

TEST_P(Emulator, RunsBarriersAndWarpOperations) {
  std::vector<float> out(64);
  LAUNCH((sound::barrier_sum), 2, 64, 0, nullptr, out.data());
  for (int t = 0; t < 64; ++t) EXPECT_EQ(out[static_cast<std::size_t>(t)], 600 + 4 * ((t + 33) % 64));
  LAUNCH((sound::warp_sum_in_shared), 1, 64, 0, nullptr, out.data());
  EXPECT_EQ(out[0], 496);

  std::vector<int> votes(6);
  LAUNCH((sound::votes), 2, 96, 0, nullptr, 70, votes.data());
  EXPECT_EQ(votes, (std::vector<int>{70, 0, 1, 70, 0, 1}));
  LAUNCH((sound::votes), 1, 96, 0, nullptr, 96, votes.data());
  EXPECT_EQ(votes[1], 1);
  LAUNCH((sound::votes), 1, 96, 0, nullptr, 0, votes.data());
  EXPECT_EQ(votes[2], 0);

  for (const int width : {32, 8}) {
    std::vector<int> lanes(32 * 5);
    LAUNCH((sound::shuffles), 1, 32, 0, nullptr, width, lanes.data());
    for (int lane = 0; lane < 32; ++lane) {
      const int base = lane / width * width, at = lane - base;
      const int* mine = lanes.data() + lane * 5;
      EXPECT_EQ(mine[0], base + 3);
      EXPECT_EQ(mine[1], at >= 2 ? lane - 2 : lane);
      EXPECT_EQ(mine[2], at + 2 < width ? lane + 2 : lane);
      EXPECT_EQ(mine[3], lane ^ 1);
      EXPECT_EQ(static_cast<unsigned>(mine[4]), 0xaaaaaaaau);
    }
  }
}

TEST_P(Emulator, RunsEveryThreadOnce) {
  const dim3 grid(3, 2, 2), block(5, 3, 2);
  std::vector<unsigned> out(12 * 30);
  LAUNCH((sound::indices), grid, block, 0, nullptr, out.data());
  for (unsigned b = 0; b < 12; ++b)
    for (unsigned t = 0; t < 30; ++t) EXPECT_EQ(out[b * 30 + t], 1 + b * 1000 + t);
}

TEST_P(Emulator, RunsAtomics) {
  int counter = 0, highest = -1, lowest = 1 << 30, swapped = 0;
  unsigned long long sum = 0;
  LAUNCH((sound::atomics), 4, 100, 0, nullptr, &counter, &sum, &highest, &lowest, &swapped);
  EXPECT_EQ(counter, 400);
  EXPECT_EQ(sum, 400u * 399 / 2);
  EXPECT_EQ(highest, 399);
  EXPECT_EQ(lowest, 0);
  EXPECT_GT(swapped, 0);
}

std::vector<Setting> settings() {
  std::vector<Setting> all{{Schedule::forward, FiberSwitch::native},
                           {Schedule::reverse, FiberSwitch::native},
                           {Schedule::random, FiberSwitch::native}};
  if (race_detector) return all;  // its fibers do not outlive a change of the switch
  all.push_back({Schedule::forward, FiberSwitch::portable});
  all.push_back({Schedule::random, FiberSwitch::portable});
  return all;
}

std::string name_of(const testing::TestParamInfo<Setting>& info) {
  const char* schedule[] = {"Forward", "Reverse", "Random"};
  return std::string(schedule[static_cast<int>(info.param.schedule)]) +
         (info.param.fiber_switch == FiberSwitch::native ? "Native" : "Portable");
}

INSTANTIATE_TEST_SUITE_P(All, Emulator, testing::ValuesIn(settings()), name_of);

/// Results of a kernel under the forward, the reverse and some random schedules.
template <class F>
std::set<float> results(F launch) {
  const Options before = options();
  std::set<float> seen;
  for (const Schedule schedule : {Schedule::forward, Schedule::reverse, Schedule::random}) {
    options().schedule = schedule;
    float sum = 0;
    for (const float value : launch()) sum += std::isnan(value) ? 1e6f : value;
    seen.insert(sum);
  }
  options() = before;
  return seen;
}

TEST(Schedules, DisagreeAboutMissingBarriers) {
  if (race_detector) GTEST_SKIP() << "the race detector stops at these kernels";
  std::vector<float> out(64);
  EXPECT_GT(results([&] {
              LAUNCH((broken::missing_barrier), 1, 64, 0, nullptr, out.data());
              return out;
            }).size(),
            1u);
  EXPECT_GT(results([&] {
              LAUNCH((broken::missing_second_barrier), 1, 64, 0, nullptr, out.data());
              return out;
            }).size(),
            1u);
  EXPECT_GT(results([&] {
              std::vector<float> one(1);
              LAUNCH((broken::missing_syncwarp), 1, 64, 0, nullptr, one.data());
              return one;
            }).size(),
            1u);
  EXPECT_EQ(results([&] {
              LAUNCH((sound::barrier_sum), 1, 64, 0, nullptr, out.data());
              return out;
            }).size(),
            1u);
}

std::vector<int> start_order() {
  int next = 0;
  std::vector<int> order(100);
  LAUNCH((sound::start_order), 1, 100, 0, nullptr, &next, order.data());
  return order;
}

TEST(Schedules, StartThreadsInTheirOrder) {
  const Options before = options();
  std::vector<int> ascending(100);
  std::iota(ascending.begin(), ascending.end(), 0);
  options().schedule = Schedule::forward;
  EXPECT_EQ(start_order(), ascending);
  options().schedule = Schedule::reverse;
  EXPECT_EQ(start_order(), std::vector<int>(ascending.rbegin(), ascending.rend()));
  options().schedule = Schedule::random;
  options().seed = 1;
  const std::vector<int> first = start_order();
  EXPECT_TRUE(std::is_permutation(first.begin(), first.end(), ascending.begin()));
  EXPECT_EQ(start_order(), first) << "the same seed, the same order";
  options().seed = 2;
  EXPECT_NE(start_order(), first);
  options() = before;
}

#if CHORALE_SIMT_ASAN
TEST(OutOfBoundsDeathTest, IsSeenByTheAddressSanitizer) {
  // The bounds check of the undefined-behaviour sanitizer may come first.
  EXPECT_DEATH(launch(1, 64, 0, [] { broken::shared_out_of_bounds(); }), "use-after-poison|out of bounds");
  EXPECT_DEATH(launch(1, 64, 63 * sizeof(float), [] { broken::dynamic_shared_out_of_bounds(); }),
               "use-after-poison");
  std::vector<float> memory(40);
  EXPECT_DEATH(LAUNCH((broken::global_out_of_bounds), 1, 64, 0, nullptr, memory.data(), 40),
               "heap-buffer-overflow");
}
#endif

#if CHORALE_SIMT_TSAN
TEST(RacesDeathTest, AreSeenByTheRaceDetector) {
  std::vector<float> out(64);
  EXPECT_DEATH(LAUNCH((broken::missing_barrier), 1, 64, 0, nullptr, out.data()), "data race");
  EXPECT_DEATH(LAUNCH((broken::missing_second_barrier), 1, 64, 0, nullptr, out.data()), "data race");
  EXPECT_DEATH(LAUNCH((broken::missing_syncwarp), 1, 64, 0, nullptr, out.data()), "data race");
}
#endif

}  // namespace
}  // namespace chorale::simt

// SPDX-License-Identifier: MIT
// StepGraph's protocol on a device that records: the CPU with calls that note the order of things.
#include "tensor/step_graph.h"

#include <gtest/gtest.h>

#include "tensor/tensor.h"

namespace chorale {
namespace {

std::vector<std::string> calls;

/// The CPU under the name of the emulator, with a capture that notes what happens.
const DeviceApi& recording_api() {
  static const DeviceApi api = [] {
    DeviceApi copy = open_backend(DeviceKind::cpu);
    copy.capture_begin = [](int, void*) { calls.push_back("begin"); };
    copy.capture_end = [](int, void*) -> void* {
      calls.push_back("end");
      return &calls;
    };
    copy.graph_launch = [](int, void*, void*) { calls.push_back("launch"); };
    copy.graph_destroy = [](int, void*) { calls.push_back("destroy"); };
    return copy;
  }();
  return api;
}

class StepGraphTest : public ::testing::Test {
 protected:
  StepGraphTest() {
    calls.clear();
    register_backend(DeviceKind::simt, recording_api());
  }
};

TEST_F(StepGraphTest, TwiceEagerThenCapturedThenReplayed) {
  ExecutionContext context(DeviceKind::simt);
  const ContextScope scope(context);
  {
    StepGraph graph(context);
    for (int i = 0; i < 5; ++i) graph.run("a", [] { calls.push_back("step"); });
    EXPECT_EQ(calls, (std::vector<std::string>{"step", "step", "begin", "step", "end", "launch", "launch",
                                               "launch"}));
    EXPECT_EQ(graph.captured(), 1);
    graph.run("b", [] { calls.push_back("other"); });
    EXPECT_EQ(calls.back(), "other");
    EXPECT_EQ(graph.captured(), 1);
  }
  EXPECT_EQ(calls.back(), "destroy");
}

TEST_F(StepGraphTest, MemoryOfAStepStaysWithItsGraph) {
  ExecutionContext context(DeviceKind::simt);
  const ContextScope scope(context);
  StepGraph graph(context);
  std::vector<const void*> inside;
  const auto step = [&] {
    const Tensor scratch({1000}, DType::f32);
    inside.push_back(scratch.raw());
  };
  for (int i = 0; i < 3; ++i) graph.run("a", step);
  EXPECT_EQ(inside[0], inside[1]);
  EXPECT_EQ(inside[1], inside[2]);
  // What others allocate between replays is never the graph's memory.
  std::vector<Tensor> others;
  for (int i = 0; i < 10; ++i) {
    others.emplace_back(Shape{1000}, DType::f32);
    EXPECT_NE(others.back().raw(), inside[0]);
  }
}

TEST_F(StepGraphTest, ACaptureThatNeedsMoreMemoryFailsCleanly) {
  ExecutionContext context(DeviceKind::simt);
  const ContextScope scope(context);
  StepGraph graph(context);
  int runs = 0;
  const auto growing = [&] {
    std::vector<Tensor> blocks;
    for (int i = 0; i <= runs; ++i) blocks.emplace_back(Shape{1000}, DType::f32);
    ++runs;
  };
  // It runs eagerly as long as it takes more memory each time, up to a point.
  for (int i = 0; i < 8; ++i) EXPECT_NO_THROW(graph.run("a", growing));
  EXPECT_EQ(runs, 8);
  EXPECT_THROW(graph.run("a", growing), ContractError);
  EXPECT_EQ(calls, (std::vector<std::string>{"begin", "end", "destroy"}));
  EXPECT_NO_THROW(Tensor({1000}, DType::f32));  // the context's own allocator is back
}

TEST(StepGraphOnCpu, RunsEagerly) {
  ExecutionContext context(DeviceKind::cpu);
  StepGraph graph(context);
  int runs = 0;
  for (int i = 0; i < 4; ++i) graph.run("a", [&] { ++runs; });
  EXPECT_EQ(runs, 4);
  EXPECT_EQ(graph.captured(), 0);
}

}  // namespace
}  // namespace chorale

// SPDX-License-Identifier: MIT
// CHORALE_SHADOW=1 (set by ctest): a backend with one wrong kernel is found out, by name; right ones pass.
#include "kernels/shadow.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "kernels/launch.h"
#include "tensor/tensor.h"

namespace chorale {
namespace {

/// As the CPU's, but the last element is off by a tenth.
void wrong_softmax(Context& context, ConstView x, View y) {
  open_backend(DeviceKind::cpu).table.softmax_forward(context, x, y);
  y.as<float>()[y.size() - 1] += 0.1f;
}

/// As the CPU's, but forgets to count the micro-batch.
void wrong_micro_batch_end(Context&, StepState* state, std::int64_t rows) { state->cursor += rows; }

const DeviceApi& other_backend() {
  static const DeviceApi api = [] {
    DeviceApi copy = open_backend(DeviceKind::cpu);
    copy.name = "simt";
    copy.table.softmax_forward = wrong_softmax;
    copy.table.micro_batch_end = wrong_micro_batch_end;
    register_backend(DeviceKind::simt, copy);
    return copy;
  }();
  return api;
}

class Shadow : public testing::Test {
 protected:
  void SetUp() override {
    const char* value = std::getenv("CHORALE_SHADOW");
    ASSERT_TRUE(value && std::string(value) == "1") << "run through ctest, or with CHORALE_SHADOW=1";
    static ExecutionContext context = [] {
      register_backend(DeviceKind::simt, other_backend());
      return ExecutionContext(DeviceKind::simt);
    }();
    context_ = &context;
  }
  ExecutionContext* context_ = nullptr;
};

TEST_F(Shadow, IsOn) { EXPECT_TRUE(shadow::enabled()); }

TEST_F(Shadow, RightKernelPasses) {
  const ContextScope scope(*context_);
  const Tensor x = Tensor::from_host(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3});
  Tensor y({2, 3}, DType::f32);
  EXPECT_NO_THROW(kernel::log_softmax_forward(*context_, x, y));
  EXPECT_NO_THROW(kernel::cast(*context_, x, Tensor({2, 3}, DType::bf16)));
}

TEST_F(Shadow, WrongKernelIsNamedWithItsWorstElement) {
  const ContextScope scope(*context_);
  const Tensor x = Tensor::from_host(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3});
  Tensor y({2, 3}, DType::f32);
  try {
    kernel::softmax_forward(*context_, x, y);
    FAIL() << "the wrong kernel passed";
  } catch (const NumericalError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("softmax_forward"), std::string::npos) << message;
    EXPECT_NE(message.find("element 5"), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace chorale

// SPDX-License-Identifier: MIT
// Registers a test for every case x device x storage type x {forward, backward}, one for every case x storage
// type that compares thread counts, and a gate: a row of kernels.def that no test launched on a device fails
// the run.
#include <gtest/gtest.h>

#include <cstdio>

#include "kernels/launch.h"
#include "tests/harness/run_case.h"

namespace chorale::harness {
namespace {

constexpr DType storage_types[] = {DType::f32, DType::f16, DType::bf16};

/// Calls a check on every variant that the device can bear.
class CaseTest : public testing::Test {
 public:
  using Check = std::function<std::string(const Variant&)>;
  CaseTest(const OpCase& op, DeviceKind kind, Check check) : op_(op), kind_(kind), check_(std::move(check)) {}
  void TestBody() override {
    for (const Variant& variant : op_.variants) {
      if (variant.large && kind_ == DeviceKind::simt) continue;
      SCOPED_TRACE(variant.label);
      EXPECT_EQ(check_(variant), "");
    }
  }

 private:
  const OpCase& op_;
  DeviceKind kind_;
  Check check_;
};

void add(const OpCase& op, const std::string& test, DeviceKind kind, CaseTest::Check check) {
  testing::RegisterTest(
      op.name.c_str(), test.c_str(), nullptr, nullptr, __FILE__, __LINE__,
      [&op, kind, check = std::move(check)]() -> testing::Test* { return new CaseTest(op, kind, check); });
}

void register_case(const OpCase& op) {
  bool backward = false;
  for (const Variant& variant : op.variants) backward |= has_backward(op, variant);
  for (const DType dtype : storage_types) {
    if (dtype != DType::f32 && !op.sixteen_bit) continue;
    for (const DeviceKind kind : test_devices()) {
      const std::string name = std::string(device_kind_name(kind)) + "_" + std::string(dtype_name(dtype));
      add(op, name + "_forward", kind,
          [&op, dtype, kind](const Variant& variant) { return check_forward(op, variant, dtype, kind); });
      if (backward)
        add(op, name + "_backward", kind, [&op, dtype, kind](const Variant& variant) {
          return has_backward(op, variant) ? check_backward(op, variant, dtype, kind) : std::string();
        });
    }
    add(op, "threads_" + std::string(dtype_name(dtype)), DeviceKind::cpu,
        [&op, dtype](const Variant& variant) { return check_threads(op, variant, dtype); });
  }
}

/// Runs after the last test.
class Gate : public testing::Environment {
 public:
  void TearDown() override {
    if (testing::GTEST_FLAG(filter) != "*") return;
    for (const DeviceKind kind : test_devices()) {
      const DeviceApi& api = test_context(kind).api();
      for (int i = 0; i < kernel_count; ++i)
        if (launch_counts(api)[static_cast<std::size_t>(i)] == 0)
          ADD_FAILURE() << kernel_info[i].name << " was never launched on " << device_kind_name(kind);
      std::string names;
      const std::vector<std::string_view> others = stand_ins(kind);
      for (const std::string_view name : others) names += " " + std::string(name);
      std::printf("%s: %zu of %d kernels are its own", device_kind_name(kind).data(),
                  static_cast<std::size_t>(kernel_count) - others.size(), kernel_count);
      if (!others.empty())
        std::printf("; for %zu the CPU stood in for the vendor's library, not emulated:%s", others.size(),
                    names.c_str());
      std::printf("\n");
    }
  }
};

}  // namespace
}  // namespace chorale::harness

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  testing::AddGlobalTestEnvironment(new chorale::harness::Gate);  // owned by GoogleTest
  for (const chorale::harness::OpCase& op : chorale::harness::all_cases())
    chorale::harness::register_case(op);
  return RUN_ALL_TESTS();
}

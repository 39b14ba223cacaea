// SPDX-License-Identifier: MIT
// The emulator as a device: a context on it works, and it says what is not emulated.
#include "tests/simt/emulator/device.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "kernels/launch.h"
#include "tensor/tensor.h"

namespace chorale {
namespace {

class SimtDevice : public testing::Test {
 protected:
  static void SetUpTestSuite() { register_backend(DeviceKind::simt, *simt::device_api()); }
};

TEST_F(SimtDevice, EveryRowIsThere) {
  const KernelTable& table = simt::device_api()->table;
#define KERNEL(row, parameters, precision, implementation) EXPECT_NE(table.row, nullptr) << #row;
#include "kernels/kernels.def"
#undef KERNEL
}

TEST_F(SimtDevice, OwnRowsAreNotTheCpus) {
  const KernelTable &table = simt::device_api()->table, &cpu = open_backend(DeviceKind::cpu).table;
#define KERNEL(row, parameters, precision, implementation) EXPECT_NE(table.row, cpu.row) << #row;
#include "kernels/kernels.def"
#undef KERNEL
}

TEST_F(SimtDevice, StandInsAreExactlyTheLibraryRows) {
  const auto names = simt::stand_ins();
  EXPECT_NE(std::find(names.begin(), names.end(), "matmul"), names.end());
  for (const KernelInfo& row : kernel_info) {
    const bool listed = std::find(names.begin(), names.end(), row.name) != names.end();
    EXPECT_EQ(listed, row.cuda == CudaImplementation::library) << row.name;
  }
}

TEST_F(SimtDevice, RunsTensorsKernelsAndALibraryRow) {
  ExecutionContext context(DeviceKind::simt);
  const ContextScope scope(context);
  EXPECT_EQ(std::string(context.describe().instruction_set), "simt");
  const Tensor x = Tensor::from_host(std::vector<float>{-1, 2, -3, 4, 5, -6}, {2, 3});
  const Tensor y({2, 3}, DType::f32);
  kernel::relu_forward(context, x, y, 0.0f, 0.0f);
  EXPECT_EQ(y.to_host<float>(), (std::vector<float>{0, 2, 0, 4, 5, 0}));
  const Tensor product({2, 2}, DType::f32);
  kernel::matmul(context, x, y, product, false, true, 1.0f, 0.0f);
  EXPECT_EQ(product.to_host<float>(), (std::vector<float>{4, 6, 10, 41})) << "x y^T";
}

TEST_F(SimtDevice, ContractErrorsReachTheCaller) {
  ExecutionContext context(DeviceKind::simt);
  const ContextScope scope(context);
  const Tensor x({4}, DType::f32), y({5}, DType::f32);
  EXPECT_THROW(kernel::relu_forward(context, x, y, 0.0f, 0.0f), ContractError);
  const Tensor integers({4}, DType::i32);
  EXPECT_THROW(kernel::relu_forward(context, integers, integers, 0.0f, 0.0f), ContractError);
}

}  // namespace
}  // namespace chorale

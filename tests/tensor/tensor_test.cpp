// SPDX-License-Identifier: MIT
#include "tensor/tensor.h"

#include <gtest/gtest.h>

#include <numeric>

namespace chorale {
namespace {

class TensorTest : public ::testing::Test {
 protected:
  ExecutionContext context_{DeviceKind::cpu, 0, {.poison = true, .guard = true}};
  ContextScope scope_{context_};
  static Tensor counting(Shape shape) {
    std::vector<float> values(static_cast<std::size_t>(element_count(shape)));
    std::iota(values.begin(), values.end(), 0.0f);
    return Tensor::from_host(values, std::move(shape));
  }
};

TEST_F(TensorTest, ViewsShareMemory) {
  const Tensor t = counting({2, 3, 4});
  EXPECT_EQ(t[1].to_host<float>().front(), 12.0f);
  EXPECT_EQ(t[1][2].to_host<float>(), (std::vector<float>{20, 21, 22, 23}));
  EXPECT_EQ(t.slice(1, 1, 2).to_host<float>(), (std::vector<float>{4, 5, 6, 7, 16, 17, 18, 19}));
  EXPECT_EQ(t.reshape({6, -1}).shape(), (Shape{6, 4}));
  Tensor row = t[0][0];
  row.fill(7);
  EXPECT_EQ(t.to_host<float>()[3], 7.0f);
  EXPECT_EQ(t.to_host<float>()[4], 4.0f);
}

TEST_F(TensorTest, TransposesAreCopiedOnceAsked) {
  const Tensor t = counting({2, 3}).transpose(0, 1);
  EXPECT_FALSE(t.is_contiguous());
  EXPECT_THROW(t.view(), ContractError);
  const Tensor c = t.contiguous();
  EXPECT_TRUE(c.is_contiguous());
  EXPECT_EQ(c.to_host<float>(), (std::vector<float>{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(t.reshape({6}).to_host<float>(), c.to_host<float>());
}

TEST_F(TensorTest, ConvertsBetweenTypes) {
  const Tensor t = counting({5});
  for (const DType dtype :
       {DType::f16, DType::bf16, DType::f64, DType::i32, DType::i64, DType::u8, DType::i16})
    EXPECT_EQ(t.to(dtype).to(DType::f32).to_host<float>(), t.to_host<float>()) << dtype_name(dtype);
  EXPECT_EQ(t.to(DType::f32).raw(), t.raw());
}

TEST_F(TensorTest, CopiesAndClones) {
  const Tensor t = counting({4});
  Tensor clone = t.clone();
  clone.fill(9);
  EXPECT_EQ(t.to_host<float>()[1], 1.0f);
  clone.copy_from(t);
  EXPECT_EQ(clone.to_host<float>(), t.to_host<float>());
  EXPECT_THROW(clone.copy_from(counting({5})), ContractError);
  EXPECT_EQ(Tensor::full({1}, 2.5).item(), 2.5);
}

TEST_F(TensorTest, EmptyTensorsAreFine) {
  const Tensor t = Tensor::zeros({0, 3});
  EXPECT_TRUE(t.to_host<float>().empty());
  EXPECT_EQ(t.to(DType::f16).size(), 0);
  EXPECT_TRUE(t.slice(1, 0, 2).contiguous().to_host<float>().empty());
}

TEST_F(TensorTest, WrongUseIsNamed) {
  const Tensor t = counting({2, 3});
  EXPECT_THROW(t.reshape({4}), ContractError);
  EXPECT_THROW(t.slice(0, 1, 3), ContractError);
  EXPECT_THROW(t.dim(2), ContractError);
  EXPECT_THROW(t.item(), ContractError);
  EXPECT_THROW(t.to_host<std::int32_t>(), ContractError);
  EXPECT_THROW(Tensor({1, 1, 1, 1, 1}, DType::f32), ContractError);
  EXPECT_THROW(Tensor({-1}, DType::f32), ContractError);
}

TEST(TensorContext, IsNeeded) { EXPECT_THROW(Tensor({1}, DType::f32), ContractError); }

TEST(Devices, Options) {
  EXPECT_EQ(choose_device("cpu"), DeviceKind::cpu);
  EXPECT_THROW(choose_device("tpu"), UsageError);
  EXPECT_THROW(ExecutionContext(DeviceKind::cpu, 7), DeviceError);
  std::string notice;
  if (choose_device("auto", &notice) == DeviceKind::cpu) {
    EXPECT_NE(notice.find("running on the CPU"), std::string::npos);
    EXPECT_THROW(choose_device("cuda"), DeviceError);
  }
}

TEST_F(TensorTest, RowsByIndex) {
  const Tensor x = Tensor::from_host(std::vector<float>{0, 1, 10, 11, 20, 21}, {3, 2});
  EXPECT_EQ(x.gather_rows({2, 0, 2, 7}).to_host<float>(), (std::vector<float>{20, 21, 0, 1, 20, 21, 0, 0}));
  const Tensor rows = Tensor::from_host(std::vector<std::int64_t>{1}, {1});
  EXPECT_EQ(x.transpose(0, 1).gather_rows(rows).to_host<float>(), (std::vector<float>{1, 11, 21}));
  const Tensor vector = x.reshape({6}).gather_rows(std::vector<std::int64_t>{});
  EXPECT_EQ(vector.shape(), Shape{0});
  EXPECT_THROW(x.gather_rows(x), ContractError);
  EXPECT_THROW(Tensor().gather_rows(rows), ContractError);
}

}  // namespace
}  // namespace chorale

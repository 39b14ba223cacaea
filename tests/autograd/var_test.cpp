// SPDX-License-Identifier: MIT
// The graph itself; the gradients of the operations are checked by tests/cases.
#include "autograd/var.h"

#include <gtest/gtest.h>

#include "autograd/ops.h"

namespace chorale::autograd {
namespace {

class VarTest : public ::testing::Test {
 protected:
  ExecutionContext context_{DeviceKind::cpu};
  ContextScope scope_{context_};
  static Tensor row(std::vector<float> values) {
    const auto n = static_cast<std::int64_t>(values.size());
    return Tensor::from_host(values, {n});
  }
};

TEST_F(VarTest, AValueUsedTwiceReceivesBothGradients) {
  const Var x(row({1, 2, 3}), true);
  sum(add(mul(x, x), x)).backward();
  EXPECT_EQ(x.grad().to_host<float>(), (std::vector<float>{3, 5, 7}));
}

TEST_F(VarTest, DiamondsAreVisitedOnce) {
  const Var x(row({2}), true);
  Var y = x;
  for (int i = 0; i < 20; ++i) y = add(y, y);  // 2^20 paths
  sum(y).backward();
  EXPECT_EQ(x.grad().item(), 1048576.0);
}

TEST_F(VarTest, SharedGradientsAreNotOverwritten) {
  // add() hands the same tensor to both inputs; a second use of one must not change the other.
  const Var x(row({1, 1}), true), y(row({5, 5}), true);
  const Var z = add(x, y);
  sum(add(z, x)).backward();
  EXPECT_EQ(x.grad().to_host<float>(), (std::vector<float>{2, 2}));
  EXPECT_EQ(y.grad().to_host<float>(), (std::vector<float>{1, 1}));
}

TEST_F(VarTest, ClosuresAreFreedByBackward) {
  const Var x(row({1, 2}), true);
  const Var y = square(x);
  const Var z = sum(y);
  z.backward();
  EXPECT_FALSE(y.node()->backward);
  EXPECT_TRUE(y.node()->inputs.empty());
  EXPECT_TRUE(z.node()->inputs.empty());
}

TEST_F(VarTest, NothingIsRememberedWithoutGradients) {
  const Var x(row({1, 2}), true);
  EXPECT_FALSE(square(Var(row({1}))).requires_grad());
  const NoGradScope no_gradient;
  EXPECT_FALSE(square(x).requires_grad());
  EXPECT_THROW(sum(x).backward(), ContractError);
}

TEST_F(VarTest, SlotsAccumulateInPlace) {
  GradientSlot slot;
  slot.dense = Tensor::full({3}, 99.0);  // what an earlier step left behind
  const Var x(row({1, 2, 3}), slot);
  sum(x).backward();
  EXPECT_EQ(slot.dense.to_host<float>(), (std::vector<float>{1, 1, 1}));
  sum(scale(x, 2)).backward();
  EXPECT_EQ(slot.dense.to_host<float>(), (std::vector<float>{3, 3, 3}));
  slot.clear();
  sum(x).backward();
  EXPECT_EQ(slot.dense.to_host<float>(), (std::vector<float>{1, 1, 1}));
}

TEST_F(VarTest, BackwardNeedsOneElementOrASeed) {
  const Var x(row({1, 2}), true);
  EXPECT_THROW(square(x).backward(), ContractError);
  square(x).backward(row({1, 10}));
  EXPECT_EQ(x.grad().to_host<float>(), (std::vector<float>{2, 40}));
  EXPECT_THROW(square(x).backward(row({1, 2, 3})), ContractError);
}

TEST_F(VarTest, BroadcastGradientsAreSummed) {
  const Var x(Tensor::full({4, 3}, 1.0), true), b(row({1, 2, 3}), true), s(row({5}), true);
  sum(mul(add(x, b), s)).backward();
  EXPECT_EQ(b.grad().to_host<float>(), (std::vector<float>{20, 20, 20}));
  EXPECT_FLOAT_EQ(static_cast<float>(s.grad().item()), 4 * (2 + 3 + 4));
  EXPECT_THROW(add(x, Var(row({1, 2}))), ContractError);
}

TEST_F(VarTest, StridedValuesAreMadeContiguous) {
  const Var x(Tensor::from_host(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3}).transpose(0, 1), true);
  const Var y = scale(x, 2);
  EXPECT_EQ(y.value().to_host<float>(), (std::vector<float>{2, 8, 4, 10, 6, 12}));
  y.backward(Tensor::full({3, 2}, 1.0));
  EXPECT_EQ(x.grad().to_host<float>(), (std::vector<float>(6, 2.0f)));
}

}  // namespace
}  // namespace chorale::autograd

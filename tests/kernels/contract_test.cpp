// SPDX-License-Identifier: MIT
// Calls that break a row's contract throw ContractError that names the kernel and the shapes; nothing is
// written. And what the CPU backend says about itself.
#include <gtest/gtest.h>

#include <cstring>

#include "kernels/launch.h"
#include "tests/harness/run_case.h"

namespace chorale {
namespace {

class Contract : public testing::Test {
 protected:
  template <class Call>
  void expect(const Call& call, const std::string& kernel, const std::string& detail) {
    try {
      call();
      ADD_FAILURE() << kernel << " took arguments that break its contract";
    } catch (const ContractError& error) {
      const std::string message = error.what();
      EXPECT_EQ(message.rfind(kernel + ":", 0), 0u) << message;
      EXPECT_NE(message.find(detail), std::string::npos) << message;
    }
  }
  ExecutionContext& context_ = harness::test_context(DeviceKind::cpu);
  ContextScope scope_{context_};
  Tensor x_ = Tensor::full({2, 3}, 1), y_ = Tensor::full({3, 2}, 2);
};

TEST_F(Contract, ShapesMustAgree) {
  expect([&] { kernel::relu_forward(context_, x_, y_, 0.0f, 0.0f); }, "relu_forward",
         "f32 (2, 3), f32 (3, 2)");
  expect([&] { kernel::add_forward(context_, x_, Tensor::zeros({2}), x_.clone()); }, "add_forward",
         "f32 (2)");
  expect([&] { kernel::softmax_forward(context_, x_, y_); }, "softmax_forward", "(3, 2)");
  expect(
      [&] {
        kernel::reduce_sum(context_, x_.reshape({2, 3, 1}), y_);
      },
      "reduce_sum", "[outer, middle, inner]");
  expect([&] { kernel::accumulate(context_, x_, Tensor::zeros({7})); }, "accumulate", "f32 (7)");
  expect([&] { kernel::reconstruction_forward(context_, x_, y_, LikelihoodParams{}, Tensor::zeros({2})); },
         "reconstruction_forward", "(3, 2)");
  expect(
      [&] {
        kernel::gather_crops(context_, x_.reshape({1, 2, 3}), Tensor::zeros({1}, DType::i64), nullptr, 0u,
                             Tensor::zeros({1, 2, 4}));
      },
      "gather_crops", "f32 (1, 2, 4)");
  expect([&] { kernel::permute_columns(context_, x_, nullptr, 0u, y_); }, "permute_columns", "(3, 2)");
  expect(
      [&] {
        const Tensor one = Tensor::zeros({1}), kl = Tensor::zeros({3});
        kernel::mixture_latent_forward(context_, y_, one, x_, x_, nullptr, 0u, GaussianLatentParams{},
                                       Tensor::zeros({3, 1}), kl, kl.clone());
      },
      "mixture_latent_forward", "[k, d]");
  for (const double value : y_.to_host<float>()) EXPECT_EQ(value, 2);
}

TEST_F(Contract, TypesMustBeStorage) {
  expect([&] { kernel::relu_forward(context_, x_.to(DType::f64), x_.to(DType::f64), 0.0f, 0.0f); },
         "relu_forward", "f64 (2, 3)");
  expect([&] { kernel::square_sum(context_, x_, Tensor::zeros({1})); }, "square_sum", "must be one f64");
  expect(
      [&] {
        kernel::copy_strided(context_, x_, Strides{{3, 1}}, x_.to(DType::f16));
      },
      "copy_strided", "f16");
}

TEST_F(Contract, MissingAndOutOfRange) {
  expect(
      [&] {
        kernel::relu_forward(context_, View(nullptr, DType::f32, {2, 3}), x_, 0.0f, 0.0f);
      },
      "relu_forward", "none");
  expect(
      [&] {
        kernel::dropout(context_, x_, static_cast<const StepState*>(nullptr), 0u, 1.0f, y_.reshape({2, 3}));
      },
      "dropout", "[0, 1)");
  LikelihoodParams params;
  params.scale = 0;
  expect([&] { kernel::reconstruction_forward(context_, x_, x_, params, Tensor::zeros({2})); },
         "reconstruction_forward", "scale");
}

TEST(CpuBackend, DescribesItself) {
  const DeviceApi& api = open_backend(DeviceKind::cpu);
  EXPECT_EQ(api.device_count(), 1);
  DeviceDescription description{};
  api.describe(0, &description);
  EXPECT_GT(std::strlen(description.name), 0u);
  EXPECT_GT(description.compute_units, 0);
  std::size_t free_bytes = 0, total_bytes = 0;
  api.memory_info(0, &free_bytes, &total_bytes);
  EXPECT_EQ(total_bytes, description.total_memory);
  EXPECT_GT(free_bytes, 0u);
  EXPECT_LE(free_bytes, total_bytes);
}

TEST(CpuBackend, Memory) {
  const DeviceApi& api = open_backend(DeviceKind::cpu);
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{300}, std::size_t{5} << 20}) {
    void* block = api.allocate(0, bytes);
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 256, 0u);
    std::memset(block, 1, bytes);
    api.free(0, block);
  }
#if !defined(__SANITIZE_ADDRESS__)  // which aborts on such a size
  EXPECT_EQ(api.allocate(0, SIZE_MAX), nullptr);
  EXPECT_EQ(api.allocate(0, SIZE_MAX / 2), nullptr);
#endif
  void *start = api.event_create(0), *stop = api.event_create(0);
  api.event_record(0, start, nullptr);
  api.event_record(0, stop, nullptr);
  EXPECT_GE(api.event_elapsed_ms(0, start, stop), 0.0f);
  api.event_destroy(0, start);
  api.event_destroy(0, stop);
}

}  // namespace
}  // namespace chorale

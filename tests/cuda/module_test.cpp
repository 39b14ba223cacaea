// SPDX-License-Identifier: MIT
// The CUDA module: what it says on a machine without a device, and its device calls on one with. The kernels'
// own tests are the op cases, which take the device as one more.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "kernels/launch.h"
#include "tensor/tensor.h"

namespace chorale {
namespace {

const std::string module_file = CHORALE_BINARY_DIR "/lib/libchorale_cuda.so";

TEST(CudaModule, OpensWithoutADriverAndSaysWhyItCannotRun) {
  if (!std::filesystem::exists(module_file)) GTEST_SKIP() << "the CUDA module is not built";
  void* module = dlopen(module_file.c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(module, nullptr) << dlerror();
  const auto entry = reinterpret_cast<DeviceApiEntry>(dlsym(module, "chorale_device_api"));
  ASSERT_NE(entry, nullptr);
  std::array<char, 256> message{};
  const DeviceApi* api = entry(message.data(), message.size());
  if (!api) {
    EXPECT_GT(std::strlen(message.data()), 0u);
    EXPECT_EQ(entry(nullptr, 0), nullptr);
    try {
      open_backend(DeviceKind::cuda);
      ADD_FAILURE() << "a backend without a device was opened";
    } catch (const DeviceError& error) {
      EXPECT_NE(std::string(error.what()).find(message.data()), std::string::npos) << error.what();
      EXPECT_EQ(error.exit_code(), 4);
    }
    return;
  }
  EXPECT_EQ(api->fingerprint, interface_fingerprint());
  EXPECT_FALSE(api->host_memory);
  EXPECT_GT(api->device_count(), 0);
#define KERNEL(row, parameters, precision, implementation) EXPECT_NE(api->table.row, nullptr) << #row;
#include "kernels/kernels.def"
#undef KERNEL
}

class CudaDevice : public testing::Test {
 protected:
  void SetUp() override {
    try {
      api_ = &open_backend(DeviceKind::cuda);
    } catch (const DeviceError& error) {
      GTEST_SKIP() << error.what();
    }
  }
  const DeviceApi* api_ = nullptr;
};

TEST_F(CudaDevice, DescribesItself) {
  DeviceDescription description;
  api_->describe(0, &description);
  EXPECT_GT(std::strlen(description.name), 0u);
  EXPECT_GT(description.compute_units, 0);
  EXPECT_EQ(std::string(description.instruction_set).substr(0, 3), "sm_");
  std::size_t free_bytes = 0, total_bytes = 0;
  api_->memory_info(0, &free_bytes, &total_bytes);
  EXPECT_EQ(total_bytes, description.total_memory);
  EXPECT_LE(free_bytes, total_bytes);
}

TEST_F(CudaDevice, ExhaustedMemoryIsNullAndNotSticky) {
  EXPECT_EQ(api_->allocate(0, std::size_t{1} << 50), nullptr);
  void* block = api_->allocate(0, 1000);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 256, 0u);
  api_->free(0, block);
  EXPECT_NO_THROW(api_->check_launch("none"));
}

TEST_F(CudaDevice, CopiesInStreamOrderAndTimesIt) {
  void* stream = api_->stream_create(0);
  void* other = api_->stream_create(0);
  void* start = api_->event_create(0);
  void* stop = api_->event_create(0);
  constexpr std::size_t bytes = 1 << 20;
  auto* host = static_cast<unsigned char*>(api_->host_allocate(2 * bytes));
  void* device = api_->allocate(0, 2 * bytes);
  for (std::size_t i = 0; i < bytes; ++i) host[i] = static_cast<unsigned char>(i * 7);
  api_->event_record(0, start, stream);
  api_->copy(0, stream, device, host, bytes, CopyKind::host_to_device);
  api_->copy(0, stream, static_cast<char*>(device) + bytes, device, bytes, CopyKind::device_to_device);
  api_->set_bytes(0, stream, device, 0xab, 16);
  api_->event_record(0, stop, stream);
  api_->stream_wait_event(0, other, stop);
  api_->copy(0, other, host, device, 16, CopyKind::device_to_host);
  api_->copy(0, other, host + bytes, static_cast<char*>(device) + bytes, bytes, CopyKind::device_to_host);
  api_->stream_synchronize(0, other);
  api_->event_synchronize(0, stop);
  EXPECT_GT(api_->event_elapsed_ms(0, start, stop), 0.0f);
  for (std::size_t i = 0; i < 16; ++i) ASSERT_EQ(host[i], 0xab);
  for (std::size_t i = 0; i < bytes; ++i) ASSERT_EQ(host[bytes + i], static_cast<unsigned char>(i * 7));
  api_->free(0, device);
  api_->host_free(host);
  api_->event_destroy(0, start);
  api_->event_destroy(0, stop);
  api_->stream_destroy(0, stream);
  api_->stream_destroy(0, other);
}

TEST_F(CudaDevice, ReplaysACapturedGraph) {
  ExecutionContext context(DeviceKind::cuda);
  const ContextScope scope(context);
  void* stream = context.kernel_context().stream;
  const Tensor x = Tensor::full({1000}, 1.0), y = Tensor::zeros({1000});
  kernel::accumulate(context, x, y);
  api_->capture_begin(0, stream);
  kernel::accumulate(context, x, y);
  kernel::accumulate(context, x, y);
  void* graph = api_->capture_end(0, stream);
  for (int i = 0; i < 5; ++i) api_->graph_launch(0, graph, stream);
  EXPECT_EQ(y.to_host<float>(), std::vector<float>(1000, 11.0f));
  api_->graph_destroy(0, graph);
}

/// The hardware's conversions and ours in integer arithmetic are the same bits.
TEST_F(CudaDevice, ConvertsSixteenBitTypesAsTheHostDoes) {
  ExecutionContext context(DeviceKind::cuda);
  const ContextScope scope(context);
  std::vector<half> halves(65536);
  for (std::size_t i = 0; i < halves.size(); ++i) halves[i].bits = static_cast<std::uint16_t>(i);
  const std::vector<float> widened = Tensor::from_host(halves, {65536}).to(DType::f32).to_host<float>();
  for (std::size_t i = 0; i < halves.size(); ++i)
    ASSERT_EQ(detail::float_bits(widened[i]), detail::float_bits(to_float(halves[i]))) << i;
  // Every upper half of a float, with lower halves at and beside the points where rounding turns.
  for (const std::uint32_t low :
       {0u, 1u, 0x0fffu, 0x1000u, 0x1001u, 0x3000u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu}) {
    std::vector<float> floats(65536);
    for (std::size_t i = 0; i < floats.size(); ++i)
      floats[i] = detail::bits_float(static_cast<std::uint32_t>(i) << 16 | low);
    const Tensor x = Tensor::from_host(floats, {65536});
    const auto f16 = x.to(DType::f16).to_host<half>();
    const auto b16 = x.to(DType::bf16).to_host<bf16>();
    for (std::size_t i = 0; i < floats.size(); ++i) {
      ASSERT_EQ(f16[i].bits, to_half(floats[i]).bits) << std::hex << detail::float_bits(floats[i]);
      ASSERT_EQ(b16[i].bits, to_bf16(floats[i]).bits) << std::hex << detail::float_bits(floats[i]);
    }
  }
}

}  // namespace
}  // namespace chorale

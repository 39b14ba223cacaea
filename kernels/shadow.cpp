// SPDX-License-Identifier: MIT
#include "kernels/shadow.h"

#include <cmath>
#include <cstdlib>
#include <string>

namespace chorale::shadow {
namespace {

Context* reference_context = nullptr;

double element(DType dtype, const std::byte* bytes, std::int64_t i) {
  const auto read = [&]<class T>(T value) {
    std::memcpy(&value, bytes + i * static_cast<std::int64_t>(sizeof value), sizeof value);
    return value;
  };
  switch (dtype) {
    case DType::f32:
      return read(float{});
    case DType::f16:
      return to_float(read(half{}));
    case DType::bf16:
      return to_float(read(bf16{}));
    case DType::f64:
      return read(double{});
    case DType::i32:
      return read(std::int32_t{});
    case DType::i64:
      return static_cast<double>(read(std::int64_t{}));
    case DType::u8:
      return read(std::uint8_t{});
    case DType::i16:
      return read(std::int16_t{});
  }
  return 0;
}

double tolerance(DType dtype) {
  switch (dtype) {
    case DType::f16:
      return 4e-3;
    case DType::bf16:
      return 3e-2;
    default:
      return 1e-4;
  }
}

}  // namespace

bool enabled() {
  static const bool asked = [] {
    const char* value = std::getenv("CHORALE_SHADOW");
    return value && std::string_view(value) == "1";
  }();
  return asked && reference_context;
}

bool is_reference(const DeviceApi& api) { return reference_context && reference_context->api == &api; }
void set_reference(Context* context) { reference_context = context; }
Context& reference() { return *reference_context; }

namespace detail {

std::vector<std::byte> download(Context& context, const void* data, std::size_t bytes) {
  std::vector<std::byte> host(bytes);
  context.api->copy(context.device, context.stream, host.data(), data, bytes, CopyKind::device_to_host);
  context.api->stream_synchronize(context.device, context.stream);
  return host;
}

void compare(Context& context, KernelId id, int argument, const View& device,
             const std::vector<std::byte>& expected) {
  const auto actual = download(context, device.data, device.bytes());
  const std::int64_t n = device.size();
  double scale = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const double e = std::fabs(element(device.dtype, expected.data(), i));
    if (std::isfinite(e) && e > scale) scale = e;
  }
  for (std::int64_t i = 0; i < n; ++i) {
    const double e = element(device.dtype, expected.data(), i), a = element(device.dtype, actual.data(), i);
    const bool same_class = std::isfinite(e) == std::isfinite(a) && std::isnan(e) == std::isnan(a);
    if (same_class && (!std::isfinite(e) ||
                       std::fabs(a - e) <= tolerance(device.dtype) * (std::fabs(e) + 0.01 * scale + 1e-6)))
      continue;
    throw NumericalError("shadow: " + std::string(kernel_info[static_cast<int>(id)].name) + ": argument " +
                         std::to_string(argument) + " differs from the CPU at element " + std::to_string(i) +
                         ": " + std::to_string(a) + " (CPU " + std::to_string(e) + ")");
  }
}

}  // namespace detail
}  // namespace chorale::shadow

// SPDX-License-Identifier: MIT
#include "tensor/transfer.h"

#include <algorithm>

namespace chorale {
namespace {

constexpr std::size_t staging_bytes = std::size_t{8} << 20;

}  // namespace

void read_into(const InputFile& file, std::uint64_t offset, const Tensor& target) {
  if (!target.is_contiguous()) throw ContractError("read_into: target is not contiguous");
  ExecutionContext& context = current_context();
  const std::size_t bytes = target.bytes();
  if (context.api().host_memory) {
    context.synchronize();
    file.read_at(offset, {target.raw(), bytes});
    return;
  }
  std::vector<std::byte> staging(std::min(bytes, staging_bytes));
  Context& kernels = context.kernel_context();
  for (std::size_t done = 0; done < bytes; done += staging.size()) {
    const std::size_t step = std::min(staging.size(), bytes - done);
    file.read_at(offset + done, {staging.data(), step});
    context.api().copy(kernels.device, kernels.stream, target.raw() + done, staging.data(), step,
                       CopyKind::host_to_device);
    context.synchronize();
  }
}

void append_to(AtomicFile& file, const Tensor& source) {
  ExecutionContext& context = current_context();
  const Tensor tensor = source.contiguous();
  const std::size_t bytes = tensor.bytes();
  if (context.api().host_memory) {
    context.synchronize();
    if (bytes > 0) file.write(tensor.raw(), bytes);
    return;
  }
  std::vector<std::byte> staging(std::min(bytes, staging_bytes));
  Context& kernels = context.kernel_context();
  for (std::size_t done = 0; done < bytes; done += staging.size()) {
    const std::size_t step = std::min(staging.size(), bytes - done);
    context.api().copy(kernels.device, kernels.stream, staging.data(), tensor.raw() + done, step,
                       CopyKind::device_to_host);
    context.synchronize();
    file.write(staging.data(), step);
  }
}

}  // namespace chorale

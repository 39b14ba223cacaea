// SPDX-License-Identifier: MIT
// Two devices without kernels: memory and copies only, which is all that files need. One is addressable by
// the host, the other pretends not to be, so that the staged transfers of a GPU run on any machine.
#pragma once
#include <cstdlib>
#include <cstring>
#include <new>

#include "tensor/device.h"

namespace chorale::testing {

inline DeviceApi plain_api(bool host_memory) {
  DeviceApi api;
  api.name = host_memory ? "plain" : "remote";
  api.host_memory = host_memory;
  api.device_count = [] { return 1; };
  api.describe = [](int, DeviceDescription* d) { *d = {}; };
  api.allocate = [](int, std::size_t n) { return ::operator new (n, std::align_val_t{256}, std::nothrow); };
  api.free = [](int, void* block) { ::operator delete (block, std::align_val_t{256}); };
  api.memory_info = [](int, std::size_t* free, std::size_t* total) { *free = *total = std::size_t{1} << 30; };
  api.host_allocate = [](std::size_t n) { return std::malloc(n); };
  api.host_free = [](void* block) { std::free(block); };
  api.stream_create = [](int) -> void* { return nullptr; };
  api.stream_destroy = [](int, void*) {};
  api.stream_synchronize = [](int, void*) {};
  api.copy = [](int, void*, void* target, const void* source, std::size_t n, CopyKind) {
    if (n > 0) std::memcpy(target, source, n);
  };
  api.set_bytes = [](int, void*, void* target, int value, std::size_t n) { std::memset(target, value, n); };
  return api;
}

/// A context on such a device, current for its own lifetime.
class PlainDevice {
 public:
  explicit PlainDevice(bool host_memory) : context_(select(host_memory)), scope_(context_) {}

 private:
  static DeviceKind select(bool host_memory) {
    static const DeviceApi local = plain_api(true), remote = plain_api(false);
    const DeviceKind kind = host_memory ? DeviceKind::cpu : DeviceKind::simt;
    register_backend(kind, host_memory ? local : remote);
    return kind;
  }
  ExecutionContext context_;
  ContextScope scope_;
};

}  // namespace chorale::testing

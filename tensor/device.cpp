// SPDX-License-Identifier: MIT
#include "tensor/device.h"

#include <dlfcn.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <utility>

#include "kernels/shadow.h"

namespace chorale {
namespace {

namespace fs = std::filesystem;

struct Backends {
  std::mutex mutex;
  std::map<DeviceKind, const DeviceApi*> open;
};
Backends& backends() {
  static Backends instance;
  return instance;
}

/// Modules lie in ../lib beside the program's own folder; CHORALE_MODULE_PATH overrides that.
fs::path module_folder() {
  if (const char* path = std::getenv("CHORALE_MODULE_PATH")) return path;
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored).parent_path().parent_path() / "lib";
}

const DeviceApi* load_module(const fs::path& file, std::string& why) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) {
    why = "not built (" + file.filename().string() + ")";
    return nullptr;
  }
  // Never unloaded: its threads and handles may live until the process ends.
  void* module = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!module) {
    why = ::dlerror();
    return nullptr;
  }
  const auto entry = reinterpret_cast<DeviceApiEntry>(::dlsym(module, "chorale_device_api"));
  std::array<char, 256> message{};
  const DeviceApi* api = entry ? entry(message.data(), message.size()) : nullptr;
  if (!api) {
    why = entry ? message.data() : file.filename().string() + " is no backend module";
    return nullptr;
  }
  if (api->fingerprint != interface_fingerprint()) {
    why = file.filename().string() + " was built from another version";
    return nullptr;
  }
  return api;
}

const DeviceApi& open_module(DeviceKind kind) {
  const fs::path folder = module_folder();
  std::string why;
  if (kind == DeviceKind::cuda) {
    if (const DeviceApi* api = load_module(folder / "libchorale_cuda.so", why)) {
      if (api->device_count() > 0) return *api;
      why = "no device answers";
    }
    throw DeviceError("--device cuda: no usable CUDA device: " + why + " (allowed auto, cpu)");
  }
  const char* forced = std::getenv("CHORALE_CPU_ISA");
  for (const char* isa : {"avx512", "avx2", "baseline"}) {
    if (forced && std::string_view(forced) != isa) continue;
    if (const DeviceApi* api = load_module(folder / ("libchorale_cpu_" + std::string(isa) + ".so"), why))
      return *api;
  }
  throw DeviceError("--device cpu: no usable CPU module in " + folder.string() + ": " + why);
}

thread_local ExecutionContext* current = nullptr;

}  // namespace

std::string_view device_kind_name(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::cpu:
      return "cpu";
    case DeviceKind::cuda:
      return "cuda";
    case DeviceKind::simt:
      return "simt";
  }
  return "?";
}

const DeviceApi& open_backend(DeviceKind kind) {
  Backends& all = backends();
  const std::lock_guard lock(all.mutex);
  const DeviceApi*& api = all.open[kind];
  if (!api) {
    if (kind == DeviceKind::simt) throw DeviceError("simt: the emulator is not linked into this program");
    api = &open_module(kind);
  }
  return *api;
}

void register_backend(DeviceKind kind, const DeviceApi& api) {
  Backends& all = backends();
  const std::lock_guard lock(all.mutex);
  all.open[kind] = &api;
}

DeviceKind choose_device(std::string_view option, std::string* notice) {
  if (option == "cpu") return DeviceKind::cpu;
  if (option == "cuda") {
    open_backend(DeviceKind::cuda);
    return DeviceKind::cuda;
  }
  if (option != "auto")
    throw UsageError("--device: unknown device: " + std::string(option) + " (allowed auto, cpu, cuda)");
  try {
    open_backend(DeviceKind::cuda);
    return DeviceKind::cuda;
  } catch (const DeviceError& error) {
    if (notice) {
      const std::string text = error.what();
      const auto reason = text.rfind("device: ");
      *notice = "no CUDA device, running on the CPU" +
                (reason == std::string::npos
                     ? ""
                     : " (" + text.substr(reason + 8, text.rfind(" (allowed") - reason - 8) + ")");
    }
    return DeviceKind::cpu;
  }
}

ExecutionContext::ExecutionContext(DeviceKind kind, int device, AllocatorOptions options) : kind_(kind) {
  const DeviceApi& api = open_backend(kind);
  if (device < 0 || device >= api.device_count())
    throw DeviceError(std::string(api.name) + ": no such device: " + std::to_string(device) +
                      " (allowed 0 to " + std::to_string(api.device_count() - 1) + ")");
  allocator_ = make_allocator(api, device, options);
  context_.api = &api;
  context_.device = device;
  context_.scratch = allocator_.get();
  context_.stream = api.stream_create(device);
  context_.backend = api.backend_create ? api.backend_create(device, context_.stream) : nullptr;
  if (kind != DeviceKind::cpu && std::getenv("CHORALE_SHADOW")) {
    static ExecutionContext reference(DeviceKind::cpu);
    shadow::set_reference(&reference.context_);
  }
}

ExecutionContext::~ExecutionContext() {
  const DeviceApi& api = *context_.api;
  if (api.backend_destroy && context_.backend) api.backend_destroy(context_.device, context_.backend);
  api.stream_destroy(context_.device, context_.stream);
}

std::shared_ptr<Allocator> ExecutionContext::exchange_allocator(std::shared_ptr<Allocator> allocator) {
  std::swap(allocator_, allocator);
  context_.scratch = allocator_.get();
  return allocator;
}

DeviceDescription ExecutionContext::describe() const {
  DeviceDescription description{};
  context_.api->describe(context_.device, &description);
  return description;
}

std::size_t ExecutionContext::available_memory() const {
  std::size_t free_bytes = 0, total_bytes = 0;
  context_.api->memory_info(context_.device, &free_bytes, &total_bytes);
  return free_bytes + allocator_->bytes_reserved() - allocator_->bytes_in_use();
}

void ExecutionContext::synchronize() { context_.api->stream_synchronize(context_.device, context_.stream); }

ExecutionContext& current_context() {
  if (!current) throw ContractError("tensor: no execution context is in scope");
  return *current;
}

ContextScope::ContextScope(ExecutionContext& context) : previous_(current) { current = &context; }
ContextScope::~ContextScope() { current = previous_; }

}  // namespace chorale

// SPDX-License-Identifier: MIT
// Devices, the caching allocator and execution contexts.
//
// A backend is a shared module that is opened when a device of it is first asked for:
// `libchorale_cpu_<set>.so` for the best instruction set of this processor, `libchorale_cuda.so` for CUDA.
// Tests may register one more ("simt").
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "kernels/device_api.h"

namespace chorale {

enum class DeviceKind : std::uint8_t { cpu, cuda, simt };

std::string_view device_kind_name(DeviceKind kind);

/// Opens the backend. Throws DeviceError when it is not built, has no driver, or no device answers.
const DeviceApi& open_backend(DeviceKind kind);
/// Makes a backend known that is no module of its own; `api` must outlive the process's use of it.
void register_backend(DeviceKind kind, const DeviceApi& api);

/// What `--device` means: "cpu", "cuda" (DeviceError without one) or "auto": CUDA when a device answers, else
/// the CPU, with `*notice` set to one line that says why. UsageError on any other word.
DeviceKind choose_device(std::string_view option, std::string* notice = nullptr);

/// Caching allocator over a backend's raw memory: freed blocks are kept by size class and handed out again in
/// stream order. Thread-safe. While `frozen` (a graph is being captured) it serves from the cache only.
class Allocator : public ScratchSource {
 public:
  virtual std::size_t bytes_in_use() const = 0;
  virtual std::size_t bytes_reserved() const = 0;
  virtual std::size_t peak_bytes_in_use() const = 0;
  virtual void reset_peak() = 0;
  virtual void freeze(bool on) = 0;
  virtual void release_cached() = 0;
};

/// Options that tests use to catch errors in kernels.
struct AllocatorOptions {
  bool poison = false;        ///< fill fresh blocks with 0xFF bytes (NaN)
  bool guard = false;         ///< keep 256 bytes on both sides and check them on release
  std::int64_t fail_at = -1;  ///< throw on the n-th raw allocation from now; -1: never
};

/// `device` of `api`; throws DeviceError with need, free and total when memory is exhausted.
std::shared_ptr<Allocator> make_allocator(const DeviceApi& api, int device, AllocatorOptions options = {});

/// Stream, scratch memory, library handles and plans of one device; what kernels and tensor operations run
/// on.
class ExecutionContext {
 public:
  explicit ExecutionContext(DeviceKind kind, int device = 0, AllocatorOptions options = {});
  ~ExecutionContext();
  ExecutionContext(const ExecutionContext&) = delete;
  ExecutionContext& operator=(const ExecutionContext&) = delete;

  DeviceKind kind() const { return kind_; }
  const DeviceApi& api() const { return *context_.api; }
  Context& kernel_context() { return context_; }
  operator Context&() { return context_; }
  const std::shared_ptr<Allocator>& allocator() const { return allocator_; }
  /// Takes memory from `allocator` from now on; returns the one used so far (StepGraph's private pools).
  std::shared_ptr<Allocator> exchange_allocator(std::shared_ptr<Allocator> allocator);
  DeviceDescription describe() const;
  /// Bytes that nobody uses now, the allocator's cache included.
  std::size_t available_memory() const;
  void synchronize();

 private:
  DeviceKind kind_;
  std::shared_ptr<Allocator> allocator_;
  Context context_;
};

/// The context that tensor operations of this thread use. ContractError when none is in scope.
ExecutionContext& current_context();

/// Makes a context current for the length of a scope; scopes nest.
class ContextScope {
 public:
  explicit ContextScope(ExecutionContext& context);
  ~ContextScope();
  ContextScope(const ContextScope&) = delete;
  ContextScope& operator=(const ContextScope&) = delete;

 private:
  ExecutionContext* previous_;
};

}  // namespace chorale

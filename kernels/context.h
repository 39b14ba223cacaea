// SPDX-License-Identifier: MIT
// What a kernel needs besides its arguments: device, stream, scratch memory, the backend's own handles.
#pragma once
#include <cstddef>
#include <cstdint>

namespace chorale {

struct DeviceApi;

/// Where scratch memory comes from: the caching allocator of tensor/. Blocks are reused in stream order, so a
/// block may be given back as soon as the kernels that use it are enqueued.
class ScratchSource {
 public:
  virtual ~ScratchSource() = default;
  virtual void* acquire(std::size_t bytes) = 0;
  virtual void release(void* block) noexcept = 0;
};

struct Context {
  const DeviceApi* api = nullptr;
  int device = 0;           ///< index among devices of this api
  void* stream = nullptr;   ///< cudaStream_t on CUDA, unused elsewhere
  void* backend = nullptr;  ///< the backend's handles and plans (DeviceApi::backend_create)
  ScratchSource* scratch = nullptr;
};

/// Scratch memory for the length of one kernel call; aligned to 256 bytes, not initialised.
class Scratch {
 public:
  Scratch(Context& context, std::size_t bytes)
      : source_(context.scratch), block_(bytes ? context.scratch->acquire(bytes) : nullptr) {}
  ~Scratch() {
    if (block_) source_->release(block_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  template <class T>
  T* as() const {
    return static_cast<T*>(block_);
  }

 private:
  ScratchSource* source_;
  void* block_;
};

/// Strides of copy_strided, in elements, for up to max_rank dimensions.
struct Strides {
  std::int64_t value[4] = {0, 0, 0, 0};
};

}  // namespace chorale

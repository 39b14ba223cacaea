// SPDX-License-Identifier: MIT
// What a context keeps beside its stream: Context::backend on CUDA. One context is used by one thread at a
// time.
#pragma once
#include <cstddef>
#include <map>
#include <memory>
#include <typeindex>

#include "kernels/context.h"

namespace chorale::cuda {

class Backend {
 public:
  Backend(int device, void* stream);
  ~Backend();
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  static Backend& of(const Context& context) { return *static_cast<Backend*>(context.backend); }

  int device() const { return device_; }
  int multiprocessors() const { return multiprocessors_; }
  /// Fixed memory for library calls, so that none is allocated while a graph is captured.
  void* workspace() const { return workspace_; }
  static constexpr std::size_t workspace_bytes = std::size_t{32} << 20;

  /// Handles and plans of one library, made at first use as T(device, stream) and kept until the context
  /// ends.
  template <class T>
  T& state() {
    auto& slot = states_[std::type_index(typeid(T))];
    if (!slot) slot = std::make_shared<T>(device_, stream_);
    return *static_cast<T*>(slot.get());
  }

 private:
  int device_;
  void* stream_;
  int multiprocessors_ = 0;
  void* workspace_ = nullptr;
  std::map<std::type_index, std::shared_ptr<void>> states_;
};

}  // namespace chorale::cuda

// SPDX-License-Identifier: MIT
// CHORALE_SHADOW=1: every launch on another backend is repeated on the CPU from the same inputs and its
// outputs are compared. Slow, for finding the kernel that differs; tolerances are loose (16-bit storage
// allows rounding).
#pragma once
#include <cstring>
#include <memory>
#include <tuple>
#include <vector>

#include "kernels/device_api.h"

namespace chorale::shadow {

/// True if CHORALE_SHADOW=1 and a reference was given.
bool enabled();
bool is_reference(const DeviceApi& api);
/// The CPU backend's context that repeats launches; null turns shadowing off. Set by tensor/device.
void set_reference(Context* context);
Context& reference();

namespace detail {

std::vector<std::byte> download(Context& context, const void* data, std::size_t bytes);
/// Throws NumericalError naming kernel, argument and the worst element.
void compare(Context& context, KernelId id, int argument, const View& device,
             const std::vector<std::byte>& expected);

template <class T>
struct Copy {  // scalars and parameter structs
  T value;
  Copy(Context&, const T& v) : value(v) {}
  T& get() { return value; }
  void check(Context&, KernelId, int) {}
};

template <class Void>
struct Copy<BasicView<Void>> {
  BasicView<Void> device, host;
  std::vector<std::byte> bytes;
  Copy(Context& context, const BasicView<Void>& v) : device(v), host(v) {
    if (!v.data) return;
    bytes = download(context, v.data, v.bytes());
    host.data = bytes.data();
  }
  BasicView<Void>& get() { return host; }
  void check(Context& context, KernelId id, int argument) {
    if constexpr (!std::is_const_v<Void>) {
      if (device.data) compare(context, id, argument, device, bytes);
    }
  }
};

template <class State>
struct CopyState {
  StepState value{};
  bool present;
  CopyState(Context& context, State* p) : present(p != nullptr) {
    if (!p) return;
    const auto bytes = download(context, p, sizeof value);
    std::memcpy(&value, bytes.data(), sizeof value);
  }
  State* get() { return present ? &value : nullptr; }
  void check(Context&, KernelId, int) {}
};
template <>
struct Copy<StepState*> : CopyState<StepState> {
  using CopyState::CopyState;
};
template <>
struct Copy<const StepState*> : CopyState<const StepState> {
  using CopyState::CopyState;
};

}  // namespace detail

template <class... P>
void run(Context& context, KernelId id, void (*function)(Context&, P...), const P&... arguments) {
  if (id == KernelId::copy_strided)
    return function(context, arguments...);  // its source reaches beyond its shape
  std::tuple<detail::Copy<P>...> copies{detail::Copy<P>(context, arguments)...};
  function(context, arguments...);
  // The table is a plain sequence of function pointers in the order of KernelId.
  void (*on_cpu)(Context&, P...) = nullptr;
  static_assert(sizeof(KernelTable) == kernel_count * sizeof on_cpu);
  std::memcpy(
      &on_cpu,
      reinterpret_cast<const std::byte*>(&reference().api->table) + static_cast<int>(id) * sizeof on_cpu,
      sizeof on_cpu);
  std::apply([&](auto&... copy) { on_cpu(reference(), copy.get()...); }, copies);
  std::apply(
      [&](auto&... copy) {
        int argument = 0;
        (copy.check(context, id, argument++), ...);
      },
      copies);
}

}  // namespace chorale::shadow

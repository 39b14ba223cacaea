// SPDX-License-Identifier: MIT
// The only way to run a kernel: chorale::kernel::<name>(context, arguments...). Each launch is counted and,
// on a backend that has them, wrapped in a profiler range and checked. With CHORALE_SHADOW=1 it is also run
// on the CPU and the results compared (kernels/shadow.h).
#pragma once
#include <array>
#include <atomic>
#include <type_traits>

#include "kernels/device_api.h"
#include "kernels/shadow.h"

namespace chorale {

/// Launches so far on one backend, by kernel.
using LaunchCounts = std::array<std::atomic<std::int64_t>, kernel_count>;
LaunchCounts& launch_counts(const DeviceApi& api);

/// A named range in the profiler's timeline, on backends that have one.
class ProfilerRange {
 public:
  ProfilerRange(const DeviceApi& api, const char* name) : api_(api) {
    if (api_.range_push) api_.range_push(name);
  }
  ~ProfilerRange() {
    if (api_.range_pop) api_.range_pop();
  }
  ProfilerRange(const ProfilerRange&) = delete;
  ProfilerRange& operator=(const ProfilerRange&) = delete;

 private:
  const DeviceApi& api_;
};

template <class... P>
void launch(Context& context, KernelId id, void (*function)(Context&, P...),
            std::type_identity_t<P>... arguments) {
  const DeviceApi& api = *context.api;
  launch_counts(api)[static_cast<int>(id)].fetch_add(1, std::memory_order_relaxed);
  const char* name = kernel_info[static_cast<int>(id)].name.data();
  const ProfilerRange range(api, name);
  if (shadow::enabled() && !shadow::is_reference(api)) [[unlikely]] {
    shadow::run(context, id, function, arguments...);
  } else {
    function(context, arguments...);
  }
  if (api.check_launch) api.check_launch(name);
}

namespace kernel {
#define KERNEL(name, parameters, precision, cuda)                           \
  template <class... A>                                                     \
  void name(Context& context, const A&... arguments) {                      \
    launch(context, KernelId::name, context.api->table.name, arguments...); \
  }
#include "kernels/kernels.def"
#undef KERNEL
}  // namespace kernel

}  // namespace chorale

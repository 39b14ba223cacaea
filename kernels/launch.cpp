// SPDX-License-Identifier: MIT
#include "kernels/launch.h"

#include <map>
#include <memory>
#include <mutex>

namespace chorale {

LaunchCounts& launch_counts(const DeviceApi& api) {
  // Looked up on every launch, so the last answer is remembered; entries are never removed.
  static std::mutex mutex;
  static std::map<const DeviceApi*, std::unique_ptr<LaunchCounts>> counts;
  thread_local const DeviceApi* last_api = nullptr;
  thread_local LaunchCounts* last_counts = nullptr;
  if (last_api == &api) return *last_counts;
  const std::lock_guard lock(mutex);
  auto& entry = counts[&api];
  if (!entry) entry = std::make_unique<LaunchCounts>();
  last_api = &api;
  return *(last_counts = entry.get());
}

}  // namespace chorale

// SPDX-License-Identifier: MIT
// A training step as one launch: run eagerly twice or more (until memory, plans and handles exist), then
// captured, then replayed. On devices that cannot capture, every run is eager.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "tensor/device.h"

namespace chorale {

class StepGraph {
 public:
  explicit StepGraph(ExecutionContext& context) : context_(context) {}
  ~StepGraph();
  StepGraph(const StepGraph&) = delete;
  StepGraph& operator=(const StepGraph&) = delete;

  /// Runs the work of `step` once. `key` names what the step's shapes and pointers depend on; the same key
  /// must mean the same work. `step` must not read from the device, and everything it leaves behind must lie
  /// in memory that existed before: what it allocates comes from a pool that the graph reuses on every
  /// replay.
  void run(const std::string& key, const std::function<void()>& step);

  /// Number of graphs captured so far; 0 on devices that run eagerly.
  int captured() const;

 private:
  struct Entry {
    int eager_runs = 0;
    bool grew = false;  ///< the pool, in the last of them
    void* graph = nullptr;
    std::shared_ptr<Allocator> pool;
  };
  void run_in_pool(Entry& entry, const std::function<void()>& step);

  ExecutionContext& context_;
  std::map<std::string, Entry> entries_;
};

}  // namespace chorale

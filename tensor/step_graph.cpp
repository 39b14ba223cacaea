// SPDX-License-Identifier: MIT
#include "tensor/step_graph.h"

namespace chorale {
namespace {

constexpr int eager_runs_before_capture = 2;
constexpr int most_eager_runs = 8;

/// The context takes memory from a pool for the length of a scope.
class PoolScope {
 public:
  PoolScope(ExecutionContext& context, std::shared_ptr<Allocator> pool)
      : context_(context), previous_(context.exchange_allocator(std::move(pool))) {}
  ~PoolScope() { context_.exchange_allocator(std::move(previous_)); }
  PoolScope(const PoolScope&) = delete;
  PoolScope& operator=(const PoolScope&) = delete;

 private:
  ExecutionContext& context_;
  std::shared_ptr<Allocator> previous_;
};

}  // namespace

StepGraph::~StepGraph() {
  const Context& kernel_context = context_.kernel_context();
  for (auto& [key, entry] : entries_)
    if (entry.graph) context_.api().graph_destroy(kernel_context.device, entry.graph);
}

void StepGraph::run(const std::string& key, const std::function<void()>& step) {
  const DeviceApi& api = context_.api();
  if (!api.capture_begin) return step();
  const Context& kernel_context = context_.kernel_context();
  Entry& entry = entries_[key];
  if (!entry.pool) entry.pool = make_allocator(api, kernel_context.device);
  if (!entry.graph) {
    // A run that took no new memory will be followed by one that needs none.
    if (entry.eager_runs < eager_runs_before_capture || (entry.grew && entry.eager_runs < most_eager_runs)) {
      ++entry.eager_runs;
      const std::size_t before = entry.pool->bytes_reserved();
      run_in_pool(entry, step);
      entry.grew = entry.pool->bytes_reserved() != before;
      return;
    }
    api.capture_begin(kernel_context.device, kernel_context.stream);
    entry.pool->freeze(true);
    std::exception_ptr failure;
    try {
      run_in_pool(entry, step);
    } catch (...) {
      failure = std::current_exception();
    }
    entry.pool->freeze(false);
    void* graph = nullptr;
    try {
      graph = api.capture_end(kernel_context.device, kernel_context.stream);  // also ends a failed capture
    } catch (...) {
      if (!failure) throw;
    }
    if (failure) {
      if (graph) api.graph_destroy(kernel_context.device, graph);
      std::rethrow_exception(failure);
    }
    entry.graph = graph;
  }
  api.graph_launch(kernel_context.device, entry.graph, kernel_context.stream);
}

void StepGraph::run_in_pool(Entry& entry, const std::function<void()>& step) {
  const PoolScope scope(context_, entry.pool);
  step();
}

int StepGraph::captured() const {
  int n = 0;
  for (const auto& [key, entry] : entries_) n += entry.graph != nullptr;
  return n;
}

}  // namespace chorale

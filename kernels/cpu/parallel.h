// SPDX-License-Identifier: MIT
// Work sharing for the CPU kernels. Work is cut into blocks of a fixed size, so results do not depend on how
// many threads run them; small jobs stay on the calling thread.
#pragma once
#include <algorithm>
#include <cstdint>

namespace chorale::cpu {

/// Below this many elements a parallel region costs more than it saves.
constexpr std::int64_t parallel_threshold = 65536;
/// Elements of one block of elementwise work.
constexpr std::int64_t block_size = 16384;

constexpr std::int64_t block_count(std::int64_t n, std::int64_t size) { return (n + size - 1) / size; }

/// Calls body(task) for every task in [0, tasks), in parallel if `elements` in all are worth it.
template <class Body>
void parallel_tasks(std::int64_t tasks, std::int64_t elements, const Body& body) {
#pragma omp parallel for schedule(static) if (tasks > 1 && elements >= parallel_threshold)
  for (std::int64_t task = 0; task < tasks; ++task) body(task);
}

/// Calls body(begin, end) for consecutive ranges of at most `size` of [0, n).
template <class Body>
void parallel_blocks(std::int64_t n, const Body& body, std::int64_t size = block_size) {
  parallel_tasks(block_count(n, size), n,
                 [&](std::int64_t block) { body(block * size, std::min(n, (block + 1) * size)); });
}

}  // namespace chorale::cpu

// SPDX-License-Identifier: MIT
// The number of OpenMP threads, decided once at the start.
#pragma once

namespace chorale::tools {

constexpr int max_threads = 1024;

/// Sets and returns the number of OpenMP threads: `requested`, or, where that is 0, OMP_NUM_THREADS or the
/// processors this process may run on. Fewer, with a warning, where limits on processes or memory do not let
/// that many start.
int use_threads(int requested);

}  // namespace chorale::tools

// SPDX-License-Identifier: MIT
// The number of OpenMP threads, decided once at the start.
#pragma once

namespace chorale::tools {

constexpr int max_threads = 1024;

/// Sets and returns the number of OpenMP threads: `requested`, or, where that is 0, OMP_NUM_THREADS or the
/// processors this process may run on. Fewer, with a warning, where limits on processes or memory do not let
/// that many start.
int use_threads(int requested);

/// Threads of libgomp that wait for work spin for milliseconds by default, which takes the processor from
/// whoever else needs it: a training run on a busy two-core machine is ten times slower for it. The library
/// reads its settings from the environment before main(), so this starts the program again with short
/// spinning, unless OMP_WAIT_POLICY or GOMP_SPINCOUNT is already set. Returns when nothing needs to change or
/// the restart is not possible.
void restart_with_short_spinning(char** argv);

}  // namespace chorale::tools

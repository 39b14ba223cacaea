// SPDX-License-Identifier: MIT
#include "tools/common/threads.h"

#include <omp.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "tools/common/log.h"
#include "tools/common/signals.h"

namespace chorale::tools {
namespace {

bool limited(decltype(RLIMIT_AS) resource, rlim_t comfortable) {
  rlimit limit{};
  return ::getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
         limit.rlim_cur < comfortable;
}

struct Gate {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
};

void* pass(void* argument) {
  auto* gate = static_cast<Gate*>(argument);
  ::pthread_mutex_lock(&gate->mutex);
  ::pthread_mutex_unlock(&gate->mutex);
  return nullptr;
}

// libgomp ends the process when a thread cannot start, so try first, holding all of them at once.
int threads_that_start(int wanted) {
  Gate gate;
  std::vector<pthread_t> threads;
  ::pthread_mutex_lock(&gate.mutex);
  for (int i = 1; i < wanted; ++i) {
    pthread_t thread;
    if (::pthread_create(&thread, nullptr, pass, &gate) != 0) break;
    threads.push_back(thread);
  }
  ::pthread_mutex_unlock(&gate.mutex);
  for (const pthread_t thread : threads) ::pthread_join(thread, nullptr);
  return static_cast<int>(threads.size()) + 1;
}

}  // namespace

void restart_with_short_spinning(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") || std::getenv("GOMP_SPINCOUNT")) return;
  ::setenv("GOMP_SPINCOUNT", "1000", 0);
  hold_signals();
  if (!interrupted()) ::execv("/proc/self/exe", argv);  // on failure the program goes on as it is
  release_signals();
}

int use_threads(int requested) {
  const int wanted = std::clamp(requested > 0 ? requested : omp_get_max_threads(), 1, max_threads);
  int usable = wanted;
  const bool scarce = limited(RLIMIT_NPROC, 4096) || limited(RLIMIT_AS, rlim_t{64} << 30);
  if (wanted > 1 && (scarce || wanted > 2 * omp_get_num_procs())) usable = threads_that_start(wanted);
  if (usable < wanted) log_warning("--threads: only ", usable, " of ", wanted, " threads can start here");
  omp_set_num_threads(usable);
  return usable;
}

}  // namespace chorale::tools

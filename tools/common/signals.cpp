// SPDX-License-Identifier: MIT
#include "tools/common/signals.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstring>

namespace chorale::tools {
namespace {

std::atomic<int> received{0};
std::atomic<bool> keeps_state{false};
static_assert(std::atomic<int>::is_always_lock_free);

// Only what POSIX calls async-signal-safe.
void handle(int signal) {
  const bool first = received.exchange(signal) == 0;
  const char* text =
      first ? "interrupted: saving, once more to stop at once\n" : "interrupted: stopped at once\n";
  if (!keeps_state) text = "interrupted\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text, std::strlen(text));
  if (!first || !keeps_state) ::_exit(128 + signal);
}

void set_mask(int how) {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  ::sigprocmask(how, &signals, nullptr);
}

}  // namespace

void install_signal_handlers(bool program_keeps_state) {
  keeps_state = program_keeps_state;
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  release_signals();
}

void hold_signals() { set_mask(SIG_BLOCK); }
void release_signals() { set_mask(SIG_UNBLOCK); }

bool interrupted() { return received != 0; }

int interrupt_exit_code() { return received ? 128 + received : 0; }

}  // namespace chorale::tools

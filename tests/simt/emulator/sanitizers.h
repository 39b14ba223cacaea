// SPDX-License-Identifier: MIT
// Which sanitizer this is compiled under, and its calls that the emulator makes: fibers must be announced,
// shared memory has red zones, and the emulator's own bookkeeping is no business of the race detector.
#pragma once

#if defined(__has_feature)
#define CHORALE_SIMT_FEATURE(name) __has_feature(name)
#else
#define CHORALE_SIMT_FEATURE(name) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || CHORALE_SIMT_FEATURE(address_sanitizer)
#define CHORALE_SIMT_ASAN 1
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#else
#define CHORALE_SIMT_ASAN 0
#endif

#if defined(CHORALE_SIMT_RACES) || defined(__SANITIZE_THREAD__) || CHORALE_SIMT_FEATURE(thread_sanitizer)
#define CHORALE_SIMT_TSAN 1
#include <sanitizer/tsan_interface.h>
#define CHORALE_SIMT_UNTRACKED __attribute__((noinline, no_sanitize("thread")))
#else
#define CHORALE_SIMT_TSAN 0
#define CHORALE_SIMT_UNTRACKED
#endif

namespace chorale::simt {

/// What was written to shared memory or exchanged before `release` is seen after `acquire` of the same
/// address.
inline void tell_release([[maybe_unused]] void* where) {
#if CHORALE_SIMT_TSAN
  __tsan_release(where);
#endif
}
inline void tell_acquire([[maybe_unused]] void* where) {
#if CHORALE_SIMT_TSAN
  __tsan_acquire(where);
#endif
}

}  // namespace chorale::simt

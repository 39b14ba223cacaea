// SPDX-License-Identifier: MIT
// The emulated multiprocessor: runs the blocks of a launch in turn on the calling thread, each CUDA thread on
// a fiber that goes on until it must wait for others. What CUDA leaves undefined and this can see is an
// Error: threads that wait at different barriers, lanes that disagree on a warp operation, threads that wait
// for ones that returned, and launches that no device would take.
#pragma once
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "kernels/error.h"
#include "tests/simt/emulator/fiber.h"
#include "tests/simt/emulator/sanitizers.h"
#include "tests/simt/emulator/vector_types.h"

namespace chorale::simt {

/// A fault of the emulated kernel or launch, with block, thread and source line.
class EmulatorError : public Error {
 public:
  using Error::Error;
};

/// Which of the threads that could run does: a kernel that needs one particular order is wrong.
enum class Schedule { forward, reverse, random };

struct Options {
  Schedule schedule = Schedule::forward;
  std::uint64_t seed = 1;                     ///< of the random schedule
  std::size_t stack_bytes = 128 << 10;        ///< of one CUDA thread
  std::size_t max_dynamic_shared = 48 << 10;  ///< bytes of one block without opting in, as on every device
  std::size_t max_static_shared = 48 << 10;
  bool poison = true;  ///< shared memory starts as NaN (0xFF bytes) in every block
  FiberSwitch fiber_switch = FiberSwitch::native;
};

/// Options of the launches that follow. Schedule and seed start from the environment:
/// CHORALE_SIMT_SCHEDULE=forward|reverse|random[:SEED].
Options& options();

constexpr int max_block_threads = 1024;
constexpr int warp_lanes = 32;

/// Place in the source, for messages and to tell barriers apart.
struct Site {
  const char* operation;
  const char* file;
  int line;
};

/// What one lane brings to a warp operation; every lane of the mask sees all of them.
struct LaneSlots {
  alignas(16) unsigned char bytes[warp_lanes][16];
};

/// One SHARED declaration: its memory in the running launch.
struct SharedSite {
  std::uint64_t launch = 0;
  void* memory = nullptr;
};

class Machine {
 public:
  enum class State : std::uint8_t { fresh, running, ready, at_block_barrier, at_warp_operation, returned };
  struct Thread {
    uint3 index;
    int number, lane, warp, parity;
    State state;
    std::uint32_t mask;
    Site site;
    Fiber* fiber;
  };

  Machine();
  ~Machine();

  /// Runs `body(argument)` once per thread of the grid. Rethrows what a thread threw.
  void launch(dim3 grid, dim3 block, std::size_t dynamic_shared_bytes, void (*body)(void*), void* argument);

  // Of the running thread.
  const Thread& thread() const { return *current_; }
  uint3 block_index() const { return block_index_; }
  dim3 block() const { return block_; }
  dim3 grid() const { return grid_; }
  void* dynamic_shared() const { return dynamic_shared_; }
  void* shared(SharedSite& site, std::size_t bytes);

  struct Votes {
    int count, all, any;
  };
  Votes block_barrier(Site site, bool vote);
  /// Waits until every existing lane of `mask` has brought its `bytes` (at most 16); `mask` is cut to those
  /// lanes.
  const LaneSlots& exchange(Site site, std::uint32_t& mask, const void* value, unsigned bytes);
  void warp_barrier(Site site, std::uint32_t mask);
  [[noreturn]] void fail(const std::string& message) const;
  std::string describe(const Thread& thread) const;

 private:
  struct Warp {
    std::uint32_t existing, arrived;
    LaneSlots slots[2];  // two in turn: a lane may bring its next value while others still read the last
  };

  static void fiber_entry();
  void run_block();
  bool run_fresh_thread();
  Fiber* fresh_fiber();
  Fiber* pick();
  void release(Thread& thread);
  void suspend(Thread& self, State state);
  std::string deadlock() const;
  void poison_shared();
  void map_shared(std::size_t dynamic_bytes);
  void unmap_shared();
  void abandon_fibers();
  std::uint64_t random();

  dim3 grid_, block_;
  uint3 block_index_{};
  Thread* current_ = nullptr;
  Fiber* fiber_ = nullptr;  // the one that runs
  Fiber launcher_;
  void (*body_)(void*) = nullptr;
  void* argument_ = nullptr;

  int threads_ = 0, fresh_ = 0, returned_ = 0, waiting_ = 0, turn_ = 0;
  std::unique_ptr<Thread[]> thread_;
  std::unique_ptr<Warp[]> warp_;
  std::unique_ptr<Fiber[]> fibers_;
  std::unique_ptr<Fiber*[]> idle_fibers_;
  int idle_count_ = 0, fiber_count_ = 0;
  FiberSwitch fiber_switch_ = FiberSwitch::native;  // how the idle ones were left
  std::unique_ptr<int[]> order_, ready_;
  int ready_head_ = 0, ready_count_ = 0;
  int votes_[3]{}, result_[3]{};

  std::uint64_t launch_number_ = 0, random_state_ = 1;
  bool failed_ = false;
  std::exception_ptr error_;

  std::unique_ptr<unsigned char[]> arena_;  // static arrays with red zones between, then the dynamic one
  std::size_t arena_used_ = 0, static_bytes_ = 0;
  unsigned char* dynamic_shared_ = nullptr;
  std::size_t dynamic_bytes_ = 0;
  struct Region {
    unsigned char* begin;
    std::size_t bytes;
  };
  std::unique_ptr<Region[]> regions_;
  int region_count_ = 0;

  // Addresses under which happens-before edges are told to the race detector.
  char start_edge_ = 0, end_edge_ = 0, barrier_edge_[2]{}, warp_edge_[max_block_threads / warp_lanes][2]{};
};

/// The one machine of the process; launches from several threads take turns.
Machine& machine();

}  // namespace chorale::simt

// SPDX-License-Identifier: MIT
#include "tests/simt/emulator/machine.h"

#include <bit>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string_view>
#include <utility>

namespace chorale::simt {
namespace {

constexpr int max_regions = 64;
constexpr std::size_t red_zone = 64;

Options options_from_environment() {
  Options o;
  const char* text = std::getenv("CHORALE_SIMT_SCHEDULE");
  if (!text) return o;
  const std::string_view value = text;
  if (value == "reverse") {
    o.schedule = Schedule::reverse;
  } else if (value.substr(0, 6) == "random") {
    o.schedule = Schedule::random;
    if (value.size() > 7 && value[6] == ':') o.seed = std::strtoull(text + 7, nullptr, 10);
  } else if (value != "forward") {
    throw UsageError("CHORALE_SIMT_SCHEDULE: unknown schedule: " + std::string(value) +
                     " (allowed forward, reverse, random, random:SEED)");
  }
  return o;
}

// Not memset, which the race detector would take for an access of the kernel's.
void fill_with_ones(unsigned char* begin, std::size_t bytes) {
  volatile unsigned char* p = begin;
  for (std::size_t i = 0; i < bytes; ++i) p[i] = 0xFF;
}

bool same_place(const Site& a, const Site& b) {
  return a.line == b.line && !std::strcmp(a.file, b.file) && !std::strcmp(a.operation, b.operation);
}

}  // namespace

Options& options() {
  static Options o = options_from_environment();
  return o;
}

Machine& machine() {
  static Machine m;
  return m;
}

Machine::Machine()
    : thread_(std::make_unique<Thread[]>(max_block_threads)),
      warp_(std::make_unique<Warp[]>(max_block_threads / warp_lanes)),
      fibers_(std::make_unique<Fiber[]>(max_block_threads)),
      idle_fibers_(std::make_unique<Fiber*[]>(max_block_threads)),
      order_(std::make_unique<int[]>(max_block_threads)),
      ready_(std::make_unique<int[]>(max_block_threads)),
      regions_(std::make_unique<Region[]>(max_regions)) {}

Machine::~Machine() = default;

std::uint64_t Machine::random() {
  random_state_ ^= random_state_ << 13;
  random_state_ ^= random_state_ >> 7;
  return random_state_ ^= random_state_ << 17;
}

std::string Machine::describe(const Thread& thread) const {
  const auto& i = thread.index;
  return "thread (" + std::to_string(i.x) + "," + std::to_string(i.y) + "," + std::to_string(i.z) + ") in " +
         thread.site.operation + " at " + thread.site.file + ":" + std::to_string(thread.site.line);
}

void Machine::fail(const std::string& message) const {
  const auto& b = block_index_;
  throw EmulatorError("simt: block (" + std::to_string(b.x) + "," + std::to_string(b.y) + "," +
                      std::to_string(b.z) + "): " + message);
}

// ---- shared memory ----

void Machine::map_shared(std::size_t dynamic_bytes) {
  const std::size_t total = options().max_static_shared + dynamic_bytes + (max_regions + 2) * 2 * red_zone;
  arena_.reset(new unsigned char[total]);  // 16-byte aligned
#if CHORALE_SIMT_ASAN
  __asan_poison_memory_region(arena_.get(), total);
#endif
  region_count_ = 0;
  static_bytes_ = 0;
  // Ends right before a red zone, so that one element too many is seen, as far as the alignment of 16 lets
  // it.
  arena_used_ = red_zone;
  dynamic_shared_ = arena_.get() + arena_used_;
  dynamic_bytes_ = dynamic_bytes;
  arena_used_ += (dynamic_bytes + 15) / 16 * 16 + red_zone;
#if CHORALE_SIMT_ASAN
  __asan_unpoison_memory_region(dynamic_shared_, dynamic_bytes);
#endif
}

void Machine::unmap_shared() {
#if CHORALE_SIMT_ASAN
  __asan_unpoison_memory_region(
      arena_.get(), options().max_static_shared + dynamic_bytes_ + (max_regions + 2) * 2 * red_zone);
#endif
  arena_.reset();
}

void* Machine::shared(SharedSite& site, std::size_t bytes) {
  if (site.launch == launch_number_) return site.memory;
  static_bytes_ += bytes;
  if (static_bytes_ > options().max_static_shared || region_count_ == max_regions)
    fail("static shared memory is over its limit: " + std::to_string(static_bytes_) +
         " bytes (allowed up to " + std::to_string(options().max_static_shared) + ")");
  unsigned char* begin = arena_.get() + arena_used_;
  arena_used_ += (bytes + 15) / 16 * 16 + red_zone;
#if CHORALE_SIMT_ASAN
  __asan_unpoison_memory_region(begin, bytes);
#endif
  regions_[region_count_++] = Region{begin, bytes};
  if (options().poison) fill_with_ones(begin, bytes);
  site.launch = launch_number_;
  return site.memory = begin;
}

void Machine::poison_shared() {
  if (!options().poison) return;
  fill_with_ones(dynamic_shared_, dynamic_bytes_);
  for (int i = 0; i < region_count_; ++i) fill_with_ones(regions_[i].begin, regions_[i].bytes);
}

// ---- the scheduler ----

Fiber* Machine::fresh_fiber() {
#if CHORALE_SIMT_TSAN
  return &fibers_[order_[fresh_ - 1]];  // one per CUDA thread, so that the race detector can tell them apart
#else
  if (idle_count_) return idle_fibers_[--idle_count_];
  Fiber* fiber = &fibers_[fiber_count_++];
  fiber->prepare(options().stack_bytes, options().fiber_switch, &fiber_entry);
  return fiber;
#endif
}

// Who runs next: a thread not yet started, one that was released, or nobody: then the launcher finds a
// deadlock.
Fiber* Machine::pick() {
  const Schedule schedule = options().schedule;
  if (fresh_ && (!ready_count_ || schedule != Schedule::random || (random() & 1))) return fresh_fiber();
  if (!ready_count_) return &launcher_;
  const int k = schedule == Schedule::forward ? 0
                : schedule == Schedule::reverse
                    ? ready_count_ - 1
                    : static_cast<int>(random() % static_cast<unsigned>(ready_count_));
  const int number = ready_[(ready_head_ + k) % max_block_threads];
  if (k == 0) {
    ready_head_ = (ready_head_ + 1) % max_block_threads;
  } else {
    ready_[(ready_head_ + k) % max_block_threads] =
        ready_[(ready_head_ + ready_count_ - 1) % max_block_threads];
  }
  --ready_count_;
  return thread_[number].fiber;
}

void Machine::release(Thread& thread) {
  thread.state = State::ready;
  ready_[(ready_head_ + ready_count_++) % max_block_threads] = thread.number;
}

void Machine::suspend(Thread& self, State state) {
  self.state = state;
  self.fiber = fiber_;
  Fiber* next = pick();
  if (next != fiber_) {
    Fiber* from = std::exchange(fiber_, next);
    Fiber::jump(*from, *next);
    fiber_ = from;
  }
  current_ = &self;
  self.state = State::running;
}

// Takes the next thread not yet started and runs it on this fiber; says whether the fiber should take
// another.
bool Machine::run_fresh_thread() {
  Thread& self = thread_[order_[--fresh_]];
  current_ = &self;
  self.state = State::running;
  tell_acquire(&start_edge_);
  try {
    body_(argument_);
  } catch (...) {
    if (!failed_) error_ = std::current_exception();
    failed_ = true;
  }
  self.state = State::returned;
  ++returned_;
  tell_release(&end_edge_);
  return !CHORALE_SIMT_TSAN && fresh_ && !failed_ &&
         (options().schedule != Schedule::random || (random() & 1));
}

void Machine::fiber_entry() {
  Machine& m = machine();
  Fiber::entered();
  for (;;) {
    while (m.run_fresh_thread()) {
    }
    Fiber* self = m.fiber_;
    if (!CHORALE_SIMT_TSAN) m.idle_fibers_[m.idle_count_++] = self;  // may be picked again at once, by itself
    Fiber* next = m.failed_ ? &m.launcher_ : m.pick();
    if (next == self) continue;
    m.fiber_ = next;
    Fiber::jump(*self, *next);
    m.fiber_ = self;
  }
}

std::string Machine::deadlock() const {
  std::string text =
      "deadlock: " + std::to_string(returned_) + " of " + std::to_string(threads_) + " threads have returned";
  int waiting = 0;
  for (int i = 0; i < threads_; ++i) {
    const Thread& t = thread_[i];
    if (t.state != State::at_block_barrier && t.state != State::at_warp_operation) continue;
    if (++waiting <= 2) text += ", " + describe(t);
  }
  return text + " (" + std::to_string(waiting) + " wait)";
}

void Machine::run_block() {
  const Schedule schedule = options().schedule;
  threads_ = fresh_ = static_cast<int>(block_.x * block_.y * block_.z);
  returned_ = waiting_ = ready_head_ = ready_count_ = 0;
  for (int i = 0; i < threads_; ++i) {
    const unsigned u = static_cast<unsigned>(i);
    thread_[i] = Thread{{u % block_.x, u / block_.x % block_.y, u / (block_.x * block_.y)},
                        i,
                        i % warp_lanes,
                        i / warp_lanes,
                        0,
                        State::fresh,
                        0,
                        {"", "", 0},
                        nullptr};
    order_[i] = schedule == Schedule::reverse ? i : threads_ - 1 - i;
  }
  if (schedule == Schedule::random)
    for (int i = threads_ - 1; i > 0; --i)
      std::swap(order_[i], order_[random() % static_cast<unsigned>(i + 1)]);
  for (int w = 0; w * warp_lanes < threads_; ++w) {
    const int lanes = threads_ - w * warp_lanes;
    warp_[w].arrived = 0;
    warp_[w].existing = lanes >= warp_lanes ? ~0u : (1u << lanes) - 1;
  }
  poison_shared();
#if CHORALE_SIMT_TSAN
  // Here and not later: a new fiber inherits its maker's past.
  for (int i = 0; i < threads_; ++i)
    if (!fibers_[i].prepared())
      fibers_[i].prepare(options().stack_bytes, options().fiber_switch, &fiber_entry);
#endif
  tell_release(&start_edge_);
  while (returned_ < threads_ && !failed_) {
    Fiber* next = pick();
    if (next == &launcher_) {
      try {
        fail(deadlock());
      } catch (...) {
        error_ = std::current_exception();
        failed_ = true;
      }
      break;
    }
    fiber_ = next;
    Fiber::jump(launcher_, *next);
    fiber_ = &launcher_;
  }
  tell_acquire(&end_edge_);
}

void Machine::abandon_fibers() {
  idle_count_ = 0;
  for (int i = max_block_threads; i-- > 0;) {
    if (!fibers_[i].prepared()) continue;
    fibers_[i].prepare(options().stack_bytes, options().fiber_switch, &fiber_entry);
    if (i < fiber_count_) idle_fibers_[idle_count_++] = &fibers_[i];
  }
}

void Machine::launch(dim3 grid, dim3 block, std::size_t dynamic_shared_bytes, void (*body)(void*),
                     void* argument) {
  thread_local bool inside = false;  // all fibers of a launch run on its thread
  if (inside) throw EmulatorError("simt: launch from inside a kernel");
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  const auto extent = [](dim3 d) {
    return "(" + std::to_string(d.x) + "," + std::to_string(d.y) + "," + std::to_string(d.z) + ")";
  };
  const std::uint64_t threads = std::uint64_t{block.x} * block.y * block.z;
  if (threads == 0 || threads > max_block_threads || block.z > 64)
    throw EmulatorError("simt: invalid block: " + extent(block) + " (allowed 1 to 1024 threads, z up to 64)");
  if (!grid.x || !grid.y || !grid.z || grid.x > 0x7fffffffu || grid.y > 65535 || grid.z > 65535)
    throw EmulatorError("simt: invalid grid: " + extent(grid) + " (allowed 1 to 2147483647, 65535, 65535)");
  if (dynamic_shared_bytes > options().max_dynamic_shared)
    throw EmulatorError(
        "simt: dynamic shared memory is over its limit: " + std::to_string(dynamic_shared_bytes) +
        " bytes (allowed up to " + std::to_string(options().max_dynamic_shared) + ")");
  grid_ = grid;
  block_ = block;
  body_ = body;
  argument_ = argument;
  error_ = nullptr;
  failed_ = false;
  inside = true;
  const struct Leave {
    bool& flag;
    ~Leave() { flag = false; }
  } leave{inside};
  ++launch_number_;
  random_state_ = options().seed * 0x9E3779B97F4A7C15ull | 1;
  launcher_.adopt_thread();
  fiber_ = &launcher_;
  if (std::exchange(fiber_switch_, options().fiber_switch) != options().fiber_switch) abandon_fibers();
  map_shared(dynamic_shared_bytes);
  for (unsigned z = 0; z < grid.z && !failed_; ++z)
    for (unsigned y = 0; y < grid.y && !failed_; ++y)
      for (unsigned x = 0; x < grid.x && !failed_; ++x) {
        block_index_ = {x, y, z};
        run_block();
      }
  unmap_shared();
  if (failed_) {
    abandon_fibers();
    std::rethrow_exception(error_);
  }
}

// ---- waiting for each other ----

Machine::Votes Machine::block_barrier(Site site, bool vote) {
  Thread& self = *current_;
  self.site = site;
  char* edge =
      &barrier_edge_[turn_ & 1];  // two in turn: one that left early must not lend its later past to the slow
  if (!waiting_) {
    votes_[0] = votes_[2] = 0;
    votes_[1] = 1;
  } else {
    for (int i = 0; i < threads_; ++i) {
      if (thread_[i].state != State::at_block_barrier) continue;
      if (!same_place(thread_[i].site, site))
        fail("barrier divergence: " + describe(self) + ", but " + describe(thread_[i]));
      break;  // those that wait were compared with each other already
    }
  }
  votes_[0] += vote;
  votes_[1] &= vote;
  votes_[2] |= vote;
  tell_release(edge);
  if (++waiting_ == threads_) {
    waiting_ = 0;
    ++turn_;
    std::memcpy(result_, votes_, sizeof result_);
    for (int i = 0; i < threads_; ++i)
      if (&thread_[i] != &self) release(thread_[i]);
    if (options().schedule != Schedule::forward) {
      release(self);
      suspend(self, State::ready);
    }
  } else {
    suspend(self, State::at_block_barrier);
  }
  tell_acquire(edge);
  return {result_[0], result_[1], result_[2]};
}

const LaneSlots& Machine::exchange(Site site, std::uint32_t& mask, const void* value, unsigned bytes) {
  Thread& self = *current_;
  Warp& warp = warp_[self.warp];
  const std::uint32_t bit = 1u << self.lane;
  self.site = site;
  self.mask = mask &= warp.existing;
  if (!(mask & bit)) fail("the calling lane is not in its own mask: " + describe(self));
  for (std::uint32_t rest = warp.arrived; rest; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    const Thread& other = thread_[self.warp * warp_lanes + lane];
    if (!(mask >> lane & 1) && !(other.mask & bit)) continue;  // neither waits for the other
    if (other.mask != mask || !same_place(other.site, site))
      fail("warp divergence: " + describe(self) + ", but " + describe(other));
  }
  LaneSlots& slots = warp.slots[self.parity];
  const auto* source = static_cast<const unsigned char*>(value);
  for (unsigned i = 0; i < bytes; ++i) slots.bytes[self.lane][i] = source[i];
  self.parity ^= 1;
  warp.arrived |= bit;
  if ((warp.arrived & mask) == mask) {
    warp.arrived &= ~mask;
    for (std::uint32_t rest = mask & ~bit; rest; rest &= rest - 1)
      release(thread_[self.warp * warp_lanes + std::countr_zero(rest)]);
  } else {
    suspend(self, State::at_warp_operation);
  }
  return slots;
}

void Machine::warp_barrier(Site site, std::uint32_t mask) {
  char* edge = &warp_edge_[current_->warp][current_->parity];
  tell_release(edge);
  exchange(site, mask, nullptr, 0);
  tell_acquire(edge);
}

}  // namespace chorale::simt

// SPDX-License-Identifier: MIT
#include "tests/simt/emulator/fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include "kernels/error.h"
#include "tests/simt/emulator/sanitizers.h"

#if defined(__x86_64__)
#define CHORALE_SIMT_NATIVE_SWITCH 1
// Saves the callee-saved registers and the stack pointer of the running fiber, loads those of the other.
extern "C" void chorale_simt_switch(void** saved_stack_pointer, void* stack_pointer);
asm(R"(.pushsection .text
.type chorale_simt_switch,@function
chorale_simt_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp,(%rdi)
  movq %rsi,%rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size chorale_simt_switch,.-chorale_simt_switch
.popsection)");
#else
#define CHORALE_SIMT_NATIVE_SWITCH 0
#endif

namespace chorale::simt {
namespace {

Fiber* left = nullptr;     // the fiber that was left last
Fiber* reached = nullptr;  // the fiber that was reached last

std::size_t guard_bytes() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

bool native(FiberSwitch how) { return CHORALE_SIMT_NATIVE_SWITCH && how == FiberSwitch::native; }

}  // namespace

Fiber::~Fiber() {
  if (!stack_) return;
#if CHORALE_SIMT_TSAN
  if (race_detector_fiber_) __tsan_destroy_fiber(race_detector_fiber_);
#endif
  munmap(stack_ - guard_bytes(), stack_bytes_ + guard_bytes());
}

void Fiber::adopt_thread() {
  bottom_ = nullptr;  // learnt at the first switch away
#if CHORALE_SIMT_TSAN
  race_detector_fiber_ = __tsan_get_current_fiber();
#endif
}

void Fiber::prepare(std::size_t stack_bytes, FiberSwitch how, void (*entry)()) {
  if (!stack_) {
    void* mapped = mmap(nullptr, stack_bytes + guard_bytes(), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) throw Error("simt: no memory for a fiber's stack");
    mprotect(mapped, guard_bytes(), PROT_NONE);  // overrunning a stack faults instead of reaching a neighbour
    stack_ = static_cast<std::byte*>(mapped) + guard_bytes();
    stack_bytes_ = stack_bytes;
    bottom_ = stack_;
    extent_ = stack_bytes;
#if CHORALE_SIMT_TSAN
    race_detector_fiber_ = __tsan_create_fiber(0);
#endif
  }
#if CHORALE_SIMT_ASAN
  __asan_unpoison_memory_region(stack_, stack_bytes_);  // frames that were abandoned after an error
#endif
  how_ = how;
  if (native(how)) {
    void** top =
        reinterpret_cast<void**>(stack_ + stack_bytes_) - 1;  // so that the entry sees the ABI's alignment
    *--top = reinterpret_cast<void*>(entry);
    for (int i = 0; i < 6; ++i) *--top = nullptr;
    stack_pointer_ = top;
  } else {
    getcontext(&context_);
    context_.uc_stack.ss_sp = stack_;
    context_.uc_stack.ss_size = stack_bytes_;
    context_.uc_link = nullptr;
    makecontext(&context_, entry, 0);
  }
}

void Fiber::landed() {
#if CHORALE_SIMT_ASAN
  const void* bottom = nullptr;
  std::size_t extent = 0;
  __sanitizer_finish_switch_fiber(fake_stack_, &bottom, &extent);
  if (!left->bottom_) {
    left->bottom_ = bottom;
    left->extent_ = extent;
  }
#endif
}

void Fiber::entered() {
  reached->fake_stack_ = nullptr;
  reached->landed();
}

void Fiber::jump(Fiber& from, Fiber& to) {
  left = &from;
  reached = &to;
#if CHORALE_SIMT_ASAN
  __sanitizer_start_switch_fiber(&from.fake_stack_, to.bottom_, to.extent_);
#endif
#if CHORALE_SIMT_TSAN
  __tsan_switch_to_fiber(to.race_detector_fiber_, __tsan_switch_to_fiber_no_sync);
#endif
  // The launching thread switches the way the other side does.
  const FiberSwitch how = from.stack_ ? from.how_ : to.how_;
#if CHORALE_SIMT_NATIVE_SWITCH
  if (native(how)) {
    chorale_simt_switch(&from.stack_pointer_, to.stack_pointer_);
    from.landed();
    return;
  }
#endif
  static_cast<void>(how);
  swapcontext(&from.context_, &to.context_);
  from.landed();
}

}  // namespace chorale::simt

// SPDX-License-Identifier: MIT
// Fibers: several stacks on one operating-system thread, switched by hand. One CUDA thread runs on one fiber.
#pragma once
#include <ucontext.h>

#include <cstddef>

namespace chorale::simt {

/// How control passes between fibers: `native` is a few instructions of assembly (x86-64), `portable` is
/// POSIX ucontext, which is also what `native` means on other processors.
enum class FiberSwitch { native, portable };

class Fiber {
 public:
  Fiber() = default;
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Makes this fiber stand for the running thread, on the stack it already has.
  void adopt_thread();
  /// Maps the stack (with a guard page below) unless there is one; the next jump enters `entry`, which never
  /// returns.
  void prepare(std::size_t stack_bytes, FiberSwitch how, void (*entry)());
  bool prepared() const { return stack_ != nullptr; }

  /// Leaves `from`, which must be running, and goes on where `to` last left off.
  static void jump(Fiber& from, Fiber& to);
  /// To be called first thing by an entry function.
  static void entered();

 private:
  void landed();

  void* stack_pointer_ = nullptr;
  ucontext_t context_{};
  FiberSwitch how_ = FiberSwitch::native;
  std::byte* stack_ = nullptr;
  std::size_t stack_bytes_ = 0;
  const void* bottom_ = nullptr;  // of the stack, as the address sanitizer knows it
  std::size_t extent_ = 0;
  void* fake_stack_ = nullptr;
  void* race_detector_fiber_ = nullptr;
};

}  // namespace chorale::simt

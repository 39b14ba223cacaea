// SPDX-License-Identifier: MIT
// The CPU backend in the place of the libraries that the emulator cannot run.
#pragma once
#include "kernels/table.h"
#include "tensor/device.h"

namespace chorale::simt {

/// A CPU context with the scratch memory of an emulator's context.
Context cpu_context(const Context& context);

template <class Member>
struct StandIn;

/// call<&KernelTable::row> has the row's signature and calls the CPU backend's function.
template <class... P>
struct StandIn<void (*KernelTable::*)(Context&, P...)> {
  template <auto row>
  static void call(Context& context, P... arguments) {
    Context cpu = cpu_context(context);
    (cpu.api->table.*row)(cpu, arguments...);
  }
};

}  // namespace chorale::simt

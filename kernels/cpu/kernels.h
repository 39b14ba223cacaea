// SPDX-License-Identifier: MIT
// Declarations of the CPU kernels, one per row of kernels.def. The folder is built once per instruction set
// into libchorale_cpu_<set>.so; tensor/device opens the best one that the processor runs.
#pragma once
#include "kernels/table.h"

namespace chorale::cpu {
#define KERNEL(name, parameters, precision, cuda) void name parameters;
#include "kernels/kernels.def"
#undef KERNEL
}  // namespace chorale::cpu

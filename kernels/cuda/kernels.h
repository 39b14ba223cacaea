// SPDX-License-Identifier: MIT
// Declarations of the CUDA kernels' host functions, one per row of kernels.def.
#pragma once
#include "kernels/table.h"

namespace chorale::cuda {
#define KERNEL(name, parameters, precision, cuda) void name parameters;
#include "kernels/kernels.def"
#undef KERNEL
}  // namespace chorale::cuda

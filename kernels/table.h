// SPDX-License-Identifier: MIT
// The kernel table: one typed function pointer per row of kernels.def, filled in by each backend.
#pragma once
#include <string_view>

#include "kernels/context.h"
#include "kernels/params.h"
#include "kernels/view.h"

namespace chorale {

struct KernelTable {
#define KERNEL(name, parameters, precision, cuda) void(*name) parameters;
#include "kernels/kernels.def"
#undef KERNEL
};

enum class KernelId : int {
#define KERNEL(name, parameters, precision, cuda) name,
#include "kernels/kernels.def"
#undef KERNEL
  count
};

constexpr int kernel_count = static_cast<int>(KernelId::count);

enum class CudaImplementation : std::uint8_t {
  own,
  library,  ///< cuBLASLt or Thrust, with or without code of our own around it
  either,   ///< cuDNN where it has an algorithm for the shape, else a kernel of our own
};

struct KernelInfo {
  std::string_view name;
  PrecisionClass precision;
  CudaImplementation cuda;
};

constexpr KernelInfo kernel_info[kernel_count] = {
#define KERNEL(name, parameters, precision, cuda) \
  {#name, PrecisionClass::precision, CudaImplementation::cuda},
#include "kernels/kernels.def"
#undef KERNEL
};

}  // namespace chorale

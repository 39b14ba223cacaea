// SPDX-License-Identifier: MIT
#pragma once
#include <driver_types.h>

namespace chorale::cuda {

/// cudaSuccess if the kernels of this module run on the current device, else why not.
cudaError_t check_image();

}  // namespace chorale::cuda

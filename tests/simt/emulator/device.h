// SPDX-License-Identifier: MIT
// The emulator as one more device: the CUDA kernels, compiled for the CPU.
#pragma once
#include <string_view>
#include <vector>

#include "kernels/device_api.h"

namespace chorale::simt {

/// One device called "simt", with host memory and no streams. Give it to register_backend(DeviceKind::simt,
/// ...).
const DeviceApi* device_api();

/// Rows of kernels.def that a library computes on CUDA: here the CPU backend stands in for the library, so
/// what runs is not the code that runs on a device. Of the linear rows only the matrix product is the
/// stand-in's.
std::vector<std::string_view> stand_ins();

}  // namespace chorale::simt

// SPDX-License-Identifier: MIT
// Runs an OpCase on a device and checks it. The functions return an empty string or what is wrong.
#pragma once
#include <string>
#include <string_view>

#include "tensor/device.h"
#include "tests/harness/op_case.h"

namespace chorale::harness {

/// Devices of this machine that tests run on: the CPU always, CUDA where a device answers, the emulator where
/// built.
const std::vector<DeviceKind>& test_devices();
/// One context a device, whose allocator poisons fresh blocks and guards both ends.
ExecutionContext& test_context(DeviceKind kind);

/// Rows of kernels.def whose results on this device are not its own: the emulator lets the CPU stand in for
/// libraries.
std::vector<std::string_view> stand_ins(DeviceKind kind);

/// Outputs of a run and, if asked for, the gradients of a fixed random projection of the outputs. Gradients
/// of inputs that are not checked are empty.
struct Results {
  Arrays outputs, gradients;
  std::vector<DType> dtypes;       ///< of the outputs
  std::size_t differentiable = 0;  ///< how many outputs take part in the projection
};
Results run_case(const OpCase& op, const Variant& variant, DType dtype, ExecutionContext& context,
                 bool backward);

/// True if backward can be checked on this variant.
bool has_backward(const OpCase& op, const Variant& variant);

/// Outputs against the f64 reference, and a device other than the CPU against the CPU.
std::string check_forward(const OpCase& op, const Variant& variant, DType dtype, DeviceKind kind);
/// Gradients against central differences of the f64 reference, and a device other than the CPU against the
/// CPU.
std::string check_backward(const OpCase& op, const Variant& variant, DType dtype, DeviceKind kind);
/// Outputs and gradients with one and with two threads: the same bits.
std::string check_threads(const OpCase& op, const Variant& variant, DType dtype);

}  // namespace chorale::harness

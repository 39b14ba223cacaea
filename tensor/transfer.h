// SPDX-License-Identifier: MIT
// Moves bytes between files and tensors without a second copy of the tensor: straight where the host can
// address the device's memory, through a buffer of fixed size elsewhere.
#pragma once
#include "tensor/file.h"
#include "tensor/tensor.h"

namespace chorale {

/// Fills the contiguous tensor with the target.bytes() bytes at `offset` of the file; on the current context.
void read_into(const InputFile& file, std::uint64_t offset, const Tensor& target);

/// Appends the elements of `source` in row-major order to the file; on the current context.
void append_to(AtomicFile& file, const Tensor& source);

}  // namespace chorale

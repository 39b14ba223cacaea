// SPDX-License-Identifier: MIT
// Runs of the Philox stream, for kernels that draw while they compute. Sixteen blocks are made at a time
// whatever the run, so an element's bits depend on its index alone.
#pragma once
#include <cstdint>

#include "kernels/params.h"

namespace chorale::cpu {

/// Words [first, first + count) of the stream.
void random_words(const StepState& state, std::uint32_t stream, std::int64_t first, std::int64_t count,
                  std::uint32_t* out);

/// Elements [first, first + count) of the stream's uniforms in [0, 1).
void uniforms(const StepState& state, std::uint32_t stream, std::int64_t first, std::int64_t count,
              float* out);

/// Elements [first, first + count) of the stream's standard normals.
void normals(const StepState& state, std::uint32_t stream, std::int64_t first, std::int64_t count,
             float* out);

}  // namespace chorale::cpu

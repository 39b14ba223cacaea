// SPDX-License-Identifier: MIT
// What the functions of this folder ask of their arguments.
#pragma once
#include <cstdio>
#include <string>

#include "kernels/error.h"
#include "kernels/params.h"
#include "tensor/tensor.h"

namespace chorale::audio {

/// A number for an error message: no more digits than it needs.
inline std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.7g", value);
  return text;
}

/// UsageError "FIELD: out of range: VALUE (allowed ALLOWED)" unless `ok`.
inline void check_range(bool ok, const std::string& field, const std::string& value,
                        const std::string& allowed) {
  if (!ok) throw UsageError(field + ": out of range: " + value + " (allowed " + allowed + ")");
}

/// ContractError unless samples are f32 [n, length]; InputError, naming `what`, unless they hold a frame.
void check_samples(const Tensor& samples, const FrameParams& params, const char* what);

}  // namespace chorale::audio

// SPDX-License-Identifier: MIT
// What the cases of the audio rows share.
#pragma once
#include <utility>

#include "tests/harness/op_case.h"

namespace chorale::harness {

inline Input integers(Shape shape, double low, double high) {
  return {std::move(shape), low, high, false, Storage::i64};
}

inline double bytes_of(const Input& input) { return static_cast<double>(element_count(input.shape)) * 4; }

}  // namespace chorale::harness

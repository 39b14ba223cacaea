// SPDX-License-Identifier: MIT
// What the cases of the clustering kernels share.
#pragma once
#include <string>

#include "tests/harness/op_case.h"

namespace chorale::harness::clustering {

inline Input real(Shape shape, double low = -2, double high = 2, Storage storage = Storage::f32) {
  return {std::move(shape), low, high, false, storage};
}

/// f32 only, without a gradient.
inline OpCase cluster_case(const std::string& name) {
  OpCase c;
  c.name = name;
  c.precision = PrecisionClass::stat;
  c.differentiable = false;
  c.sixteen_bit = false;
  c.scaled = false;
  return c;
}

}  // namespace chorale::harness::clustering

// SPDX-License-Identifier: MIT
// How far a result may lie from its f64 reference: one table by storage type and precision class. Inputs of
// the reference are rounded to the storage type first, so what is left is the kernel's own error.
#pragma once
#include "kernels/dtype.h"
#include "kernels/params.h"

namespace chorale::harness {

/// |actual - expected| <= relative |expected| + absolute max |expected|, the maximum over finite elements.
struct Tolerance {
  double relative;
  double absolute;
};

/// `low` rows round once to storage. `stat` rows sum many terms or go through exp and log in f32.
/// 16-bit types: half a unit in the last place is 2^-11 (f16) or 2^-8 / 2 (bf16); products of rounded values
/// and gradients through a rounded result need a few of them.
constexpr Tolerance tolerance(DType dtype, PrecisionClass precision) {
  const bool low = precision == PrecisionClass::low;
  switch (dtype) {
    case DType::f32:
      return low ? Tolerance{4e-6, 1e-6} : Tolerance{2e-5, 4e-6};
    case DType::f16:
      return low ? Tolerance{1.5e-3, 5e-4} : Tolerance{3e-3, 1.5e-3};
    case DType::bf16:
      return low ? Tolerance{1.2e-2, 4e-3} : Tolerance{2.4e-2, 1.2e-2};
    case DType::f64:
      return Tolerance{1e-5, 1e-6};  // f64 sums of parts that are f32
    default:
      return Tolerance{0, 0};
  }
}

}  // namespace chorale::harness

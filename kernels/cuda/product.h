// SPDX-License-Identifier: MIT
// The matrix product behind the linear rows: cuBLASLt on a device, the CPU backend's product on the emulator.
#pragma once
#include "kernels/context.h"
#include "kernels/view.h"

namespace chorale::cuda {

/// c [m, n] = alpha op(a) [m, k] op(b) [k, n] + beta c, row-major, f32 accumulation. a and b of one dtype
/// (f32, f16 or bf16), c of the same or f32. The rest are wishes: what goes into the product's epilogue for
/// free.
struct Product {
  ConstView a, b;
  View c;
  bool transpose_a = false, transpose_b = false;
  float alpha = 1, beta = 0;
  ConstView bias;     ///< [n], added to every row
  bool relu = false;  ///< after the bias
  View row_sums;      ///< [m]: sums of op(a) over k
};

/// Which wishes came true; the caller runs its own kernels for the others.
struct Fused {
  bool bias = false, relu = false, row_sums = false;
};

/// Throws ContractError when the shapes or dtypes do not agree.
Fused product(Context& context, const Product& p);

/// m, n and k after the checks above.
struct ProductShape {
  std::int64_t m, n, k;
};
ProductShape product_shape(const Product& p);

}  // namespace chorale::cuda

// SPDX-License-Identifier: MIT
// From a dtype and addresses known at run time to the type of an element and the number of them in one
// access.
#pragma once
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/vector.cuh"

namespace chorale::cuda {

/// Calls f(Type<T>{}, width) for three arrays of one dtype whose rows hold `columns` elements: width is a
/// constant, the elements of 16 bytes where rows and addresses allow packs of them, else 1.
template <class F>
void dispatch_packs(const char* op, std::int64_t columns, const ConstView& a, const ConstView& b,
                    const ConstView& c, F&& f) {
  dispatch_floating(op, a.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    constexpr int N = pack_width<T>();
    if (columns % N == 0 && packable<N>(a.as<T>()) && packable<N>(b.as<T>()) && packable<N>(c.as<T>()))
      f(type, std::integral_constant<int, N>{});
    else
      f(type, std::integral_constant<int, 1>{});
  });
}

}  // namespace chorale::cuda

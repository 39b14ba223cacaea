// SPDX-License-Identifier: MIT
// Lets CUDA kernel source compile with a host C++ compiler and run on the CPU, for correctness only. Included
// by kernels/cuda/launch.cuh when CHORALE_SIMT is defined; sources use SHARED, DYN_SHARED and LAUNCH, which
// that header defines for nvcc. It cannot show what depends on real simultaneity: races between blocks, weak
// memory, speed.
#pragma once
#include <utility>

#include "tests/simt/emulator/intrinsics.h"

#define __global__
#define __device__
#define __host__
#define __constant__ static
#define __forceinline__ inline
#define __launch_bounds__(...)

#define threadIdx (::chorale::simt::machine().thread().index)
#define blockIdx (::chorale::simt::machine().block_index())
#define blockDim (::chorale::simt::machine().block())
#define gridDim (::chorale::simt::machine().grid())
constexpr int warpSize = 32;

namespace chorale::simt {

/// Arguments are evaluated once and every thread gets copies, as on a device.
template <class Body, class... A>
void launch(dim3 grid, dim3 block, std::size_t dynamic_shared_bytes, Body body, A... arguments) {
  auto thread = [&] { body(arguments...); };
  machine().launch(
      grid, block, dynamic_shared_bytes, [](void* t) { (*static_cast<decltype(thread)*>(t))(); }, &thread);
}

}  // namespace chorale::simt

#define CHORALE_UNPARENTHESIZE(...) __VA_ARGS__
#define LAUNCH(kernel, grid, block, shared_bytes, stream, ...) \
  (static_cast<void>(stream),                                  \
   ::chorale::simt::launch(                                    \
       grid, block, shared_bytes,                              \
       [&](auto... simt_arguments) { CHORALE_UNPARENTHESIZE kernel(simt_arguments...); }, __VA_ARGS__))
#define SHARED(T, name, dims)                                   \
  typedef T name##_shared_type dims;                            \
  static ::chorale::simt::SharedSite name##_shared_site;        \
  name##_shared_type& name = *static_cast<name##_shared_type*>( \
      ::chorale::simt::machine().shared(name##_shared_site, sizeof(name##_shared_type)))
#define DYN_SHARED(T, name) T* name = static_cast<T*>(::chorale::simt::machine().dynamic_shared())

// SPDX-License-Identifier: MIT
// Loads and stores of several elements at once. One load of 16 bytes per thread is what memory bandwidth
// needs; pointers that are not aligned for it take the scalar loop, which every kernel has for the remainder
// anyway.
#pragma once
#include <type_traits>

#include "kernels/cuda/launch.cuh"
#include "kernels/dtype.h"

namespace chorale::cuda {

template <class T, int N>
struct alignas(sizeof(T) * N) Pack {
  T value[N];
};

/// Elements of the widest type in one 16-byte access.
template <class... T>
constexpr int pack_width() {
  std::size_t widest = 1;
  ((widest = sizeof(T) > widest ? sizeof(T) : widest), ...);
  return static_cast<int>(16 / widest);
}

template <int N, class T>
__device__ inline Pack<T, N> load_pack(const T* source, std::int64_t pack) {
  return reinterpret_cast<const Pack<T, N>*>(source)[pack];
}
template <int N, class T>
__device__ inline void store_pack(T* target, std::int64_t pack, const Pack<T, N>& value) {
  reinterpret_cast<Pack<T, N>*>(target)[pack] = value;
}

/// True if packs of N elements may be accessed at `data` (null counts as aligned: an argument that is not
/// there).
template <int N, class T>
bool packable(const T* data) {
  return reinterpret_cast<std::uintptr_t>(data) % (sizeof(T) * N) == 0;
}
/// How many of `size` elements go by packs of N when all of `data` allow it; the rest go one by one.
template <int N, class... T>
std::int64_t pack_count(std::int64_t size, const T*... data) {
  return (packable<N>(data) && ...) ? size / N : 0;
}

/// i mod n for a long i; 32-bit division is several times faster.
__device__ inline std::int64_t wrap(std::int64_t i, std::int64_t n) {
  if (i <= 0xffffffffll && n <= 0xffffffffll)
    return static_cast<std::uint32_t>(i) % static_cast<std::uint32_t>(n);
  return i % n;
}
__device__ inline std::int64_t quotient(std::int64_t i, std::int64_t n) {
  if (i <= 0xffffffffll && n <= 0xffffffffll)
    return static_cast<std::uint32_t>(i) / static_cast<std::uint32_t>(n);
  return i / n;
}

}  // namespace chorale::cuda

// SPDX-License-Identifier: MIT
// The device functions of CUDA C++ that kernels call, by their own names: barriers, warp operations, atomics,
// math. Those that wait remember where they were called, which is what the emulator's messages show.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "tests/simt/emulator/machine.h"

#define CHORALE_SIMT_CALLER const char *file = __builtin_FILE(), int line = __builtin_LINE()

namespace chorale::simt {

template <class T>
CHORALE_SIMT_UNTRACKED T lane_value(const LaneSlots& slots, int lane) {
  T value;
  __builtin_memcpy(&value, slots.bytes[lane], sizeof value);
  return value;
}

/// The value that lane `source` brought. Reading a lane outside the mask is undefined on a device, an error
/// here.
template <class T>
T shuffle(Site site, unsigned mask, T value, int source) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8, "a shuffle moves at most 8 plain bytes");
  const LaneSlots& slots = machine().exchange(site, mask, &value, sizeof value);
  if (!(mask >> source & 1))
    machine().fail("read of lane " + std::to_string(source) +
                   ", which is not in the mask or does not exist: " + machine().describe(machine().thread()));
  return lane_value<T>(slots, source);
}

// Atomic for the race detector's sake; blocks run one after another.
template <class T, class Operation>
T read_modify_write(T* address, Operation operation) {
  using Word = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  static_assert(sizeof(T) == sizeof(Word));
  auto* word = reinterpret_cast<Word*>(address);
  Word before = __atomic_load_n(word, __ATOMIC_RELAXED), after;
  T old;
  do {
    __builtin_memcpy(&old, &before, sizeof old);
    const T changed = operation(old);
    __builtin_memcpy(&after, &changed, sizeof changed);
  } while (!__atomic_compare_exchange_n(word, &before, after, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  return old;
}

}  // namespace chorale::simt

inline void __syncthreads(CHORALE_SIMT_CALLER) {
  chorale::simt::machine().block_barrier({"__syncthreads", file, line}, false);
}
inline int __syncthreads_count(int vote, CHORALE_SIMT_CALLER) {
  return chorale::simt::machine().block_barrier({"__syncthreads_count", file, line}, vote != 0).count;
}
inline int __syncthreads_and(int vote, CHORALE_SIMT_CALLER) {
  return chorale::simt::machine().block_barrier({"__syncthreads_and", file, line}, vote != 0).all;
}
inline int __syncthreads_or(int vote, CHORALE_SIMT_CALLER) {
  return chorale::simt::machine().block_barrier({"__syncthreads_or", file, line}, vote != 0).any;
}
inline void __syncwarp(unsigned mask = ~0u, CHORALE_SIMT_CALLER) {
  chorale::simt::machine().warp_barrier({"__syncwarp", file, line}, mask);
}

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, CHORALE_SIMT_CALLER) {
  const int lane = chorale::simt::machine().thread().lane;
  return chorale::simt::shuffle({"__shfl_sync", file, line}, mask, value,
                                (lane & ~(width - 1)) | (source & (width - 1)));
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, CHORALE_SIMT_CALLER) {
  const int lane = chorale::simt::machine().thread().lane, source = lane - static_cast<int>(delta);
  return chorale::simt::shuffle({"__shfl_up_sync", file, line}, mask, value,
                                source < (lane & ~(width - 1)) ? lane : source);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, CHORALE_SIMT_CALLER) {
  const int lane = chorale::simt::machine().thread().lane, source = lane + static_cast<int>(delta);
  return chorale::simt::shuffle({"__shfl_down_sync", file, line}, mask, value,
                                source > (lane | (width - 1)) ? lane : source);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32, CHORALE_SIMT_CALLER) {
  const int lane = chorale::simt::machine().thread().lane, source = lane ^ bits;
  return chorale::simt::shuffle({"__shfl_xor_sync", file, line}, mask, value,
                                source > (lane | (width - 1)) ? lane : source);
}
inline unsigned __ballot_sync(unsigned mask, int vote, CHORALE_SIMT_CALLER) {
  const unsigned char value = vote != 0;
  const auto& slots = chorale::simt::machine().exchange({"__ballot_sync", file, line}, mask, &value, 1);
  unsigned votes = 0;
  for (int lane = 0; lane < 32; ++lane)
    if (mask >> lane & 1)
      votes |= static_cast<unsigned>(chorale::simt::lane_value<unsigned char>(slots, lane)) << lane;
  return votes;
}
inline int __any_sync(unsigned mask, int vote, CHORALE_SIMT_CALLER) {
  return __ballot_sync(mask, vote, file, line) != 0;
}
inline int __all_sync(unsigned mask, int vote, CHORALE_SIMT_CALLER) {
  return __ballot_sync(mask, !vote, file, line) == 0;
}

template <class T>
T atomicAdd(T* address, std::type_identity_t<T> value) {
  return chorale::simt::read_modify_write(address, [=](T old) { return static_cast<T>(old + value); });
}
template <class T>
T atomicMax(T* address, std::type_identity_t<T> value) {
  return chorale::simt::read_modify_write(address, [=](T old) { return old < value ? value : old; });
}
template <class T>
T atomicMin(T* address, std::type_identity_t<T> value) {
  return chorale::simt::read_modify_write(address, [=](T old) { return value < old ? value : old; });
}
template <class T>
T atomicExch(T* address, std::type_identity_t<T> value) {
  return chorale::simt::read_modify_write(address, [=](T) { return value; });
}
template <class T>
T atomicCAS(T* address, std::type_identity_t<T> expected, std::type_identity_t<T> value) {
  return chorale::simt::read_modify_write(address, [=](T old) { return old == expected ? value : old; });
}
inline void __threadfence() {}
inline void __threadfence_block() {}

template <class T>
T __ldg(const T* address) {
  return *address;
}
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline float __expf(float x) { return std::exp(x); }
inline float __logf(float x) { return std::log(x); }
inline float __fdividef(float a, float b) { return a / b; }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __clz(int x) { return x ? __builtin_clz(static_cast<unsigned>(x)) : 32; }
using std::max;
using std::min;

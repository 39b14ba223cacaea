// SPDX-License-Identifier: MIT
// f32 arithmetic on 16-bit storage: kernels walk their views in chunks that fit the L1 cache. `load` gives
// f32 values (the memory itself for f32, a converted copy otherwise), `target` gives room for f32 results,
// `store` puts them where they belong. One switch per chunk, so kernels need no instance per dtype and dtypes
// may be mixed.
#pragma once
#include <cstdint>

#include "kernels/view.h"

namespace chorale::cpu {

/// Elements per chunk.
constexpr std::int64_t chunk = 1024;

void convert(const half* source, std::int64_t count, float* values);
void convert(const bf16* source, std::int64_t count, float* values);
void convert(const float* values, std::int64_t count, half* target);
void convert(const float* values, std::int64_t count, bf16* target);

/// `count` elements from `offset` on, as f32; `buffer` is used unless `v` is f32.
inline const float* load(const ConstView& v, std::int64_t offset, std::int64_t count, float* buffer) {
  if (v.dtype == DType::f32) return v.as<float>() + offset;
  if (v.dtype == DType::f16)
    convert(v.as<half>() + offset, count, buffer);
  else
    convert(v.as<bf16>() + offset, count, buffer);
  return buffer;
}

inline float* target(const View& v, std::int64_t offset, float* buffer) {
  return v.dtype == DType::f32 ? v.as<float>() + offset : buffer;
}

/// Ends what `target` began.
inline void store(const float* values, const View& v, std::int64_t offset, std::int64_t count) {
  if (v.dtype == DType::f16)
    convert(values, count, v.as<half>() + offset);
  else if (v.dtype == DType::bf16)
    convert(values, count, v.as<bf16>() + offset);
}

inline float load_one(const ConstView& v, std::int64_t i) {
  if (v.dtype == DType::f32) return v.as<float>()[i];
  return v.dtype == DType::f16 ? to_float(v.as<half>()[i]) : to_float(v.as<bf16>()[i]);
}

inline void store_one(const View& v, std::int64_t i, float value) {
  if (v.dtype == DType::f32)
    v.as<float>()[i] = value;
  else if (v.dtype == DType::f16)
    v.as<half>()[i] = to_half(value);
  else
    v.as<bf16>()[i] = to_bf16(value);
}

}  // namespace chorale::cpu

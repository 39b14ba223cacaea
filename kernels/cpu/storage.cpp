// SPDX-License-Identifier: MIT
// Conversions between f32 and 16-bit storage, in vector registers where the processor has the instructions
// (F16C is part of x86-64-v3). Round to nearest even, as in kernels/dtype.h; only NaN payloads may differ
// from it.
#include "kernels/cpu/storage.h"

#if defined(__F16C__)
#include <immintrin.h>
#endif

namespace chorale::cpu {

void convert(const half* source, std::int64_t count, float* values) {
  std::int64_t i = 0;
#if defined(__F16C__)
  for (; i + 8 <= count; i += 8)
    _mm256_storeu_ps(values + i,
                     _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(source + i))));
#endif
  for (; i < count; ++i) values[i] = to_float(source[i]);
}

void convert(const bf16* source, std::int64_t count, float* values) {
  for (std::int64_t i = 0; i < count; ++i) values[i] = to_float(source[i]);
}

void convert(const float* values, std::int64_t count, half* target) {
  std::int64_t i = 0;
#if defined(__F16C__)
  for (; i + 8 <= count; i += 8)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(target + i),
                     _mm256_cvtps_ph(_mm256_loadu_ps(values + i), _MM_FROUND_TO_NEAREST_INT));
#endif
  for (; i < count; ++i) target[i] = to_half(values[i]);
}

void convert(const float* values, std::int64_t count, bf16* target) {
  for (std::int64_t i = 0; i < count; ++i) target[i] = to_bf16(values[i]);
}

}  // namespace chorale::cpu

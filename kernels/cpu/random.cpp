// SPDX-License-Identifier: MIT
// Random numbers: element i of a call is word i % 4 of Philox block i / 4 (kernels/philox.h), whatever the
// thread.
//
//   normal_fill    y = standard normals (Box-Muller)
//   uniform_fill   y in [0, 1)
//   dropout        y = x [u >= p] / (1 - p), u the uniforms of the stream; backward applies the same map to
//   dy
//
// f32 arithmetic; writes y once (dropout also reads x once); bound by the ten Philox rounds per four
// elements.
#include "kernels/cpu/random.h"

#include <cmath>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/storage.h"
#include "kernels/cpu/vector_math.h"

namespace chorale::cpu {
namespace {

/// Philox blocks per group: one AVX-512 vector.
constexpr int lanes = 16;

std::uint32_t high_product(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::uint32_t>(std::uint64_t{a} * b >> 32);
}

/// words[w][l] = word w of block first + l; the arithmetic of philox::block, one lane a block.
void draw(const StepState& state, std::uint32_t stream, std::uint64_t first, std::uint32_t words[4][lanes]) {
  alignas(64) std::uint32_t c0[lanes], c1[lanes], c2[lanes], c3[lanes];
  for (int l = 0; l < lanes; ++l) {
    const std::uint64_t index = first + static_cast<std::uint64_t>(l);
    c0[l] = static_cast<std::uint32_t>(index);
    c1[l] = static_cast<std::uint32_t>(index >> 32);
    c2[l] = stream;
    c3[l] = static_cast<std::uint32_t>(state.rng_offset);
  }
  std::uint32_t k0 = static_cast<std::uint32_t>(state.seed),
                k1 = static_cast<std::uint32_t>(state.seed >> 32);
  for (int round = 0; round < 10; ++round) {
    // Low and high halves apart: the compiler has vector forms of both, not of their common product.
#pragma omp simd
    for (int l = 0; l < lanes; ++l) {
      const std::uint32_t low0 = 0xD2511F53u * c0[l], low1 = 0xCD9E8D57u * c2[l];
      const std::uint32_t high0 = high_product(0xD2511F53u, c0[l]), high1 = high_product(0xCD9E8D57u, c2[l]);
      c0[l] = high1 ^ c1[l] ^ k0;
      c1[l] = low1;
      c2[l] = high0 ^ c3[l] ^ k1;
      c3[l] = low0;
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  for (int l = 0; l < lanes; ++l) {
    words[0][l] = c0[l];
    words[1][l] = c1[l];
    words[2][l] = c2[l];
    words[3][l] = c3[l];
  }
}

float as_uniform(std::uint32_t word, std::uint32_t plus) {
  return static_cast<float>(static_cast<std::int32_t>((word >> 8) + plus)) * 0x1p-24f;
}

/// values[4 l + w] = the uniform of words[w][l]
void to_uniforms(const std::uint32_t words[4][lanes], float values[4 * lanes]) {
  for (int l = 0; l < lanes; ++l)
    for (int w = 0; w < 4; ++w) values[4 * l + w] = as_uniform(words[w][l], 0);
}

/// As philox::normals.
void to_normals(const std::uint32_t words[4][lanes], float values[4 * lanes]) {
  for (int pair = 0; pair < 2; ++pair) {
    alignas(64) float radius[lanes], angle[lanes], cosine[lanes], sine[lanes];
    for (int l = 0; l < lanes; ++l) {
      radius[l] = std::sqrt(-2.0f * ::logf(as_uniform(words[2 * pair][l], 1)));
      angle[l] = 6.28318530718f * as_uniform(words[2 * pair + 1][l], 0);
    }
    for (int l = 0; l < lanes; ++l) cosine[l] = ::cosf(angle[l]);
    // Two loops: one would become calls of sincosf, which has no vector form.
    asm volatile("" : : "g"(cosine), "g"(angle) : "memory");
    for (int l = 0; l < lanes; ++l) sine[l] = ::sinf(angle[l]);
    for (int l = 0; l < lanes; ++l) {
      values[4 * l + 2 * pair] = radius[l] * cosine[l];
      values[4 * l + 2 * pair + 1] = radius[l] * sine[l];
    }
  }
}

/// values[4 l + w] = words[w][l]
void to_words(const std::uint32_t words[4][lanes], std::uint32_t values[4 * lanes]) {
  for (int l = 0; l < lanes; ++l)
    for (int w = 0; w < 4; ++w) values[4 * l + w] = words[w][l];
}

template <class T, class Convert>
void stream_values(const StepState& state, std::uint32_t stream, std::int64_t first, std::int64_t count,
                   T* out, const Convert& convert) {
  constexpr std::int64_t width = 4 * lanes;
  for (std::int64_t i = 0; i < count;) {
    const std::int64_t start = (first + i) / width * width, skip = first + i - start;
    const std::int64_t use = std::min(width - skip, count - i);
    alignas(64) std::uint32_t words[4][lanes];
    draw(state, stream, static_cast<std::uint64_t>(start) / 4, words);
    if (use == width) {
      convert(words, out + i);
    } else {
      alignas(64) T values[width];
      convert(words, values);
      std::copy_n(values + skip, use, out + i);
    }
    i += use;
  }
}

template <class Body>
void for_chunks(std::int64_t n, const Body& body) {
  parallel_blocks(n, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t offset = begin; offset < end; offset += chunk)
      body(offset, std::min(chunk, end - offset));
  });
}

}  // namespace

void random_words(const StepState& state, std::uint32_t stream, std::int64_t first, std::int64_t count,
                  std::uint32_t* out) {
  stream_values(state, stream, first, count, out, to_words);
}

void uniforms(const StepState& state, std::uint32_t stream, std::int64_t first, std::int64_t count,
              float* out) {
  stream_values(state, stream, first, count, out, to_uniforms);
}

void normals(const StepState& state, std::uint32_t stream, std::int64_t first, std::int64_t count,
             float* out) {
  stream_values(state, stream, first, count, out, to_normals);
}

void normal_fill(Context&, const StepState* state, std::uint32_t stream, View y) {
  require_storage("normal_fill", y);
  for_chunks(y.size(), [&](std::int64_t offset, std::int64_t count) {
    alignas(64) float buffer[chunk];
    float* ys = target(y, offset, buffer);
    normals(*state, stream, offset, count, ys);
    store(ys, y, offset, count);
  });
}

void uniform_fill(Context&, const StepState* state, std::uint32_t stream, View y) {
  require_storage("uniform_fill", y);
  for_chunks(y.size(), [&](std::int64_t offset, std::int64_t count) {
    alignas(64) float buffer[chunk];
    float* ys = target(y, offset, buffer);
    uniforms(*state, stream, offset, count, ys);
    store(ys, y, offset, count);
  });
}

void dropout(Context&, ConstView x, const StepState* state, std::uint32_t stream, float p, View y) {
  require_storage("dropout", x, y);
  require(x.size() == y.size(), "dropout", "x and y must have one size", x, y);
  require(p >= 0.0f && p < 1.0f, "dropout", "p must be in [0, 1)", x);
  const float scale = 1.0f / (1.0f - p);
  for_chunks(x.size(), [&](std::int64_t offset, std::int64_t count) {
    alignas(64) float x_buffer[chunk], y_buffer[chunk], u[chunk];
    const float* xs = load(x, offset, count, x_buffer);
    uniforms(*state, stream, offset, count, u);
    float* ys = target(y, offset, y_buffer);
    const float threshold = p, factor = scale;
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) ys[i] = u[i] >= threshold ? xs[i] * factor : 0.0f;
    store(ys, y, offset, count);
  });
}

}  // namespace chorale::cpu

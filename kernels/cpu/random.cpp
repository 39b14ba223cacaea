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
#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/storage.h"

namespace chorale::cpu {
namespace {

template <class Body>
void for_chunks(std::int64_t n, const Body& body) {
  parallel_blocks(n, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t offset = begin; offset < end; offset += chunk)
      body(offset, std::min(chunk, end - offset));
  });
}

}  // namespace

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
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) ys[i] = u[i] >= p ? xs[i] * scale : 0.0f;
    store(ys, y, offset, count);
  });
}

}  // namespace chorale::cpu

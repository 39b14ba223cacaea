// SPDX-License-Identifier: MIT
// Random numbers: element i of a call is word i mod 4 of Philox block i / 4 (kernels/philox.h), whatever the
// thread.
//
//   normal_fill    y = standard normals (Box-Muller)
//   uniform_fill   y in [0, 1)
//   dropout        y = x [u >= p] / (1 - p), u the uniforms of the stream; backward applies the same map to
//   dy
//
// One Philox block, four elements, a thread and step. f32 arithmetic. Bytes: y, and x for dropout; the ten
// rounds per four elements weigh about as much. Seed and offset are read from the device's state, so a
// captured graph draws anew.
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/vector.cuh"
#include "kernels/philox.h"

namespace chorale::cuda {
namespace {

constexpr int block_threads = 256;

struct Normal {
  __device__ static void draw(const philox::Block& block, float out[4]) { philox::normals(block, out); }
};
struct Uniform {
  __device__ static void draw(const philox::Block& block, float out[4]) {
    for (int j = 0; j < 4; ++j) out[j] = philox::uniform(block.word[j]);
  }
};

template <class Distribution, class T>
__global__ void __launch_bounds__(block_threads)
    fill_kernel(const StepState* state, std::uint32_t stream, T* y, std::int64_t size, bool packed) {
  const std::uint64_t seed = state->seed, offset = state->rng_offset;
  for (std::int64_t i = global_thread(); i * 4 < size; i += global_threads()) {
    float drawn[4];
    Distribution::draw(philox::block(seed, offset, stream, static_cast<std::uint64_t>(i)), drawn);
    Pack<T, 4> out;
    for (int j = 0; j < 4; ++j) out.value[j] = from_float<T>(drawn[j]);
    if (packed && i * 4 + 4 <= size) {
      store_pack(y, i, out);
    } else {
      for (int j = 0; j < 4 && i * 4 + j < size; ++j) y[i * 4 + j] = out.value[j];
    }
  }
}

template <class T>
__global__ void __launch_bounds__(block_threads)
    dropout_kernel(const T* x, const StepState* state, std::uint32_t stream, float p, float scale, T* y,
                   std::int64_t size, bool packed) {
  const std::uint64_t seed = state->seed, offset = state->rng_offset;
  for (std::int64_t i = global_thread(); i * 4 < size; i += global_threads()) {
    const philox::Block block = philox::block(seed, offset, stream, static_cast<std::uint64_t>(i));
    const auto kept = [&](int j, T value) {
      return from_float<T>(philox::uniform(block.word[j]) >= p ? to_float(value) * scale : 0.0f);
    };
    if (packed && i * 4 + 4 <= size) {
      Pack<T, 4> pack = load_pack<4>(x, i);
      for (int j = 0; j < 4; ++j) pack.value[j] = kept(j, pack.value[j]);
      store_pack(y, i, pack);
    } else {
      for (int j = 0; j < 4 && i * 4 + j < size; ++j) y[i * 4 + j] = kept(j, x[i * 4 + j]);
    }
  }
}

template <class Distribution>
void fill_from(Context& context, const char* op, const StepState* state, std::uint32_t stream,
               const View& y) {
  const std::int64_t size = y.size();
  if (size == 0) return;
  dispatch_floating(op, y.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    LAUNCH((fill_kernel<Distribution, T>), stride_grid(context, size, block_threads * 4), block_threads, 0,
           context.stream, state, stream, y.as<T>(), size, packable<4>(y.as<T>()));
  });
}

}  // namespace

void normal_fill(Context& context, const StepState* state, std::uint32_t stream, View y) {
  fill_from<Normal>(context, "normal_fill", state, stream, y);
}

void uniform_fill(Context& context, const StepState* state, std::uint32_t stream, View y) {
  fill_from<Uniform>(context, "uniform_fill", state, stream, y);
}

void dropout(Context& context, ConstView x, const StepState* state, std::uint32_t stream, float p, View y) {
  require_dtype(y, x.dtype, "dropout", "y");
  require_size(y, x.size(), "dropout", "y");
  require(p >= 0.0f && p < 1.0f, "dropout", "p must be in [0, 1)");
  const std::int64_t size = x.size();
  if (size == 0) return;
  dispatch_floating("dropout", x.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    LAUNCH((dropout_kernel<T>), stride_grid(context, size, block_threads * 4), block_threads, 0,
           context.stream, x.as<T>(), state, stream, p, 1.0f / (1.0f - p), y.as<T>(), size,
           packable<4>(x.as<T>()) && packable<4>(y.as<T>()));
  });
}

}  // namespace chorale::cuda

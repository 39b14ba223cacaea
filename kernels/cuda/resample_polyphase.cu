// SPDX-License-Identifier: MIT
// Rational resampling by a bank of filters with the mean of the channels (the formula stands in
// kernels/cpu/resample_polyphase.cpp).
//
// A block makes a tile of consecutive outputs of one clip. The samples under the tile, read once, lie in
// shared memory as mono floats, whatever their type and number of channels. Then a thread makes an output:
// neighbours have neighbouring columns of the bank, so that a row of taps is one coalesced read, which mostly
// comes from the first-level cache; with up = 1 all threads read the same tap. The sum is f32, in ascending
// order of j. Bytes from memory: the samples once, and the part that neighbouring tiles share; 4 an output.
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/launch.cuh"

namespace chorale::cuda {
namespace {

constexpr int threads = 256;
constexpr std::int64_t most_shared = 48 << 10;  // bytes that any device gives without asking

struct Layout {
  std::int64_t length, channels, width, up, down, outputs, tile, tiles, all;
};

template <class T>
__global__ void __launch_bounds__(threads)
    resample_kernel(const T* samples, const float* taps, Layout s, float divisor, float* y) {
  DYN_SHARED(float, mono);
  const int me = static_cast<int>(threadIdx.x);
  for (std::int64_t task = blockIdx.x; task < s.all; task += gridDim.x) {
    const std::int64_t clip = task / s.tiles, begin = task % s.tiles * s.tile;
    const std::int64_t end = begin + s.tile < s.outputs ? begin + s.tile : s.outputs;
    const std::int64_t base = begin * s.down / s.up, first = base - (s.width - 1) / 2;
    const std::int64_t count = (end - 1) * s.down / s.up - base + s.width;
    const T* in = samples + clip * s.length * s.channels;
    for (std::int64_t i = me; i < count; i += threads) {
      const std::int64_t at = first + i;
      float sum = 0;
      if (at >= 0 && at < s.length)
        for (std::int64_t c = 0; c < s.channels; ++c) sum += static_cast<float>(in[at * s.channels + c]);
      mono[i] = sum / divisor;
    }
    __syncthreads();
    for (std::int64_t i = begin + me; i < end; i += threads) {
      const float* x = mono + (i * s.down / s.up - base);
      const float* column = taps + i % s.up;
      float sum = 0;
      for (std::int64_t j = 0; j < s.width; ++j) sum += column[j * s.up] * x[j];
      y[clip * s.outputs + i] = sum;
    }
    __syncthreads();
  }
}

template <class T>
void run(Context& context, const ConstView& samples, const ConstView& taps, Layout s, float full_scale,
         const View& y) {
  const std::int64_t span = (s.tile - 1) * s.down / s.up + 1 + s.width;
  LAUNCH((resample_kernel<T>), stride_grid(context, s.all, 1), threads,
         static_cast<std::size_t>(span) * sizeof(float), context.stream, samples.as<T>(), taps.as<float>(), s,
         full_scale * static_cast<float>(s.channels), y.as<float>());
}

}  // namespace

void resample_polyphase(Context& context, ConstView samples, ConstView taps, std::int64_t down, View y) {
  constexpr const char* op = "resample_polyphase";
  require_dtype(taps, DType::f32, op, "taps");
  require_dtype(y, DType::f32, op, "y");
  require(samples.rank == 3 && samples.shape[2] >= 1 && taps.rank == 2 && taps.size() > 0 &&
              taps.shape[0] <= 8192 && down >= 1 && y.rank == 2 && y.shape[0] == samples.shape[0],
          op, "samples [n, length, channels], taps [width, up], width at most 8192, and y [n, m] are wanted");
  if (y.size() == 0) return;
  Layout s{samples.shape[1], samples.shape[2], taps.shape[0], taps.shape[1], down, y.shape[1], 0, 0, 0};
  // As many outputs as the samples under them leave room for.
  const std::int64_t room = most_shared / static_cast<std::int64_t>(sizeof(float)) - s.width - 1;
  s.tile = 1 + room * s.up / down;
  if (s.tile > 2 * threads) s.tile = 2 * threads;
  s.tiles = ceil_div(s.outputs, s.tile);
  s.all = samples.shape[0] * s.tiles;
  if (samples.dtype == DType::i16) {
    run<std::int16_t>(context, samples, taps, s, 32768.0f, y);
  } else {
    require_dtype(samples, DType::f32, op, "samples");
    run<float>(context, samples, taps, s, 1.0f, y);
  }
}

}  // namespace chorale::cuda

// SPDX-License-Identifier: MIT
// Rational resampling by a bank of filters, one for each phase, with the mean of the channels taken on the
// way.
//
//   y[i] = sum over j < width of taps[j, i mod up] mono[floor(i down / up) - (width - 1) / 2 + j]
//   mono[t] = 1 / channels sum over c of samples[t, c]     (i16: divided by 2^15; 0 outside of the clip)
//
// Works on tiles of outputs: the samples under a tile become mono floats once, and each output is the product
// of a stretch of them and one filter, whose taps are laid side by side first (the bank comes with the phases
// side by side, as GPUs want it). f32 sums, `lanes` x 4 partial ones in a fixed order. Bytes from memory: the
// samples once, 4 an output; the bank, 4 up width, stays in the second-level cache.
#include <omp.h>

#include <algorithm>

#include "kernels/context.h"
#include "kernels/cpu/audio_simd.h"
#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"

namespace chorale::cpu {
namespace {

using simd::lanes;
using simd::Vector;

constexpr std::int64_t tile = 1024;  // outputs

/// mono[i] for sample first + i of a clip, i < count.
template <class T>
void mix(const T* clip, std::int64_t length, std::int64_t channels, std::int64_t first, std::int64_t count,
         float* mono) {
  constexpr float full_scale = std::is_same_v<T, std::int16_t> ? 32768.0f : 1.0f;
  const float divisor = full_scale * static_cast<float>(channels);
  const std::int64_t begin = std::clamp<std::int64_t>(-first, 0, count);
  const std::int64_t end = std::clamp<std::int64_t>(length - first, begin, count);
  std::fill(mono, mono + begin, 0.0f);
  const T* in = clip + (first + begin) * channels;
  if (channels == 1) {
    for (std::int64_t i = begin; i < end; ++i) mono[i] = static_cast<float>(in[i - begin]) / divisor;
  } else if (channels == 2) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t at = 2 * (i - begin);
      mono[i] = (static_cast<float>(in[at]) + static_cast<float>(in[at + 1])) / divisor;
    }
  } else {
    for (std::int64_t i = begin; i < end; ++i) {
      float sum = 0;
      for (std::int64_t c = 0; c < channels; ++c) sum += static_cast<float>(in[(i - begin) * channels + c]);
      mono[i] = sum / divisor;
    }
  }
  std::fill(mono + end, mono + count, 0.0f);
}

float product(const float* x, const float* taps, std::int64_t width) {
  Vector sum[4] = {};
  std::int64_t j = 0;
  for (; j + 4 * lanes <= width; j += 4 * lanes)
    for (int k = 0; k < 4; ++k) sum[k] += simd::load(x + j + k * lanes) * simd::load(taps + j + k * lanes);
  for (; j + lanes <= width; j += lanes) sum[0] += simd::load(x + j) * simd::load(taps + j);
  const Vector all = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  float result = 0;
  for (int k = 0; k < lanes; ++k) result += all[k];
  for (; j < width; ++j) result += x[j] * taps[j];
  return result;
}

template <class T>
void resample(Context& context, ConstView samples, ConstView taps, std::int64_t down, View y) {
  const std::int64_t n = samples.shape[0], length = samples.shape[1], channels = samples.shape[2];
  const std::int64_t width = taps.shape[0], up = taps.shape[1], outputs = y.shape[1];
  const Scratch bank(context, static_cast<std::size_t>(up * width) * sizeof(float));
  for (std::int64_t r = 0; r < up; ++r)
    for (std::int64_t j = 0; j < width; ++j) bank.as<float>()[r * width + j] = taps.as<float>()[j * up + r];

  const std::int64_t tiles = block_count(outputs, tile);
  const std::int64_t span = (tile - 1) * down / up + 1 + width;  // samples under a tile
  const bool parallel = n * tiles > 1 && n * outputs * width >= parallel_threshold;
  const int threads = parallel ? omp_get_max_threads() : 1;
  const Scratch scratch(context, static_cast<std::size_t>(threads * span) * sizeof(float));
#pragma omp parallel for schedule(static) num_threads(threads)
  for (std::int64_t task = 0; task < n * tiles; ++task) {
    const std::int64_t clip = task / tiles, begin = task % tiles * tile;
    const std::int64_t end = std::min(outputs, begin + tile);
    const std::int64_t base = begin * down / up, first = base - (width - 1) / 2;
    float* mono = scratch.as<float>() + omp_get_thread_num() * span;
    mix(samples.as<T>() + clip * length * channels, length, channels, first,
        (end - 1) * down / up - base + width, mono);
    for (std::int64_t i = begin; i < end; ++i)
      y.as<float>()[clip * outputs + i] =
          product(mono + (i * down / up - base), bank.as<float>() + i % up * width, width);
  }
}

}  // namespace

void resample_polyphase(Context& context, ConstView samples, ConstView taps, std::int64_t down, View y) {
  require(
      (samples.dtype == DType::f32 || samples.dtype == DType::i16) && samples.rank == 3 && present(samples) &&
          samples.shape[2] >= 1 && taps.dtype == DType::f32 && taps.rank == 2 && taps.size() > 0 &&
          taps.shape[0] <= 8192 && present(taps) && down >= 1 && y.dtype == DType::f32 && y.rank == 2 &&
          present(y) && y.shape[0] == samples.shape[0],
      "resample_polyphase",
      "samples i16 or f32 [n, length, channels], taps f32 [width, up], width at most 8192, and y f32 [n, m]"
      " are wanted",
      samples, taps, y);
  if (y.size() == 0) return;
  if (samples.dtype == DType::i16) {
    resample<std::int16_t>(context, samples, taps, down, y);
  } else {
    resample<float>(context, samples, taps, down, y);
  }
}

}  // namespace chorale::cpu

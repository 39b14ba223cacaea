// SPDX-License-Identifier: MIT
// Mel spectrogram in one pass over the samples: frame, window, real FFT, power, sparse bands.
//
//   X_f[k] = sum over m < n_fft of window[m] x[f hop - lead + m] exp(-2 pi i m k / n_fft)
//   mel[b, f] = sum over k of weight[b, k] |X_f[k]|^power
//
// Works on blocks of `lanes` consecutive frames, one frame a lane (audio_frames.h, audio_fft.h). f32
// throughout; every band is summed over ascending bins. Bytes from memory: 4 hop a frame read, 4 bands
// written; samples, points and power of a block stay in the second-level cache.
#include <cmath>

#include "kernels/cpu/audio_fft_mixed.h"
#include "kernels/cpu/audio_frames.h"
#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"

namespace chorale::cpu {
namespace {

using simd::lanes;
using simd::Vector;

struct Bands {
  const std::int32_t *first_bin, *offset;
  const float* weight;
  std::int64_t count;
};

/// Sums the bands of one block into mel [bands, frames] at frame 0 of the block.
void sum_bands(const Bands& bands, const float* power, std::int64_t frames, std::int64_t valid, float* mel) {
  for (std::int64_t b = 0; b < bands.count; ++b) {
    const float* p = power + static_cast<std::int64_t>(bands.first_bin[b]) * lanes;
    const float* w = bands.weight + bands.offset[b];
    const std::int64_t bins = bands.offset[b + 1] - bands.offset[b];
    Vector sum[4] = {};
    std::int64_t i = 0;
    for (; i + 4 <= bins; i += 4)
      for (int j = 0; j < 4; ++j) sum[j] += simd::load(p + (i + j) * lanes) * w[i + j];
    for (; i < bins; ++i) sum[0] += simd::load(p + i * lanes) * w[i];
    simd::store_some(mel + b * frames, (sum[0] + sum[1]) + (sum[2] + sum[3]), valid);
  }
}

void apply_exponent(float* power, std::int64_t n, float exponent) {
  if (exponent == 2.0f) return;
  if (exponent == 1.0f) {
    for (std::int64_t i = 0; i < n; ++i) power[i] = std::sqrt(power[i]);
  } else {
    for (std::int64_t i = 0; i < n; ++i) power[i] = std::pow(power[i], exponent / 2);
  }
}

}  // namespace

void mel_spectrogram_forward(Context& context, ConstView samples, ConstView window, ConstView first_bin,
                             ConstView offset, ConstView weight, FrameParams params, float exponent,
                             View mel) {
  constexpr const char* name = "mel_spectrogram_forward";
  require_frames(name, samples, window, params);
  const std::int64_t frames = frame_count(params, samples.shape[1]);
  require(mel.dtype == DType::f32 && mel.rank == 3 && mel.shape[0] == samples.shape[0] &&
              mel.shape[1] == first_bin.size() && mel.shape[2] == frames,
          name, "mel must be f32 [n, bands, frames of samples]", samples, mel);
  require(first_bin.dtype == DType::i32 && offset.dtype == DType::i32 &&
              offset.size() == first_bin.size() + 1 && weight.dtype == DType::f32,
          name, "first_bin i32 [bands], offset i32 [bands + 1] and weight f32 are wanted", first_bin, offset,
          weight);
  const Bands bands{first_bin.as<std::int32_t>(), offset.as<std::int32_t>(), weight.as<float>(),
                    first_bin.size()};
  simd::with_transform(params.n_fft, [&](const auto& transform) {
    const std::int64_t work_floats = transform.work_floats(), power_floats = (params.n_fft / 2 + 1) * lanes;
    for_frame_blocks(context, samples, window.as<float>(), params, frames, work_floats + power_floats,
                     [&](const FrameBlock& block, const auto& sample, float* work) {
                       float* power = work + work_floats;
                       transform.forward(sample, work, [=](int k, simd::Complex x) {
                         simd::store(power + lanes * k, x.re * x.re + x.im * x.im);
                       });
                       apply_exponent(power, power_floats, exponent);
                       sum_bands(bands, power, frames, block.valid,
                                 mel.as<float>() + block.clip * bands.count * frames + block.frame);
                     });
  });
}

}  // namespace chorale::cpu

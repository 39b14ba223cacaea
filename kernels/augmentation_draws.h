// SPDX-License-Identifier: MIT
// What is drawn for one clip (draw_augmentation) and for one mask (mask_features): the same numbers on every
// device.
//
// Clip i: words 0 to 3 of block 2 i decide whether rate, pitch, noise and gain are applied, those of block
// 2 i + 1 how much.
#pragma once
#include <cmath>
#include <cstdint>

#include "kernels/params.h"
#include "kernels/philox.h"

namespace chorale::augmentation {

struct ClipDraw {
  double tempo;        ///< factor of the speed
  double pitch;        ///< factor of the frequencies
  float noise_snr_db;  ///< infinity: no noise
  float gain;          ///< factor
};

CHORALE_HD inline double between(DrawRange interval, std::uint32_t word) {
  const double low = interval.low, high = interval.high;
  return low == high ? low : low + static_cast<double>(philox::uniform(word)) * (high - low);
}

CHORALE_HD inline ClipDraw draw_clip(const AugmentationRanges& ranges, const StepState& state,
                                     std::uint32_t stream, std::int64_t clip) {
  const auto index = static_cast<std::uint64_t>(clip);
  const philox::Block coins = philox::block(state.seed, state.rng_offset, stream, 2 * index),
                      values = philox::block(state.seed, state.rng_offset, stream, 2 * index + 1);
  const auto applied = [&](int i) { return philox::uniform(coins.word[i]) < ranges.probability; };
  ClipDraw draw{1, 1, HUGE_VALF, 1};
  if (applied(0)) {
    const double low = ::log(static_cast<double>(ranges.rate.low)),
                 high = ::log(static_cast<double>(ranges.rate.high));
    const double u = static_cast<double>(philox::uniform(values.word[0]));
    draw.tempo = low == high ? static_cast<double>(ranges.rate.low) : ::exp(low + u * (high - low));
  }
  if (applied(1)) draw.pitch = ::exp2(between(ranges.pitch_steps, values.word[1]) / 12);
  if (applied(2)) draw.noise_snr_db = static_cast<float>(between(ranges.noise_snr_db, values.word[2]));
  if (applied(3)) draw.gain = static_cast<float>(::pow(10.0, between(ranges.gain_db, values.word[3]) / 20));
  return draw;
}

/// Samples of a clip of `length` after the change of tempo, within 1 to clip_length.
CHORALE_HD inline std::int64_t stretched(std::int64_t length, double tempo, std::int64_t clip_length) {
  const auto samples = static_cast<std::int64_t>(::round(static_cast<double>(length) / tempo));
  return samples < 1 ? 1 : samples > clip_length ? clip_length : samples;
}

struct Stripe {
  std::int64_t begin, end;
};

/// Mask `mask` of a clip of bands x frames: of frames where mask < time_masks, else of bands.
CHORALE_HD inline Stripe draw_mask(const MaskParams& params, const StepState& state, std::uint32_t stream,
                                   std::int64_t clip, std::int32_t mask, std::int64_t bands,
                                   std::int64_t frames) {
  const std::int64_t masks = std::int64_t{params.time_masks} + params.frequency_masks;
  const philox::Block words =
      philox::block(state.seed, state.rng_offset, stream, static_cast<std::uint64_t>(clip * masks + mask));
  const bool time = mask < params.time_masks;
  const std::int64_t size = time ? frames : bands, most = time ? params.time_width : params.frequency_width;
  const std::int64_t width = philox::below(words.word[0], (most < size ? most : size) + 1),
                     begin = philox::below(words.word[1], size - width + 1);
  return {begin, begin + width};
}

}  // namespace chorale::augmentation

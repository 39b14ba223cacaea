// SPDX-License-Identifier: MIT
// How a clip is cut into frames: the same integers on every device.
#pragma once
#include <cstdint>

#include "kernels/macros.h"
#include "kernels/params.h"

namespace chorale {

/// Samples that a centred frame begins before its place in the clip.
CHORALE_HD inline std::int64_t frame_lead(const FrameParams& params) {
  return params.center ? params.n_fft / 2 : 0;
}

/// Frames of a clip of `length` samples: those that lie within the clip and its padding. 0 for a clip shorter
/// than a frame that is not centred.
CHORALE_HD inline std::int64_t frame_count(const FrameParams& params, std::int64_t length) {
  const std::int64_t last = length + 2 * frame_lead(params) - params.n_fft;  // where the last one may begin
  return length < 1 || last < 0 ? 0 : 1 + last / params.hop_length;
}

/// The sample of the clip that stands for place `at`, which may lie outside of it; -1 for a zero.
CHORALE_HD inline std::int64_t padded_index(std::int64_t at, std::int64_t length, PadMode mode) {
  if (at >= 0 && at < length) return at;
  if (mode == PadMode::constant) return -1;
  if (mode == PadMode::edge || length == 1) return at < 0 ? 0 : length - 1;
  // Mirrored once, but for clips shorter than the padding; a division would cost a GPU's threads their
  // registers.
  while (at < 0 || at >= length) at = at < 0 ? -at : 2 * (length - 1) - at;
  return at;
}

/// Frame lengths that the transforms take: even, 16 to 16384, without prime factors above 5.
CHORALE_HD constexpr bool transform_size(std::int64_t n_fft) {
  if (n_fft < 16 || n_fft > 16384 || n_fft % 2) return false;
  for (int factor = 2; factor <= 5; ++factor)
    while (n_fft % factor == 0) n_fft /= factor;
  return n_fft == 1;
}

}  // namespace chorale

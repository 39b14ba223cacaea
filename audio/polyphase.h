// SPDX-License-Identifier: MIT
// Resampling where the features are computed: samples go to the device as the file has them, interleaved and
// mostly of 16 bits, and become mono at another rate there. resample.h is the CPU's way, librosa's own
// filter.
//
// The filter is a sinc under a Kaiser window. With f the lower of the two rates, it passes 0 to 0.45 f within
// 0.001 dB and stops what lies above 0.5 f, which could alias or be an image, by 115 dB or more. Delay is
// compensated: output i stands for time i / to, as sample t of the input for t / from.
#pragma once
#include <cstdint>

#include "tensor/tensor.h"

namespace chorale::audio {

class PolyphaseResampler {
 public:
  /// Whether the filters for these rates (Hz) are of a reasonable size: at most 2^22 taps for all phases
  /// together and 8192 for one. True for the usual rates and their multiples, false for 44,101 Hz.
  static bool supports(int from, int to);

  /// Makes the filters on the current context's device. UsageError unless supports(from, to).
  PolyphaseResampler(int from, int to);

  /// samples i16 (full scale 2^15) or f32, [n, length, channels] -> mono f32 [n, resampled_length(length)]
  /// (resample.h): the mean of the channels, resampled; silence is assumed before and after each clip.
  Tensor operator()(const Tensor& samples) const;

 private:
  int from_, to_;
  Tensor taps_;  ///< f32 [width, up]
};

}  // namespace chorale::audio

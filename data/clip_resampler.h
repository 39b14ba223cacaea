// SPDX-License-Identifier: MIT
// The last step of a clip's way for devices that resample themselves: samples as a file has them become a
// clip on the device, at one rate, mono, scaled to peak 1 and padded with zeros, as ClipReader makes them on
// the CPU.
#pragma once
#include <map>

#include "audio/polyphase.h"
#include "data/clip_reader.h"
#include "tensor/tensor.h"

namespace chorale::data {

class ClipResampler {
 public:
  /// To this rate, Hz. The filters of each rate that files have are made when the first such clip comes.
  explicit ClipResampler(int sample_rate) : sample_rate_(sample_rate) {}

  /// Writes a clip of ClipReader, resampled or not, to `target`, f32 [length] on the current context's
  /// device, where the filters stay: use it in one context.
  void place(const Clip& clip, Tensor target);

 private:
  int sample_rate_;
  std::map<int, audio::PolyphaseResampler> resamplers_;  ///< by the file's rate
};

}  // namespace chorale::data

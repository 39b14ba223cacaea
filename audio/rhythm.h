// SPDX-License-Identifier: MIT
// Onsets and tempo of batches of clips on the current device; librosa's definitions and defaults.
#pragma once
#include <cstdint>
#include <vector>

#include "audio/features.h"
#include "tensor/tensor.h"

namespace chorale::audio {

/// librosa.onset.onset_strength.
struct OnsetParams {
  int lag = 1;       ///< frames between what is compared, 1 or more
  int max_size = 1;  ///< mel bands of the neighbourhood whose maximum is compared with, 1 or more
  bool center =
      true;  ///< frames shifted by n_fft / (2 hop_length), so that onsets stand where they are heard
  bool median = false;   ///< of the bands' rises in place of their mean (aggregate=np.median)
  bool detrend = false;  ///< the constant part removed: y[t] = x[t] - x[t - 1] + 0.99 y[t - 1]
};

/// UsageError naming the field, the value and what is allowed, unless the parameters are in range.
void check(const OnsetParams& params);

/// mel f32 [n, bands, frames] -> f32 [n, frames]: mean or median rise over the bands, in decibels of
/// `extractor` (against 1, no more than top_db below each clip's maximum). Medians and the removal of the
/// constant part, which goes from frame to frame, are computed on the host. `extractor` is what mel was made
/// with. UsageError on parameters out of range.
Tensor onset_strength(const FeatureExtractor& extractor, const Tensor& mel, const OnsetParams& params = {});

/// librosa.feature.tempo, of the whole clip.
struct TempoParams {
  int sample_rate = 22050;
  int hop_length = 512;    ///< samples between the frames of the envelope
  double start_bpm = 120;  ///< centre of the log-normal prior, beats a minute
  double std_bpm = 1;      ///< its width in octaves
  double ac_size = 8;      ///< seconds of the autocorrelation's window; 1 to 6,144 frames
  double max_tempo = 320;  ///< beats a minute; 0: no limit
};

void check(const TempoParams& params);

/// onset f32 [n, frames] >= 0, so not detrended -> beats a minute of each clip. UsageError on parameters out
/// of range.
std::vector<double> tempo(const Tensor& onset, const TempoParams& params = {});

}  // namespace chorale::audio

// SPDX-License-Identifier: MIT
// Level, brightness and harmony of batches of clips on the current device, frame by frame; librosa's
// definitions and defaults. InputError, everywhere, on clips without samples or, uncentred, shorter than a
// frame; UsageError on parameters out of range.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "audio/parameters.h"
#include "tensor/tensor.h"

namespace chorale::audio {

/// samples f32 [n, length] -> f32 [n, frames]: root of the mean square of each frame of params.n_fft samples,
/// here of any length (librosa.feature.rms, frame_length = n_fft).
Tensor rms(const Tensor& samples, const FrameParams& params = {});

/// samples f32 [n, length] -> f32 [n, 1 + n_fft / 2, frames]: |X|^power of stft; power above 0 and up to 4.
Tensor spectrogram(const Tensor& samples, const StftParams& params = {}, float power = 2.0f);

/// magnitude f32 [n, 1 + n_fft / 2, frames] >= 0, of a clip at `sample_rate` Hz -> f32 [n, frames]: the mean
/// frequency in Hz, weighted by magnitude; 0 in silence (librosa.feature.spectral_centroid).
Tensor spectral_centroid(const Tensor& magnitude, int sample_rate);

/// librosa.feature.chroma_stft.
struct ChromaParams : StftParams {
  int sample_rate = 22050;
  int n_chroma = 12;  ///< pitch classes, 2 to 96; the first is C where 12 divides them
  /// Fractions of a pitch class by which the clip lies above A = 440 Hz; unset: each clip's own estimate.
  std::optional<double> tuning;
  double norm = 0;  ///< of each frame: 1, 2, or infinity for its largest class; 0: infinity, negative: none
};

/// UsageError naming the field, the value and what is allowed, unless chroma can be computed so.
void check(const ChromaParams& params);

/// samples f32 [n, length] -> f32 [n, n_chroma, frames].
Tensor chroma(const Tensor& samples, const ChromaParams& params = {});

/// Row-major [n_chroma, 1 + n_fft / 2]: how much each bin belongs to each pitch class
/// (librosa.filters.chroma, ctroct 5, octwidth 2, norm 2, base_c).
std::vector<float> chroma_filters(const ChromaParams& params, double tuning);

/// Spectral peaks from 150 to 4,000 Hz, no more than 20 dB below the loudest of their frame
/// (librosa.piptrack).
struct Peak {
  float frequency;  ///< Hz
  float magnitude;
};

/// The peaks of one clip's power [1, bins, frames].
std::vector<Peak> spectral_peaks(const Tensor& power, int sample_rate);

/// In hundredths of a pitch class, -0.5 to 0.49: the most frequent deviation, from A = 440 Hz in equal steps,
/// of the peaks at least as high as their median; 0 without peaks (librosa.estimate_tuning).
double tuning_of(std::span<const Peak> peaks, int n_chroma = 12);

/// How the classes of a power spectrogram [1, bins, frames] add up, with the given tuning: [1, n_chroma,
/// frames].
Tensor chroma_of(const Tensor& power, const ChromaParams& params, double tuning);

}  // namespace chorale::audio

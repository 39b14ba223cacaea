// SPDX-License-Identifier: MIT
// Parameters of the front end, with librosa's names, meanings and defaults.
#pragma once
#include <cstdint>

#include "kernels/params.h"

namespace chorale::audio {

/// scipy.signal.get_window(name, win_length, fftbins=True); rectangular is SciPy's "boxcar".
enum class Window : std::uint8_t { hann, hamming, blackman, bartlett, rectangular };

/// librosa.stft. n_fft: even, 16 to 16384, without prime factors above 5; hop_length 1 to n_fft.
struct StftParams : FrameParams {
  std::int32_t win_length = 0;  ///< 0: n_fft; a shorter window stands in the middle of the frame
  Window window = Window::hann;
};

/// How the bands of a filter bank are scaled (librosa.filters.mel, norm): to equal area on the mel scale, not
/// at all (peak 1), or each to a p-norm of 1.
struct BandNorm {
  enum class Kind : std::uint8_t { slaney, none, p_norm };
  Kind kind = Kind::slaney;
  double p = 1;  ///< of p_norm: above 0; infinity: the largest weight is 1
};

/// librosa.feature.melspectrogram.
struct MelParams : StftParams {
  std::int32_t sample_rate = 22050;
  std::int32_t n_mels = 128;  ///< 1 to 1 + n_fft / 2
  float fmin = 0.0f;
  float fmax = 0.0f;   ///< 0: sample_rate / 2
  float power = 2.0f;  ///< exponent of the magnitude before the bands are summed, above 0 and up to 4
  bool htk = false;    ///< HTK's mel scale instead of Slaney's
  BandNorm norm;
};

}  // namespace chorale::audio

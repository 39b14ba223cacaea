// SPDX-License-Identifier: MIT
// The constant matrices of the front end, computed in f64 on the host as librosa and SciPy define them.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "audio/parameters.h"

namespace chorale::audio {

/// UsageError naming the field, the value and what is allowed, unless `params` can be computed.
void check(const MelParams& params);

/// Mel filter bank without its zeros: band b weighs bins first_bin[b] + i with weight[offset[b] + i].
struct MelFilterBank {
  std::vector<std::int32_t> first_bin, offset;
  std::vector<float> weight;
  std::vector<std::int64_t> empty_bands;  ///< bands between two bins: they stay zero, as in librosa
};

/// librosa.filters.mel: triangles between n_mels + 2 points at equal distances on the mel scale.
MelFilterBank mel_filter_bank(const MelParams& params);

double hz_to_mel(double hz, bool htk);
double mel_to_hz(double mel, bool htk);

/// Which DCT turns decibels into cepstral coefficients (librosa.feature.mfcc; scipy.fftpack.dct).
struct CepstrumParams {
  std::int64_t n_mfcc = 40;  ///< 1 to n_mels
  int dct_type = 2;          ///< 1, 2 or 3
  bool ortho = true;         ///< orthonormal rows (norm="ortho"); false: SciPy's norm=None
  double lifter = 0;         ///< above 0: coefficient k times 1 + lifter / 2 sin(pi (k + 1) / lifter)
};

/// First n_mfcc rows of the DCT of `size` points, liftered, row-major [n_mfcc, size]. UsageError on
/// parameters out of range.
std::vector<float> dct_matrix(const CepstrumParams& params, std::int64_t size);

/// Savitzky-Golay filter [width] whose dot product with `width` neighbouring values is the `derivative`-th
/// derivative of their least-squares polynomial of that degree, which is the same all along the window
/// (librosa.feature.delta; scipy.signal.savgol_filter, polyorder = deriv). width odd, 3 to 101; derivative 1
/// to 8, below width.
std::vector<float> savitzky_golay(int width, int derivative);

}  // namespace chorale::audio

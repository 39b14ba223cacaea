// SPDX-License-Identifier: MIT
// The constant matrices of the front end, computed in f64 on the host as librosa and SciPy define them.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/params.h"

namespace chorale::audio {

/// UsageError naming the field, the value and what is allowed, unless `params` can be computed.
void check(const MelParams& params);

/// Periodic Hann window of win_length in the middle of n_fft zeros (scipy.signal.get_window, fftbins=True).
std::vector<float> hann_window(const MelParams& params);

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

/// First `coefficients` rows of the orthonormal DCT-II of `size` points, row-major [coefficients, size].
std::vector<float> dct_matrix(std::int64_t coefficients, std::int64_t size);

/// Savitzky-Golay filter [width] whose dot product with `width` neighbouring values is the `derivative`-th
/// derivative of their least-squares polynomial of that degree, which is the same all along the window
/// (librosa.feature.delta; scipy.signal.savgol_filter, polyorder = deriv). width odd, 3 to 31; derivative 1
/// or 2.
std::vector<float> savitzky_golay(int width, int derivative);

}  // namespace chorale::audio

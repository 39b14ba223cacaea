// SPDX-License-Identifier: MIT
// Short-time Fourier transforms of batches of clips on the current device; librosa's definitions and
// defaults.
//
//   const Tensor spectrum = stft(samples, {});               // [n, length] -> [n, 1025, 1 + length / 512, 2]
//   const Tensor again = istft(spectrum, {}, samples.dim(1));
#pragma once
#include <cstdint>
#include <vector>

#include "audio/parameters.h"
#include "tensor/tensor.h"

namespace chorale::audio {

/// UsageError naming the field, the value and what is allowed, unless frames can be cut and transformed so.
void check(const StftParams& params);

/// f32 [n_fft]: the window in the middle of zeros.
std::vector<float> window_of(const StftParams& params);

/// samples f32 [n, length] -> f32 [n, 1 + n_fft / 2, frames, 2], real and imaginary parts interleaved as in
/// numpy.complex64 (librosa.stft); frames = frame_count(params, length). UsageError on parameters, InputError
/// on clips without samples or, uncentred, shorter than a frame.
Tensor stft(const Tensor& samples, const StftParams& params = {});

/// spectrum f32 [n, 1 + n_fft / 2, frames, 2] -> f32 [n, length] (librosa.istft). length < 0: all that the
/// frames cover, hop_length (frames - 1), plus n_fft when they are not centred; a longer one is filled with
/// zeros. UsageError on parameters, InputError on a spectrum of another n_fft or without frames.
Tensor istft(const Tensor& spectrum, const StftParams& params = {}, std::int64_t length = -1);

}  // namespace chorale::audio

// SPDX-License-Identifier: MIT
// A fixed-length, time-shift-invariant description of a clip.
#pragma once
#include <cstdint>
#include <vector>

#include "audio/features.h"

namespace chorale::audio {

/// Lags of the rhythm part, spaced evenly in the logarithm of the tempo between these.
constexpr int rhythm_lags = 64;
constexpr float slowest_tempo = 40.0f, fastest_tempo = 240.0f;  ///< beats per minute

/// clips f32 [n, length]; lengths[i]: samples of clip i that are its own and not padding. Returns f32 [n, d],
/// d = 2 n_mels + 6 n_mfcc + rhythm_lags (560 by default): mean and standard deviation over the clip's frames
/// of the mel decibels and of the MFCC with first and second derivative, and the autocorrelation of the onset
/// strength (spectral flux) at the lags of 240 to 40 beats per minute.
Tensor clip_descriptor(const FeatureExtractor& extractor, const Tensor& clips,
                       const std::vector<std::int64_t>& lengths);

}  // namespace chorale::audio

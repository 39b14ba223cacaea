// SPDX-License-Identifier: MIT
// A clip as one vector of fixed length that a shift in time leaves nearly unchanged: what the default models
// see.
//
// Layout, 2 (bands + 3 n_mfcc) + 64 values (of the default two derivatives), 560 with the default extractor:
//   mean of each mel band, then of each MFCC, delta and delta-delta row        bands + 3 n_mfcc
//   standard deviation of the same rows                                        bands + 3 n_mfcc
//   rhythm: autocorrelation of the onset envelope at 64 tempi                  64, in [-1, 1]
// Bands are decibels below the clip's maximum (at least -top_db), so the clip's level does not matter to
// them; MFCC are of decibels against 1, so give clips of equal peak (reference_clip). Moments are over the
// clip's own frames: padding is left out. The onset envelope is the spectral flux of the bands (kernels.def:
// onset_strength); tempi are log-spaced from 40 to 240 beats a minute and lags between two frames are
// interpolated. Tempi slower than the clip can show are 0.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "audio/features.h"

namespace chorale::audio {

constexpr std::int64_t rhythm_size = 64;
constexpr double slowest_tempo = 40, fastest_tempo = 240;  ///< beats a minute

/// Lags in frames of the rhythm part, from the slowest tempo to the fastest.
std::vector<float> rhythm_lags(const MelParams& params);

/// Values in a descriptor.
std::int64_t descriptor_size(const FeatureParams& params);
/// Their names: "mel_000_mean", "mfcc_00_std", "delta2_07_mean", "tempo_120".
std::vector<std::string> descriptor_names(const FeatureParams& params);

/// samples f32 [n, length], of which the first lengths[i] (1 to length) belong to clip i, the rest is padding
/// -> f32 [n, descriptor_size]. InputError when the padded clips have fewer than delta_width frames.
Tensor clip_descriptor(const FeatureExtractor& extractor, const Tensor& samples,
                       std::span<const std::int64_t> lengths);
/// The same of lengths i64 [n] on the device, within 1 to the clips' own, and lags f32 [rhythm_size] =
/// rhythm_lags: nothing is uploaded or read back.
Tensor clip_descriptor(const FeatureExtractor& extractor, const Tensor& samples, const Tensor& lengths,
                       const Tensor& lags);

}  // namespace chorale::audio

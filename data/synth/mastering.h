// SPDX-License-Identifier: MIT
// The last step of a song: its factors brightness and energy become a spectral centroid and a level, so that
// both can be measured in the sound whatever plays.
#pragma once
#include <span>

namespace chorale::data::synth {

/// Mean over short frames of the centroid of the magnitude spectrum, Hz, as librosa's spectral_centroid
/// defines it, but over 48 frames of 1,024 samples spread over the song.
double mean_centroid(std::span<const float> signal, double sample_rate);

/// Filters the song by gentle slopes around 800 Hz and 2.4 kHz, at most 11 dB up and down each, so that its
/// mean centroid is as near to `hz` as that allows.
void set_centroid(std::span<float> signal, double hz, double sample_rate);

/// Removes the mean and scales to an RMS of `decibels` full scale; peaks are rounded off to stay within 0.95.
void set_level(std::span<float> signal, float decibels);

}  // namespace chorale::data::synth

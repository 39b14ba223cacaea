// SPDX-License-Identifier: MIT
// Changes of clips on the current device that leave the music the same: tempo, pitch, noise and level; and
// masks on what is computed from them. Tempo and pitch are librosa.effects' (phase vocoder, then resampling).
//
//   const Tensor slow = time_stretch(samples, 0.8);  // [n, length] -> [n, round(length / 0.8)]
//   const Tensor high = pitch_shift(samples, 2);     // two semitones up, [n, length]
#pragma once
#include <cstdint>

#include "audio/parameters.h"
#include "kernels/params.h"
#include "tensor/tensor.h"

namespace chorale::audio {

/// Limits of `rate` and of the factor of the pitch.
constexpr double slowest_rate = 0.1, fastest_rate = 10;
constexpr double most_octaves = 2;

/// samples f32 [n, length] -> f32 [n, round(length / rate)], the same pitch at `rate` times the speed
/// (librosa.effects.time_stretch). What librosa gives for f64 samples, within 2e-5 of full scale and 1e-6
/// RMS; for f32 samples it is itself 1e-4 to 1e-3 away from that. Bins that hold nothing have the phases of
/// rounding, here as there. Clips go through the vocoder in pieces, whatever their length. UsageError
/// on a rate outside 0.1 to 10 and on parameters; InputError on clips without samples.
Tensor time_stretch(const Tensor& samples, double rate, const StftParams& params = {});

/// samples f32 [n, length] -> f32 [n, length], `n_steps` steps of an octave's `bins_per_octave` higher
/// (librosa.effects.pitch_shift). Instead of soxr_hq the filter of kernels/windowed_sinc.h resamples: the
/// same within 2e-5 RMS below 0.9 of the band, cut off otherwise above. UsageError beyond two octaves.
Tensor pitch_shift(const Tensor& samples, double n_steps, int bins_per_octave = 12,
                   const StftParams& params = {});

/// Both in one pass through the vocoder: pitch_shift, then time_stretch, but for the second vocoder's blur.
/// f32 [n, round(length / rate)].
Tensor change_tempo_and_pitch(const Tensor& samples, double rate, double n_steps, int bins_per_octave = 12,
                              const StftParams& params = {});

/// White Gaussian noise `snr_db` decibels below each clip's own power, other noise for each clip; the same
/// for the same seed on every device. A silent clip stays silent.
Tensor add_noise(const Tensor& samples, double snr_db, std::uint64_t seed);

/// samples times 10^(gain_db / 20).
Tensor apply_gain(const Tensor& samples, double gain_db);

/// features f32 [n, bands, frames] with masks at each clip's mean (kernels/params.h: MaskParams).
Tensor mask(const Tensor& features, const MaskParams& params, std::uint64_t seed);

/// UsageError naming the field, the value and what is allowed.
void check(const AugmentationRanges& ranges);
void check(const MaskParams& params);

/// True if some clips would leave with another speed or pitch; with other samples at all.
bool stretches(const AugmentationRanges& ranges);
bool changes(const AugmentationRanges& ranges);

/// Changes clips of one length at random, each by its own draw, within a captured training step: shapes are
/// fixed, nothing is read back. Holds its window on the device of the context in which it was made.
class ClipAugmenter {
 public:
  /// UsageError when a range is out of its limits.
  ClipAugmenter(const AugmentationRanges& ranges, std::int64_t clip_length, const StftParams& params = {});

  struct Clips {
    Tensor samples;  ///< f32 [n, clip_length]
    Tensor lengths;  ///< i64 [n]: the samples that belong to each, the rest is padding
  };
  /// clips -> the same shapes: slowed clips are cut at clip_length, hastened ones fade out within n_fft / 2
  /// samples of their end and are padded with zeros. Draws come from `stream` of `state`, noise from the next
  /// stream.
  Clips operator()(const Clips& clips, const StepState* state, std::uint32_t stream) const;

 private:
  void stretch(const Tensor& samples, const Tensor& rates, const Tensor& steps, Tensor out) const;

  AugmentationRanges ranges_;
  std::int64_t clip_length_;
  StftParams params_;
  double max_step_;
  Tensor window_;
};

}  // namespace chorale::audio

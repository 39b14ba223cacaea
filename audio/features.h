// SPDX-License-Identifier: MIT
// Mel spectrograms and MFCC of batches of clips on the current device; librosa's definitions and defaults.
//
//   const FeatureExtractor extractor;  // 22,050 Hz, n_fft 2048, hop 512, 128 bands, 40 MFCC
//   const Tensor mel = extractor.mel(samples);  // [n, length] -> [n, 128, 1 + length / 512]
//   const Tensor db = extractor.mel_db(mel), mfcc = extractor.mfcc(mel);
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audio/filters.h"
#include "audio/parameters.h"
#include "kernels/audio_frames.h"
#include "tensor/tensor.h"

namespace chorale::audio {

struct FeatureParams : CepstrumParams {
  MelParams mel;
  int delta_width = 9;  ///< frames of the Savitzky-Golay derivative, odd (librosa.feature.delta)
  int delta_order = 2;  ///< derivatives that mfcc_delta appends: of order 1 to this
  /// What decibels are relative to: a power above 0, or 0 for each clip's maximum. Unset: the maximum for
  /// mel_db, 1 for MFCC.
  std::optional<float> reference;
  float amin = 1e-10f;   ///< smallest power that decibels and logarithms tell apart
  float top_db = 80.0f;  ///< range of mel_db and mfcc below each clip's maximum; negative: unlimited
};

/// Holds the window, the filter bank and the DCT on the device of the context in which it was made; use it
/// there. Const calls are thread-safe as far as the context is.
class FeatureExtractor {
 public:
  /// UsageError when a parameter is out of range.
  explicit FeatureExtractor(const FeatureParams& params = {});

  const FeatureParams& params() const { return params_; }
  /// Bands that lie between two bins and stay zero (librosa warns of them); empty for the defaults.
  const std::vector<std::int64_t>& empty_bands() const { return empty_bands_; }
  /// Frames of a clip of so many samples: 1 + length / hop_length where they are centred.
  std::int64_t frames(std::int64_t length) const { return frame_count(params_.mel, length); }
  /// Rows of mfcc_delta: (1 + delta_order) n_mfcc.
  std::int64_t cepstral_rows() const { return (1 + params_.delta_order) * params_.n_mfcc; }

  /// samples f32 [n, length] -> f32 [n, n_mels, frames] (librosa.feature.melspectrogram). InputError on clips
  /// without samples or, uncentred, shorter than a frame.
  Tensor mel(const Tensor& samples) const;
  /// mel [n, n_mels, frames] -> decibels against params().reference or, where that is unset,
  /// `default_reference` (0: each clip's maximum), no more than top_db below the maximum
  /// (librosa.power_to_db).
  Tensor decibels(const Tensor& mel, float default_reference) const;
  /// mel [n, n_mels, frames] -> dB below each clip's maximum (or against `reference`), no more than top_db
  /// below the maximum (librosa.power_to_db with ref=np.max).
  Tensor mel_db(const Tensor& mel) const;
  /// mel [n, n_mels, frames] -> its natural logarithm, at least log(amin).
  Tensor log_mel(const Tensor& mel) const;
  /// mel [n, n_mels, frames] -> [n, n_mfcc, frames] (librosa.feature.mfcc; the defaults are dB against 1 and
  /// the orthonormal DCT-II).
  Tensor mfcc(const Tensor& mel) const;
  /// mel [n, n_mels, frames] -> [n, cepstral_rows(), frames]: MFCC and their derivatives of order 1 to
  /// delta_order (librosa.feature.delta). InputError for fewer than delta_width frames.
  Tensor mfcc_delta(const Tensor& mel) const;

 private:
  Tensor cepstra(const Tensor& mel, std::int64_t rows) const;

  FeatureParams params_;
  std::vector<std::int64_t> empty_bands_;
  Tensor window_, first_bin_, offset_, weight_, dct_;
  std::vector<Tensor> deltas_;
};

/// librosa's warning of bands that no bin reaches.
std::string empty_bands_warning(const std::vector<std::int64_t>& bands);

/// Every clip of x [n, ...] to mean 0 and standard deviation 1 over its whole matrix (constant clips to 0).
Tensor standardize(const Tensor& x);

/// The front end of the reference configuration: mono 22,050 Hz, first 30 s, peak 1, zero-padded to 30 s.
constexpr int reference_rate = 22050;
constexpr std::int64_t reference_length = 30 * reference_rate;
/// Cuts or pads `samples` to reference_length and scales them to peak 1 (silence stays silent).
std::vector<float> reference_clip(std::span<const float> samples);
struct ReferenceFeatures {
  Tensor mel;   ///< [n, 128, 1292] standardised decibels
  Tensor mfcc;  ///< [n, 120, 1292] standardised MFCC, delta, delta-delta
};
/// clips f32 [n, reference_length] on the extractor's device; `extractor` with default parameters.
ReferenceFeatures reference_features(const FeatureExtractor& extractor, const Tensor& clips);

}  // namespace chorale::audio

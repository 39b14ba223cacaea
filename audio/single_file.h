// SPDX-License-Identifier: MIT
// One file to one feature matrix, with librosa's values, in memory that grows with the result alone.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "audio/decode.h"
#include "audio/features.h"
#include "audio/rhythm.h"
#include "audio/spectral.h"

namespace chorale::audio {

enum class Feature : std::uint8_t {
  mel,                ///< (n_mels, frames)
  mel_db,             ///< (n_mels, frames)
  log_mel,            ///< (n_mels, frames)
  mfcc,               ///< (n_mfcc, frames)
  mfcc_delta,         ///< ((1 + delta_order) n_mfcc, frames)
  stft,               ///< (1 + n_fft / 2, frames, 2): real and imaginary parts
  rms,                ///< (1, frames)
  spectral_centroid,  ///< (1, frames), Hz
  chroma,             ///< (n_chroma, frames)
  onset_strength,     ///< (frames,)
  tempo,              ///< (1,), beats a minute
};

/// Their names, in this order.
const std::vector<std::string>& feature_names();
/// One of feature_names(); UsageError on any other word.
Feature feature_from(const std::string& name);

/// Parameters of all features. The sample rate and the frames are those of features.mel, whatever the others
/// hold.
struct FileParams {
  FeatureParams features;
  ChromaParams chroma;
  OnsetParams onset;
  TempoParams tempo;
};

struct ExtractedFeature {
  Tensor values;  ///< f32, shaped as said above
  std::vector<std::string> warnings;
};

/// The feature of the samples that `options` selects, resampled to features.mel.sample_rate: equal to
/// librosa's on librosa.load(path, sr=sample_rate, offset=, duration=). The samples are streamed through the
/// front end in pieces of 30 s or so; held are the mel matrix, where the feature needs it, and the result.
/// Chroma without a given tuning reads the file twice. InputError naming the file, also when it is too short;
/// UsageError on parameters.
ExtractedFeature extract_file(const std::string& path, Feature feature, const FileParams& params = {},
                              const DecodeOptions& options = {.duration = whole_file});

/// Writes a feature to `output` as an .npy of f32 (complex64 for stft) and returns it. UsageError when
/// `output` is `input`; `output` is checked before the work and replaced when it is complete.
ExtractedFeature extract_single(const std::string& input, Feature feature, const std::string& output,
                                const FileParams& params, const DecodeOptions& options);

}  // namespace chorale::audio

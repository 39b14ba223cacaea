// SPDX-License-Identifier: MIT
// One file to one feature matrix, with librosa's values, in memory that grows with the result alone.
#pragma once
#include <string>
#include <vector>

#include "audio/decode.h"
#include "audio/features.h"

namespace chorale::audio {

enum class Feature : std::uint8_t { mel, mel_db, mfcc, mfcc_delta };

/// "mel", "mel_db", "mfcc" or "mfcc_delta"; UsageError on any other word.
Feature feature_from(const std::string& name);

struct ExtractedFeature {
  Tensor values;  ///< f32 [rows, frames]
  std::vector<std::string> warnings;
};

/// The feature of the samples that `options` selects, resampled to params.mel.sample_rate: equal to librosa's
/// on librosa.load(path, sr=params.mel.sample_rate, offset=, duration=). The samples are streamed through the
/// front end in pieces of 30 s or so; held are the mel matrix and the result (bands x 4 bytes x frames each).
ExtractedFeature extract_file(const std::string& path, Feature feature, const FeatureParams& params = {},
                              const DecodeOptions& options = {.duration = whole_file});

/// Writes the feature named `feature` to `output` as an .npy of f32 (rows, frames) and returns the warnings.
/// UsageError on another name or when `output` is `input`; `output` is checked before the work and replaced
/// when it is complete.
std::vector<std::string> extract_single(const std::string& input, const std::string& feature,
                                        const std::string& output, const FeatureParams& params,
                                        const DecodeOptions& options);

}  // namespace chorale::audio

// SPDX-License-Identifier: MIT
// Features of one audio file as an array file.
#pragma once
#include <string>

#include "audio/features.h"

namespace chorale::audio {

/// Writes `feature` (mel, mel_db, mfcc or mfcc_delta) of the first `duration` seconds of `input` to `output`, an .npy of
/// f32 (bands, frames) with librosa's values: no peak normalisation, no padding, no standardisation. Runs on the
/// current context. UsageError on another feature, InputError on a bad file.
void extract_single(const std::string& input, const std::string& feature, const std::string& output,
                    const FeatureParams& params, double duration);

}  // namespace chorale::audio

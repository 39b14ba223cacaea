// SPDX-License-Identifier: MIT
#include "audio/single_file.h"

#include "audio/decode.h"
#include "tensor/npy.h"

namespace chorale::audio {

void extract_single(const std::string& input, const std::string& feature, const std::string& output,
                    const FeatureParams& params, double duration) {
  check_writable(output);
  const FeatureExtractor extractor(params);
  DecodeOptions options;
  options.duration = duration;
  const AudioClip clip = load(input, params.mel.sample_rate, options);
  const Tensor samples = Tensor::from_host(clip.samples, {1, static_cast<std::int64_t>(clip.samples.size())});
  const Tensor mel = extractor.mel(samples);
  Tensor result;
  if (feature == "mel")
    result = mel;
  else if (feature == "mel_db")
    result = extractor.mel_db(mel);
  else if (feature == "mfcc")
    result = extractor.mfcc(mel);
  else if (feature == "mfcc_delta")
    result = extractor.mfcc_delta(mel);
  else
    throw UsageError("--feature: unknown feature: " + feature + " (allowed mel, mel_db, mfcc, mfcc_delta)");
  write_npy(output, result[0]);
}

}  // namespace chorale::audio

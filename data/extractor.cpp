// SPDX-License-Identifier: MIT
#include "data/extractor.h"

#include "audio/descriptor.h"

namespace chorale::data {

Extractor::Extractor(const FeatureSettings& settings) : kind_(settings.kind), features_(settings.params) {
  if (kind_ == "statistics")
    lags_ = Tensor::from_host(audio::rhythm_lags(settings.params.mel), {audio::rhythm_size});
}

std::vector<Tensor> Extractor::operator()(const Tensor& clips, const Tensor& lengths) const {
  if (kind_ == "statistics") return {audio::clip_descriptor(features_, clips, lengths, lags_)};
  const Tensor mel = features_.mel(clips);
  std::vector<Tensor> parts;
  if (kind_ != "mfcc") parts.push_back(audio::standardize(features_.mel_db(mel)));
  if (kind_ != "mel_db") parts.push_back(audio::standardize(features_.mfcc_delta(mel)));
  return parts;
}

}  // namespace chorale::data

// SPDX-License-Identifier: MIT
#include "audio/descriptor.h"

#include <algorithm>
#include <cmath>

#include "kernels/launch.h"

namespace chorale::audio {

Tensor clip_descriptor(const FeatureExtractor& extractor, const Tensor& clips,
                       const std::vector<std::int64_t>& lengths) {
  const FeatureParams& params = extractor.params();
  ExecutionContext& context = current_context();
  const std::int64_t n = clips.dim(0);
  if (static_cast<std::int64_t>(lengths.size()) != n)
    throw ContractError("clip_descriptor: one length for each clip");
  const Tensor mel = extractor.mel(clips);
  const std::int64_t frames = mel.dim(2);
  std::vector<std::int64_t> own(lengths.size());
  for (std::size_t i = 0; i < own.size(); ++i)
    own[i] = std::clamp<std::int64_t>(extractor.frames(lengths[i]), 1, frames);
  const Tensor counts = Tensor::from_host(own, {n});

  const Tensor db = extractor.mel_db(mel), cepstra = extractor.mfcc_delta(mel);
  Tensor db_moments({n, 2, db.dim(1)}, DType::f32), cepstral_moments({n, 2, cepstra.dim(1)}, DType::f32);
  kernel::frame_moments(context, db, counts, db_moments);
  kernel::frame_moments(context, cepstra, counts, cepstral_moments);

  Tensor onset({n, frames}, DType::f32), rhythm({n, rhythm_lags}, DType::f32);
  kernel::onset_strength(context, db, onset);
  const float frames_per_minute =
      60.0f * static_cast<float>(params.mel.sample_rate) / static_cast<float>(params.mel.hop_length);
  std::vector<float> lags(rhythm_lags);
  for (int i = 0; i < rhythm_lags; ++i) {
    const float position = static_cast<float>(i) / (rhythm_lags - 1);
    lags[static_cast<std::size_t>(i)] =
        frames_per_minute / (fastest_tempo * std::pow(slowest_tempo / fastest_tempo, position));
  }
  kernel::autocorrelation(context, onset, counts, Tensor::from_host(lags, {rhythm_lags}), rhythm);

  const std::int64_t d = 2 * (db.dim(1) + cepstra.dim(1)) + rhythm_lags;
  Tensor out({n, d}, DType::f32);
  for (std::int64_t i = 0; i < n; ++i) {
    std::int64_t column = 0;
    for (const Tensor& part : {db_moments[i].reshape({-1}), cepstral_moments[i].reshape({-1}), rhythm[i]}) {
      out[i].slice(0, column, column + part.size()).copy_from(part);
      column += part.size();
    }
  }
  return out;
}

}  // namespace chorale::audio

// SPDX-License-Identifier: MIT
#include "audio/descriptor.h"

#include <cmath>
#include <cstdio>

#include "kernels/launch.h"

namespace chorale::audio {
namespace {

double tempo(std::int64_t i) {
  return slowest_tempo * std::pow(fastest_tempo / slowest_tempo,
                                  static_cast<double>(i) / static_cast<double>(rhythm_size - 1));
}

std::string numbered(const char* format, int number) {
  char text[32];
  std::snprintf(text, sizeof text, format, number);
  return text;
}

}  // namespace

std::vector<float> rhythm_lags(const MelParams& params) {
  std::vector<float> lags;
  for (std::int64_t i = 0; i < rhythm_size; ++i)
    lags.push_back(static_cast<float>(60 / tempo(i) * params.sample_rate / params.hop_length));
  return lags;
}

std::int64_t descriptor_size(const FeatureParams& params) {
  return 2 * (params.mel.n_mels + (1 + params.delta_order) * params.n_mfcc) + rhythm_size;
}

std::vector<std::string> descriptor_names(const FeatureParams& params) {
  std::vector<std::string> names;
  for (const char* moment : {"_mean", "_std"}) {
    for (int b = 0; b < params.mel.n_mels; ++b) names.push_back(numbered("mel_%03d", b) + moment);
    for (int order = 0; order <= params.delta_order; ++order) {
      const std::string row = order == 0 ? "mfcc" : order == 1 ? "delta" : "delta" + std::to_string(order);
      for (int k = 0; k < static_cast<int>(params.n_mfcc); ++k)
        names.push_back(row + numbered("_%02d", k) + moment);
    }
  }
  for (std::int64_t i = 0; i < rhythm_size; ++i) {
    char text[32];
    std::snprintf(text, sizeof text, "tempo_%.1f", tempo(i));
    names.emplace_back(text);
  }
  return names;
}

Tensor clip_descriptor(const FeatureExtractor& extractor, const Tensor& samples,
                       std::span<const std::int64_t> lengths) {
  const std::int64_t n = samples.dim(0);
  if (static_cast<std::int64_t>(lengths.size()) != n)
    throw ContractError("clip_descriptor: " + std::to_string(lengths.size()) + " lengths for " +
                        std::to_string(n) + " clips");
  for (const std::int64_t length : lengths)
    if (length < 1 || length > samples.dim(1))
      throw InputError("clip: wrong number of samples: " + std::to_string(length) + " (allowed 1 to " +
                       std::to_string(samples.dim(1)) + ")");
  return clip_descriptor(extractor, samples, Tensor::from_host(lengths, {n}),
                         Tensor::from_host(rhythm_lags(extractor.params().mel), {rhythm_size}));
}

Tensor clip_descriptor(const FeatureExtractor& extractor, const Tensor& samples, const Tensor& lengths,
                       const Tensor& lags) {
  Context& context = current_context().kernel_context();
  const FeatureParams& params = extractor.params();
  const std::int64_t n = samples.dim(0), bands = params.mel.n_mels, cepstra = extractor.cepstral_rows();
  Tensor frames({n}, DType::i64), whole_windows({n}, DType::i64);
  kernel::clip_frames(context, lengths, params.mel, std::int64_t{0}, frames);
  kernel::clip_frames(context, lengths, params.mel, std::int64_t{params.delta_width / 2}, whole_windows);
  const Tensor mel = extractor.mel(samples);
  const Tensor db = extractor.mel_db(mel), mfcc = extractor.mfcc_delta(mel);
  Tensor mel_moments({n, 2, bands}, DType::f32), mfcc_moments({n, 2, cepstra}, DType::f32);
  Tensor onset({n, mel.dim(2)}, DType::f32), rhythm({n, rhythm_size}, DType::f32);
  kernel::frame_moments(context, db, frames, mel_moments);
  kernel::frame_moments(context, mfcc, whole_windows, mfcc_moments);
  kernel::onset_strength(context, db, 1, 1, 0, onset);
  kernel::autocorrelation(context, onset, frames, lags, rhythm);
  Tensor joined({n, descriptor_size(params)}, DType::f32);
  std::int64_t column = 0;
  const auto place = [&](const Tensor& part) {  // [n, 1, size] or [n, size]
    const Tensor rows = part.contiguous().reshape({n, -1});
    kernel::place_columns(context, rows, column, joined);
    column += rows.dim(1);
  };
  for (const int moment : {0, 1}) {
    place(mel_moments.slice(1, moment, moment + 1));
    place(mfcc_moments.slice(1, moment, moment + 1));
  }
  place(rhythm);
  return joined;
}

}  // namespace chorale::audio

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
  Context& context = current_context().kernel_context();
  const FeatureParams& params = extractor.params();
  const std::int64_t n = samples.dim(0), bands = params.mel.n_mels, cepstra = extractor.cepstral_rows();
  if (static_cast<std::int64_t>(lengths.size()) != n)
    throw ContractError("clip_descriptor: " + std::to_string(lengths.size()) + " lengths for " +
                        std::to_string(n) + " clips");
  std::vector<std::int64_t> counts, whole_windows;
  for (const std::int64_t length : lengths) {
    if (length < 1 || length > samples.dim(1))
      throw InputError("clip: wrong number of samples: " + std::to_string(length) + " (allowed 1 to " +
                       std::to_string(samples.dim(1)) + ")");
    counts.push_back(extractor.frames(length));
    whole_windows.push_back(counts.back() - params.delta_width / 2);
  }
  const Tensor frames = Tensor::from_host(counts, {n});
  const Tensor mel = extractor.mel(samples);
  const Tensor db = extractor.mel_db(mel), mfcc = extractor.mfcc_delta(mel);
  Tensor mel_moments({n, 2, bands}, DType::f32), mfcc_moments({n, 2, cepstra}, DType::f32);
  Tensor onset({n, mel.dim(2)}, DType::f32), rhythm({n, rhythm_size}, DType::f32);
  kernel::frame_moments(context, db, frames, mel_moments);
  kernel::frame_moments(context, mfcc, Tensor::from_host(whole_windows, {n}), mfcc_moments);
  kernel::onset_strength(context, db, 1, 1, 0, onset);
  kernel::autocorrelation(context, onset, frames, Tensor::from_host(rhythm_lags(params.mel), {rhythm_size}),
                          rhythm);
  // A few KB a clip: joined on the host.
  const std::vector<float> a = mel_moments.to_host<float>(), b = mfcc_moments.to_host<float>(),
                           c = rhythm.to_host<float>();
  std::vector<float> joined;
  joined.reserve(static_cast<std::size_t>(n * descriptor_size(params)));
  const auto append = [&](const std::vector<float>& from, std::int64_t start, std::int64_t count) {
    joined.insert(joined.end(), from.begin() + start, from.begin() + start + count);
  };
  for (std::int64_t clip = 0; clip < n; ++clip) {
    for (std::int64_t moment = 0; moment < 2; ++moment) {
      append(a, (clip * 2 + moment) * bands, bands);
      append(b, (clip * 2 + moment) * cepstra, cepstra);
    }
    append(c, clip * rhythm_size, rhythm_size);
  }
  return Tensor::from_host(joined, {n, descriptor_size(params)});
}

}  // namespace chorale::audio

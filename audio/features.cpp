// SPDX-License-Identifier: MIT
#include "audio/features.h"

#include <algorithm>
#include <cmath>

#include "audio/checks.h"
#include "audio/filters.h"
#include "audio/stft.h"
#include "kernels/launch.h"

namespace chorale::audio {
namespace {

Context& context() { return current_context().kernel_context(); }

void require_mel(const Tensor& mel, const char* what) {
  if (!mel.defined() || mel.rank() != 3 || mel.dtype() != DType::f32)
    throw ContractError(std::string(what) + ": mel f32 [n, bands, frames] wanted: " +
                        (mel.defined() ? to_string(mel.shape()) : "none"));
}

}  // namespace

FeatureExtractor::FeatureExtractor(const FeatureParams& params) : params_(params) {
  const MelFilterBank bank = mel_filter_bank(params.mel);
  check_range(params.amin > 0 && std::isfinite(params.amin), "amin", number_text(params.amin), "above 0");
  check_range(!params.reference || (*params.reference >= 0 && std::isfinite(*params.reference)), "ref",
              number_text(params.reference.value_or(0)), "above 0, or max");
  check_range(!std::isnan(params.top_db), "top_db", number_text(params.top_db), "0 or above, or none");
  const auto count = [](const auto& values) { return static_cast<std::int64_t>(values.size()); };
  empty_bands_ = bank.empty_bands;
  window_ = Tensor::from_host(window_of(params.mel), {params.mel.n_fft});
  first_bin_ = Tensor::from_host(bank.first_bin, {count(bank.first_bin)});
  offset_ = Tensor::from_host(bank.offset, {count(bank.offset)});
  weight_ = Tensor::from_host(bank.weight, {count(bank.weight)});
  dct_ = Tensor::from_host(dct_matrix(params, params.mel.n_mels), {params.n_mfcc, params.mel.n_mels});
  check_range(params.delta_order >= 1, "order", std::to_string(params.delta_order), "1 to 8");
  for (int order = 1; order <= params.delta_order; ++order)
    deltas_.push_back(Tensor::from_host(savitzky_golay(params.delta_width, order), {params.delta_width}));
}

Tensor FeatureExtractor::mel(const Tensor& samples) const {
  check_samples(samples, params_.mel, "mel");
  Tensor out({samples.dim(0), params_.mel.n_mels, frames(samples.dim(1))}, DType::f32);
  kernel::mel_spectrogram_forward(context(), samples, window_, first_bin_, offset_, weight_, params_.mel,
                                  params_.mel.power, out);
  return out;
}

Tensor FeatureExtractor::decibels(const Tensor& mel, float default_reference) const {
  require_mel(mel, "decibels");
  Tensor out(mel.shape(), DType::f32);
  const float reference = params_.reference.value_or(default_reference);
  kernel::power_to_db(context(), mel, DecibelParams{reference, params_.amin, params_.top_db}, out);
  return out;
}

Tensor FeatureExtractor::mel_db(const Tensor& mel) const { return decibels(mel, 0.0f); }

Tensor FeatureExtractor::log_mel(const Tensor& mel) const {
  require_mel(mel, "log_mel");
  Tensor out(mel.shape(), DType::f32);
  kernel::power_to_db(context(), mel, DecibelParams{1.0f, params_.amin, -1.0f, true}, out);
  return out;
}

Tensor FeatureExtractor::cepstra(const Tensor& mel, std::int64_t rows) const {
  const Tensor db = decibels(mel, 1.0f);
  Tensor out({mel.dim(0), rows, mel.dim(2)}, DType::f32);
  kernel::frame_transform(context(), db, dct_, 0, out);
  return out;
}

Tensor FeatureExtractor::mfcc(const Tensor& mel) const { return cepstra(mel, params_.n_mfcc); }

Tensor FeatureExtractor::mfcc_delta(const Tensor& mel) const {
  require_mel(mel, "mfcc_delta");
  if (mel.dim(2) < params_.delta_width)
    throw InputError("mfcc_delta: too few frames: " + std::to_string(mel.dim(2)) + " (allowed " +
                     std::to_string(params_.delta_width) + " or more, the width of the derivative)");
  Tensor out = cepstra(mel, cepstral_rows());
  std::int64_t row = 0;
  for (const Tensor& filter : deltas_)
    kernel::frame_filter(context(), out, filter, 0, row += params_.n_mfcc, params_.n_mfcc, out);
  return out;
}

Tensor standardize(const Tensor& x) {
  if (!x.defined() || x.rank() < 1 || x.dtype() != DType::f32) throw ContractError("standardize: f32 wanted");
  Tensor out(x.shape(), DType::f32);
  kernel::standardize_clips(context(), x, 1e-8f, out);
  return out;
}

std::string empty_bands_warning(const std::vector<std::int64_t>& bands) {
  std::string text = bands.size() == 1 ? "mel band " : "mel bands ";
  constexpr std::size_t named = 8;
  for (std::size_t i = 0; i < std::min(named, bands.size()); ++i)
    text += (i ? ", " : "") + std::to_string(bands[i]);
  if (bands.size() > named) text += " and " + std::to_string(bands.size() - named) + " more";
  return text + (bands.size() == 1 ? " lies" : " lie") +
         " between two bins and stay empty: a larger n_fft or fewer n_mels would fill them";
}

std::vector<float> reference_clip(std::span<const float> samples) {
  const std::size_t length = static_cast<std::size_t>(reference_length);
  std::vector<float> clip(samples.begin(),
                          samples.begin() + static_cast<std::ptrdiff_t>(std::min(samples.size(), length)));
  float peak = 0;
  for (const float x : clip) peak = std::max(peak, std::fabs(x));
  if (peak > 0)
    for (float& x : clip) x /= peak;
  clip.resize(length, 0.0f);
  return clip;
}

ReferenceFeatures reference_features(const FeatureExtractor& extractor, const Tensor& clips) {
  const Tensor mel = extractor.mel(clips);
  return {standardize(extractor.mel_db(mel)), standardize(extractor.mfcc_delta(mel))};
}

}  // namespace chorale::audio

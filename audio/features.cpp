// SPDX-License-Identifier: MIT
#include "audio/features.h"

#include <algorithm>
#include <cmath>

#include "audio/filters.h"
#include "kernels/launch.h"

namespace chorale::audio {
namespace {

Context& context() { return current_context().kernel_context(); }

void require_batch(const Tensor& x, int rank, const char* what) {
  if (!x.defined() || x.rank() != rank || x.dtype() != DType::f32)
    throw ContractError(std::string(what) + " wanted: " + (x.defined() ? to_string(x.shape()) : "none"));
}

}  // namespace

FeatureExtractor::FeatureExtractor(const FeatureParams& params) : params_(params) {
  const MelFilterBank bank = mel_filter_bank(params.mel);
  if (!(params.amin > 0))
    throw UsageError("amin: out of range: " + std::to_string(params.amin) + " (allowed above 0)");
  const auto count = [](const auto& values) { return static_cast<std::int64_t>(values.size()); };
  empty_bands_ = bank.empty_bands;
  window_ = Tensor::from_host(hann_window(params.mel), {params.mel.n_fft});
  first_bin_ = Tensor::from_host(bank.first_bin, {count(bank.first_bin)});
  offset_ = Tensor::from_host(bank.offset, {count(bank.offset)});
  weight_ = Tensor::from_host(bank.weight, {count(bank.weight)});
  dct_ = Tensor::from_host(dct_matrix(params.n_mfcc, params.mel.n_mels), {params.n_mfcc, params.mel.n_mels});
  delta_ = Tensor::from_host(savitzky_golay(params.delta_width, 1), {params.delta_width});
  delta_delta_ = Tensor::from_host(savitzky_golay(params.delta_width, 2), {params.delta_width});
}

Tensor FeatureExtractor::mel(const Tensor& samples) const {
  require_batch(samples, 2, "mel: samples f32 [n, length]");
  if (samples.dim(1) < 1) throw InputError("mel: no samples: 0 (allowed 1 or more)");
  Tensor out({samples.dim(0), params_.mel.n_mels, frames(samples.dim(1))}, DType::f32);
  kernel::mel_spectrogram_forward(context(), samples, window_, first_bin_, offset_, weight_, params_.mel,
                                  out);
  return out;
}

Tensor FeatureExtractor::decibels(const Tensor& mel, float reference) const {
  require_batch(mel, 3, "decibels: mel f32 [n, bands, frames]");
  Tensor out(mel.shape(), DType::f32);
  kernel::power_to_db(context(), mel, DecibelParams{reference, params_.amin, params_.top_db}, out);
  return out;
}

Tensor FeatureExtractor::mel_db(const Tensor& mel) const { return decibels(mel, 0.0f); }

Tensor FeatureExtractor::mfcc(const Tensor& mel) const {
  const Tensor db = decibels(mel, 1.0f);
  Tensor out({mel.dim(0), params_.n_mfcc, mel.dim(2)}, DType::f32);
  kernel::frame_transform(context(), db, dct_, 0, out);
  return out;
}

Tensor FeatureExtractor::mfcc_delta(const Tensor& mel) const {
  const Tensor db = decibels(mel, 1.0f);
  if (mel.dim(2) < params_.delta_width)
    throw InputError("mfcc_delta: too few frames: " + std::to_string(mel.dim(2)) + " (allowed " +
                     std::to_string(params_.delta_width) + " or more, the width of the derivative)");
  const std::int64_t rows = params_.n_mfcc;
  Tensor out({mel.dim(0), 3 * rows, mel.dim(2)}, DType::f32);
  kernel::frame_transform(context(), db, dct_, 0, out);
  kernel::frame_filter(context(), out, delta_, 0, rows, rows, out);
  kernel::frame_filter(context(), out, delta_delta_, 0, 2 * rows, rows, out);
  return out;
}

Tensor standardize(const Tensor& x) {
  if (!x.defined() || x.rank() < 1 || x.dtype() != DType::f32) throw ContractError("standardize: f32 wanted");
  Tensor out(x.shape(), DType::f32);
  kernel::standardize_clips(context(), x, 1e-8f, out);
  return out;
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

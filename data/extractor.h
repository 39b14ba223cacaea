// SPDX-License-Identifier: MIT
// From the samples of clips to one kind of feature, as the cache holds it and a model sees it.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "audio/features.h"
#include "data/feature_cache.h"
#include "tensor/tensor.h"

namespace chorale::data {

/// Holds its tables on the device of the context in which it was made; use it there.
class Extractor {
 public:
  /// UsageError when a parameter is out of range.
  explicit Extractor(const FeatureSettings& settings);
  /// Mel bands that stay empty with these settings.
  const std::vector<std::int64_t>& empty_bands() const { return features_.empty_bands(); }

  /// clips f32 (n, clip length); lengths i64 (n), the samples of each that are not padding, 1 to the clip
  /// length. The parts, f32 (n, ...), that one after the other make a clip's row (feature_shape). Nothing is
  /// uploaded or read back, so a captured step may call it.
  std::vector<Tensor> operator()(const Tensor& clips, const Tensor& lengths) const;

 private:
  std::string kind_;
  audio::FeatureExtractor features_;
  Tensor lags_;  ///< of "statistics"
};

}  // namespace chorale::data

// SPDX-License-Identifier: MIT
// Band-limited resampling with libsoxr, quality HQ: the filter that librosa.load uses by default (soxr_hq).
#pragma once
#include <cstdint>
#include <span>
#include <vector>

struct soxr;

namespace chorale::audio {

/// What `length` samples at rate `from` become at rate `to`: librosa.resample's ceil(length * (to / from)),
/// its rounding included.
std::int64_t resampled_length(std::int64_t length, int from, int to);

/// Resamples a stream of mono samples piece by piece. The result does not depend on how the stream is cut.
class Resampler {
 public:
  /// Rates in Hz, positive (UsageError otherwise); equal rates pass the samples through.
  Resampler(int from, int to);
  ~Resampler();
  Resampler(const Resampler&) = delete;
  Resampler& operator=(const Resampler&) = delete;

  /// Appends what the new input allows to `output`.
  void process(std::span<const float> input, std::vector<float>& output);
  /// Appends the rest. In all ceil(input * to / from) samples come out, padded with zeros or cut at the end
  /// as librosa.resample(fix=True) does. Call once.
  void finish(std::vector<float>& output);

 private:
  void push(const float* input, std::size_t count, std::vector<float>& output);

  int from_, to_;
  soxr* handle_ = nullptr;
  std::int64_t consumed_ = 0, produced_ = 0;
};

/// librosa.resample(x, orig_sr=from, target_sr=to).
std::vector<float> resample(std::span<const float> x, int from, int to);

}  // namespace chorale::audio

// SPDX-License-Identifier: MIT
#include "audio/single_file.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "audio/resample.h"
#include "tensor/file.h"
#include "tensor/npy.h"

namespace chorale::audio {
namespace {

/// Mel frames of a stream. Frames see n_fft / 2 samples to each side, so a piece is computed with whole hops
/// of context around it, and only the frames that see no edge of the piece are kept (but for the edges of the
/// clip).
class MelStream {
 public:
  explicit MelStream(const FeatureExtractor& extractor)
      : extractor_(extractor),
        hop_(extractor.params().mel.hop_length),
        context_((extractor.params().mel.n_fft / 2 + hop_ - 1) / hop_),
        piece_(std::max<std::int64_t>(64, 32 * 22050 / hop_)) {}

  std::vector<float>& pending() { return pending_; }

  /// Turns complete pieces of pending() into frames; at the end of the stream, all of it.
  void advance(bool end) {
    while (static_cast<std::int64_t>(pending_.size()) >= (lead_ + piece_ + context_) * hop_)
      compute((lead_ + piece_ + context_) * hop_, piece_);
    if (end && total_length() > 0)
      compute(static_cast<std::int64_t>(pending_.size()),
              1 + static_cast<std::int64_t>(pending_.size()) / hop_ - lead_);
  }

  /// [1, bands, frames] of everything computed.
  Tensor joined() const {
    const std::int64_t bands = extractor_.params().mel.n_mels;
    Tensor out({1, bands, frames_}, DType::f32);
    std::vector<float> all(static_cast<std::size_t>(bands * frames_));
    std::int64_t at = 0;
    for (const Part& part : parts_) {
      for (std::int64_t b = 0; b < bands; ++b)
        std::memcpy(all.data() + b * frames_ + at, part.values.data() + b * part.frames,
                    static_cast<std::size_t>(part.frames) * sizeof(float));
      at += part.frames;
    }
    out.upload(all.data(), DType::f32);
    return out;
  }

 private:
  struct Part {
    std::vector<float> values;
    std::int64_t frames;
  };

  std::int64_t total_length() const { return static_cast<std::int64_t>(pending_.size()) + frames_; }

  /// Keeps `count` frames after the first lead_ of those of the first `length` pending samples, then drops
  /// what no later frame sees.
  void compute(std::int64_t length, std::int64_t count) {
    const Tensor samples = Tensor::from_host(
        std::span<const float>(pending_).first(static_cast<std::size_t>(length)), {1, length});
    const Tensor mel = extractor_.mel(samples)[0].slice(1, lead_, lead_ + count).contiguous();
    parts_.push_back({mel.to_host<float>(), count});
    frames_ += count;
    const std::int64_t kept_lead = std::min(context_, lead_ + count);
    pending_.erase(pending_.begin(), pending_.begin() + std::min((lead_ + count - kept_lead) * hop_,
                                                                 static_cast<std::int64_t>(pending_.size())));
    lead_ = kept_lead;
  }

  const FeatureExtractor& extractor_;
  std::int64_t hop_, context_, piece_;
  std::int64_t lead_ = 0;  ///< frames at the front of pending_ that are already out
  std::int64_t frames_ = 0;
  std::vector<float> pending_;
  std::vector<Part> parts_;
};

}  // namespace

Feature feature_from(const std::string& name) {
  if (name == "mel") return Feature::mel;
  if (name == "mel_db") return Feature::mel_db;
  if (name == "mfcc") return Feature::mfcc;
  if (name == "mfcc_delta") return Feature::mfcc_delta;
  throw UsageError("feature: unknown: " + printable(name) + " (allowed mel, mel_db, mfcc, mfcc_delta)");
}

ExtractedFeature extract_file(const std::string& path, Feature feature, const FeatureParams& params,
                              const DecodeOptions& options) {
  const FeatureExtractor extractor(params);
  AudioReader reader(path, options);
  Resampler resampler(reader.sample_rate(), params.mel.sample_rate);
  MelStream stream(extractor);
  std::vector<float> block(1 << 15);
  bool any = false;
  while (const std::size_t got = reader.read(block)) {
    any = true;
    resampler.process(std::span<const float>(block).first(got), stream.pending());
    stream.advance(false);
  }
  if (!any)
    throw InputError(printable(path) + ": no samples" +
                     (reader.warnings().empty() ? "" : ": " + reader.warnings().back()));
  resampler.finish(stream.pending());
  stream.advance(true);
  ExtractedFeature result{stream.joined(), reader.warnings()};
  for (const std::int64_t band : extractor.empty_bands())
    result.warnings.push_back("mel band " + std::to_string(band) + " lies between two bins and stays empty");
  try {
    if (feature == Feature::mel_db) result.values = extractor.mel_db(result.values);
    if (feature == Feature::mfcc) result.values = extractor.mfcc(result.values);
    if (feature == Feature::mfcc_delta) result.values = extractor.mfcc_delta(result.values);
  } catch (const InputError& error) {
    throw InputError(printable(path) + ": " + error.what());
  }
  result.values = result.values[0];
  return result;
}

std::vector<std::string> extract_single(const std::string& input, const std::string& feature,
                                        const std::string& output, const FeatureParams& params,
                                        const DecodeOptions& options) {
  const Feature kind = feature_from(feature);
  std::error_code ignored;
  if (std::filesystem::equivalent(input, output, ignored))
    throw UsageError("output: is the input itself: " + printable(output) + " (allowed any other file)");
  check_writable(output);
  const ExtractedFeature result = extract_file(input, kind, params, options);
  write_npy(output, result.values);
  return result.warnings;
}

}  // namespace chorale::audio

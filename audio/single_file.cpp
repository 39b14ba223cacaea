// SPDX-License-Identifier: MIT
#include "audio/single_file.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <system_error>

#include "audio/checks.h"
#include "audio/frame_stream.h"
#include "audio/resample.h"
#include "audio/stft.h"
#include "tensor/file.h"
#include "tensor/npy.h"

namespace chorale::audio {
namespace {

/// A file at one sample rate, as often as it is asked for.
class Source {
 public:
  Source(const std::string& path, int sample_rate, const DecodeOptions& options)
      : path_(path), sample_rate_(sample_rate), options_(options) {}

  /// Runs all samples through `compute`, piece by piece.
  void stream(const FrameParams& params, const std::function<Tensor(const Tensor&)>& compute,
              const std::function<void(const Tensor&)>& sink) {
    AudioReader reader(path_, options_);
    Resampler resampler(reader.sample_rate(), sample_rate_);
    FrameStream stream(params, compute, sink);
    std::vector<float> block(1 << 15);
    bool any = false;
    while (const std::size_t got = reader.read(block)) {
      any = true;
      resampler.process(std::span<const float>(block).first(got), stream.pending());
      stream.advance(false);
    }
    if (!any)
      throw InputError("no samples" + (reader.warnings().empty() ? "" : ": " + reader.warnings().back()));
    resampler.finish(stream.pending());
    stream.advance(true);
    warnings = reader.warnings();
  }

  /// The same, joined: [1, rows, frames] or [1, rows, frames, width].
  Tensor frames(const FrameParams& params, const std::function<Tensor(const Tensor&)>& compute) {
    JoinedFrames all;
    stream(params, compute, [&](const Tensor& piece) { all.append(piece); });
    return all.joined();
  }

  std::vector<std::string> warnings;

 private:
  std::string path_;
  int sample_rate_;
  DecodeOptions options_;
};

ChromaParams chroma_params(const FileParams& params) {
  ChromaParams result = params.chroma;
  static_cast<StftParams&>(result) = params.features.mel;
  result.sample_rate = params.features.mel.sample_rate;
  return result;
}

TempoParams tempo_params(const FileParams& params) {
  TempoParams result = params.tempo;
  result.sample_rate = params.features.mel.sample_rate;
  result.hop_length = params.features.mel.hop_length;
  return result;
}

/// What the feature's own functions would find only when the file is read. The mel features are checked by
/// their extractor.
void check_for(Feature feature, const FileParams& params) {
  const MelParams& mel = params.features.mel;
  check_range(mel.sample_rate >= 1000 && mel.sample_rate <= 768000, "sample_rate",
              std::to_string(mel.sample_rate), "1000 to 768000");
  if (feature == Feature::rms) {
    check_range(mel.n_fft >= 1, "frame_length", std::to_string(mel.n_fft), "1 or more");
    check_range(mel.hop_length >= 1 && mel.hop_length <= mel.n_fft, "hop_length",
                std::to_string(mel.hop_length), "1 to frame_length = " + std::to_string(mel.n_fft));
  } else {
    check(static_cast<const StftParams&>(mel));
  }
  if (feature == Feature::chroma) check(chroma_params(params));
  if (feature == Feature::onset_strength || feature == Feature::tempo) check(params.onset);
  if (feature == Feature::tempo) check(tempo_params(params));
}

/// One value a frame as a matrix of one row.
Tensor as_row(const Tensor& x) { return x.reshape({x.dim(0), 1, x.dim(1)}); }

Tensor chroma_of_file(Source& source, const ChromaParams& params) {
  const auto power = [&](const Tensor& samples) { return spectrogram(samples, params, 2.0f); };
  double tuning = params.tuning.value_or(0);
  if (!params.tuning) {
    std::vector<Peak> peaks;
    source.stream(params, power, [&](const Tensor& piece) {
      const std::vector<Peak> some = spectral_peaks(piece, params.sample_rate);
      peaks.insert(peaks.end(), some.begin(), some.end());
    });
    tuning = tuning_of(peaks, params.n_chroma);
  }
  return source.frames(params,
                       [&](const Tensor& samples) { return chroma_of(power(samples), params, tuning); });
}

/// What is made of the mel matrix.
Tensor from_mel(const FeatureExtractor& extractor, const Tensor& mel, Feature feature,
                const FileParams& params) {
  if (feature == Feature::mel_db) return extractor.mel_db(mel)[0];
  if (feature == Feature::log_mel) return extractor.log_mel(mel)[0];
  if (feature == Feature::mfcc) return extractor.mfcc(mel)[0];
  if (feature == Feature::mfcc_delta) return extractor.mfcc_delta(mel)[0];
  if (feature == Feature::mel) return mel[0];
  const Tensor onset = onset_strength(extractor, mel, params.onset);
  if (feature == Feature::onset_strength) return onset[0];
  return Tensor::from_host(std::vector<float>{static_cast<float>(tempo(onset, tempo_params(params))[0])},
                           {1});
}

}  // namespace

const std::vector<std::string>& feature_names() {
  static const std::vector<std::string> names{"mel",        "mel_db",         "log_mel", "mfcc",
                                              "mfcc_delta", "stft",           "rms",     "spectral_centroid",
                                              "chroma",     "onset_strength", "tempo"};
  return names;
}

Feature feature_from(const std::string& name) {
  const std::vector<std::string>& names = feature_names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<Feature>(found - names.begin());
  std::string allowed;
  for (const std::string& each : names) allowed += (allowed.empty() ? "" : ", ") + each;
  throw UsageError("feature: unknown: " + printable(name) + " (allowed " + allowed + ")");
}

ExtractedFeature extract_file(const std::string& path, Feature feature, const FileParams& params,
                              const DecodeOptions& options) {
  const MelParams& mel = params.features.mel;
  check_for(feature, params);
  Source source(path, mel.sample_rate, options);
  ExtractedFeature result;
  std::vector<std::string> notes;
  try {
    if (feature == Feature::stft) {
      result.values = source.frames(mel, [&](const Tensor& samples) { return stft(samples, mel); })[0];
    } else if (feature == Feature::rms) {
      result.values = source.frames(mel, [&](const Tensor& samples) { return as_row(rms(samples, mel)); })[0];
    } else if (feature == Feature::spectral_centroid) {
      result.values = source.frames(mel, [&](const Tensor& samples) {
        return as_row(spectral_centroid(spectrogram(samples, mel, 1.0f), mel.sample_rate));
      })[0];
    } else if (feature == Feature::chroma) {
      result.values = chroma_of_file(source, chroma_params(params))[0];
    } else {
      const FeatureExtractor extractor(params.features);
      if (!extractor.empty_bands().empty()) notes.push_back(empty_bands_warning(extractor.empty_bands()));
      const Tensor bands = source.frames(mel, [&](const Tensor& samples) { return extractor.mel(samples); });
      result.values = from_mel(extractor, bands, feature, params);
    }
  } catch (const InputError& error) {
    // What the reader says names the file already.
    const std::string what = error.what();
    throw InputError(what.starts_with(printable(path)) ? what : printable(path) + ": " + what);
  }
  result.warnings = source.warnings;
  result.warnings.insert(result.warnings.end(), notes.begin(), notes.end());
  return result;
}

ExtractedFeature extract_single(const std::string& input, Feature feature, const std::string& output,
                                const FileParams& params, const DecodeOptions& options) {
  std::error_code ignored;
  if (std::filesystem::equivalent(input, output, ignored))
    throw UsageError("output: is the input itself: " + printable(output) + " (allowed any other file)");
  check_writable(output);
  ExtractedFeature result = extract_file(input, feature, params, options);
  if (feature == Feature::stft) {
    write_npy_complex(output, result.values);
  } else {
    write_npy(output, result.values);
  }
  return result;
}

}  // namespace chorale::audio

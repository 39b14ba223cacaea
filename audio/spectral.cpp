// SPDX-License-Identifier: MIT
#include "audio/spectral.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "audio/checks.h"
#include "audio/stft.h"
#include "kernels/audio_frames.h"
#include "kernels/launch.h"

namespace chorale::audio {
namespace {

Context& context() { return current_context().kernel_context(); }

constexpr double lowest_peak = 150, highest_peak = 4000;  // Hz
constexpr float peak_threshold = 0.1f;

/// Octaves above the A of 27.5 Hz, where A = 440 Hz is shifted by `tuning` of `classes` an octave.
double octaves(double hz, double tuning, int classes) {
  return std::log2(hz / (440 * std::exp2(tuning / classes) / 16));
}

void require_spectrum(const Tensor& x, const char* what) {
  if (!x.defined() || x.rank() != 3 || x.dtype() != DType::f32 || x.dim(1) < 2)
    throw ContractError(std::string(what) + ": a spectrogram f32 [n, bins, frames] wanted");
}

/// The filter bank of a plain spectrogram: one bin a band.
struct Bins {
  Tensor first, offset, weight;
  explicit Bins(std::int64_t bins) {
    std::vector<std::int32_t> numbers;
    for (std::int32_t k = 0; k <= bins; ++k) numbers.push_back(k);
    offset = Tensor::from_host(numbers, {bins + 1});
    numbers.pop_back();
    first = Tensor::from_host(numbers, {bins});
    weight = Tensor::full({bins}, 1.0f);
  }
};

}  // namespace

Tensor rms(const Tensor& samples, const FrameParams& params) {
  check_range(params.n_fft >= 1, "frame_length", std::to_string(params.n_fft), "1 or more");
  check_range(params.hop_length >= 1, "hop_length", std::to_string(params.hop_length), "1 or more");
  check_samples(samples, params, "rms");
  Tensor out({samples.dim(0), frame_count(params, samples.dim(1))}, DType::f32);
  kernel::frame_rms(context(), samples, params, out);
  return out;
}

Tensor spectrogram(const Tensor& samples, const StftParams& params, float power) {
  check(params);
  check_range(std::isfinite(power) && power > 0 && power <= 4, "power", number_text(power),
              "above 0, up to 4");
  check_samples(samples, params, "spectrogram");
  const std::int64_t count = 1 + params.n_fft / 2;
  const Bins bins(count);
  Tensor out({samples.dim(0), count, frame_count(params, samples.dim(1))}, DType::f32);
  kernel::mel_spectrogram_forward(context(), samples, Tensor::from_host(window_of(params), {params.n_fft}),
                                  bins.first, bins.offset, bins.weight, params, power, out);
  return out;
}

Tensor spectral_centroid(const Tensor& magnitude, int sample_rate) {
  require_spectrum(magnitude, "spectral_centroid");
  const std::int64_t bins = magnitude.dim(1);
  std::vector<float> frequency;
  for (std::int64_t k = 0; k < bins; ++k)
    frequency.push_back(
        static_cast<float>(static_cast<double>(k) * sample_rate / static_cast<double>(2 * (bins - 1))));
  Tensor out({magnitude.dim(0), magnitude.dim(2)}, DType::f32);
  kernel::spectral_centroid(context(), magnitude, Tensor::from_host(frequency, {bins}), out);
  return out;
}

std::vector<float> chroma_filters(const ChromaParams& params, double tuning) {
  const int classes = params.n_chroma, n_fft = params.n_fft, bins = 1 + n_fft / 2;
  // Where each bin lies, in pitch classes; 0 Hz is put an octave and a half below bin 1.
  std::vector<double> place(static_cast<std::size_t>(bins) + 1);
  for (int k = 1; k <= bins; ++k)
    place[static_cast<std::size_t>(k)] =
        classes * octaves(static_cast<double>(k) * params.sample_rate / n_fft, tuning, classes);
  place[0] = place[1] - 1.5 * classes;
  const double half = std::nearbyint(classes / 2.0);
  const int shift = 3 * (classes / 12);  // from A to C
  std::vector<float> filters(static_cast<std::size_t>(classes * bins));
  for (int k = 0; k < bins; ++k) {
    const double at = place[static_cast<std::size_t>(k)];
    const double width = std::max(place[static_cast<std::size_t>(k) + 1] - at, 1.0);
    std::vector<double> bump;
    double square = 0;
    for (int c = 0; c < classes; ++c) {
      const double turned = at - c + half + 10 * classes;
      const double distance = turned - classes * std::floor(turned / classes) - half;
      bump.push_back(std::exp(-0.5 * std::pow(2 * distance / width, 2)));
      square += bump.back() * bump.back();
    }
    const double octave = std::exp(-0.5 * std::pow((at / classes - 5) / 2, 2));
    for (int c = 0; c < classes; ++c)
      filters[static_cast<std::size_t>((c - shift + classes) % classes * bins + k)] =
          static_cast<float>(bump[static_cast<std::size_t>(c)] / std::sqrt(square) * octave);
  }
  return filters;
}

std::vector<Peak> spectral_peaks(const Tensor& power, int sample_rate) {
  require_spectrum(power, "spectral_peaks");
  const double bin = sample_rate / (2.0 * static_cast<double>(power.dim(1) - 1));
  const std::int64_t first =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(lowest_peak / bin)));
  const std::int64_t end =
      std::min(power.dim(1) - 1, static_cast<std::int64_t>(std::ceil(highest_peak / bin)));
  std::vector<Peak> peaks;
  if (end <= first) return peaks;
  Tensor place({power.dim(0), end - first, power.dim(2)}, DType::f32), height(place.shape(), DType::f32);
  kernel::spectral_peaks(context(), power, first, peak_threshold, place, height);
  const std::vector<float> places = place.to_host<float>(), heights = height.to_host<float>();
  for (std::size_t i = 0; i < places.size(); ++i)
    if (places[i] > 0)
      peaks.push_back({static_cast<float>(static_cast<double>(places[i]) * bin), heights[i]});
  return peaks;
}

double tuning_of(std::span<const Peak> peaks, int n_chroma) {
  if (peaks.empty()) return 0;
  std::vector<float> heights;
  for (const Peak& peak : peaks) heights.push_back(peak.magnitude);
  const auto middle = heights.begin() + static_cast<std::ptrdiff_t>(heights.size() / 2);
  std::nth_element(heights.begin(), middle, heights.end());
  double median = static_cast<double>(*middle);
  if (heights.size() % 2 == 0)
    median = (median + static_cast<double>(*std::max_element(heights.begin(), middle))) / 2;
  constexpr int steps = 100;
  std::int64_t counts[steps] = {};
  for (const Peak& peak : peaks) {
    if (static_cast<double>(peak.magnitude) < median) continue;
    const double classes = n_chroma * octaves(static_cast<double>(peak.frequency), 0, 12);
    const double residual = classes - std::floor(classes + 0.5);  // -0.5 to below 0.5
    ++counts[std::clamp(static_cast<int>(std::floor((residual + 0.5) * steps)), 0, steps - 1)];
  }
  return -0.5 + static_cast<double>(std::max_element(counts, counts + steps) - counts) / steps;
}

Tensor chroma_of(const Tensor& power, const ChromaParams& params, double tuning) {
  require_spectrum(power, "chroma");
  const Tensor filters =
      Tensor::from_host(chroma_filters(params, tuning), {params.n_chroma, 1 + params.n_fft / 2});
  Tensor out({power.dim(0), params.n_chroma, power.dim(2)}, DType::f32);
  kernel::frame_transform(context(), power, filters, 0, out);
  const float infinity = std::numeric_limits<float>::infinity();
  if (params.norm >= 0)
    kernel::normalize_frames(context(), out, params.norm > 0 ? static_cast<float>(params.norm) : infinity,
                             out);
  return out;
}

void check(const ChromaParams& p) {
  check(static_cast<const StftParams&>(p));
  check_range(p.sample_rate >= 1000 && p.sample_rate <= 768000, "sample_rate", std::to_string(p.sample_rate),
              "1000 to 768000");
  check_range(p.n_chroma >= 2 && p.n_chroma <= 96, "n_chroma", std::to_string(p.n_chroma), "2 to 96");
  check_range(!p.tuning || std::isfinite(*p.tuning), "tuning", number_text(p.tuning.value_or(0)),
              "any fraction of a pitch class");
  check_range(p.norm <= 0 || p.norm == 1 || p.norm == 2 || std::isinf(p.norm), "norm", number_text(p.norm),
              "1, 2, inf or none");
}

Tensor chroma(const Tensor& samples, const ChromaParams& params) {
  check(params);
  const Tensor power = spectrogram(samples, params, 2.0f);
  if (params.tuning) return chroma_of(power, params, *params.tuning);
  Tensor out({samples.dim(0), params.n_chroma, power.dim(2)}, DType::f32);
  for (std::int64_t clip = 0; clip < samples.dim(0); ++clip) {
    const Tensor one = power.slice(0, clip, clip + 1);
    const double tuning = tuning_of(spectral_peaks(one, params.sample_rate), params.n_chroma);
    out.slice(0, clip, clip + 1).copy_from(chroma_of(one, params, tuning));
  }
  return out;
}

}  // namespace chorale::audio

// SPDX-License-Identifier: MIT
#include "audio/rhythm.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "audio/checks.h"
#include "audio/stft.h"
#include "kernels/launch.h"

namespace chorale::audio {
namespace {

Context& context() { return current_context().kernel_context(); }

void check_positive(double value, const char* field) {
  check_range(std::isfinite(value) && value > 0, field, number_text(value), "above 0");
}

/// Of at least one value, which it reorders; NaN if one is.
float median_of(std::vector<float>& values) {
  if (std::any_of(values.begin(), values.end(), [](float x) { return std::isnan(x); }))
    return std::numeric_limits<float>::quiet_NaN();
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return values.size() % 2 ? *middle : (*std::max_element(values.begin(), middle) + *middle) / 2;
}

/// The kernel's envelope with the median in place of the mean.
Tensor median_rise(const Tensor& db, const OnsetParams& params, std::int64_t delay) {
  const std::int64_t bands = db.dim(1), frames = db.dim(2);
  const std::vector<float> in = db.to_host<float>();
  std::vector<float> out(static_cast<std::size_t>(db.dim(0) * frames), 0.0f), rises;
  for (std::int64_t i = 0; i < db.dim(0) * frames; ++i) {
    const std::int64_t now = i % frames - delay, before = now - params.lag;
    if (before < 0) continue;
    const float* clip = in.data() + i / frames * bands * frames;
    rises.clear();
    for (std::int64_t b = 0; b < bands; ++b) {
      const std::int64_t low = std::max<std::int64_t>(b - params.max_size / 2, 0);
      const std::int64_t high = std::min<std::int64_t>(b + (params.max_size - 1) / 2, bands - 1);
      float largest = clip[low * frames + before];
      for (std::int64_t other = low; other <= high; ++other) {
        const float value = clip[other * frames + before];
        if (!std::isnan(largest) && !(value <= largest)) largest = value;
      }
      const float rise = clip[b * frames + now] - largest;
      rises.push_back(rise < 0 ? 0.0f : rise);
    }
    out[static_cast<std::size_t>(i)] = median_of(rises);
  }
  return Tensor::from_host(out, {db.dim(0), frames});
}

/// scipy.signal.lfilter([1, -1], [1, -0.99], x), in f64.
Tensor without_constant(const Tensor& x) {
  std::vector<float> values = x.to_host<float>();
  const auto frames = static_cast<std::size_t>(x.dim(1));
  for (std::size_t clip = 0; clip < values.size(); clip += frames) {
    double last = 0, y = 0;
    for (std::size_t t = clip; t < clip + frames; ++t) {
      y = static_cast<double>(values[t]) - last + 0.99 * y;
      last = static_cast<double>(values[t]);
      values[t] = static_cast<float>(y);
    }
  }
  return Tensor::from_host(values, x.shape());
}

/// Frames of the autocorrelation's window.
double window_frames(const TempoParams& params) {
  return std::floor(params.ac_size * params.sample_rate / params.hop_length);
}

/// The lag, in frames, of the most likely period: the largest of log(1 + 10^6 autocorrelation) + log prior.
std::size_t best_period(std::span<const float> autocorrelation, const TempoParams& params) {
  const double frames_a_minute = 60.0 * params.sample_rate / params.hop_length;
  std::size_t best = 0;
  double best_value = -std::numeric_limits<double>::infinity();
  // Lag 0 is infinitely fast; if every lag is too fast, librosa takes the first.
  for (std::size_t lag = 1; lag < autocorrelation.size(); ++lag) {
    const double bpm = frames_a_minute / static_cast<double>(lag);
    if (params.max_tempo > 0 && bpm >= params.max_tempo) continue;
    const double octaves = (std::log2(bpm) - std::log2(params.start_bpm)) / params.std_bpm;
    const double value =
        std::log1p(1e6 * static_cast<double>(autocorrelation[lag])) - 0.5 * octaves * octaves;
    if (value > best_value) best = lag, best_value = value;
  }
  return best;
}

}  // namespace

void check(const OnsetParams& params) {
  check_range(params.lag >= 1, "lag", std::to_string(params.lag), "1 or more");
  check_range(params.max_size >= 1, "max_size", std::to_string(params.max_size), "1 or more");
}

void check(const TempoParams& params) {
  check_range(params.sample_rate > 0, "sample_rate", std::to_string(params.sample_rate), "1 or more");
  check_range(params.hop_length > 0, "hop_length", std::to_string(params.hop_length), "1 or more");
  check_positive(params.start_bpm, "start_bpm");
  check_positive(params.std_bpm, "std_bpm");
  check_range(std::isfinite(params.max_tempo) && params.max_tempo >= 0, "max_tempo",
              number_text(params.max_tempo), "above 0, or 0 for no limit");
  const double frames = window_frames(params);
  check_range(frames >= 2 && frames <= 6144, "ac_size", number_text(params.ac_size),
              "2 to 6144 frames of hop_length = " + std::to_string(params.hop_length) + " samples");
}

Tensor onset_strength(const FeatureExtractor& extractor, const Tensor& mel, const OnsetParams& params) {
  check(params);
  const Tensor db = extractor.decibels(mel, 1.0f);
  const MelParams& frames = extractor.params().mel;
  const std::int64_t delay = params.center ? frames.n_fft / (2 * frames.hop_length) : 0;
  Tensor out({mel.dim(0), mel.dim(2)}, DType::f32);
  if (params.median)
    out = median_rise(db, params, delay);
  else
    kernel::onset_strength(context(), db, params.lag, params.max_size, delay, out);
  return params.detrend ? without_constant(out) : out;
}

std::vector<double> tempo(const Tensor& onset, const TempoParams& params) {
  if (!onset.defined() || onset.rank() != 2 || onset.dtype() != DType::f32 || onset.dim(1) < 1)
    throw ContractError("tempo: onset f32 [n, frames] wanted");
  check(params);
  StftParams shape;
  shape.n_fft = static_cast<std::int32_t>(window_frames(params));
  const Tensor window = Tensor::from_host(window_of(shape), {shape.n_fft});
  Tensor mean({onset.dim(0), shape.n_fft}, DType::f32);
  kernel::tempogram_mean(context(), onset, window, mean);
  const std::vector<float> rows = mean.to_host<float>();
  std::vector<double> tempi;
  for (std::size_t clip = 0; clip < static_cast<std::size_t>(onset.dim(0)); ++clip) {
    const std::size_t lags = static_cast<std::size_t>(shape.n_fft);
    const std::size_t lag = best_period(std::span(rows).subspan(clip * lags, lags), params);
    tempi.push_back(60.0 * params.sample_rate / (params.hop_length * static_cast<double>(lag)));
  }
  return tempi;
}

}  // namespace chorale::audio

// SPDX-License-Identifier: MIT
// The rows that describe clips and frames by a few numbers, against their formulas in f64.
#include <algorithm>
#include <cmath>

#include "kernels/audio_frames.h"
#include "kernels/launch.h"
#include "tests/cases/audio_case.h"

namespace chorale::harness {
namespace {

OpCase moments() {
  OpCase c = statistics_case("frame_moments");
  c.variants = {{"one", {{{1, 1, 1}}, integers({1}, 1, 1)}},
                {"odd", {{{4, 5, 70}}, integers({4}, 1, 75)}},
                {"large", {{{3, 100, 700}}, integers({3}, 300, 700)}, true}};
  c.run = [](const Run& run) {
    const Tensor& x = run.tensor(0);
    Tensor y({x.dim(0), 2, x.dim(1)}, DType::f32);
    kernel::frame_moments(current_context(), x, run.tensor(1), y);
    return std::vector{Var(y)};
  };
  c.reference = [](const Arrays& x) {
    const std::int64_t n = x[0].dim(0), rows = x[0].dim(1), frames = x[0].dim(2);
    Array y({n, 2, rows});
    for (std::int64_t i = 0; i < n * rows; ++i) {
      const std::int64_t count = std::min(frames, static_cast<std::int64_t>(x[1][i / rows]));
      double mean = 0, square = 0;
      for (std::int64_t t = 0; t < count; ++t) mean += x[0][i * frames + t] / static_cast<double>(count);
      for (std::int64_t t = 0; t < count; ++t)
        square += std::pow(x[0][i * frames + t] - mean, 2) / static_cast<double>(count);
      y[i / rows * 2 * rows + i % rows] = mean;
      y[i / rows * 2 * rows + rows + i % rows] = std::sqrt(square);
    }
    return Arrays{y};
  };
  return c;
}

OpCase autocorrelation() {
  OpCase c = statistics_case("autocorrelation");
  const auto lags = [](std::int64_t n, double most) { return Input{{n}, 0, most, false}; };
  c.variants = {{"one", {{{1, 1}}, integers({1}, 1, 1), lags(2, 3)}},
                {"odd", {{{3, 90}}, integers({3}, 20, 95), lags(9, 60)}},
                {"large", {{{4, 1292}}, integers({4}, 900, 1292), lags(64, 70)}, true}};
  c.run = [](const Run& run) {
    const Tensor& x = run.tensor(0);
    Tensor y({x.dim(0), run.tensor(2).size()}, DType::f32);
    kernel::autocorrelation(current_context(), x, run.tensor(1), run.tensor(2), y);
    return std::vector{Var(y)};
  };
  c.reference = [](const Arrays& x) {
    const std::int64_t frames = x[0].dim(1), number = x[2].size();
    Array y({x[0].dim(0), number});
    for (std::int64_t i = 0; i < y.size(); ++i) {
      const std::int64_t clip = i / number, count = std::min(frames, static_cast<std::int64_t>(x[1][clip]));
      double mean = 0;
      for (std::int64_t t = 0; t < count; ++t) mean += x[0][clip * frames + t] / static_cast<double>(count);
      const auto at = [&](std::int64_t lag) {
        double sum = 0;
        for (std::int64_t t = 0; t + lag < count; ++t)
          sum += (x[0][clip * frames + t] - mean) * (x[0][clip * frames + t + lag] - mean);
        return sum;
      };
      const double lag = x[2][i % number];
      const std::int64_t whole = static_cast<std::int64_t>(lag);
      if (lag > static_cast<double>(count - 2)) continue;
      y[i] = ((1 - (lag - std::floor(lag))) * at(whole) + (lag - std::floor(lag)) * at(whole + 1)) / at(0);
    }
    return Arrays{y};
  };
  return c;
}

/// The mean over bands of what each rises above the largest of its neighbours `lag` frames before.
OpCase onset(std::int64_t lag, std::int64_t max_size, std::int64_t delay) {
  OpCase c = statistics_case("onset_strength_" + std::to_string(lag) + "_" + std::to_string(max_size) + "_" +
                             std::to_string(delay));
  c.variants = {plain("one", {{1, 1, 1}}), plain("odd", {{2, 7, 300}}),
                plain("large", {{2, 128, 1292}}, true)};
  c.run = [=](const Run& run) {
    const Tensor& x = run.tensor(0);
    Tensor y({x.dim(0), x.dim(2)}, DType::f32);
    kernel::onset_strength(current_context(), x, lag, max_size, delay, y);
    return std::vector{Var(y)};
  };
  c.reference = [=](const Arrays& x) {
    const std::int64_t bands = x[0].dim(1), frames = x[0].dim(2);
    Array y({x[0].dim(0), frames});
    for (std::int64_t i = 0; i < y.size(); ++i)
      for (std::int64_t b = 0; i % frames >= lag + delay && b < bands; ++b) {
        const std::int64_t start = i / frames * bands * frames, t = i % frames - delay;
        double before = -INFINITY;
        for (std::int64_t j = 0; j < max_size; ++j) {
          const std::int64_t other = b - max_size / 2 + j;
          if (other >= 0 && other < bands) before = std::max(before, x[0][start + other * frames + t - lag]);
        }
        y[i] += std::max(0.0, x[0][start + b * frames + t] - before) / static_cast<double>(bands);
      }
    return Arrays{y};
  };
  return c;
}

OpCase tempogram() {
  OpCase c = statistics_case("tempogram_mean");
  const auto input = [](Shape shape) { return Input{std::move(shape), 0, 2, false}; };
  c.variants = {{"one", {input({1, 1}), input({1})}},
                {"shorter_than_window", {input({2, 9}), input({24})}},
                {"odd", {input({2, 131}), input({37})}},
                {"large", {input({2, 700}), input({344})}, true}};
  c.run = [](const Run& run) {
    Tensor y({run.tensor(0).dim(0), run.tensor(1).size()}, DType::f32);
    kernel::tempogram_mean(current_context(), run.tensor(0), run.tensor(1), y);
    return std::vector{Var(y)};
  };
  c.reference = [](const Arrays& x) {
    const std::int64_t n = x[0].dim(0), frames = x[0].dim(1), w = x[1].size(), ramp = w / 2;
    Array y({n, w});
    for (std::int64_t clip = 0; clip < n; ++clip) {
      std::vector<double> padded;
      for (std::int64_t i = 0; i < ramp; ++i)
        padded.push_back(x[0][clip * frames] * static_cast<double>(i) / static_cast<double>(ramp));
      for (std::int64_t i = 0; i < frames; ++i) padded.push_back(x[0][clip * frames + i]);
      for (std::int64_t i = ramp - 1; i >= -1; --i)
        padded.push_back(x[0][clip * frames + frames - 1] *
                         static_cast<double>(std::max<std::int64_t>(i, 0)) /
                         static_cast<double>(std::max<std::int64_t>(ramp, 1)));
      for (std::int64_t t = 0; t < frames; ++t) {
        const auto at = [&](std::int64_t i) { return x[1][i] * padded[static_cast<std::size_t>(t + i)]; };
        std::vector<double> r;
        for (std::int64_t lag = 0; lag < w; ++lag) {
          r.push_back(0);
          for (std::int64_t i = 0; i + lag < w; ++i) r.back() += at(i) * at(i + lag);
        }
        for (std::int64_t lag = 0; lag < w; ++lag)
          y[clip * w + lag] += r[static_cast<std::size_t>(lag)] / r[0] / static_cast<double>(frames);
      }
    }
    return Arrays{y};
  };
  c.bench = {"30s", {input({8, 1292}), input({344})}, true};
  c.cost = [](const std::vector<Input>& x, double) {
    const double w = static_cast<double>(x[1].shape[0]);
    return Cost{bytes_of(x[0]) / 4 * w * w, bytes_of(x[0])};
  };
  return c;
}

OpCase rms(FrameParams params) {
  OpCase c =
      statistics_case("frame_rms_" + std::to_string(params.n_fft) + "_" + std::to_string(params.hop_length));
  c.variants = {plain("one_frame", {{1, 100}}), plain("odd", {{3, 1003}}),
                plain("large", {{2, 90000}}, true)};
  c.run = [=](const Run& run) {
    const Tensor& x = run.tensor(0);
    Tensor y({x.dim(0), frame_count(params, x.dim(1))}, DType::f32);
    kernel::frame_rms(current_context(), x, params, y);
    return std::vector{Var(y)};
  };
  c.reference = [=](const Arrays& x) {
    const std::int64_t n = x[0].dim(0), length = x[0].dim(1), pad = params.center ? params.n_fft / 2 : 0;
    const std::int64_t frames = 1 + (length + 2 * pad - params.n_fft) / params.hop_length;
    Array y({n, frames});
    for (std::int64_t i = 0; i < y.size(); ++i) {
      for (std::int64_t m = 0; m < params.n_fft; ++m) {
        std::int64_t at = i % frames * params.hop_length - pad + m;
        if (params.pad_mode == PadMode::edge) at = std::clamp<std::int64_t>(at, 0, length - 1);
        if (at >= 0 && at < length) y[i] += std::pow(x[0][i / frames * length + at], 2);
      }
      y[i] = std::sqrt(y[i] / params.n_fft);
    }
    return Arrays{y};
  };
  return c;
}

OpCase centroid() {
  OpCase c = statistics_case("spectral_centroid");
  const auto input = [](Shape shape, double low, double high) {
    return Input{std::move(shape), low, high, false};
  };
  c.variants = {{"one", {input({1, 1, 1}, 1, 2), input({1}, 0, 8000)}},
                {"odd", {input({3, 33, 71}, 0, 2), input({33}, 0, 8000)}},
                {"silence", {input({2, 17, 5}, 0, 0), input({17}, 0, 8000)}},
                {"large", {input({2, 1025, 300}, 0, 2), input({1025}, 0, 8000)}, true}};
  c.run = [](const Run& run) {
    const Tensor& x = run.tensor(0);
    Tensor y({x.dim(0), x.dim(2)}, DType::f32);
    kernel::spectral_centroid(current_context(), x, run.tensor(1), y);
    return std::vector{Var(y)};
  };
  c.reference = [](const Arrays& x) {
    const std::int64_t bins = x[0].dim(1), frames = x[0].dim(2);
    Array y({x[0].dim(0), frames});
    for (std::int64_t i = 0; i < y.size(); ++i) {
      double total = 0;
      for (std::int64_t k = 0; k < bins; ++k) {
        const double value = x[0][(i / frames * bins + k) * frames + i % frames];
        y[i] += x[1][k] * value, total += value;
      }
      if (total > 0) y[i] /= total;
    }
    return Arrays{y};
  };
  return c;
}

OpCase normalize(const std::string& name, float p) {
  OpCase c = statistics_case("normalize_frames_" + name);
  c.variants = {plain("one", {{1, 1, 1}}), plain("odd", {{3, 12, 71}}),
                plain("large", {{2, 12, 1292}}, true)};
  c.variants.push_back({"zeros", {{{1, 5, 3}, 0, 0, false}}});
  c.run = [p](const Run& run) {
    Tensor y(run.tensor(0).shape(), DType::f32);
    kernel::normalize_frames(current_context(), run.tensor(0), p, y);
    return std::vector{Var(y)};
  };
  c.reference = [p](const Arrays& x) {
    const std::int64_t rows = x[0].dim(1), frames = x[0].dim(2);
    Array y = x[0];
    for (std::int64_t i = 0; i < x[0].dim(0) * frames; ++i) {
      double norm = 0;
      const auto at = [&](std::int64_t r) { return (i / frames * rows + r) * frames + i % frames; };
      for (std::int64_t r = 0; r < rows; ++r) {
        const double value = std::abs(x[0][at(r)]);
        norm = std::isinf(p) ? std::max(norm, value) : norm + std::pow(value, static_cast<double>(p));
      }
      if (p == 2) norm = std::sqrt(norm);
      for (std::int64_t r = 0; norm > 0 && r < rows; ++r) y[at(r)] /= norm;
    }
    return Arrays{y};
  };
  return c;
}

OpCase peaks() {
  OpCase c = statistics_case("spectral_peaks");
  const auto input = [](Shape shape) { return Input{std::move(shape), 0, 3, false}; };
  c.variants = {
      {"one", {input({1, 10, 1})}}, {"odd", {input({2, 40, 71})}}, {"large", {input({2, 1025, 200})}, true}};
  c.run = [](const Run& run) {
    const Tensor& x = run.tensor(0);
    const std::int64_t rows = x.dim(1) - 7;
    Tensor place({x.dim(0), rows, x.dim(2)}, DType::f32), height({x.dim(0), rows, x.dim(2)}, DType::f32);
    kernel::spectral_peaks(current_context(), x, 4, 0.4f, place, height);
    return std::vector{Var(place), Var(height)};
  };
  c.reference = [](const Arrays& x) {
    const std::int64_t n = x[0].dim(0), bins = x[0].dim(1), frames = x[0].dim(2), rows = bins - 7;
    Array place({n, rows, frames}), height({n, rows, frames});
    for (std::int64_t i = 0; i < n * frames; ++i) {
      const auto at = [&](std::int64_t k) { return x[0][(i / frames * bins + k) * frames + i % frames]; };
      double most = 0;
      for (std::int64_t k = 0; k < bins; ++k) most = std::max(most, at(k));
      for (std::int64_t r = 0; r < rows; ++r) {
        const std::int64_t k = 4 + r, out = (i / frames * rows + r) * frames + i % frames;
        if (at(k) <= static_cast<double>(0.4f) * most || at(k) <= at(k - 1) || at(k) < at(k + 1)) continue;
        // The parabola c + b s + a s^2 / 2 through (-1, 0, 1).
        const double a = at(k - 1) - 2 * at(k) + at(k + 1), b = 0.5 * (at(k + 1) - at(k - 1));
        place[out] = static_cast<double>(k) - b / a;
        height[out] = at(k) - b * b / (2 * a);
      }
    }
    return Arrays{place, height};
  };
  return c;
}

}  // namespace

std::vector<OpCase> audio_descriptor_cases() {
  return {moments(),
          onset(1, 1, 0),
          onset(2, 3, 0),
          onset(1, 4, 5),
          autocorrelation(),
          tempogram(),
          rms({100, 30}),
          rms({64, 64, false}),
          rms({75, 20, true, PadMode::edge}),
          centroid(),
          normalize("max", INFINITY),
          normalize("sum", 1),
          normalize("euclidean", 2),
          peaks()};
}

}  // namespace chorale::harness

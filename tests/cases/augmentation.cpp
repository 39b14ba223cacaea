// SPDX-License-Identifier: MIT
// Draws, noise, gain and masks against the Philox stream and their formulas in f64.
#include <algorithm>
#include <cmath>

#include "kernels/launch.h"
#include "tests/cases/audio_case.h"
#include "tests/cases/philox_reference.h"

namespace chorale::harness {
namespace {

constexpr std::uint32_t stream = 23;
constexpr std::int64_t clip_length = 50;

double uniform(std::int64_t i) { return reference_uniform(case_state(), stream, i); }

OpCase draws() {
  AugmentationRanges ranges;
  ranges.rate = {0.8f, 1.5f};
  ranges.pitch_steps = {-3, 4};
  ranges.noise_snr_db = {10, 30};
  ranges.gain_db = {-6, 2};
  ranges.probability = 0.7f;
  OpCase c = statistics_case("draw_augmentation");
  c.variants = {{"one", {integers({1}, 1, clip_length)}}, {"some", {integers({300}, 1, clip_length)}}};
  c.run = [=](const Run& run) {
    const Shape n{run.tensor(0).size()};
    Tensor rates(n, DType::f64), steps(n, DType::f64), snr(n, DType::f32), gains(n, DType::f32),
        lengths(n, DType::i64);
    kernel::draw_augmentation(current_context(), run.state, stream, ranges, run.tensor(0), clip_length, rates,
                              steps, snr, gains, lengths);
    return std::vector{Var(rates), Var(steps), Var(snr), Var(gains), Var(lengths)};
  };
  c.reference = [=](const Arrays& x) {
    const std::int64_t n = x[0].size();
    Arrays y(5, Array({n}));
    for (std::int64_t i = 0; i < n; ++i) {
      // NEUTRAL unless the coin falls, else by the value's own uniform.
      const auto drawn = [&](std::int64_t k, DrawRange range, double neutral) {
        return uniform(8 * i + k) < static_cast<double>(ranges.probability)
                   ? static_cast<double>(range.low) +
                         uniform(8 * i + 4 + k) * static_cast<double>(range.high - range.low)
                   : neutral;
      };
      const DrawRange logs{std::log(ranges.rate.low), std::log(ranges.rate.high)};
      const double tempo = std::exp(drawn(0, logs, 0)),
                   pitch = std::pow(2, drawn(1, ranges.pitch_steps, 0) / 12);
      y[0][i] = tempo / pitch, y[1][i] = pitch;
      y[2][i] = drawn(2, ranges.noise_snr_db, INFINITY);
      y[3][i] = std::pow(10, drawn(3, ranges.gain_db, 0) / 20);
      y[4][i] = std::clamp(std::round(x[0][i] / tempo), 1.0, static_cast<double>(clip_length));
    }
    return y;
  };
  return c;
}

OpCase frames() {
  OpCase c = statistics_case("clip_frames");
  c.exact = true;
  c.variants = {{"some", {integers({40}, 0, 3000)}}};
  c.run = [](const Run& run) {
    Tensor centred({40}, DType::i64), within({40}, DType::i64);
    kernel::clip_frames(current_context(), run.tensor(0), FrameParams{256, 100}, 4, centred);
    kernel::clip_frames(current_context(), run.tensor(0), FrameParams{256, 100, false}, 0, within);
    return std::vector{Var(centred), Var(within)};
  };
  c.reference = [](const Arrays& x) {
    Arrays y(2, Array({40}));
    for (std::int64_t i = 0; i < 40; ++i) {
      y[0][i] = (x[0][i] < 1 ? 0 : 1 + std::floor(x[0][i] / 100)) - 4;
      y[1][i] = x[0][i] < 256 ? 0 : 1 + std::floor((x[0][i] - 256) / 100);
    }
    return y;
  };
  return c;
}

/// The noise-to-signal ratios are drawn from a range; the first clip gets none.
OpCase noise() {
  const auto inputs = [](std::int64_t n, std::int64_t length) {
    return std::vector<Input>{Input{{n, length}}, {{n}, -3, 20, false}, {{n}, 0.5, 2, false}};
  };
  OpCase c = statistics_case("add_noise");
  c.variants = {{"one", inputs(1, 1)},
                {"odd", inputs(3, 1237)},
                {"blocks", inputs(2, 33001)},
                {"large", inputs(3, 70001), true}};
  c.run = [](const Run& run) {
    std::vector<float> snr = run.tensor(1).to_host<float>();
    snr[0] = INFINITY;
    Tensor y(run.tensor(0).shape(), DType::f32);
    kernel::add_noise(current_context(), run.tensor(0),
                      Tensor::from_host(snr, {static_cast<std::int64_t>(snr.size())}), run.tensor(2),
                      run.state, stream, y);
    Tensor in_place = run.tensor(0).clone();
    kernel::add_noise(current_context(), in_place, run.tensor(1), run.tensor(2), run.state, stream, in_place);
    return std::vector{Var(y), Var(in_place)};
  };
  c.reference = [](const Arrays& x) {
    const std::int64_t length = x[0].dim(1);
    Arrays y(2, Array(x[0].shape));
    for (std::int64_t clip = 0; clip < x[0].dim(0); ++clip) {
      double power = 0;
      for (std::int64_t t = 0; t < length; ++t)
        power += std::pow(x[0][clip * length + t], 2) / static_cast<double>(length);
      const double sigma = std::sqrt(power * std::pow(10, -x[1][clip] / 10));
      for (std::int64_t t = 0; t < length; ++t) {
        const std::int64_t i = clip * length + t;
        const double added = sigma * reference_normal(case_state(), stream, i);
        y[0][i] = x[2][clip] * (x[0][i] + (clip == 0 ? 0 : added));
        y[1][i] = x[2][clip] * (x[0][i] + added);
      }
    }
    return y;
  };
  c.bench = {"30s", inputs(32, 661500), true};
  c.cost = [](const std::vector<Input>& x, double) { return Cost{bytes_of(x[0]) * 8, bytes_of(x[0]) * 3}; };
  return c;
}

OpCase masks(const std::string& name, MaskParams params, std::vector<Variant> variants) {
  OpCase c = statistics_case(name);
  c.variants = std::move(variants);
  c.run = [=](const Run& run) {
    Tensor y(run.tensor(0).shape(), DType::f32), in_place = run.tensor(0).clone();
    kernel::mask_features(current_context(), run.tensor(0), params, run.state, stream, y);
    kernel::mask_features(current_context(), in_place, params, run.state, stream, in_place);
    return std::vector{Var(y), Var(in_place)};
  };
  c.reference = [=](const Arrays& x) {
    const std::int64_t bands = x[0].dim(1), length = x[0].dim(2), size = bands * length;
    const std::int64_t masks = params.time_masks + params.frequency_masks;
    Array y = x[0];
    for (std::int64_t clip = 0; clip < x[0].dim(0); ++clip) {
      double mean = 0;
      for (std::int64_t i = 0; i < size; ++i) mean += x[0][clip * size + i] / static_cast<double>(size);
      for (std::int64_t m = 0; m < masks; ++m) {
        const bool time = m < params.time_masks;
        const std::int64_t extent = time ? length : bands,
                           most = std::min<std::int64_t>(extent,
                                                         time ? params.time_width : params.frequency_width);
        const std::int64_t block = clip * masks + m;
        const double width = std::floor(uniform(4 * block) * static_cast<double>(most + 1));
        const double begin = std::floor(uniform(4 * block + 1) * (static_cast<double>(extent) - width + 1));
        for (std::int64_t i = 0; i < size; ++i) {
          const auto place = static_cast<double>(time ? i % length : i / length);
          if (place >= begin && place < begin + width) y[clip * size + i] = mean;
        }
      }
    }
    return Arrays{y, y};
  };
  return c;
}

}  // namespace

std::vector<OpCase> augmentation_cases() {
  return {
      draws(), frames(), noise(),
      masks("mask_features", {2, 9, 3, 4},
            {plain("one", {{1, 1, 1}}), plain("odd", {{5, 11, 37}}), plain("large", {{9, 128, 256}}, true)}),
      masks("mask_features_time", {1, 400, 0, 0}, {plain("whole", {{4, 3, 50}})})};
}

}  // namespace chorale::harness

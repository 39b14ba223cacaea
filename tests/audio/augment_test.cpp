// SPDX-License-Identifier: MIT
// Time stretch and pitch shift against librosa (tests/golden/augment.py); noise, gain and masks; and changes
// drawn on the device against the same ones made clip by clip.
#include "audio/augment.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numbers>

#include "kernels/launch.h"
#include "tensor/npy.h"
#include "tests/audio/signals.h"

namespace chorale::testing {
namespace {

using namespace audio;

class Augment : public ::testing::Test {
 protected:
  ExecutionContext context{DeviceKind::cpu, 0, {.poison = true, .guard = true}};
  ContextScope scope{context};

  static Tensor one_clip(const std::vector<float>& x) {
    return Tensor::from_host(x, {1, static_cast<std::int64_t>(x.size())});
  }
};

double power(const std::vector<float>& x) {
  double sum = 0;
  for (const float v : x) sum += static_cast<double>(v) * static_cast<double>(v);
  return sum / static_cast<double>(x.size());
}

/// Largest and root mean square difference of every step-th value of `actual`.
std::pair<double, double> difference(const std::vector<float>& actual, std::span<const float> expected,
                                     std::size_t step) {
  double most = 0, square = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double d = std::fabs(static_cast<double>(actual.at(i * step)) - static_cast<double>(expected[i]));
    if (!(d <= most)) most = d;
    square += d * d;
  }
  return {most, std::sqrt(square / static_cast<double>(expected.size()))};
}

TEST_F(Augment, EqualsLibrosa) {
  const std::string folder = std::string(CHORALE_SOURCE_DIR) + "/tests/golden/augment/";
  const NpyArray values = read_npy_host(folder + "values.npy");
  std::ifstream file(folder + "cases.json");
  const nlohmann::json golden = nlohmann::json::parse(file);
  const auto all = values.as<float>();
  const std::size_t length = golden.at("length"), step = golden.at("step");
  const std::vector<float> clip(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(length));
  std::vector<float> both(clip.rbegin(), clip.rend());  // another clip before it, so that a mix-up shows
  both.insert(both.end(), clip.begin(), clip.end());
  const Tensor samples = Tensor::from_host(both, {2, static_cast<std::int64_t>(length)});
  for (const nlohmann::json& c : golden.at("cases")) {
    SCOPED_TRACE(c.at("name").get<std::string>());
    StftParams params;
    params.n_fft = c.value("n_fft", params.n_fft);
    params.hop_length = c.value("hop_length", params.hop_length);
    const bool pitch = c.contains("n_steps");
    const Tensor result = pitch ? pitch_shift(samples, c.at("n_steps"), c.at("bins_per_octave"), params)
                                : time_stretch(samples, c.at("rate"), params);
    ASSERT_EQ(result.shape(), (Shape{2, c.at("length").get<std::int64_t>()}));
    const std::size_t kept = (c.at("length").get<std::size_t>() + step - 1) / step;
    const auto [most, rms] =
        difference(result[1].to_host<float>(), all.subspan(c.at("start").get<std::size_t>(), kept), step);
    // Where the two resamplers differ is the last tenth of the band, of which the clip's ends have some.
    EXPECT_LT(most, pitch ? 6e-4 : 4e-5);
    EXPECT_LT(rms, pitch ? 3e-5 : 2e-6);
    if (std::getenv("CHORALE_SHOW_ERRORS"))
      std::printf("%s: at most %.3g, RMS %.3g\n", c.at("name").get<std::string>().c_str(), most, rms);
  }
}

TEST_F(Augment, PiecesMakeNoDifference) {
  // Longer than a piece of 1024 frames; the same tail alone is within the first piece.
  StftParams params;
  params.n_fft = 64;
  params.hop_length = 16;
  const std::vector<float> x = signal("tone", 8000, 60000);
  const Tensor long_clip = time_stretch(one_clip(x), 0.7, params);
  EXPECT_EQ(long_clip.dim(1), 85714);
  const std::vector<float> begin(x.begin(), x.begin() + 11000);
  const std::vector<float> a = long_clip[0].to_host<float>();
  const std::vector<float> b = time_stretch(one_clip(begin), 0.7, params)[0].to_host<float>();
  for (std::size_t i = 0; i < 15600; ++i) ASSERT_EQ(a[i], b[i]) << i;
  // A tone goes on as it was: the power of each tenth is that of the whole.
  const double whole = power(a);
  for (std::size_t tenth = 0; tenth < 10; ++tenth)
    EXPECT_NEAR(power({a.begin() + static_cast<std::ptrdiff_t>(tenth * 8571),
                       a.begin() + static_cast<std::ptrdiff_t>((tenth + 1) * 8571)}),
                whole, 0.03 * whole);
}

TEST_F(Augment, TonesMoveByTheSteps) {
  constexpr int rate = 22050;
  std::vector<float> x(rate);
  for (int i = 0; i < rate; ++i)
    x[static_cast<std::size_t>(i)] =
        static_cast<float>(0.5 * std::sin(2 * std::numbers::pi * 440 * i / rate));
  const std::vector<float> y = change_tempo_and_pitch(one_clip(x), 0.5, 12)[0].to_host<float>();
  ASSERT_EQ(y.size(), 2 * x.size());
  int crossings = 0;
  for (std::size_t i = 10000; i < 32050; ++i) crossings += y[i - 1] < 0 && y[i] >= 0;
  EXPECT_NEAR(crossings, 880, 2);
}

TEST_F(Augment, NoiseHasItsLevelAndItsSeed) {
  const Tensor x = one_clip(signal("tone", 22050, 50000));
  const std::vector<float> before = x[0].to_host<float>(), after = add_noise(x, 12, 5)[0].to_host<float>();
  std::vector<float> noise(before.size());
  for (std::size_t i = 0; i < before.size(); ++i) noise[i] = after[i] - before[i];
  EXPECT_NEAR(10 * std::log10(power(before) / power(noise)), 12, 0.1);
  EXPECT_EQ(add_noise(x, 12, 5)[0].to_host<float>(), after);
  EXPECT_NE(add_noise(x, 12, 6)[0].to_host<float>(), after);
  const Tensor silence = Tensor::zeros({1, 100});
  EXPECT_EQ(add_noise(silence, 0, 1).to_host<float>(), silence.to_host<float>());
  const std::vector<float> louder = apply_gain(x, 6)[0].to_host<float>();
  EXPECT_NEAR(static_cast<double>(louder[777]), 1.99526231 * static_cast<double>(before[777]), 1e-6);
}

TEST_F(Augment, MasksHideStripes) {
  const Tensor x = Tensor::from_host(signal("noise", 1, 40 * 50), {1, 40, 50});
  MaskParams params{1, 50, 0, 0};
  const std::vector<float> before = x.to_host<float>(), after = mask(x, params, 3).to_host<float>();
  std::vector<std::size_t> hidden;
  for (std::size_t t = 0; t < 50; ++t)
    if (after[t] != before[t]) hidden.push_back(t);
  ASSERT_FALSE(hidden.empty());
  EXPECT_EQ(hidden.back() - hidden.front() + 1, hidden.size());
  for (std::size_t band = 0; band < 40; ++band)
    for (std::size_t t = 0; t < 50; ++t) {
      const bool inside = t >= hidden.front() && t <= hidden.back();
      EXPECT_EQ(after[band * 50 + t], inside ? after[hidden.front()] : before[band * 50 + t]);
    }
}

TEST_F(Augment, DrawnChangesAreThoseMadeByHand) {
  AugmentationRanges ranges;
  ranges.rate = {0.8f, 1.25f};
  ranges.pitch_steps = {-2, 2};
  ranges.gain_db = {-3, 3};
  constexpr std::int64_t n = 3, length = 20000;
  std::vector<float> x;
  for (const char* kind : {"tone", "chord", "sweep"})
    for (const float v : signal(kind, 22050, length)) x.push_back(v);
  const StepState state{.seed = 9, .rng_offset = 4};
  Tensor block({sizeof state}, DType::u8);
  block.upload(&state, DType::u8);
  const auto* on_device = reinterpret_cast<const StepState*>(block.raw());
  const ClipAugmenter::Clips clips{Tensor::from_host(x, {n, length}), Tensor::full({n}, length, DType::i64)};
  const ClipAugmenter augmenter(ranges, length);
  const ClipAugmenter::Clips changed = augmenter(clips, on_device, 7);

  Tensor rates({n}, DType::f64), steps({n}, DType::f64), snr({n}, DType::f32), gains({n}, DType::f32),
      lengths({n}, DType::i64);
  kernel::draw_augmentation(current_context(), on_device, std::uint32_t{7}, ranges, clips.lengths, length,
                            rates, steps, snr, gains, lengths);
  EXPECT_EQ(changed.lengths.to_host<std::int64_t>(), lengths.to_host<std::int64_t>());
  for (std::int64_t i = 0; i < n; ++i) {
    const double pitch = steps.to_host<double>()[static_cast<std::size_t>(i)],
                 tempo = rates.to_host<double>()[static_cast<std::size_t>(i)] * pitch,
                 gain = gains.to_host<float>()[static_cast<std::size_t>(i)];
    const Tensor clip = clips.samples.slice(0, i, i + 1);
    const std::vector<float> expected =
        apply_gain(change_tempo_and_pitch(clip, tempo, 12 * std::log2(pitch)), 20 * std::log10(gain))[0]
            .to_host<float>();
    const std::vector<float> actual = changed.samples[i].to_host<float>();
    // All but what fades out at the end.
    const std::size_t same = std::min<std::size_t>(expected.size(), length) - 2048;
    double most = 0;
    for (std::size_t t = 0; t < same; ++t)
      most = std::max(most, std::fabs(static_cast<double>(actual[t]) - static_cast<double>(expected[t])));
    EXPECT_LT(most, 1e-5) << i;
    EXPECT_GT(power(actual), 1e-3);
    for (std::size_t t = expected.size() + 2048; t < length; ++t) ASSERT_EQ(actual[t], 0) << t;
  }
}

TEST_F(Augment, WhatIsNotDrawnStaysAsItIs) {
  AugmentationRanges ranges;
  ranges.rate = {0.5f, 2};
  ranges.gain_db = {-20, 20};
  ranges.noise_snr_db = {0, 10};
  ranges.probability = 0;
  EXPECT_FALSE(changes(ranges));
  const StepState state{.seed = 1};
  Tensor block({sizeof state}, DType::u8);
  block.upload(&state, DType::u8);
  const ClipAugmenter::Clips clips{one_clip(signal("noise", 1, 3000)), Tensor::full({1}, 3000, DType::i64)};
  const ClipAugmenter::Clips same =
      ClipAugmenter(ranges, 3000)(clips, reinterpret_cast<const StepState*>(block.raw()), 2);
  EXPECT_EQ(same.samples.to_host<float>(), clips.samples.to_host<float>());
  EXPECT_EQ(same.lengths.to_host<std::int64_t>(), clips.lengths.to_host<std::int64_t>());
}

TEST_F(Augment, Refused) {
  const Tensor x = one_clip(std::vector<float>(100, 0.5f));
  EXPECT_THROW(time_stretch(x, 0.05), UsageError);
  EXPECT_THROW(time_stretch(x, NAN), UsageError);
  EXPECT_THROW(pitch_shift(x, 25), UsageError);
  EXPECT_THROW(pitch_shift(x, 1, 0), UsageError);
  EXPECT_THROW(add_noise(x, INFINITY, 1), UsageError);
  EXPECT_THROW(apply_gain(x, NAN), UsageError);
  EXPECT_THROW(time_stretch(Tensor::zeros({1, 0}), 2), InputError);
  EXPECT_THROW(mask(Tensor::zeros({1, 2, 3}), {65, 1, 0, 0}, 1), UsageError);
  AugmentationRanges backwards, never;
  backwards.rate = {2, 1};
  never.probability = 2;
  EXPECT_THROW(ClipAugmenter(backwards, 100), UsageError);
  EXPECT_THROW(ClipAugmenter(never, 100), UsageError);
  EXPECT_EQ(time_stretch(one_clip({0.5f}), 10).dim(1), 1);
}

}  // namespace
}  // namespace chorale::testing

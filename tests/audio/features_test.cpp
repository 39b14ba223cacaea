// SPDX-License-Identifier: MIT
// What librosa has no word on: batches, threads, pieces, padding, descriptors, and parameters out of range.
#include "audio/features.h"

#include <gtest/gtest.h>

#include "audio/descriptor.h"
#include "audio/filters.h"
#include "tests/audio/signals.h"
#include "tests/harness/temporary_folder.h"

namespace chorale::testing {
namespace {

using namespace audio;

class Features : public ::testing::Test {
 protected:
  ExecutionContext context{DeviceKind::cpu, 0, {.poison = true, .guard = true}};
  ContextScope scope{context};

  static Tensor clip(const std::vector<float>& samples) {
    return Tensor::from_host(samples, {1, static_cast<std::int64_t>(samples.size())});
  }
};

TEST_F(Features, SameBitsForAnyNumberOfThreads) {
  const FeatureExtractor extractor;
  const Tensor samples = clip(signal("tone", 22050, 80000));
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 5}) {
    context.api().set_threads(threads);
    const Tensor mel = extractor.mel(samples);
    std::vector<float> all = mel.to_host<float>();
    for (const Tensor& more : {extractor.mel_db(mel), extractor.mfcc_delta(mel), standardize(mel)}) {
      const std::vector<float> values = more.to_host<float>();
      all.insert(all.end(), values.begin(), values.end());
    }
    results.push_back(all);
  }
  context.api().set_threads(0);
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

// Row 10.
TEST_F(Features, SilenceIsFinite) {
  const FeatureExtractor extractor;
  const ReferenceFeatures features =
      reference_features(extractor, clip(reference_clip(std::vector<float>(1000, 0.0f))));
  EXPECT_EQ(features.mel.shape(), (Shape{1, 128, 1292}));
  EXPECT_EQ(features.mfcc.shape(), (Shape{1, 120, 1292}));
  for (const float x : features.mel.to_host<float>()) ASSERT_EQ(x, 0.0f);
  for (const float x : features.mfcc.to_host<float>()) ASSERT_TRUE(std::isfinite(x));
}

TEST_F(Features, ReferenceClipsHaveMeanZeroAndDeviationOne) {
  const FeatureExtractor extractor;
  const std::vector<float> padded = reference_clip(signal("tone", reference_rate, 5 * reference_rate));
  ASSERT_EQ(padded.size(), 661500u);
  EXPECT_EQ(*std::max_element(padded.begin(), padded.end()), 1.0f);
  EXPECT_EQ(padded.back(), 0.0f);
  const ReferenceFeatures features = reference_features(extractor, clip(padded));
  for (const Tensor& matrix : {features.mel, features.mfcc}) {
    double sum = 0, square = 0;
    for (const float x : matrix.to_host<float>()) sum += x, square += static_cast<double>(x) * x;
    const double n = static_cast<double>(matrix.size());
    EXPECT_NEAR(sum / n, 0, 1e-5);
    EXPECT_NEAR(square / n, 1, 1e-4);
  }
}

TEST_F(Features, ParametersOutOfRange) {
  const auto message = [](auto change) {
    FeatureParams params;
    change(params);
    return message_of<UsageError>([&] { FeatureExtractor extractor(params); });
  };
  EXPECT_EQ(message([](auto& p) { p.mel.n_fft = 1001; }),
            "n_fft: out of range: 1001 (allowed even, 16 to 16384, without prime factors above 5)");
  EXPECT_NE(message([](auto& p) { p.mel.n_fft = 32768; }).find("n_fft"), std::string::npos);
  EXPECT_NE(message([](auto& p) { p.mel.hop_length = 0; }).find("hop_length"), std::string::npos);
  EXPECT_NE(message([](auto& p) { p.mel.hop_length = 4096; }).find("hop_length"), std::string::npos);
  EXPECT_NE(message([](auto& p) { p.mel.n_mels = 2000; }).find("n_mels"), std::string::npos);
  EXPECT_NE(message([](auto& p) { p.mel.fmin = 9000, p.mel.fmax = 8000; }).find("fmin"), std::string::npos);
  EXPECT_NE(message([](auto& p) { p.mel.fmax = 12000; }).find("fmin, fmax"), std::string::npos);
  EXPECT_NE(message([](auto& p) { p.mel.power = NAN; }).find("power"), std::string::npos);
  EXPECT_NE(message([](auto& p) { p.n_mfcc = 129; }).find("n_mfcc"), std::string::npos);
  EXPECT_NE(message([](auto& p) { p.delta_width = 8; }).find("width"), std::string::npos);
  EXPECT_NE(message([](auto& p) { p.delta_width = 3, p.delta_order = 3; }).find("order: out of range: 3"),
            std::string::npos);
  EXPECT_NE(message([](auto& p) { p.delta_order = 0; }).find("order: out of range: 0"), std::string::npos);
  EXPECT_NE(message([](auto& p) { p.amin = 0; }).find("amin"), std::string::npos);
  EXPECT_NE(message([](auto& p) { p.reference = -1.0f; }).find("ref"), std::string::npos);
  EXPECT_NE(message([](auto& p) { p.top_db = NAN; }).find("top_db"), std::string::npos);
  EXPECT_NE(message([](auto& p) { p.dct_type = 4; }).find("dct_type: out of range: 4 (allowed 1, 2 or 3)"),
            std::string::npos);
  EXPECT_NE(message([](auto& p) { p.lifter = -1; }).find("lifter"), std::string::npos);
  EXPECT_NE(message([](auto& p) {
              p.mel.norm = {BandNorm::Kind::p_norm, 0};
            }).find("norm"),
            std::string::npos);
}

TEST_F(Features, EmptyBandsAreNamed) {
  FeatureParams params;
  params.mel.n_fft = 256, params.mel.hop_length = 64;
  EXPECT_FALSE(FeatureExtractor(params).empty_bands().empty());
  EXPECT_TRUE(FeatureExtractor().empty_bands().empty());
}

TEST_F(Features, MelScalesInvert) {
  for (const bool htk : {false, true})
    for (const double hz : {0.0, 440.0, 999.0, 1000.0, 5000.0, 22050.0})
      EXPECT_NEAR(mel_to_hz(hz_to_mel(hz, htk), htk), hz, 1e-8 * hz + 1e-9);
  EXPECT_DOUBLE_EQ(hz_to_mel(1000, false), 15);
}

TEST_F(Features, DescriptorLeavesPaddingOut) {
  const FeatureExtractor extractor;
  const std::int64_t length = 5 * 22050, padded = 8 * 22050;
  const std::vector<float> samples = signal("tone", 22050, length);
  std::vector<float> longer = samples;
  longer.resize(static_cast<std::size_t>(padded), 0.0f);
  const std::int64_t lengths[] = {length};
  const std::vector<float> a = clip_descriptor(extractor, clip(samples), lengths).to_host<float>();
  const std::vector<float> b = clip_descriptor(extractor, clip(longer), lengths).to_host<float>();
  ASSERT_EQ(a.size(), 560u);
  ASSERT_EQ(descriptor_names(extractor.params()).size(), a.size());
  EXPECT_EQ(a, b);
  EXPECT_THROW(clip_descriptor(extractor, clip(samples), std::vector<std::int64_t>{0}), InputError);
}

TEST_F(Features, DescriptorFindsTheTempoAtAnyShift) {
  const FeatureExtractor extractor;
  // Clicks of noise at 120 beats a minute, beginning at two different moments.
  const auto clicks = [](std::size_t start) {
    std::vector<float> x(22050 * 20, 0.0f);
    const std::vector<float> burst = noise(1500);
    for (std::size_t at = start; at + burst.size() < x.size(); at += 11025)
      std::copy(burst.begin(), burst.end(), x.begin() + static_cast<std::ptrdiff_t>(at));
    return x;
  };
  const std::int64_t lengths[] = {22050 * 20};
  const std::vector<float> a = clip_descriptor(extractor, clip(clicks(500)), lengths).to_host<float>();
  const std::vector<float> b = clip_descriptor(extractor, clip(clicks(8700)), lengths).to_host<float>();
  for (const auto& d : {a, b}) {
    // The best tempo from 80 to 200: not its half or double.
    std::size_t best = 0;
    double best_value = -2;
    for (std::size_t i = 0; i < 64; ++i) {
      const double tempo = 40 * std::pow(6.0, static_cast<double>(i) / 63);
      if (tempo > 80 && tempo < 200 && static_cast<double>(d[496 + i]) > best_value)
        best = i, best_value = d[496 + i];
    }
    EXPECT_NEAR(40 * std::pow(6.0, static_cast<double>(best) / 63), 120, 3);
    EXPECT_GT(best_value, 0.5);
  }
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
    size += std::pow(static_cast<double>(a[i]), 2);
  }
  EXPECT_LT(std::sqrt(difference / size), 0.03);
}

}  // namespace
}  // namespace chorale::testing

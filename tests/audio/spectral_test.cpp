// SPDX-License-Identifier: MIT
// Level, brightness, chroma, onsets and tempo against librosa, and what they refuse.
#include "audio/spectral.h"

#include "audio/rhythm.h"
#include "tests/audio/golden.h"
#include "tests/harness/temporary_folder.h"

namespace chorale::testing {
namespace {

using namespace audio;

class SpectralGolden : public GoldenTest {
 protected:
  /// Every step-th frame of row [frames] of clip 1 of x [2, frames].
  std::vector<float> second_row(const Tensor& x) const { return second_clip(x.reshape({2, 1, x.dim(1)})); }
};

TEST_P(SpectralGolden, Librosa) {
  const StftParams frames = frame_params();
  const Tensor samples = two_clips();
  const int rate = c.at("rate");
  const auto relative = [](double part, double floor) {
    return [=](const auto& e, std::size_t, std::size_t i) {
      return part * std::fabs(static_cast<double>(e[i])) + floor;
    };
  };
  compare("rms", second_row(rms(samples, frames)), c.at("rms"), relative(1e-6, 1e-9));
  compare("spectral_centroid", second_row(spectral_centroid(spectrogram(samples, frames, 1), rate)),
          c.at("spectral_centroid"), relative(2e-5, 1e-6));

  ChromaParams params;
  static_cast<StftParams&>(params) = frames;
  params.sample_rate = rate;
  const nlohmann::json& options = c.at("chroma");
  if (options.contains("n_chroma")) params.n_chroma = options.at("n_chroma");
  if (options.contains("norm")) params.norm = options.at("norm").get<double>();
  if (options.contains("tuning")) {
    params.tuning = options.at("tuning").get<double>();
  } else {
    const Tensor power = spectrogram(samples, frames).slice(0, 1, 2);
    EXPECT_NEAR(tuning_of(spectral_peaks(power, rate), params.n_chroma), c.at("tuning").get<double>(), 1e-9);
  }
  compare("chroma", second_clip(chroma(samples, params)), c.at("chroma_values"), 1e-5);

  if (!c.contains("onset_strength")) return;
  FeatureParams mel;
  mel.mel.sample_rate = rate;
  mel.mel.n_fft = frames.n_fft;
  mel.mel.hop_length = frames.hop_length;
  const FeatureExtractor extractor(mel);
  OnsetParams onset;
  if (c.at("onset").contains("lag")) onset.lag = c.at("onset").at("lag");
  if (c.at("onset").contains("max_size")) onset.max_size = c.at("onset").at("max_size");
  onset.median = c.at("onset").value("aggregate", "mean") == "median";
  onset.detrend = c.at("onset").value("detrend", false);
  const Tensor envelope = onset_strength(extractor, extractor.mel(samples), onset);
  compare("onset_strength", second_row(envelope), c.at("onset_strength"), 1e-3);
  if (!c.contains("tempo")) return;
  TempoParams tempo_params;
  tempo_params.sample_rate = rate;
  tempo_params.hop_length = frames.hop_length;
  EXPECT_NEAR(tempo(envelope, tempo_params)[1], c.at("tempo").get<double>(), 1e-9);
}

INSTANTIATE_TEST_SUITE_P(Audio, SpectralGolden, ::testing::ValuesIn(goldens().of_kind("descriptors")),
                         case_name);

class Spectral : public ::testing::Test {
 protected:
  ExecutionContext context{DeviceKind::cpu, 0, {.poison = true, .guard = true}};
  ContextScope scope{context};
  Tensor samples = Tensor::from_host(noise(6000), {1, 6000});
};

TEST_F(Spectral, SameBitsForAnyNumberOfThreads) {
  const Tensor clip = Tensor::from_host(signal("clicks", 22050, 200000), {1, 200000});
  const FeatureExtractor extractor;
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 5}) {
    context.api().set_threads(threads);
    const Tensor onset = onset_strength(extractor, extractor.mel(clip));
    std::vector<float> all = onset.to_host<float>();
    for (const Tensor& more : {rms(clip), spectral_centroid(spectrogram(clip, {}, 1), 22050), chroma(clip)}) {
      const std::vector<float> values = more.to_host<float>();
      all.insert(all.end(), values.begin(), values.end());
    }
    all.push_back(static_cast<float>(tempo(onset)[0]));
    results.push_back(all);
  }
  context.api().set_threads(0);
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

TEST_F(Spectral, TempoOfClicks) {
  const Tensor clip = Tensor::from_host(signal("clicks", 22050, 22050 * 12), {1, 22050 * 12});
  const FeatureExtractor extractor;
  EXPECT_NEAR(tempo(onset_strength(extractor, extractor.mel(clip)))[0], 100, 3);
}

TEST_F(Spectral, ChromaOfANote) {
  // C5, and no other class as strong.
  std::vector<float> note;
  for (int i = 0; i < 22050; ++i)
    note.push_back(static_cast<float>(std::sin(2 * std::numbers::pi * 523.2511 * i / 22050)));
  ChromaParams params;
  params.tuning = 0;
  const std::vector<float> classes =
      chroma(Tensor::from_host(note, {1, 22050}), params).slice(2, 20, 21).contiguous().to_host<float>();
  EXPECT_EQ(std::max_element(classes.begin(), classes.end()) - classes.begin(), 0);
  EXPECT_EQ(classes[0], 1.0f);
}

TEST_F(Spectral, Refusals) {
  const auto refused = [&](auto change) {
    ChromaParams params;
    change(params);
    return message_of<UsageError>([&] { chroma(samples, params); });
  };
  EXPECT_EQ(refused([](auto& p) { p.n_chroma = 1; }), "n_chroma: out of range: 1 (allowed 2 to 96)");
  EXPECT_NE(refused([](auto& p) { p.norm = 3; }).find("norm: out of range: 3"), std::string::npos);
  EXPECT_NE(refused([](auto& p) { p.tuning = NAN; }).find("tuning"), std::string::npos);
  EXPECT_NE(refused([](auto& p) { p.n_fft = 14; }).find("n_fft: out of range: 14"), std::string::npos);
  FrameParams frames;
  frames.center = false, frames.n_fft = 8000;
  EXPECT_NE(message_of<InputError>([&] { rms(samples, frames); }).find("rms: too few samples: 6000"),
            std::string::npos);
  const FeatureExtractor extractor;
  EXPECT_THROW(onset_strength(extractor, extractor.mel(samples), {.lag = 0}), UsageError);
  EXPECT_THROW(onset_strength(extractor, extractor.mel(samples), {.max_size = 0}), UsageError);
  const auto slow = [&](auto change) {
    TempoParams params;
    change(params);
    return message_of<UsageError>([&] { tempo(samples, params); });
  };
  EXPECT_NE(slow([](auto& p) { p.ac_size = 1000; }).find("ac_size: out of range"), std::string::npos);
  EXPECT_NE(slow([](auto& p) { p.start_bpm = 0; }).find("start_bpm"), std::string::npos);
  EXPECT_NE(slow([](auto& p) { p.std_bpm = -1; }).find("std_bpm"), std::string::npos);
  EXPECT_NE(slow([](auto& p) { p.max_tempo = -5; }).find("max_tempo"), std::string::npos);
}

}  // namespace
}  // namespace chorale::testing

// SPDX-License-Identifier: MIT
// One file to one feature: in pieces as in one go, into an .npy, and what is refused.
#include "audio/single_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "audio/stft.h"
#include "tensor/npy.h"
#include "tests/audio/signals.h"
#include "tests/audio/wav_bytes.h"
#include "tests/harness/temporary_folder.h"

namespace chorale::testing {
namespace {

using namespace audio;

class SingleFile : public ::testing::Test {
 protected:
  ExecutionContext context{DeviceKind::cpu, 0, {.poison = true, .guard = true}};
  ContextScope scope{context};
  const TemporaryFolder folder;
  const std::vector<float> samples = signal("clicks", 22050, 22050 * 70 + 123);
  const Tensor clip = Tensor::from_host(samples, {1, static_cast<std::int64_t>(samples.size())});

  void SetUp() override { write_sound(folder / "x.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 22050, 1, samples); }
  std::vector<float> extracted(Feature feature, const FileParams& params) {
    return extract_file(folder / "x.wav", feature, params).values.to_host<float>();
  }
};

TEST_F(SingleFile, InPiecesAsInOneGo) {
  for (const bool center : {true, false})
    for (const PadMode mode : {PadMode::constant, PadMode::reflect}) {
      FileParams params;
      MelParams& mel = params.features.mel;
      mel.center = center, mel.pad_mode = mode;
      if (mode == PadMode::reflect) mel.n_fft = 1200, mel.hop_length = 500, mel.n_mels = 40;
      const FeatureExtractor extractor(params.features);
      const Tensor bands = extractor.mel(clip);
      EXPECT_EQ(extracted(Feature::mel, params), bands.to_host<float>());
      EXPECT_EQ(extracted(Feature::log_mel, params), extractor.log_mel(bands).to_host<float>());
      EXPECT_EQ(extracted(Feature::mfcc_delta, params), extractor.mfcc_delta(bands).to_host<float>());
      EXPECT_EQ(extracted(Feature::stft, params), stft(clip, mel).to_host<float>());
      EXPECT_EQ(extracted(Feature::rms, params), rms(clip, mel).to_host<float>());
      EXPECT_EQ(extracted(Feature::spectral_centroid, params),
                spectral_centroid(spectrogram(clip, mel, 1), 22050).to_host<float>());
      ChromaParams chroma_params;
      static_cast<StftParams&>(chroma_params) = mel;
      EXPECT_EQ(extracted(Feature::chroma, params), chroma(clip, chroma_params).to_host<float>());
      const Tensor onset = onset_strength(extractor, bands);
      EXPECT_EQ(extracted(Feature::onset_strength, params), onset.to_host<float>());
      TempoParams tempo_params;
      tempo_params.hop_length = mel.hop_length;
      EXPECT_EQ(extracted(Feature::tempo, params)[0], static_cast<float>(tempo(onset, tempo_params)[0]));
    }
}

TEST_F(SingleFile, FramesOfOddLength) {
  FileParams params;
  params.features.mel.n_fft = 777, params.features.mel.hop_length = 300;
  EXPECT_EQ(extracted(Feature::rms, params), rms(clip, params.features.mel).to_host<float>());
}

TEST_F(SingleFile, PartsAndShapes) {
  const auto shape = [&](Feature feature) {
    return extract_file(folder / "x.wav", feature, {}, {.offset = 0.5, .duration = 0.25}).values.shape();
  };
  EXPECT_EQ(shape(Feature::mel_db), (Shape{128, 11}));
  EXPECT_EQ(shape(Feature::stft), (Shape{1025, 11, 2}));
  EXPECT_EQ(shape(Feature::rms), (Shape{1, 11}));
  EXPECT_EQ(shape(Feature::chroma), (Shape{12, 11}));
  EXPECT_EQ(shape(Feature::onset_strength), (Shape{11}));
  EXPECT_EQ(shape(Feature::tempo), (Shape{1}));
}

TEST_F(SingleFile, Written) {
  const std::vector<float> values = extracted(Feature::mfcc, {});
  extract_single(folder / "x.wav", Feature::mfcc, folder / "x.npy", {}, {.duration = whole_file});
  EXPECT_EQ(read_npy(folder / "x.npy").to_host<float>(), values);
  extract_single(folder / "x.wav", Feature::stft, folder / "s.npy", {}, {.duration = 1});
  std::ifstream file(folder / "s.npy", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  EXPECT_NE(bytes.find("'descr': '<c8', 'fortran_order': False, 'shape': (1025, 44), "), std::string::npos);
  EXPECT_EQ(bytes.size(), 128 + 1025u * 44 * 8);
}

TEST_F(SingleFile, EmptyBandsWarnOnce) {
  FileParams params;
  params.features.mel.n_fft = 256, params.features.mel.hop_length = 64;
  const std::vector<std::string> warnings = extract_file(folder / "x.wav", Feature::mel, params).warnings;
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_TRUE(warnings[0].starts_with("mel bands 0, 1, 4, 7, 8, 11, 14, 17 and 12 more lie between"))
      << warnings[0];
}

TEST_F(SingleFile, Refusals) {
  const auto short_of = [&](Feature feature, const FileParams& params) {
    return message_of<InputError>(
        [&] { extract_file(folder / "x.wav", feature, params, {.duration = 0.1}); });
  };
  EXPECT_NE(short_of(Feature::mfcc_delta, {}).find("x.wav: mfcc_delta: too few frames: 5"),
            std::string::npos);
  FileParams params;
  params.features.mel.center = false, params.features.mel.n_fft = 4096;
  for (const Feature feature : {Feature::mel, Feature::stft, Feature::rms, Feature::chroma})
    EXPECT_NE(short_of(feature, params).find("too few samples: 2205 (allowed 4096 or more"),
              std::string::npos);
  const auto refused = [&](Feature feature, auto change) {
    FileParams wrong;
    change(wrong);
    return message_of<UsageError>([&] { extract_file(folder / "x.wav", feature, wrong); });
  };
  EXPECT_NE(refused(Feature::rms, [](auto& p) { p.features.mel.hop_length = 0; }).find("hop_length"),
            std::string::npos);
  EXPECT_NE(
      refused(Feature::stft, [](auto& p) { p.features.mel.n_fft = 2205; }).find("n_fft: out of range: 2205"),
      std::string::npos);
  EXPECT_NE(refused(Feature::spectral_centroid, [](auto& p) { p.features.mel.sample_rate = 10; })
                .find("sample_rate"),
            std::string::npos);
  EXPECT_NE(refused(Feature::chroma, [](auto& p) { p.chroma.n_chroma = 0; }).find("n_chroma"),
            std::string::npos);
  EXPECT_NE(refused(Feature::tempo, [](auto& p) { p.tempo.start_bpm = 0; }).find("start_bpm"),
            std::string::npos);
  EXPECT_NE(refused(Feature::onset_strength, [](auto& p) { p.onset.lag = 0; }).find("lag"),
            std::string::npos);
  EXPECT_THROW(feature_from("loudness"), UsageError);
  EXPECT_THROW(extract_single(folder / "x.wav", Feature::mfcc, folder / "x.wav", {}, {}), UsageError);
}

}  // namespace
}  // namespace chorale::testing

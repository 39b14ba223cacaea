// SPDX-License-Identifier: MIT
// Features of clips that the device resamples itself, beside those of the CPU's way: files of 16 bits and
// more, mono and not, at usual and odd rates, too short, silent, bad; on the CPU and on the emulated device.
#include <gtest/gtest.h>
#include <sndfile.h>

#include <cmath>
#include <filesystem>

#include "data/feature_cache.h"
#include "tests/audio/wav_bytes.h"
#include "tests/harness/temporary_folder.h"
#ifdef CHORALE_HAVE_SIMT
#include "tests/simt/emulator/device.h"
#endif

namespace chorale::data {
namespace {

std::vector<float> chord(int rate, int channels, double seconds) {
  std::vector<float> samples;
  for (int i = 0; i < static_cast<int>(seconds * rate); ++i)
    for (int c = 0; c < channels; ++c) {
      const double t = static_cast<double>(i) / rate;
      samples.push_back(static_cast<float>(0.2 / (1 + c) *
                                           (std::sin(2 * M_PI * 330 * t) + std::sin(2 * M_PI * 1234 * t + c) +
                                            0.3 * std::sin(2 * M_PI * 2900 * t))));
    }
  return samples;
}

class ClipResampling : public ::testing::TestWithParam<DeviceKind> {
 protected:
  ClipResampling() {
    settings_.params.mel.sample_rate = 8000;
    settings_.params.mel.n_fft = 256;
    settings_.params.mel.hop_length = 128;
    settings_.params.mel.n_mels = 12;
    settings_.params.n_mfcc = 6;
    settings_.duration = 0.4;
  }

  /// The same songs in a corpus of its own, extracted in one way or the other.
  FeatureSet extract(bool on_device) const {
    const std::filesystem::path root = folder_ / (on_device ? "device" : "host");
    const std::string songs = root / "audio/english/pop/";
    std::filesystem::create_directories(songs);
    const auto write = [&](const std::string& name, int format, int rate, int channels, double seconds) {
      testing::write_sound(songs + name, format, rate, channels, chord(rate, channels, seconds));
    };
    write("en_0000_cd.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 44100, 2, 0.7);
    write("en_0001_dat.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 48000, 1, 0.7);
    write("en_0002_float.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 22050, 6, 0.5);
    write("en_0003_song.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 44100, 2, 0.6);
    write("en_0004_short.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 1, 0.15);
    write("en_0005_odd.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 44101, 2, 0.5);
    write("en_0006_same.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_U8, 8000, 1, 0.5);
    testing::write_sound(songs + "en_0007_silence.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 44100, 1,
                         std::vector<float>(20000));
    testing::write_sound(songs + "en_0008_nan.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 44100, 1,
                         std::vector<float>(20000, NAN));
    const Corpus corpus = load_corpus(root);
    ExtractionOptions options;
    options.resample_on_device = on_device;
    const ExtractionSummary summary = extract_features(corpus, {settings_}, options);
    EXPECT_EQ(summary.computed, 8);
    EXPECT_EQ(summary.skipped.size(), 1u);
    if (!summary.skipped.empty()) {
      EXPECT_MENTIONS(summary.skipped[0].reason, "non-finite sample at 0");
    }
    return load_features(corpus, settings_);
  }

  FeatureSettings settings_;

 private:
  testing::TemporaryFolder folder_;
};

TEST_P(ClipResampling, GivesTheFeaturesOfTheCpusWay) {
#ifdef CHORALE_HAVE_SIMT
  register_backend(DeviceKind::simt, *simt::device_api());
#endif
  ExecutionContext context{GetParam(), 0, {.poison = true, .guard = true}};
  const ContextScope scope(context);
  const FeatureSet host = extract(false), device = extract(true);
  ASSERT_EQ(host.count(), device.count());
  ASSERT_EQ(host.values.shape(), device.values.shape());
  const std::vector<float> a = host.values.to_host<float>(), b = device.values.to_host<float>();
  for (std::size_t i = 0; i < a.size(); ++i)
    ASSERT_NEAR(a[i], b[i], 5e-3f) << host.songs[i / (a.size() / 8)].song_id << " at " << i % (a.size() / 8);
}

std::vector<DeviceKind> devices() {
#ifdef CHORALE_HAVE_SIMT
  return {DeviceKind::cpu, DeviceKind::simt};
#else
  return {DeviceKind::cpu};
#endif
}

INSTANTIATE_TEST_SUITE_P(Devices, ClipResampling, ::testing::ValuesIn(devices()), [](const auto& kind) {
  return std::string(kind.param == DeviceKind::cpu ? "cpu" : "simt");
});

}  // namespace
}  // namespace chorale::data

// SPDX-License-Identifier: MIT
// Every format that is read, at every number of channels and rate that it can hold: length, samples, the mono
// rule, and the resampled signal, all against the tone that was written.
#include <algorithm>
#include <numbers>

#include "audio/decode.h"
#include "tests/audio/wav_bytes.h"
#include "tests/harness/temporary_folder.h"

namespace chorale::testing {
namespace {

using namespace audio;

const std::vector<int> all_rates = {8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000};
const std::vector<int> opus_rates = {8000, 16000, 24000, 48000};
const std::vector<int> mp3_rates = {8000, 11025, 16000, 22050, 44100, 48000};
const std::vector<int> all_channels = {1, 2, 6, 8}, one_or_two = {1, 2};
constexpr int resampled_rate = 22050;
constexpr double frequency = 440;

struct FormatCase {
  const char* name;  ///< of the file
  int format;
  float tolerance;  ///< of a sample; full scale is 1
  std::vector<int> channels = all_channels, rates = all_rates;
  bool lossy = false;
};

void PrintTo(const FormatCase& c, std::ostream* out) { *out << c.name; }

/// Channel c holds the tone at 0.5 / (1 + c).
std::vector<float> tone(std::size_t frames, int channels, int rate) {
  std::vector<float> samples;
  for (std::size_t i = 0; i < frames; ++i)
    for (int c = 0; c < channels; ++c)
      samples.push_back(static_cast<float>(
          0.5 / (1 + c) * std::sin(2 * std::numbers::pi * frequency * static_cast<double>(i) / rate + 0.3)));
  return samples;
}

/// What the mean of the channels is of that of one.
double mono_gain(int channels) {
  double gain = 0;
  for (int c = 0; c < channels; ++c) gain += 1.0 / (1 + c);
  return gain / channels;
}

/// Compares the middle half, where no filter meets an edge, with the tone.
void expect_tone(const std::vector<float>& samples, int rate, int channels, float tolerance) {
  for (std::size_t i = samples.size() / 4; i < samples.size() * 3 / 4; ++i) {
    const double expected = 0.5 * mono_gain(channels) *
                            std::sin(2 * std::numbers::pi * frequency * static_cast<double>(i) / rate + 0.3);
    ASSERT_NEAR(samples[i], expected, tolerance) << i;
  }
}

class Formats : public ::testing::TestWithParam<FormatCase> {};

TEST_P(Formats, AllChannelsAndRates) {
  const FormatCase& c = GetParam();
  const TemporaryFolder folder;
  const std::string path = folder / c.name;
  for (const int rate : c.rates)
    for (const int channels : c.channels)
      for (const std::size_t frames : {static_cast<std::size_t>(rate) / 10, std::size_t{1}}) {
        SCOPED_TRACE(std::to_string(rate) + " Hz, " + std::to_string(channels) + " channels, " +
                     std::to_string(frames) + " samples");
        const std::vector<float> written = tone(frames, channels, rate);
        write_sound(path, c.format, rate, channels, written);
        const AudioClip clip = decode(path);
        EXPECT_EQ(clip.sample_rate, rate);
        EXPECT_TRUE(clip.warnings.empty()) << clip.warnings[0];
        ASSERT_EQ(clip.samples.size(), frames);
        if (frames > 1) {
          expect_tone(clip.samples, rate, channels, c.tolerance);
        } else if (!c.lossy) {
          EXPECT_NEAR(clip.samples[0], 0.5 * mono_gain(channels) * std::sin(0.3), c.tolerance);
        }
        const AudioClip resampled = load(path, resampled_rate);
        ASSERT_EQ(resampled.samples.size(),
                  static_cast<std::size_t>(std::ceil(static_cast<double>(frames) * resampled_rate / rate)));
        if (frames > 1) expect_tone(resampled.samples, resampled_rate, channels, c.tolerance + 1e-4f);
      }
}

INSTANTIATE_TEST_SUITE_P(
    Audio, Formats,
    ::testing::Values(
        FormatCase{"u8.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_U8, 1.5e-2f},
        FormatCase{"16.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 4e-5f},
        FormatCase{"24.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_24, 3e-7f},
        FormatCase{"32.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_32, 1e-7f},
        FormatCase{"float.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 1e-7f},
        FormatCase{"double.wav", SF_FORMAT_WAV | SF_FORMAT_DOUBLE, 1e-7f},
        FormatCase{"alaw.wav", SF_FORMAT_WAV | SF_FORMAT_ALAW, 2e-2f},
        FormatCase{"ulaw.wav", SF_FORMAT_WAV | SF_FORMAT_ULAW, 2e-2f},
        FormatCase{"extensible.wav", SF_FORMAT_WAVEX | SF_FORMAT_PCM_24, 3e-7f},
        FormatCase{"extensible_float.wav", SF_FORMAT_WAVEX | SF_FORMAT_FLOAT, 1e-7f},
        FormatCase{"rifx.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16 | SF_ENDIAN_BIG, 4e-5f},
        FormatCase{"rf64.wav", SF_FORMAT_RF64 | SF_FORMAT_PCM_16, 4e-5f},
        FormatCase{"wave64.w64", SF_FORMAT_W64 | SF_FORMAT_PCM_16, 4e-5f},
        FormatCase{"16.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 4e-5f},
        FormatCase{"24.aif", SF_FORMAT_AIFF | SF_FORMAT_PCM_24, 3e-7f},
        FormatCase{"float.aifc", SF_FORMAT_AIFF | SF_FORMAT_FLOAT, 1e-7f},
        FormatCase{"16.au", SF_FORMAT_AU | SF_FORMAT_PCM_16, 4e-5f},
        FormatCase{"ulaw.snd", SF_FORMAT_AU | SF_FORMAT_ULAW, 2e-2f},
        FormatCase{"16.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 4e-5f},
        FormatCase{"24.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 3e-7f},
        FormatCase{"vorbis.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 0.05f, all_channels, all_rates, true},
        FormatCase{"speech.opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, 0.08f, all_channels, opus_rates, true},
        FormatCase{"song.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 0.05f, one_or_two, mp3_rates,
                   true}),
    [](const auto& c) {
      std::string name = c.param.name;
      std::ranges::replace(name, '.', '_');
      return name;
    });

}  // namespace
}  // namespace chorale::testing

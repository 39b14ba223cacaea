// SPDX-License-Identifier: MIT
// MP3 in all its kinds: agreement with libsndfile on whole files, and what is saved of damaged ones.
#include <numbers>

#include "audio/decode.h"
#include "tests/audio/mp3_bytes.h"

namespace chorale::testing {
namespace {

using namespace audio;

constexpr int rate = 44100;
constexpr std::size_t length = 4 * rate;
constexpr std::size_t delay = 576 + 529;  // the encoder's and the decoder's, in samples

std::vector<float> tones(std::size_t frames, int channels, int sample_rate) {
  std::vector<float> samples(frames * static_cast<std::size_t>(channels));
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto c = static_cast<double>(i % static_cast<std::size_t>(channels));
    const double t =
        static_cast<double>(i / static_cast<std::size_t>(channels)) / static_cast<double>(sample_rate);
    samples[i] = static_cast<float>(0.4 * std::sin(2 * std::numbers::pi * (440 + 110 * c) * t));
  }
  return samples;
}

double rms(std::span<const float> samples) {
  double power = 0;
  for (const float x : samples) power += static_cast<double>(x) * x;
  return std::sqrt(power / static_cast<double>(samples.size()));
}

class Mp3 : public ::testing::Test {
 protected:
  AudioClip read(const std::string& bytes, const DecodeOptions& options = {}) {
    return decode(folder.file("x.mp3", bytes), options);
  }
  /// The clip has warnings that hold the word, and is an error if strict.
  void expect_fault(const std::string& bytes, const std::string& word) {
    const AudioClip clip = read(bytes);
    std::string all;
    for (const std::string& warning : clip.warnings) all += warning + "; ";
    EXPECT_MENTIONS(all, word);
    const std::string message = message_of<InputError>([&] { read(bytes, {.strict = true}); });
    EXPECT_MENTIONS(message, "x.mp3: ");
  }
  /// Exactly these samples, and no warning.
  void expect_same(const std::string& bytes, const AudioClip& expected) {
    const AudioClip clip = read(bytes);
    EXPECT_EQ(clip.samples, expected.samples);
    EXPECT_TRUE(clip.warnings.empty()) << clip.warnings[0];
  }

  TemporaryFolder folder;
  const std::string bytes = mp3(tones(length, 1, rate));
  const std::vector<std::size_t> frames = mp3_frames(bytes);
  const std::size_t middle = frames[frames.size() / 2];
};

TEST_F(Mp3, AgreesWithLibsndfile) {
  for (const int sample_rate : {8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000})
    for (const int channels : {1, 2})
      for (const int mode : {SF_BITRATE_MODE_CONSTANT, SF_BITRATE_MODE_AVERAGE, SF_BITRATE_MODE_VARIABLE}) {
        SCOPED_TRACE(std::to_string(sample_rate) + " Hz, " + std::to_string(channels) + " channels, mode " +
                     std::to_string(mode));
        const std::size_t count = static_cast<std::size_t>(sample_rate) + 123;
        const std::string path =
            folder.file("x.mp3", mp3(tones(count, channels, sample_rate), {sample_rate, channels, mode}));
        SF_INFO info{};
        SNDFILE* file = sf_open(path.c_str(), SFM_READ, &info);
        ASSERT_NE(file, nullptr);
        std::vector<float> theirs(4 * count * static_cast<std::size_t>(channels));
        theirs.resize(static_cast<std::size_t>(
            channels * sf_readf_float(file, theirs.data(), static_cast<sf_count_t>(4 * count))));
        sf_close(file);
        const AudioClip clip = decode(path);
        EXPECT_TRUE(clip.warnings.empty()) << clip.warnings[0];
        EXPECT_EQ(clip.sample_rate, sample_rate);
        ASSERT_EQ(clip.samples.size() * static_cast<std::size_t>(channels), theirs.size());
        for (std::size_t i = 0; i < clip.samples.size(); ++i) {
          const float mono = channels == 1 ? theirs[i] : (theirs[2 * i] + theirs[2 * i + 1]) / 2;
          ASSERT_NEAR(clip.samples[i], mono, 1e-5f) << i;
        }
      }
}

TEST_F(Mp3, InfoFrameGivesDelayAndPadding) {
  const AudioClip clip = read(bytes);
  ASSERT_EQ(clip.samples.size(), length);
  const std::vector<float> signal = tones(length, 1, rate);
  for (std::size_t i = 2000; i < length - 2000; ++i) ASSERT_NEAR(clip.samples[i], signal[i], 0.03f) << i;
}

TEST_F(Mp3, WithoutInfoFrameAllFramesSound) {
  const AudioClip whole = read(bytes), bare = read(without_info_frame(bytes));
  EXPECT_TRUE(bare.warnings.empty()) << bare.warnings[0];
  ASSERT_EQ(bare.samples.size(), 1152 * (frames.size() - 1));
  for (std::size_t i = 0; i < whole.samples.size(); ++i)
    ASSERT_NEAR(bare.samples[i + delay], whole.samples[i], 1e-5f) << i;
}

// A VBRI frame announces what neither libmpg123 nor libsndfile reads; it sounds as the silence that it holds.
TEST_F(Mp3, VbriFrame) {
  const std::string bare = without_info_frame(bytes);
  std::string frame = bare.substr(0, mp3_frame_size(bare, 0));
  std::fill(frame.begin() + 4, frame.end(), '\0');
  frame.replace(36, 4, "VBRI");
  const AudioClip expected = read(bare), clip = read(frame + bare);
  EXPECT_TRUE(clip.warnings.empty()) << clip.warnings[0];
  ASSERT_EQ(clip.samples.size(), expected.samples.size() + 1152);
  for (std::size_t i = 0; i < expected.samples.size(); ++i)
    ASSERT_NEAR(clip.samples[i + 1152], expected.samples[i], 1e-5f) << i;
}

TEST_F(Mp3, FreeFormat) {
  std::string free = without_info_frame(bytes);
  const AudioClip expected = read(free);
  for (const std::size_t at : mp3_frames(free)) free[at + 2] = static_cast<char>(free[at + 2] & 0x0f);
  expect_same(free, expected);
}

TEST_F(Mp3, TagsAreNotSound) {
  std::string picture = "APIC";
  while (picture.size() < 50000) picture += bytes.substr(frames[3], frames[5] - frames[3]);
  const auto id3v2 = [&](bool footer) {
    const std::size_t n = picture.size();
    std::string size;
    for (const int shift : {21, 14, 7, 0}) size += static_cast<char>(n >> shift & 0x7f);
    const std::string head = std::string("ID3\4", 4) + '\0' + (footer ? '\x10' : '\0') + size;
    return head + picture + (footer ? "3DI" + head.substr(3) : "");
  };
  const auto ape = [](const std::string& body) {
    const auto edge = [&](std::uint64_t flags) {
      return "APETAGEX" + little(2000, 4) + little(body.size() + 32, 4) + little(1, 4) + little(flags, 4) +
             std::string(8, '\0');
    };
    return edge(0xa0000000u) + body + edge(0x80000000u);
  };
  const std::string id3v1 = "TAG" + std::string(125, 'x');
  const std::string lyrics =
      "LYRICSBEGIN"
      "IND0000210"
      "000021LYRICS200";
  const std::string sound = "\xff\xfb\x90\x64";
  for (const std::string& file : {bytes, without_info_frame(bytes)}) {
    const AudioClip expected = read(file);
    expect_same(id3v2(false) + file, expected);
    expect_same(id3v2(true) + id3v2(false) + file + id3v1, expected);
    expect_same(file + ape(sound + std::string(700, 'y')), expected);
    expect_same(file + ape(sound) + lyrics + id3v1, expected);
  }
}

// Sizes in tags are claims like any other.
TEST_F(Mp3, TagsThatClaimTooMuch) {
  const std::string huge = std::string("ID3\4\0\0", 6) + "\x7f\x7f\x7f\x7f";
  EXPECT_MENTIONS(message_of<InputError>([&] { read(huge + bytes); }), "not an audio file");
  const std::string ape = "APETAGEX" + little(2000, 4) + little(0xffffff00u, 4) + little(1, 4) +
                          little(0, 4) + std::string(8, '\0');
  EXPECT_EQ(read(bytes + ape).samples.size(), length);
}

TEST_F(Mp3, CutShort) {
  const std::string part = bytes.substr(0, middle + 100);
  const AudioClip whole = read(bytes), clip = read(part);
  ASSERT_GT(clip.samples.size(), length / 2 - 3 * 1152);
  EXPECT_TRUE(std::equal(clip.samples.begin(), clip.samples.end(), whole.samples.begin()));
  expect_fault(part, "cut short: " + std::to_string(clip.samples.size()) + " of " + std::to_string(length));
  expect_fault(without_info_frame(part), "cut short: 100 bytes");
}

TEST_F(Mp3, DamageInTheMiddle) {
  constexpr std::size_t damage = 3000;
  const double lost = 1152.0 * (damage / static_cast<double>(frames[2] - frames[1]) + 4);
  std::string noise(damage, '\0');
  std::uint32_t state = 1;
  for (char& c : noise) c = static_cast<char>((state = state * 1664525u + 1013904223u) >> 24);
  const std::size_t at = middle + 10;
  const AudioClip whole = read(bytes);
  for (const std::string& instead :
       {noise, std::string(damage, '\0'), std::string(damage, 'q'), std::string()}) {
    const std::string damaged = bytes.substr(0, at) + instead + bytes.substr(at + damage);
    const AudioClip clip = read(damaged);
    EXPECT_GT(static_cast<double>(clip.samples.size()), static_cast<double>(length) - lost);
    EXPECT_LE(clip.samples.size(), length + 3 * 1152);
    // Before the damage not a bit has changed, after it the tone goes on.
    EXPECT_TRUE(std::equal(clip.samples.begin(), clip.samples.begin() + length / 2 - 3 * 1152,
                           whole.samples.begin()));
    EXPECT_NEAR(rms(std::span(clip.samples).last(rate)), 0.4 / std::sqrt(2.0), 0.02);
    expect_fault(damaged, "damaged at byte ");
  }
}

// Frames of another kind, as damage may look like, are no part of the song.
TEST_F(Mp3, FramesOfAnotherKind) {
  const std::string other = without_info_frame(mp3(tones(8000, 1, 22050), {.rate = 22050}));
  const std::string mixed = bytes.substr(0, middle) + other + bytes.substr(middle);
  const AudioClip clip = read(mixed);
  EXPECT_EQ(clip.sample_rate, rate);
  EXPECT_NEAR(static_cast<double>(clip.samples.size()), static_cast<double>(length), 2 * 1152);
  expect_fault(mixed, std::to_string(other.size()) + " bytes without sound left out");
}

TEST_F(Mp3, SoundAfterTheAnnouncedEnd) {
  const AudioClip clip = read(bytes + bytes);
  EXPECT_EQ(clip.samples.size(), length);
  expect_fault(bytes + bytes,
               std::to_string(bytes.size()) + " bytes of sound after the announced end left out");
}

// A whole header over a damaged frame: here the gain of one granule is set to its maximum.
TEST_F(Mp3, ImpossiblyLoudFrame) {
  std::string loud = bytes;
  constexpr std::size_t gain = 32 + 9 + 5 + 4 + 12 + 9;  // bit, for one channel of MPEG-1
  for (std::size_t bit = gain; bit < gain + 8; ++bit) {
    char& c = loud[middle + bit / 8];
    c = static_cast<char>(c | 0x80 >> bit % 8);
  }
  const AudioClip clip = read(loud);
  EXPECT_EQ(clip.samples.size(), length);
  for (const float x : clip.samples) ASSERT_LE(std::fabs(x), 8.0f);
  expect_fault(loud, "beyond 8 times full scale");
}

TEST_F(Mp3, JunkInFront) {
  const std::string junk(5000, 'q');
  EXPECT_EQ(read(junk + bytes).samples, read(bytes).samples);
  expect_fault(junk + bytes, "bytes before the first frame are no sound");
  EXPECT_MENTIONS(message_of<InputError>([&] { read(std::string(3 << 20, '\0') + bytes); }),
                  "not an audio file");
}

// Bytes without meaning hold something like a frame here and there.
TEST_F(Mp3, RandomBytesAreNoSound) {
  std::uint32_t state = 7;
  for (int file = 0; file < 20; ++file) {
    std::string noise(200000, '\0');
    for (char& c : noise) c = static_cast<char>((state = state * 1664525u + 1013904223u) >> 24);
    EXPECT_MENTIONS(message_of<InputError>([&] { read(noise); }), "not an audio file");
    // The first frames of a song before them change nothing.
    const std::string start = bytes.substr(frames[1], frames[4] - frames[1]);
    EXPECT_MENTIONS(message_of<InputError>([&] { read(start + noise, {.duration = whole_file}); }),
                    "allowed a tenth or more");
  }
}

TEST_F(Mp3, OffsetIsExact) {
  const std::string variable = mp3(tones(length, 2, rate), {rate, 2, SF_BITRATE_MODE_VARIABLE});
  const std::string half = mp3(tones(length, 1, 22050), {22050, 1, SF_BITRATE_MODE_AVERAGE});
  for (const std::string& file : {bytes, without_info_frame(bytes), variable, half}) {
    const AudioClip whole = read(file, {.duration = whole_file});
    for (const double offset : {0.1, 0.7, 1.5, 3.2}) {
      const AudioClip part = read(file, {.offset = offset, .duration = 0.5});
      const auto first = static_cast<std::size_t>(offset * whole.sample_rate);
      ASSERT_EQ(part.samples.size(), static_cast<std::size_t>(whole.sample_rate / 2));
      for (std::size_t i = 0; i < part.samples.size(); ++i)
        ASSERT_EQ(part.samples[i], whole.samples[first + i]) << offset << " s, " << i;
    }
    EXPECT_MENTIONS(message_of<InputError>([&] { read(file, {.offset = 100}); }), "no samples");
  }
}

}  // namespace
}  // namespace chorale::testing

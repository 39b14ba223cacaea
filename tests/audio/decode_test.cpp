// SPDX-License-Identifier: MIT
// Every way in which an audio file can be wrong; formats_test.cpp has row 8, mp3_test.cpp more of MP3.
#include "audio/decode.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

#include "tests/audio/wav_bytes.h"
#include "tests/harness/temporary_folder.h"

namespace chorale::testing {
namespace {

using namespace audio;

class Decode : public ::testing::Test {
 protected:
  TemporaryFolder folder;

  AudioClip read(const std::string& bytes, const DecodeOptions& options = {},
                 const std::string& name = "x.wav") {
    return decode(folder.file(name, bytes), options);
  }
  void expect_error(const std::string& bytes, const std::string& what, const DecodeOptions& options = {}) {
    const std::string message = message_of<InputError>([&] { read(bytes, options); });
    EXPECT_NE(message.find(what), std::string::npos) << message;
    EXPECT_NE(message.find("x.wav: "), std::string::npos) << message;
  }
};

/// What the code since its making added to the resident memory at most, in bytes. The process's peak is set
/// back first: getrusage's ru_maxrss only grows, over all tests and from the process that started this one.
class ResidentPeak {
 public:
  ResidentPeak() {
    std::ofstream file("/proc/self/clear_refs");
    file << 5 << std::flush;  // see proc(5)
    EXPECT_TRUE(file.good()) << "/proc/self/clear_refs cannot be written";
    before_ = kibibytes("VmRSS:");
  }
  std::int64_t growth() const { return (kibibytes("VmHWM:") - before_) * 1024; }

 private:
  static std::int64_t kibibytes(const std::string& name) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
      if (line.starts_with(name)) return std::stoll(line.substr(name.size()));
    ADD_FAILURE() << "/proc/self/status: no " << name;
    return 0;
  }
  std::int64_t before_ = 0;
};

TEST_F(Decode, ResidentPeakSeesWhatWasGivenBack) {
  const auto of = [](std::size_t bytes) {
    const ResidentPeak peak;
    const std::string held(bytes, 'x');
    return peak.growth() + (held.back() == 'x' ? 0 : 1);
  };
  EXPECT_GT(of(128u << 20), 120 << 20);
  EXPECT_LT(of(1u << 20), 32 << 20);
}

TEST_F(Decode, WholeFile) {
  const AudioClip clip = read(wav16(1000));
  ASSERT_EQ(clip.samples.size(), 1000u);
  EXPECT_EQ(clip.sample_rate, 22050);
  EXPECT_DOUBLE_EQ(clip.seconds, 1000 / 22050.0);
  EXPECT_TRUE(clip.warnings.empty());
  const auto expected = sine16(1000);
  for (std::size_t i = 0; i < 1000; ++i)
    ASSERT_EQ(clip.samples[i], static_cast<float>(expected[i]) / 32768.0f);
}

TEST_F(Decode, ChannelsAreAveraged) {
  const std::vector<float> samples = {0.5f, 0.25f, -1.0f, 1.0f, 0.125f, 0.0f};
  write_sound(folder / "x.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 8000, 2, samples);
  EXPECT_EQ(decode(folder / "x.wav").samples, (std::vector<float>{0.375f, 0.0f, 0.0625f}));
}

TEST_F(Decode, OffsetAndDuration) {
  const AudioClip all = read(wav16(22050));
  const AudioClip part = read(wav16(22050), {.offset = 0.25, .duration = 0.5});
  ASSERT_EQ(part.samples.size(), 11025u);
  EXPECT_TRUE(std::equal(part.samples.begin(), part.samples.end(), all.samples.begin() + 5512));
  expect_error(wav16(100), "no samples", {.offset = 1});
  EXPECT_THROW(read(wav16(10), {.offset = -1}), UsageError);
  EXPECT_THROW(read(wav16(10), {.duration = std::nan("")}), UsageError);
}

// Row 1 and 2.
TEST_F(Decode, EmptyFile) { expect_error("", "empty"); }
TEST_F(Decode, HeaderWithoutSamples) {
  expect_error(riff(format_chunk({}) + chunk("data", "")), "no samples");
}

// Row 3.
TEST_F(Decode, CutMidSample) {
  std::string bytes = wav16(1000, {.channels = 1});
  bytes.resize(bytes.size() - 501);
  const AudioClip clip = read(bytes);
  EXPECT_EQ(clip.samples.size(), 749u);
  EXPECT_EQ(clip.warnings.size(), 1u);
  expect_error(bytes, "data chunk claims", {.strict = true});
}

// Row 4.
TEST_F(Decode, DataSizeBeyondTheFile) {
  for (const std::int64_t size : {0xffffffffll, 0x7ffffff0ll, 5000ll}) {
    const AudioClip clip = read(riff(format_chunk({}) + chunk("data", bytes_of(sine16(300)), size)));
    EXPECT_EQ(clip.samples.size(), 300u) << size;
    EXPECT_FALSE(clip.warnings.empty()) << size;
  }
}

// Row 5.
TEST_F(Decode, FormatChunkMissingLateOrTwice) {
  const std::string data = chunk("data", bytes_of(sine16(100)));
  expect_error(riff(data), "no fmt chunk");
  expect_error(riff(data + format_chunk({})), "no fmt chunk before the data");
  expect_error(riff(format_chunk({}) + format_chunk({}) + data), "second fmt chunk");
  expect_error(riff(format_chunk({})), "no data chunk");
  expect_error(riff(chunk("fmt ", "abc") + data), "broken fmt chunk");
}

// Row 6.
TEST_F(Decode, ImpossibleLayouts) {
  const auto with = [](const WavFormat& f) { return wav16(100, f); };
  expect_error(with({.channels = 0, .block = 2}), "wrong number of channels: 0");
  expect_error(with({.channels = 65535, .block = 2}), "wrong number of channels: 65535");
  expect_error(with({.channels = 33}), "wrong number of channels: 33");
  expect_error(with({.rate = 0}), "wrong sample rate: 0");
  expect_error(with({.rate = 4000000000u}), "wrong sample rate: 4000000000");
  expect_error(with({.rate = 999}), "wrong sample rate: 999");
  expect_error(with({.bits = 0, .block = 2}), "wrong bits per sample: 0");
  expect_error(with({.bits = 7, .block = 2}), "wrong bits per sample: 7");
  expect_error(with({.bits = 128, .block = 16}), "wrong bits per sample: 128");
  expect_error(with({.block = 3}), "wrong block size: 3");
  EXPECT_EQ(read(wav16(64, {.channels = 32})).samples.size(), 2u);
}

// Row 7.
TEST_F(Decode, StrangeChunks) {
  const std::string data = chunk("data", bytes_of(sine16(100)));
  EXPECT_EQ(read(riff(format_chunk({}) + chunk("junk", std::string(1000, 'x')) + data)).samples.size(), 100u);
  EXPECT_EQ(read(riff(format_chunk({}) + chunk("LIST", std::string(5, 'x')) + std::string(1, '\0') + data))
                .samples.size(),
            100u);
  // An odd chunk without its pad byte, and a chunk of 4 GB: read or refused, but neither misread nor kept in
  // memory.
  const ResidentPeak peak;
  for (const std::string& bytes : {riff(format_chunk({}) + chunk("LIST", std::string(5, 'x')) + data),
                                   riff(format_chunk({}) + chunk("JUNK", "abcd", 0xfffffff0ll) + data)}) {
    try {
      EXPECT_EQ(read(bytes).samples.size(), 100u);
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find("x.wav: "), std::string::npos);
    }
  }
  EXPECT_LT(peak.growth(), 64 << 20);
}

// Row 9.
TEST_F(Decode, NonFiniteSamples) {
  for (const float bad : {std::nanf(""), INFINITY, -INFINITY, 1e38f}) {
    std::vector<float> samples(5000, 0.1f);
    samples[4321] = bad;
    const std::string bytes = riff(format_chunk({.tag = 3, .bits = 32}) + chunk("data", bytes_of(samples)));
    expect_error(bytes, bad == 1e38f ? "absurd sample at 4321" : "non-finite sample at 4321");
  }
}

// Row 12: ten hours. 30 s are read where 30 s are asked for, and a stream needs no more memory than a block.
TEST_F(Decode, TenHoursInLittleMemory) {
  constexpr std::uint64_t seconds = 36000, rate = 1000;
  const std::string path =
      folder.file("x.wav", "RIFF" + little(seconds * rate + 36, 4) + "WAVE" +
                               format_chunk({.rate = rate, .bits = 8}) + "data" + little(seconds * rate, 4));
  ASSERT_EQ(truncate(path.c_str(), 44 + seconds * rate), 0);  // sparse
  const ResidentPeak peak;
  EXPECT_EQ(decode(path).samples.size(), 30 * rate);
  EXPECT_EQ(decode(path, {.offset = 35990, .duration = whole_file}).samples.size(), 10 * rate);
  AudioReader reader(path, {.duration = whole_file});
  std::vector<float> block(1 << 16);
  std::uint64_t total = 0;
  while (const std::size_t got = reader.read(block)) total += got;
  EXPECT_EQ(total, seconds * rate);
  EXPECT_LT(peak.growth(), 32 << 20);
  const std::string message = message_of<InputError>([&] { decode(path, {.duration = whole_file}); });
  EXPECT_NE(message.find("too long"), std::string::npos) << message;
}

// Row 13.
TEST_F(Decode, NotAnAudioFile) {
  const auto message = [](const std::string& path) { return message_of<InputError>([&] { decode(path); }); };
  EXPECT_NE(
      message(folder.file("t.wav", "Once upon a time there was no sound at all.")).find("not an audio file"),
      std::string::npos);
  EXPECT_NE(message(folder.file("t.mp3", std::string(5000, 'z'))).find("not an audio file"),
            std::string::npos);
  EXPECT_NE(message(folder / "missing.wav").find("missing.wav"), std::string::npos);
  EXPECT_NE(message(folder.path()).find("directory"), std::string::npos);
  EXPECT_NE(message("/dev/zero").find("/dev/zero"), std::string::npos);
  ASSERT_EQ(symlink("loop.wav", (folder / "loop.wav").c_str()), 0);
  EXPECT_NE(message(folder / "loop.wav").find("loop.wav"), std::string::npos);
}

TEST_F(Decode, NameOfAnotherFormat) {
  std::vector<float> samples(48000, 0.25f);
  write_sound(folder / "a.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 48000, 1, samples);
  std::filesystem::rename(folder / "a.mp3", folder / "a.wav");
  const std::string text = message_of<InputError>([&] { decode(folder / "a.wav"); });
  EXPECT_NE(text.find("the name does not fit the content: .wav (allowed for MP3: .mp3)"), std::string::npos)
      << text;
  EXPECT_GT(decode(folder / "a.wav", {.check_name = false}).samples.size(), 40000u);
}

TEST_F(Decode, FifoDoesNotHang) {
  ASSERT_EQ(mkfifo((folder / "fifo.wav").c_str(), 0600), 0);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THROW(decode(folder / "fifo.wav"), InputError);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST_F(Decode, UnreadableFile) {
  const std::string path = folder.file("x.wav", wav16(10));
  ASSERT_EQ(chmod(path.c_str(), 0), 0);
  const uid_t user = geteuid();
  if (user == 0) {  // root reads everything; another user must not
    ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
    ASSERT_EQ(seteuid(65534), 0);
  }
  EXPECT_THROW(decode(path), InputError);
  if (user == 0) {
    ASSERT_EQ(seteuid(0), 0);
  }
}

// Row 14: the file shrinks while it is read.
TEST_F(Decode, FileShrinksMeanwhile) {
  const std::string path = folder.file("x.wav", wav16(200000));
  AudioReader reader(path);
  std::vector<float> block(8192);
  ASSERT_EQ(reader.read(block), block.size());
  ASSERT_EQ(truncate(path.c_str(), 60000), 0);
  std::size_t total = block.size();
  while (const std::size_t got = reader.read(block)) total += got;
  EXPECT_LT(total, 100000u);
  EXPECT_FALSE(reader.warnings().empty());
  AudioReader strict(folder.file("x.wav", wav16(200000)), {.strict = true});
  ASSERT_EQ(strict.read(block), block.size());
  ASSERT_EQ(truncate(path.c_str(), 60000), 0);
  EXPECT_THROW(while (strict.read(block)){}, InputError);
}

// Row 15: a FLAC header that claims 2^36 - 1 samples.
TEST_F(Decode, HeaderClaimsTooMuch) {
  std::vector<float> samples(3000, 0.5f);
  write_sound(folder / "a.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 44100, 1, samples);
  std::string bytes = slurp(folder / "a.flac");
  ASSERT_EQ(bytes.substr(0, 4), "fLaC");
  bytes[21] = static_cast<char>(bytes[21] | 0x0f);  // STREAMINFO: 36 bits of total samples
  for (std::size_t i = 22; i < 26; ++i) bytes[i] = static_cast<char>(0xff);
  const ResidentPeak peak;
  const AudioClip clip = read(bytes, {.duration = whole_file}, "x.flac");
  EXPECT_EQ(clip.samples.size(), 3000u);
  EXPECT_FALSE(clip.warnings.empty());
  EXPECT_LT(peak.growth(), 64 << 20);
}

}  // namespace
}  // namespace chorale::testing

// SPDX-License-Identifier: MIT
// Songs of several clips: how they are cut, what their features are, how they lie in the cache.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

#include "data/audio_writer.h"
#include "data/decode_pool.h"
#include "data/feature_cache.h"
#include "kernels/error.h"
#include "tests/harness/temporary_folder.h"

namespace chorale::data {
namespace {

namespace fs = std::filesystem;

constexpr int rate = 8000;

/// A tone that rises and swells, so that no two stretches are alike.
std::vector<float> sweep(std::int64_t samples, int song = 0) {
  std::vector<float> x(static_cast<std::size_t>(samples));
  double phase = song;
  for (std::int64_t i = 0; i < samples; ++i) {
    const double t = static_cast<double>(i) / rate;
    phase += 2 * M_PI * (200 + 40 * song + 90 * t) / rate;
    x[static_cast<std::size_t>(i)] = static_cast<float>((0.3 + 0.2 * std::sin(1.7 * t)) * std::sin(phase));
  }
  return x;
}

std::string little(std::uint32_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 255u);
  return text;
}

/// The header of a mono WAV that `bytes` of samples follow; `tag` 1: integers, 3: floats.
std::string wav_header(std::uint32_t bytes, std::uint32_t sample_rate, int tag, std::uint32_t bits) {
  return "RIFF" + little(bytes + 36, 4) + "WAVEfmt " + little(16, 4) +
         little(static_cast<std::uint32_t>(tag), 2) + little(1, 2) + little(sample_rate, 4) +
         little(sample_rate * bits / 8, 4) + little(bits / 8, 2) + little(bits, 2) + "data" +
         little(bytes, 4);
}

class FeatureWindows : public ::testing::Test {
 protected:
  FeatureWindows() {
    settings_.params.mel.sample_rate = rate;
    settings_.params.mel.n_fft = 256;
    settings_.params.mel.hop_length = 128;
    settings_.params.mel.n_mels = 12;
    settings_.params.n_mfcc = 6;
    settings_.window = 1;
    settings_.hop = 0.5;
  }

  fs::path root(const std::string& corpus = "corpus") const { return fs::path(folder_.path()) / corpus; }
  fs::path song_path(int number, const std::string& corpus = "corpus") const {
    const std::string digits = std::to_string(1000 + number);
    return root(corpus) / "audio" / "english" / "pop" / ("en_" + digits + "_Sweep.wav");
  }
  void write_song(int number, std::span<const float> samples, const std::string& corpus = "corpus") const {
    fs::create_directories(song_path(number, corpus).parent_path());
    write_audio(song_path(number, corpus), samples, rate, "wav");
  }
  void write_bytes(int number, const std::string& bytes) const {
    fs::create_directories(song_path(number).parent_path());
    std::ofstream(song_path(number), std::ios::binary | std::ios::trunc) << bytes;
  }
  ExtractionSummary extract(const ExtractionOptions& options = {}) const {
    return extract_features(load_corpus(root()), {settings_}, options);
  }
  FeatureSet load() const { return load_features(load_corpus(root()), settings_); }
  std::vector<float> values() const { return load().values.to_host<float>(); }
  std::vector<fs::path> caches() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(root() / "features")) found.push_back(entry.path());
    return found;
  }

  testing::TemporaryFolder folder_;
  ExecutionContext context_{DeviceKind::cpu};
  ContextScope scope_{context_};
  FeatureSettings settings_;
};

TEST_F(FeatureWindows, ClipsStartAtEqualDistancesAndEndWithinTheSong) {
  struct Case {
    std::int64_t samples, length, hop, clips;
  };
  for (const Case& c : std::initializer_list<Case>{{1, 100, 50, 1},
                                                   {99, 100, 50, 1},
                                                   {100, 100, 50, 1},
                                                   {149, 100, 50, 1},
                                                   {150, 100, 50, 2},
                                                   {100, 1, 1, 100},
                                                   {1000, 100, 100, 10},
                                                   {1000, 100, 450, 3},
                                                   {1000, 100, 901, 1},
                                                   {200000, 40000, 30000, 6},
                                                   {200000, 100, 70000, 3},
                                                   {200000, 199999, 1, 2},
                                                   {200000, 150000, ClipPlan::one_clip, 1}}) {
    SCOPED_TRACE(std::to_string(c.samples) + " samples, " + std::to_string(c.length) + " every " +
                 std::to_string(c.hop));
    write_song(0, sweep(c.samples));
    const std::vector<float> whole = audio::load(song_path(0), rate, {.duration = audio::whole_file}).samples;
    ASSERT_EQ(static_cast<std::int64_t>(whole.size()), c.samples);
    ClipPlan plan;
    plan.sample_rate = rate;
    plan.length = c.length;
    plan.hop = c.hop;
    plan.decode.duration = audio::whole_file;
    ClipReader reader(song_path(0), plan);
    Clip clip;
    std::int64_t count = 0;
    for (; reader.next(clip); ++count) {
      EXPECT_EQ(clip.first, count == 0);
      EXPECT_EQ(clip.last, count == c.clips - 1);
      const std::int64_t start = count == 0 ? 0 : count * c.hop;
      ASSERT_EQ(clip.own, std::min(c.length, c.samples - start));
      ASSERT_EQ(static_cast<std::int64_t>(clip.samples.size()), c.length);
      float peak = 0;
      for (std::int64_t i = 0; i < clip.own; ++i)
        peak = std::max(peak, std::abs(whole[static_cast<std::size_t>(start + i)]));
      for (std::int64_t i = 0; i < c.length; ++i) {
        const float own = i < clip.own ? whole[static_cast<std::size_t>(start + i)] : 0.0f;
        ASSERT_EQ(clip.samples[static_cast<std::size_t>(i)], peak > 0 ? own / peak : own) << i;
      }
    }
    EXPECT_EQ(count, c.clips);
    EXPECT_EQ(reader.seconds(), static_cast<double>(c.samples) / rate);
  }
}

TEST_F(FeatureWindows, EachIsExtractedAsASongOfItsOwn) {
  // Lengths of 0.4, 1, 3.2 and 6 s: 1, 1, 5 and 11 clips.
  const std::vector<std::int64_t> lengths{3200, 8000, 25600, 48000};
  std::vector<std::int64_t> song_of_row;
  int clips = 0;
  for (std::size_t s = 0; s < lengths.size(); ++s) {
    const std::vector<float> x = sweep(lengths[s], static_cast<int>(s));
    write_song(static_cast<int>(s), x);
    for (std::int64_t start = 0; start == 0 || start + rate <= lengths[s]; start += rate / 2, ++clips) {
      const auto own = static_cast<std::size_t>(std::min<std::int64_t>(rate, lengths[s] - start));
      write_song(clips, std::span(x).subspan(static_cast<std::size_t>(start), own), "clips");
      song_of_row.push_back(static_cast<std::int64_t>(s));
    }
  }
  for (const char* kind : {"statistics", "mel_db", "mfcc", "both"}) {
    settings_.kind = kind;
    const ExtractionSummary summary = extract();
    EXPECT_EQ(summary.computed, 4);
    EXPECT_EQ(summary.clips, 18);
    const FeatureSet set = load();
    EXPECT_EQ(set.count(), 4);
    EXPECT_EQ(set.song_of_row, song_of_row);
    FeatureSettings alone = settings_;
    alone.window = 0;
    alone.duration = 1;
    const Corpus corpus = load_corpus(root("clips"));
    extract_features(corpus, {alone}, {});
    const FeatureSet expected = load_features(corpus, alone);
    EXPECT_EQ(set.row_shape, expected.row_shape);
    EXPECT_EQ(set.values.to_host<float>(), expected.values.to_host<float>()) << kind;
  }
}

// 41 clips a song: the second song begins in the first shard and ends in the next.
TEST_F(FeatureWindows, SongsGoOnFromShardToShardWhateverTheNumberOfWorkers) {
  settings_.kind = "statistics";
  for (int s = 0; s < 5; ++s) write_song(s, sweep(21 * rate, s));
  ExtractionOptions options;
  options.workers = 1;
  EXPECT_EQ(extract(options).clips, 5 * 41);
  const std::vector<float> one = values();
  EXPECT_EQ(extract().reused, 5);

  const fs::path second = caches().at(0) / "shard_00001.npy";
  std::fstream file(second, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(5000);
  file.put('!');
  file.close();
  EXPECT_THROW(load(), InputError);
  ExtractionSummary summary = extract();
  EXPECT_EQ(summary.computed, 3) << "the second to the fourth song reach into rows 64 to 127";
  EXPECT_EQ(summary.reused, 2);
  EXPECT_EQ(values(), one);

  fs::remove_all(root() / "features");
  options.workers = 7;
  extract(options);
  EXPECT_EQ(values(), one);
}

TEST_F(FeatureWindows, ARunStoppedWithinASongDoesThatSongAgain) {
  settings_.kind = "statistics";
  for (int s = 0; s < 4; ++s) write_song(s, sweep(21 * rate, s));
  extract();
  const std::vector<float> whole = values();
  for (const int moment : {1, 42, 100}) {
    fs::remove_all(root() / "features");
    ExtractionOptions options;
    int calls = 0;
    options.interrupted = [&] { return ++calls == moment; };
    const ExtractionSummary first = extract(options);
    EXPECT_TRUE(first.interrupted);
    EXPECT_EQ(first.computed, moment / 41);
    EXPECT_THROW(load(), InputError);
    const ExtractionSummary second = extract();
    EXPECT_EQ(first.computed + second.computed, 4);
    EXPECT_EQ(second.reused, first.computed);
    EXPECT_EQ(values(), whole) << moment;
  }
}

TEST_F(FeatureWindows, WindowAndHopNameTheCacheAndDurationDoesNot) {
  write_song(0, sweep(3 * rate));
  EXPECT_EQ(extract().clips, 5);
  settings_.duration = 1;
  EXPECT_EQ(extract().computed, 0);
  settings_.hop = 1;
  EXPECT_THROW(load(), InputError);
  EXPECT_EQ(extract().clips, 3);
  settings_.window = 0;
  EXPECT_EQ(extract().clips, 1);
  EXPECT_EQ(caches().size(), 3u);
}

TEST_F(FeatureWindows, ASongThatBreaksOffAfterItsFirstClipsIsSkipped) {
  std::vector<float> samples = sweep(21 * rate);
  samples[20 * rate] = std::numeric_limits<float>::quiet_NaN();
  std::string bytes(samples.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), samples.data(), bytes.size());
  write_bytes(0, wav_header(static_cast<std::uint32_t>(bytes.size()), rate, 3, 32) + bytes);
  for (int s = 1; s < 4; ++s) write_song(s, sweep(2 * rate, s));
  ExtractionOptions strict;
  strict.strict = true;
  EXPECT_THROW(extract(strict), InputError);
  const ExtractionSummary summary = extract();
  ASSERT_EQ(summary.skipped.size(), 1u);
  EXPECT_NE(summary.skipped[0].reason.find("non-finite"), std::string::npos);
  EXPECT_EQ(summary.clips, 9);
  const FeatureSet set = load();
  EXPECT_EQ(set.count(), 3);
  EXPECT_EQ(set.song_of_row, (std::vector<std::int64_t>{0, 0, 0, 1, 1, 1, 2, 2, 2}));
}

// Longer than what is ever held in memory at once.
TEST_F(FeatureWindows, ASongOfTenHours) {
  settings_.params.mel.sample_rate = 1000;
  settings_.window = 60;
  settings_.hop = 600;
  constexpr std::uint32_t samples = 36'000'000;
  write_bytes(0, wav_header(samples, 1000, 1, 8));
  fs::resize_file(song_path(0), 44 + samples);
  EXPECT_GT(samples / 1000, audio::max_clip_seconds);
  const ExtractionSummary summary = extract();
  EXPECT_EQ(summary.clips, 60);
  EXPECT_EQ(summary.audio_seconds, 36000);
}

}  // namespace
}  // namespace chorale::data

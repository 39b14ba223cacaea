// SPDX-License-Identifier: MIT
#include "data/feature_cache.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <set>

#include "data/csv.h"
#include "data/feature_index.h"
#include "tensor/npy.h"
#include "tests/harness/temporary_folder.h"

namespace chorale::data {
namespace {

namespace fs = std::filesystem;

/// A 16-bit mono WAV of a tone.
void write_tone(const fs::path& path, double frequency, double seconds) {
  constexpr std::uint32_t rate = 22050;
  const auto n = static_cast<std::uint32_t>(seconds * rate);
  std::string bytes = "RIFF....WAVEfmt ";
  const auto put = [&](std::uint32_t value, int size) {
    for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i) & 255u);
  };
  put(16, 4), put(1, 2), put(1, 2), put(rate, 4), put(2 * rate, 4), put(2, 2), put(16, 2);
  bytes += "data";
  put(2 * n, 4);
  for (std::uint32_t i = 0; i < n; ++i)
    put(static_cast<std::uint16_t>(
            static_cast<std::int16_t>(8000 * std::sin(2 * M_PI * frequency * i / rate))),
        2);
  const std::uint32_t size = static_cast<std::uint32_t>(bytes.size()) - 8;
  std::memcpy(bytes.data() + 4, &size, 4);
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

class FeatureCacheTest : public ::testing::Test {
 protected:
  FeatureCacheTest() {
    for (int i = 0; i < 9; ++i) write_tone(audio(i), 200 + 60 * i, 1.5 + 0.1 * i);
    settings_.kind = "mel_db";
    settings_.duration = 2;
  }

  fs::path audio(int i) const {
    return root_ / "audio" / (i % 2 ? "english" : "hindi") / "pop" /
           ("xx_000" + std::to_string(i) + "_Tone.wav");
  }
  fs::path cache() const {
    for (const auto& entry : fs::directory_iterator(root_ / "features"))
      if (entry.is_directory()) return entry.path();
    return {};
  }
  ExtractionSummary extract(const ExtractionOptions& options = {}) {
    return extract_features(load_corpus(root_), {settings_}, options);
  }
  FeatureSet load() { return load_features(load_corpus(root_), settings_); }

  ExecutionContext context_{DeviceKind::cpu};
  ContextScope scope_{context_};
  testing::TemporaryFolder folder_;
  const fs::path root_ = folder_.path();
  FeatureSettings settings_;
};

TEST_F(FeatureCacheTest, RowsAreStandardisedAndTheSecondRunReusesAll) {
  const ExtractionSummary first = extract();
  EXPECT_EQ(first.computed, 9);
  EXPECT_EQ(first.reused, 0);
  const FeatureSet set = load();
  EXPECT_EQ(set.count(), 9);
  EXPECT_EQ(set.row_shape, (Shape{128, 1 + 44100 / 512}));
  for (std::int64_t i = 0; i < set.count(); ++i) {
    double sum = 0, square = 0;
    const auto row = set.values[i].to_host<float>();
    for (float v : row) sum += v, square += double{v} * v;
    EXPECT_NEAR(sum / static_cast<double>(row.size()), 0, 1e-4);
    EXPECT_NEAR(square / static_cast<double>(row.size()), 1, 1e-3);
  }
  const ExtractionSummary second = extract();
  EXPECT_EQ(second.computed, 0);
  EXPECT_EQ(second.reused, 9);
}

TEST_F(FeatureCacheTest, SameBitsForAnyNumberOfWorkers) {
  ExtractionOptions options;
  options.workers = 1;
  extract(options);
  const auto one = load().values.to_host<float>();
  fs::remove_all(root_ / "features");
  options.workers = 5;
  extract(options);
  EXPECT_EQ(one, load().values.to_host<float>());
}

TEST_F(FeatureCacheTest, AChangedFileIsExtractedAgainAndOthersAreNot) {
  extract();
  const auto before = load().values.to_host<float>();
  write_tone(audio(3), 1234, 1.0);
  EXPECT_THROW(load(), InputError);
  const ExtractionSummary summary = extract();
  EXPECT_EQ(summary.computed, 1);
  EXPECT_EQ(summary.reused, 8);
  EXPECT_NE(before, load().values.to_host<float>());
}

TEST_F(FeatureCacheTest, BadFilesAreSkippedAndListedOrEndTheRun) {
  std::ofstream(audio(2), std::ios::binary | std::ios::trunc) << "no audio at all";
  fs::remove(audio(5));
  std::ofstream(audio(5)).flush();
  const ExtractionSummary summary = extract();
  EXPECT_EQ(summary.computed, 7);
  ASSERT_EQ(summary.skipped.size(), 2u);
  EXPECT_NE(summary.skipped[0].reason.find(audio(5).filename().string()), std::string::npos);
  EXPECT_EQ(load().count(), 7);
  EXPECT_EQ(summary.skipped_file, (cache() / "skipped.csv").string());
  const CsvTable listed = read_csv(summary.skipped_file);
  ASSERT_EQ(listed.rows.size(), 2u);
  EXPECT_EQ(listed.rows[1].cells,
            (std::vector<std::string>{summary.skipped[1].song_id, summary.skipped[1].path,
                                      summary.skipped[1].reason}));
  EXPECT_MENTIONS(to_json(summary), "\"reason\": \"" + summary.skipped[1].reason);
  EXPECT_EQ(extract().computed, 0);  // known to be bad until the file changes
  write_tone(audio(2), 300, 1);
  write_tone(audio(5), 300, 1);
  EXPECT_EQ(extract().skipped_file, "");
  EXPECT_FALSE(fs::exists(cache() / "skipped.csv")) << "nothing to list any more";
  std::ofstream(audio(2), std::ios::binary | std::ios::trunc) << "no audio at all";
  fs::remove_all(root_ / "features");
  ExtractionOptions strict;
  strict.strict = true;
  EXPECT_THROW(extract(strict), InputError);
}

TEST_F(FeatureCacheTest, NoUsableSongIsAnError) {
  for (int i = 0; i < 9; ++i) std::ofstream(audio(i), std::ios::trunc) << "x";
  EXPECT_THROW(extract(), InputError);
}

TEST_F(FeatureCacheTest, AnInterruptedRunGoesOn) {
  ExtractionOptions options;
  int calls = 0;
  options.interrupted = [&] { return ++calls == 5; };
  const ExtractionSummary first = extract(options);
  EXPECT_TRUE(first.interrupted);
  EXPECT_THROW(load(), InputError);
  const ExtractionSummary second = extract();
  EXPECT_EQ(first.computed + second.computed, 9);
  EXPECT_EQ(load().count(), 9);
}

TEST_F(FeatureCacheTest, DamageIsNoticedAndRepaired) {
  extract();
  const auto good = load().values.to_host<float>();
  const fs::path shard = cache() / "shard_00000.npy";
  std::fstream file(shard, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(5000);
  file.put('!');
  file.close();
  EXPECT_THROW(load(), InputError);
  EXPECT_EQ(extract().computed, 9);
  EXPECT_EQ(load().values.to_host<float>(), good);
  for (const char* damage : {"", "{", "[]", R"({"version": 1, "settings": 3})"}) {
    std::ofstream(cache() / "index.json", std::ios::trunc) << damage;
    EXPECT_THROW(load(), InputError) << damage;
    EXPECT_EQ(extract().computed, 9) << damage;
  }
  EXPECT_EQ(load().values.to_host<float>(), good);
}

TEST_F(FeatureCacheTest, NonFiniteFeaturesNameTheirSong) {
  extract();
  const fs::path shard = cache() / "shard_00000.npy";
  NpyArray array = read_npy_host(shard);
  const std::int64_t row = 4, size = array.size() / 9;
  const float bad = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(array.data.data() + sizeof(float) * static_cast<std::size_t>(row * size + 7), &bad, sizeof bad);
  const std::string before = file_hash(shard);
  write_npy(shard, array.as<float>(), array.shape);
  std::string index = testing::slurp(cache() / "index.json");
  index.replace(index.find(before), before.size(), file_hash(shard));
  std::ofstream(cache() / "index.json", std::ios::trunc) << index;
  const std::string song = load_corpus(root_).songs[row].song_id;
  EXPECT_MENTIONS(testing::message_of<InputError>([&] { load(); }), "non-finite features of " + song + " ");
}

// A corpus of one's own order, or of some of the songs, takes its rows from where they lie.
TEST_F(FeatureCacheTest, RowsFollowTheCorpus) {
  extract();
  const FeatureSet all = load();
  const std::vector<float> values = all.values.to_host<float>();
  const std::int64_t size = element_count(all.row_shape);
  Corpus corpus = load_corpus(root_);
  corpus.songs = {corpus.songs[7], corpus.songs[2], corpus.songs[3], corpus.songs[0]};
  const std::vector<float> some = load_features(corpus, settings_).values.to_host<float>();
  ASSERT_EQ(some.size(), static_cast<std::size_t>(4 * size));
  std::size_t at = 0;
  for (const std::int64_t row : {7, 2, 3, 0})
    for (std::int64_t i = 0; i < size; ++i)
      ASSERT_EQ(some[at++], values[static_cast<std::size_t>(row * size + i)]) << row;
}

TEST_F(FeatureCacheTest, OtherSettingsHaveACacheOfTheirOwn) {
  extract();
  settings_.params.mel.n_mels = 64;
  EXPECT_THROW(load(), InputError);
  EXPECT_EQ(extract().computed, 9);
  settings_.params.mel.n_mels = 128;
  EXPECT_EQ(extract().reused, 9);
}

// The name of a folder is a hash of this text: caches that exist must keep theirs.
TEST(FeatureSettings, TextOfTheDefaultsStaysAsItIs) {
  EXPECT_EQ(FeatureSettings().text(),
            "version=1 kind=mel_db sample_rate=22050 n_fft=2048 hop_length=512 n_mels=128 n_mfcc=40 "
            "fmin=0x0p+0 fmax=0x0p+0 power=0x1p+1 amin=0x1.b7cdfep-34 top_db=0x1.4p+6 duration=0x1.ep+4");
}

TEST(FeatureSettings, EveryOptionIsInTheText) {
  using Change = std::function<void(audio::FeatureParams&)>;
  const std::vector<Change> changes{[](auto&) {},
                                    [](auto& p) { p.mel.win_length = 1000; },
                                    [](auto& p) { p.mel.window = audio::Window::hamming; },
                                    [](auto& p) { p.mel.window = audio::Window::blackman; },
                                    [](auto& p) { p.mel.center = false; },
                                    [](auto& p) { p.mel.pad_mode = PadMode::reflect; },
                                    [](auto& p) { p.mel.pad_mode = PadMode::edge; },
                                    [](auto& p) { p.mel.power = 1; },
                                    [](auto& p) { p.mel.htk = true; },
                                    [](auto& p) { p.mel.norm.kind = audio::BandNorm::Kind::none; },
                                    [](auto& p) {
                                      p.mel.norm = {audio::BandNorm::Kind::p_norm, 1};
                                    },
                                    [](auto& p) {
                                      p.mel.norm = {audio::BandNorm::Kind::p_norm, 2};
                                    },
                                    [](auto& p) { p.reference = 1.0f; },
                                    [](auto& p) { p.amin = 1e-5f; },
                                    [](auto& p) { p.top_db = 60; },
                                    [](auto& p) { p.dct_type = 3; },
                                    [](auto& p) { p.ortho = false; },
                                    [](auto& p) { p.lifter = 22; },
                                    [](auto& p) { p.delta_width = 5; },
                                    [](auto& p) { p.delta_order = 1; }};
  std::set<std::string> texts;
  for (const Change& change : changes) {
    FeatureSettings settings;
    change(settings.params);
    EXPECT_TRUE(texts.insert(settings.text()).second) << settings.text();
  }
  FeatureSettings whole_frame;
  whole_frame.params.mel.win_length = whole_frame.params.mel.n_fft;
  EXPECT_EQ(whole_frame.text(), FeatureSettings().text()) << "the same features";
}

TEST_F(FeatureCacheTest, RowsHaveTheShapeThatTheSettingsSay) {
  audio::FeatureParams& params = settings_.params;
  params.mel.center = false;
  params.mel.win_length = 800;
  params.mel.window = audio::Window::hamming;
  params.mel.htk = true;
  params.delta_order = 1;
  params.n_mfcc = 13;
  for (const std::string& kind : feature_kinds()) {
    settings_.kind = kind;
    EXPECT_EQ(extract().computed, 9);
    EXPECT_EQ(load().row_shape, feature_shape(settings_));
  }
  EXPECT_EQ(feature_shape(settings_), (Shape{2 * (128 + 2 * 13) + 64}));
}

TEST_F(FeatureCacheTest, KindsShareTheDecoding) {
  FeatureSettings mfcc = settings_, both = settings_, statistics = settings_;
  mfcc.kind = "mfcc";
  both.kind = "both";
  statistics.kind = "statistics";
  const Corpus corpus = load_corpus(root_);
  EXPECT_EQ(extract_features(corpus, {settings_, mfcc, both, statistics}, {}).computed, 9);
  EXPECT_EQ(load_features(corpus, mfcc).row_shape, (Shape{120, 87}));
  EXPECT_EQ(load_features(corpus, both).row_shape, (Shape{248, 87}));
  const FeatureSet descriptors = load_features(corpus, statistics);
  EXPECT_EQ(descriptors.row_shape.size(), 1u);
  const auto stacked = load_features(corpus, both).values.to_host<float>(),
             mel = load().values.to_host<float>();
  EXPECT_EQ(std::vector(stacked.begin(), stacked.begin() + 128 * 87),
            std::vector(mel.begin(), mel.begin() + 128 * 87));
}

}  // namespace
}  // namespace chorale::data

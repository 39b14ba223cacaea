// SPDX-License-Identifier: MIT
// The feature cache beside other processes, on a full disk, and over what another version or other settings
// left there.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <fstream>
#include <thread>

#include "data/audio_writer.h"
#include "data/feature_cache.h"
#include "kernels/error.h"
#include "tensor/device.h"
#include "tensor/file.h"
#include "tests/harness/temporary_folder.h"

namespace fs = std::filesystem;

namespace chorale::data {
namespace {

using chorale::testing::message_of;

constexpr int rate = 8000;

class FeatureCacheSafety : public ::testing::Test {
 protected:
  FeatureCacheSafety() {
    settings_.kind = "mel_db";
    settings_.duration = 0.5;
    settings_.params.mel.sample_rate = rate;
    settings_.params.mel.n_fft = 256;
    settings_.params.mel.hop_length = 128;
    settings_.params.mel.n_mels = 8;
    settings_.params.n_mfcc = 6;
    write_songs(10);
  }

  void write_songs(int count) {
    for (int song = 0; song < count; ++song) {
      std::vector<float> x(rate / 2);
      for (std::size_t i = 0; i < x.size(); ++i)
        x[i] = 0.5f * std::sin(static_cast<float>(i) * 0.02f * static_cast<float>(song + 1));
      fs::create_directories(path_of(song).parent_path());
      write_audio(path_of(song), x, rate, "wav");
    }
    corpus_ = load_corpus(root());
  }
  fs::path root() const { return folder_.path(); }
  fs::path path_of(int song) const {
    return root() / "audio/english/pop" / ("en_" + std::to_string(1000 + song) + "_Tone.wav");
  }
  fs::path cache() const { return cache_folder(corpus_, settings_); }

  ExtractionSummary extract(ExtractionOptions options = {}) {
    options.workers = 2;
    options.warning = [this](const std::string& text) { warnings_ += text + "\n"; };
    return extract_features(corpus_, {settings_}, options);
  }
  std::vector<float> values() const { return load_features(corpus_, settings_).values.to_host<float>(); }

  /// Rewrites the index with `from` replaced by `to`.
  void edit_index(const std::string& from, const std::string& to) const {
    std::string text = testing::slurp(cache() / "index.json");
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from << " in " << text.substr(0, 400);
    std::ofstream(cache() / "index.json", std::ios::trunc) << text.replace(at, from.size(), to);
  }
  std::vector<std::string> left_behind() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(cache()))
      if (const std::string name = entry.path().filename();
          name != "index.json" && !name.starts_with("shard_"))
        names.push_back(name);
    return names;
  }

  testing::TemporaryFolder folder_;
  ExecutionContext context_{DeviceKind::cpu};
  ContextScope scope_{context_};
  FeatureSettings settings_;
  Corpus corpus_;
  std::string warnings_;
};

TEST_F(FeatureCacheSafety, ASecondExtractionIsRefusedAndNamesTheFirst) {
  ExtractionOptions options;
  std::string message;
  options.progress = [&](const ExtractionProgress& now) {
    if (now.done == 3) message = message_of<InputError>([&] { extract(); });
  };
  EXPECT_EQ(extract(options).computed, 10) << "the first is not disturbed";
  EXPECT_MENTIONS(message, "another run uses this folder: process " + std::to_string(::getpid()) + " on ");
  EXPECT_MENTIONS(message, cache().string());
  EXPECT_EQ(left_behind(), std::vector<std::string>{});
}

TEST_F(FeatureCacheSafety, TheLockOfADeadProcessIsTakenOver) {
  fs::create_directories(cache());
  std::ofstream(cache() / ".lock") << "process 1 on elsewhere since 1999-12-31T23:59:59Z\n";
  EXPECT_EQ(extract().computed, 10);
  EXPECT_EQ(left_behind(), std::vector<std::string>{});
}

// A reader sees the old state, the new one, or that a song has changed; never half of each.
TEST_F(FeatureCacheSafety, ReadingBesideAnExtraction) {
  extract();
  const std::vector<float> expected = values();
  std::atomic<bool> done{false};
  int good = 0;
  std::thread reader([&] {
    ExecutionContext context{DeviceKind::cpu};
    const ContextScope scope(context);
    while (!done || good == 0) try {
        EXPECT_EQ(values(), expected);
        ++good;
      } catch (const InputError& error) {
        EXPECT_MENTIONS(std::string(error.what()), "extracted");  // "changed since", "not ... yet"
      }
  });
  for (int round = 0; round < 30; ++round) {
    fs::last_write_time(path_of(round % 10), fs::file_time_type::clock::now() + std::chrono::seconds(round));
    EXPECT_EQ(extract().computed, 1);
  }
  done = true;
  reader.join();
  EXPECT_GT(good, 0);
}

TEST_F(FeatureCacheSafety, AFullDiskAtAnyWriteKeepsWhatWasWhole) {
  write_songs(70);  // two shards
  extract();
  const std::vector<float> expected = values();
  bool first_kept = false;
  int failures = 0;
  for (int n = 1;; ++n) {
    fs::remove_all(root() / "features");
    inject_write_failure(n, ENOSPC);
    bool failed = false;
    try {
      extract();
    } catch (const InputError& error) {
      failed = true;
      EXPECT_MENTIONS(std::string(error.what()), "disk full");
      EXPECT_MENTIONS(std::string(error.what()), cache().string());
    }
    inject_write_failure(0, 0);
    if (!failed) break;
    ++failures;
    EXPECT_EQ(left_behind(), std::vector<std::string>{}) << n;
    const ExtractionSummary next = extract();
    EXPECT_EQ(next.computed + next.reused, 70) << n;
    EXPECT_TRUE(next.reused == 0 || next.reused == 64) << n << ": " << next.reused;
    first_kept |= next.reused == 64;
    EXPECT_EQ(values(), expected) << n;
  }
  EXPECT_GT(failures, 10);
  EXPECT_TRUE(first_kept);
}

TEST_F(FeatureCacheSafety, ARealFullDisk) {
  fs::create_directories(root() / "features");
  if (::mount("none", (root() / "features").c_str(), "tmpfs", 0, "size=16k") != 0)
    GTEST_SKIP() << "mounting a small file system is not allowed here: " << std::strerror(errno);
  const std::string message = message_of<InputError>([&] { extract(); });
  ::umount((root() / "features").c_str());
  EXPECT_MENTIONS(message, "disk full");
  EXPECT_EQ(extract().computed, 10);
}

TEST_F(FeatureCacheSafety, AnIndexOfAnotherVersionIsMadeAnewByName) {
  extract();
  const std::vector<float> expected = values();
  edit_index("\"version\": 2", "\"version\": 1");
  EXPECT_MENTIONS(message_of<InputError>([&] { values(); }), "written as version 1, this is version 2");
  EXPECT_EQ(extract().computed, 10);
  EXPECT_MENTIONS(warnings_, cache().string() + ": made anew: written as version 1, this is version 2\n");
  EXPECT_EQ(values(), expected);
  warnings_.clear();
  EXPECT_EQ(extract().reused, 10);
  EXPECT_EQ(warnings_, "");
}

TEST_F(FeatureCacheSafety, RowsOfOtherSettingsAreNeverMixed) {
  extract();
  const std::vector<float> expected = values();
  // Somebody else's files under this folder's name.
  for (const auto& [from, to, why] :
       {std::array<const char*, 3>{"n_fft=256", "n_fft=512", "of other settings: version=1 kind=mel_db"},
        {"kind=mel_db sample_rate=8000", "kind=mel_db sample_rate=9000", "of other settings"},
        {"\"row_shape\": [\n  8,", "\"row_shape\": [\n  9,", "rows of shape"}}) {
    edit_index(from, to);
    EXPECT_MENTIONS(message_of<InputError>([&] { values(); }), "of other settings than its folder's");
    warnings_.clear();
    EXPECT_EQ(extract().computed, 10) << to;
    EXPECT_MENTIONS(warnings_, std::string("made anew: ") + why);
    EXPECT_EQ(values(), expected);
  }
}

TEST_F(FeatureCacheSafety, EverySettingHasACacheOfItsOwn) {
  extract();
  const FeatureSettings before = settings_;
  for (int which = 0; which < 4; ++which) {
    settings_ = before;
    if (which == 0) settings_.params.mel.sample_rate = rate / 2;
    if (which == 1) settings_.params.mel.n_mels = 9;
    if (which == 2) settings_.duration = 0.25;
    if (which == 3) settings_.kind = "both";
    EXPECT_THROW(values(), InputError) << which;
    EXPECT_EQ(extract().computed, 10) << which;
    EXPECT_EQ(load_features(corpus_, settings_).row_shape, feature_shape(settings_)) << which;
  }
  settings_ = before;
  EXPECT_EQ(extract().reused, 10);
}

TEST_F(FeatureCacheSafety, VerifyFindsWhatTheTimeStampHides) {
  extract();
  const std::vector<float> expected = values();
  const fs::path shard = cache() / "shard_00000.npy";
  const auto time = fs::last_write_time(shard);
  {
    std::fstream file(shard, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(1000);
    file.put('!');
  }
  fs::last_write_time(shard, time);
  EXPECT_EQ(extract().computed, 0);
  EXPECT_MENTIONS(message_of<InputError>([&] { values(); }), "extract_audio --verify");
  ExtractionOptions verify;
  verify.verify = true;
  EXPECT_EQ(extract(verify).computed, 10);
  EXPECT_EQ(values(), expected);
  // A copy has other time stamps and the same bytes.
  fs::last_write_time(shard, time + std::chrono::hours(1));
  EXPECT_EQ(extract().reused, 10);
}

TEST_F(FeatureCacheSafety, BandsWithoutBinsAreNamedOnce) {
  settings_.params.mel.n_mels = 128;
  settings_.params.mel.fmax = 1000;
  extract();
  EXPECT_MENTIONS(warnings_, "stay empty");
  EXPECT_EQ(warnings_.find("stay empty"), warnings_.rfind("stay empty"));
}

}  // namespace
}  // namespace chorale::data

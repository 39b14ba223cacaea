// SPDX-License-Identifier: MIT
// The feature cache across kills, and song by song across changes of the files.
#include "data/feature_cache.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "data/synth/corpus_writer.h"
#include "kernels/error.h"
#include "tensor/device.h"
#include "tests/harness/temporary_folder.h"

namespace fs = std::filesystem;

namespace chorale::data {
namespace {

class FeatureCacheRecovery : public ::testing::Test {
 protected:
  FeatureCacheRecovery() : context_(DeviceKind::cpu), scope_(context_) { render(10); }

  void render(int songs) {
    synth::CorpusSettings settings;
    settings.n_tracks = songs;
    settings.n_lyrics = 0;
    settings.seconds = 1.0;
    write_corpus(root(), settings);
    corpus_ = load_corpus(root());
  }

  fs::path root() const { return folder_.path(); }
  static FeatureSettings of(const std::string& kind) {
    FeatureSettings settings;
    settings.kind = kind;
    settings.duration = 1.0;
    return settings;
  }
  ExtractionSummary extract(const std::vector<std::string>& kinds = {"statistics"}, int workers = 2) {
    std::vector<FeatureSettings> settings;
    for (const std::string& kind : kinds) settings.push_back(of(kind));
    ExtractionOptions options;
    options.workers = workers;
    return extract_features(corpus_, settings, options);
  }
  std::vector<float> values(const std::string& kind = "statistics") const {
    return load_features(corpus_, of(kind)).values.to_host<float>();
  }
  /// The folder of the only cache.
  fs::path cache() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(root() / "features")) found.push_back(entry.path());
    EXPECT_EQ(found.size(), 1u);
    return found.at(0);
  }

  testing::TemporaryFolder folder_;
  ExecutionContext context_;
  ContextScope scope_;
  Corpus corpus_;
};

TEST_F(FeatureCacheRecovery, ASecondRunDoesNothingAndAChangedFileIsDoneAgain) {
  extract();
  const std::vector<float> before = values();
  ExtractionSummary summary = extract();
  EXPECT_EQ(summary.computed, 0);
  EXPECT_EQ(summary.reused, 10);

  // The fourth song gets the sound of the fifth.
  fs::copy_file(corpus_.audio_file(corpus_.songs[4]), corpus_.audio_file(corpus_.songs[3]),
                fs::copy_options::overwrite_existing);
  fs::last_write_time(corpus_.audio_file(corpus_.songs[3]),
                      fs::file_time_type::clock::now() + std::chrono::seconds(5));
  EXPECT_THROW(values(), InputError) << "stale features are not handed out";
  summary = extract();
  EXPECT_EQ(summary.computed, 1);
  EXPECT_EQ(summary.reused, 9);
  const std::vector<float> after = values();
  const std::size_t width = after.size() / 10;
  for (std::size_t song = 0; song < 10; ++song) {
    const float* source = before.data() + (song == 3 ? 4 : song) * width;
    EXPECT_EQ(std::memcmp(after.data() + song * width, source, width * sizeof(float)), 0) << song;
  }
}

TEST_F(FeatureCacheRecovery, BadFilesAreListedAndSkippedOnceUntilTheyChange) {
  const fs::path bad = corpus_.audio_file(corpus_.songs[2]), gone = corpus_.audio_file(corpus_.songs[6]);
  const std::string good = testing::slurp(bad);
  std::ofstream(bad, std::ios::binary | std::ios::trunc) << "no audio";
  fs::remove(gone);
  ExtractionSummary summary = extract();
  EXPECT_EQ(summary.computed, 8);
  ASSERT_EQ(summary.skipped.size(), 2u);
  EXPECT_EQ(summary.skipped[0].song_id, corpus_.songs[2].song_id);
  EXPECT_FALSE(summary.skipped[0].reason.empty());
  EXPECT_EQ(load_features(corpus_, of("statistics")).count(), 8);
  summary = extract();
  EXPECT_EQ(summary.computed, 0);
  EXPECT_EQ(summary.skipped.size(), 2u) << "they are reported again without being read again";
  EXPECT_EQ(summary.reused, 8);
  ExtractionOptions strict;
  strict.strict = true;
  EXPECT_THROW(extract_features(corpus_, {of("statistics")}, strict), InputError) << "known to be bad";

  std::ofstream(bad, std::ios::binary | std::ios::trunc) << good;
  summary = extract();
  EXPECT_EQ(summary.computed, 1);
  EXPECT_EQ(summary.skipped.size(), 1u);
}

// 80 songs make two shards. The first is complete when the batch after it comes, which is before the last
// kill.
TEST_F(FeatureCacheRecovery, SurvivesBeingKilled) {
  render(80);
  extract();
  const std::vector<float> before = values();
  for (const std::int64_t moment : {1, 30, 74}) {
    fs::remove_all(root() / "features");
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      // No OpenMP team survives a fork: the child starts a program of its own.
      const std::string at = std::to_string(moment), folder = root();
      ::setenv("CHORALE_TEST_KILL_AT", at.c_str(), 1);
      ::setenv("CHORALE_TEST_CORPUS", folder.c_str(), 1);
      ::execl("/proc/self/exe", "test_data", "--gtest_also_run_disabled_tests",
              "--gtest_filter=FeatureCacheChild.DISABLED_ExtractsUntilKilled", nullptr);
      ::_exit(127);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
    const ExtractionSummary summary = extract();
    EXPECT_EQ(summary.computed + summary.reused, 80);
    EXPECT_EQ(summary.reused, moment < 64 ? 0 : 64);
    EXPECT_EQ(values(), before) << moment;
    for (const auto& entry : fs::directory_iterator(cache())) {
      const std::string name = entry.path().filename();
      EXPECT_TRUE(name == "index.json" || name.starts_with("shard_")) << "left behind: " << name;
    }
  }
}

// The victim of SurvivesBeingKilled; run only by it.
TEST(FeatureCacheChild, DISABLED_ExtractsUntilKilled) {
  const char* folder = std::getenv("CHORALE_TEST_CORPUS");
  const char* moment = std::getenv("CHORALE_TEST_KILL_AT");
  ASSERT_TRUE(folder && moment);
  ExecutionContext context(DeviceKind::cpu);
  const ContextScope scope(context);
  FeatureSettings settings;
  settings.kind = "statistics";
  settings.duration = 1.0;
  ExtractionOptions options;
  options.progress = [&](const ExtractionProgress& progress) {
    if (progress.done == std::atoll(moment)) ::kill(::getpid(), SIGKILL);
  };
  extract_features(load_corpus(folder), {settings}, options);
}

}  // namespace
}  // namespace chorale::data

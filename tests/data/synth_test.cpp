// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <fstream>
#include <map>
#include <set>

#include "data/audio_writer.h"
#include "data/corpus.h"
#include "data/csv.h"
#include "data/synth/corpus_writer.h"
#include "data/synth/plan.h"
#include "data/synth/portable_math.h"
#include "data/synth/scales.h"
#include "data/synth/styles.h"
#include "kernels/error.h"
#include "tensor/file.h"
#include "tests/harness/temporary_folder.h"

namespace fs = std::filesystem;

namespace chorale::data::synth {
namespace {

TEST(PortableMath, AgreesWithTheLibrary) {
  for (double x = -9.7; x < 9.7; x += 0.37) {
    EXPECT_NEAR(exp2(x) / std::exp2(x), 1.0, 1e-14) << x;
    EXPECT_NEAR(sine_of_turns(x), std::sin(6.28318530717958647692 * x), 2e-13) << x;
    EXPECT_NEAR(log2(std::exp2(x)), x, 1e-12) << x;
  }
  for (double x = 0.0; x < 1.0; x += 0.0123) EXPECT_NEAR(sine_table()(x), sine_of_turns(x), 5e-7);
}

TEST(Styles, FortyFiveGenresInFiveLanguages) {
  std::set<std::string_view> genres;
  std::map<std::string_view, std::size_t> counts;
  for (const LanguageStyle& language : languages()) {
    for (const GenreStyle& style : styles_of(language.language)) {
      genres.insert(style.genre);
      EXPECT_EQ(style.language, language.language);
      ++counts[language.language];
    }
  }
  EXPECT_EQ(genres.size(), 45u);
  EXPECT_EQ(counts["arabic"], 11u);
  EXPECT_EQ(counts["bangla"], 5u);
  EXPECT_EQ(counts["english"], 7u);
  EXPECT_EQ(counts["hindi"], 5u);
  EXPECT_EQ(counts["spanish"], 17u);
  EXPECT_THROW(find_style("polka"), UsageError);
  EXPECT_THROW(find_scale("none"), UsageError);
}

TEST(Scales, DegreesGoOnThroughOctaves) {
  const Scale& bayati = find_scale("bayati");
  EXPECT_FLOAT_EQ(bayati.semitones(1), 1.5f);
  EXPECT_FLOAT_EQ(bayati.semitones(7), 12.0f);
  EXPECT_FLOAT_EQ(bayati.semitones(-1), -2.0f);
  EXPECT_FLOAT_EQ(bayati.semitones(-7), -12.0f);
}

TEST(Plan, HasTheSplitOfTheOriginal) {
  const std::vector<int> tracks = tracks_per_language(1120);
  EXPECT_EQ(tracks, (std::vector<int>{176, 104, 448, 120, 272}));
  EXPECT_EQ(lyrics_per_language(677, tracks), (std::vector<int>{46, 13, 431, 66, 121}));
  const std::vector<PlannedSong> songs = plan_corpus(1120, 677, 42);
  std::set<std::string> ids, genres;
  int lyrics = 0;
  for (const PlannedSong& song : songs) {
    ids.insert(song.song_id);
    genres.insert(song.factors.genre);
    lyrics += song.has_lyrics;
    EXPECT_TRUE(song.factors.sung || !song.has_lyrics);
    EXPECT_EQ(song.factors.theme.empty(), !song.factors.sung);
    EXPECT_EQ(song_id_of(song.song_id + "_" + song.title), song.song_id);
    EXPECT_EQ(song_id_fault(song.song_id), "");
    EXPECT_EQ(song.title.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"),
              std::string::npos);
    EXPECT_FALSE(song.title.empty());
  }
  EXPECT_EQ(ids.size(), 1120u);
  EXPECT_EQ(genres.size(), 45u);
  EXPECT_EQ(lyrics, 677);
}

TEST(Plan, SmallCorporaKeepEveryGenreWhileTheyCan) {
  for (const int n : {1, 5, 45, 90, 333}) {
    std::set<std::string> genres;
    int count = 0;
    for (const PlannedSong& song : plan_corpus(n, n / 2, 7)) {
      genres.insert(song.factors.genre);
      ++count;
    }
    EXPECT_EQ(count, n);
    if (n >= 45) {
      EXPECT_EQ(genres.size(), 45u) << n;
    }
  }
  EXPECT_THROW(plan_corpus(0, 0, 1), UsageError);
  EXPECT_THROW(plan_corpus(5, 6, 1), UsageError);
}

class CorpusOnDisk : public ::testing::Test {
 protected:
  fs::path root() const { return folder_.path(); }
  CorpusSettings small() const {
    CorpusSettings settings;
    settings.n_tracks = 12;
    settings.n_lyrics = 7;
    settings.seconds = 1.0;
    settings.sample_rate = 8000;
    return settings;
  }
  std::map<std::string, std::string> contents() const {
    std::map<std::string, std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator(root())) {
      if (entry.is_regular_file()) {
        out[entry.path().lexically_relative(root())] = read_file_bounded(entry.path().native(), 1 << 20);
      }
    }
    return out;
  }
  testing::TemporaryFolder folder_;
};

TEST_F(CorpusOnDisk, IsWhatTheManifestAndTheWalkSay) {
  const CorpusSummary summary = write_corpus(root(), small());
  EXPECT_EQ(summary.rendered, 12);
  const Corpus manifest = load_corpus(root());
  const Scan scan = scan_corpus(root());
  EXPECT_TRUE(scan.problems.empty());
  ASSERT_EQ(manifest.songs.size(), 12u);
  ASSERT_EQ(scan.corpus.songs.size(), 12u);
  int lyrics = 0;
  for (std::size_t i = 0; i < 12; ++i) {
    EXPECT_EQ(manifest.songs[i].song_id, scan.corpus.songs[i].song_id);
    EXPECT_EQ(manifest.songs[i].title, scan.corpus.songs[i].title);
    EXPECT_EQ(manifest.songs[i].lyrics_path, scan.corpus.songs[i].lyrics_path);
    lyrics += manifest.songs[i].has_lyrics();
  }
  EXPECT_EQ(lyrics, 7);
  EXPECT_EQ(manifest.factor_names, factor_names());
}

TEST_F(CorpusOnDisk, ResumesAndDoesNotDependOnTheThreadCount) {
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  write_corpus(root(), small());
  const auto before = contents();
  // As after a kill: songs missing, the manifest not yet written.
  fs::remove(root() / "manifest.csv");
  const Corpus scan = scan_corpus(root()).corpus;
  for (const std::size_t i : {0u, 5u, 11u}) fs::remove(scan.audio_file(scan.songs[i]));
  omp_set_num_threads(3);
  const CorpusSummary summary = write_corpus(root(), small());
  omp_set_num_threads(threads);
  EXPECT_EQ(summary.rendered, 3);
  EXPECT_EQ(summary.kept, 9);
  EXPECT_EQ(contents(), before);
}

TEST_F(CorpusOnDisk, OtherSettingsReplaceTheEarlierSongs) {
  write_corpus(root(), small());
  CorpusSettings other = small();
  other.n_tracks = 6;
  other.n_lyrics = 2;
  other.format = "flac";
  const CorpusSummary summary = write_corpus(root(), other);
  EXPECT_EQ(summary.removed, 12 + 7);
  EXPECT_EQ(scan_corpus(root()).corpus.songs.size(), 6u);
}

TEST_F(CorpusOnDisk, RefusesACorpusThatIsNotItsOwn) {
  fs::create_directories(root() / "audio/english/pop");
  std::ofstream(root() / "audio/english/pop/en_0001_Mine.wav") << "x";
  EXPECT_THROW(write_corpus(root(), small()), InputError);
  EXPECT_FALSE(fs::exists(root() / "manifest.csv"));
  EXPECT_NO_THROW(write_corpus(root(), small(), true));
  EXPECT_TRUE(fs::exists(root() / "audio/english/pop/en_0001_Mine.wav"));
}

TEST_F(CorpusOnDisk, RefusesFormatsItCannotWrite) {
  CorpusSettings settings = small();
  settings.format = "m4a";
  EXPECT_THROW(write_corpus(root(), settings), UsageError);
  EXPECT_FALSE(fs::exists(root() / "audio"));
  for (const std::string& format : audio_formats()) {
    EXPECT_GT(encode_audio(std::vector<float>(22050, 0.1f), 22050, format).size(), 100u) << format;
  }
}

}  // namespace
}  // namespace chorale::data::synth

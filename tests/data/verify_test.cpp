// SPDX-License-Identifier: MIT
#include "data/verify.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "data/audio_writer.h"
#include "data/synth/corpus_writer.h"
#include "kernels/error.h"
#include "tests/harness/temporary_folder.h"

namespace fs = std::filesystem;

namespace chorale::data {
namespace {

class Datasets : public ::testing::Test {
 protected:
  fs::path root() const { return folder_.path(); }

  void text(const fs::path& path, const std::string& content) const {
    fs::create_directories((root() / path).parent_path());
    std::ofstream(root() / path, std::ios::binary) << content;
  }
  void audio(const fs::path& path, std::size_t samples = 16000) const {
    text(path, encode_audio(std::vector<float>(samples, 0.25f), 8000, "wav"));
  }
  std::map<std::string, std::vector<std::string>> problems(const VerifyOptions& options = {}) const {
    std::map<std::string, std::vector<std::string>> out;
    for (const Problem& problem : verify_dataset(root(), options).problems) {
      out[problem.kind].push_back(problem.path.generic_string());
    }
    return out;
  }

  testing::TemporaryFolder folder_;
};

using Files = std::vector<std::string>;

TEST_F(Datasets, ADemoCorpusIsSound) {
  synth::CorpusSettings settings;
  settings.n_tracks = 50;
  settings.n_lyrics = 20;
  settings.seconds = 1.5;
  settings.sample_rate = 8000;
  write_corpus(root(), settings);
  const DatasetReport report = verify_dataset(root());
  EXPECT_TRUE(report.problems.empty()) << to_json(report);
  EXPECT_EQ(report.tracks, 50);
  EXPECT_EQ(report.pairs, 20);
  EXPECT_EQ(report.genres, 45);
  EXPECT_EQ(report.languages.size(), 5u);
  EXPECT_EQ(report.languages.at("spanish").genres.size(), 17u);
}

TEST_F(Datasets, ListsWhatIsBroken) {
  audio("audio/english/pop/en_0001.wav");
  audio("audio/english/pop/en_0002.wav", 4000);
  audio("audio/english/rock/en_0001_Again.wav");
  text("audio/english/pop/en_0003.wav", "this is no audio");
  text("audio/english/pop/en_0004.mp3", "");
  audio("audio/english/pop/en_0005.wav");
  text("processed_lyrics/english/en_0001.txt", "la la\n");
  text("processed_lyrics/english/en_0002.txt", " \n\n");
  text("processed_lyrics/english/en_0005.txt", "\xFF\xFE");
  text("processed_lyrics/english/en_0099.txt", "lost\n");
  const auto found = problems();
  EXPECT_EQ(found.at("short audio"), (Files{"audio/english/pop/en_0002.wav"}));
  EXPECT_EQ(found.at("unreadable audio"),
            (Files{"audio/english/pop/en_0003.wav", "audio/english/pop/en_0004.mp3"}));
  EXPECT_EQ(found.at("doubled id"), (Files{"audio/english/rock/en_0001_Again.wav"}));
  EXPECT_EQ(found.at("empty lyrics"), (Files{"processed_lyrics/english/en_0002.txt"}));
  EXPECT_EQ(found.at("bad lyrics"), (Files{"processed_lyrics/english/en_0005.txt"}));
  EXPECT_EQ(found.at("unmatched lyrics"), (Files{"processed_lyrics/english/en_0099.txt"}));
  EXPECT_EQ(found.size(), 6u);
}

TEST_F(Datasets, ComparesTheManifestWithTheDisk) {
  audio("audio/english/pop/en_0001.wav");
  audio("audio/english/pop/en_0002.wav");
  text("manifest.csv",
       "song_id,title,language,genre,audio_path,lyrics_path,has_lyrics\n"
       "en_0001,,english,pop,audio/english/pop/en_0001.wav,processed_lyrics/gone.txt,true\n"
       "en_0003,,english,pop,audio/english/pop/en_0003.wav,,false\n");
  const auto found = problems();
  EXPECT_EQ(found.at("missing file"), (Files{"audio/english/pop/en_0003.wav", "processed_lyrics/gone.txt"}));
  EXPECT_EQ(found.at("not in manifest"), (Files{"audio/english/pop/en_0002.wav"}));
  EXPECT_EQ(found.size(), 2u);
}

TEST_F(Datasets, ReportIsJsonAndDoesNotDependOnTheThreads) {
  audio("audio/english/pop/en_0001.wav");
  text("audio/hindi/\"quoted\"/hi_0001.wav", "junk");
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  const std::string one = to_json(verify_dataset(root()));
  omp_set_num_threads(3);
  const std::string three = to_json(verify_dataset(root()));
  omp_set_num_threads(threads);
  EXPECT_EQ(one, three);
  const auto json = nlohmann::json::parse(one);
  EXPECT_EQ(json.at("tracks"), 2);
  EXPECT_EQ(json.at("languages").at("hindi").at("genres").at("\"quoted\""), 1);
  EXPECT_EQ(json.at("problems").at(0).at("kind"), "unreadable audio");
}

TEST_F(Datasets, EachBadFileKeepsItsOwnReasonAmongGoodOnes) {
  for (int i = 0; i < 40; ++i) {
    const std::string id = "en_" + std::to_string(1000 + i) + ".wav";
    if (i % 2)
      audio("audio/english/pop/" + id);
    else
      text("audio/english/pop/" + id, "junk");
  }
  const int threads = omp_get_max_threads();
  omp_set_num_threads(4);
  for (int repeat = 0; repeat < 25; ++repeat)
    for (const Problem& problem : verify_dataset(root()).problems)
      EXPECT_NE(problem.detail.find("not an audio file"), std::string::npos) << problem.detail;
  omp_set_num_threads(threads);
}

TEST_F(Datasets, NothingToLookAtIsAnError) {
  EXPECT_THROW(verify_dataset(root()), InputError);
  fs::create_directories(root() / "audio");
  EXPECT_THROW(verify_dataset(root()), InputError);
  text("manifest.csv", "song_id\n");
  EXPECT_THROW(verify_dataset(root()), InputError);
}

TEST_F(Datasets, MatchingKeepsFactorsTitlesAndSongsElsewhere) {
  audio("audio/english/pop/en_0001_Old_Name.wav");
  audio("audio/english/pop/en_0002.wav");
  audio("elsewhere/x.wav");
  text("processed_lyrics/english/en_0002.txt", "la\n");
  text("manifest.csv",
       "song_id,title,language,genre,audio_path,lyrics_path,has_lyrics,tempo_bpm\n"
       "en_0001,\"A \"\"title\"\"\",english,pop,audio/english/pop/moved.wav,,false,120.50\n"
       "en_0009,,english,pop,audio/english/pop/gone.wav,,false,99\n"
       "x,,english,pop,elsewhere/x.wav,,false,88\n");
  const Match match = match_corpus(root());
  EXPECT_EQ(match.dropped, 1);
  EXPECT_NE(testing::slurp(root() / "manifest.previous.csv").find("\nen_0009,"), std::string::npos);
  const Corpus corpus = load_corpus(root());
  ASSERT_EQ(corpus.songs.size(), 3u);
  EXPECT_EQ(corpus.songs[0].title, "A \"title\"");
  EXPECT_EQ(corpus.songs[0].factors, (Files{"120.50"}));
  EXPECT_EQ(corpus.songs[0].audio_path, fs::path("audio/english/pop/en_0001_Old_Name.wav"));
  EXPECT_TRUE(corpus.songs[1].has_lyrics());
  EXPECT_EQ(corpus.songs[1].factors, (Files{""}));
  EXPECT_EQ(corpus.songs[2].song_id, "x");
  const std::string once = testing::slurp(root() / "manifest.csv");
  match_corpus(root());
  EXPECT_EQ(testing::slurp(root() / "manifest.csv"), once);
}

TEST_F(Datasets, MatchingKeepsTheOldManifestOnErrors) {
  audio("audio/english/pop/en_0001.wav");
  audio("audio/english/rock/en_0001.wav");
  const std::string good =
      "song_id,language,genre,audio_path\nen_0001,english,pop,audio/english/pop/en_0001.wav\n";
  text("manifest.csv", good);
  EXPECT_THROW(match_corpus(root()), InputError) << "doubled id";
  EXPECT_EQ(testing::slurp(root() / "manifest.csv"), good);
  fs::remove(root() / "audio/english/rock/en_0001.wav");
  text("manifest.csv", "song_id,language\nen_0001\n");
  EXPECT_THROW(match_corpus(root()), InputError) << "damaged manifest";
  EXPECT_EQ(testing::slurp(root() / "manifest.csv"), "song_id,language\nen_0001\n");
}

}  // namespace
}  // namespace chorale::data

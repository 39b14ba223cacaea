// SPDX-License-Identifier: MIT
#include "data/corpus.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <map>

#include "kernels/error.h"
#include "tests/harness/temporary_folder.h"

namespace fs = std::filesystem;

namespace chorale::data {
namespace {

class Corpora : public ::testing::Test {
 protected:
  fs::path root() const { return folder_.path(); }

  void touch(const fs::path& path, const std::string& content = "x") const {
    fs::create_directories((root() / path).parent_path());
    std::ofstream(root() / path, std::ios::binary) << content;
  }

  /// The message of reading a manifest with these rows below the usual header.
  std::string manifest_error(const std::string& rows, CorpusOptions options = {}) const {
    touch("manifest.csv", "song_id,title,language,genre,audio_path,lyrics_path,has_lyrics\n" + rows);
    try {
      read_manifest(root() / "manifest.csv", options);
    } catch (const InputError& error) {
      const std::string message = error.what(), prefix = (root() / "manifest.csv").string();
      EXPECT_EQ(message.substr(0, prefix.size()), prefix);
      return message.substr(prefix.size());
    }
    return "no error";
  }

  testing::TemporaryFolder folder_;
};

TEST_F(Corpora, SongIdIsTheFirstTwoParts) {
  EXPECT_EQ(song_id_of("en_0001_Clap_On_The"), "en_0001");
  EXPECT_EQ(title_of("en_0001_Clap_On_The"), "Clap On The");
  EXPECT_EQ(song_id_of("en_0001"), "en_0001");
  EXPECT_EQ(title_of("en_0001"), "en_0001");
  EXPECT_EQ(song_id_of("track"), "track");
  EXPECT_EQ(title_of("en_0001_"), "en_0001");
}

TEST_F(Corpora, ScanFindsSongsAndTheirLyricsInTheOrderOfPaths) {
  touch("audio/spanish/salsa/es_0002_B.MP3");
  touch("audio/arabic/rai/ar_0001_A.wav");
  touch("audio/arabic/rai/notes.txt");
  touch("audio/.hidden/rai/ar_0009_A.wav");
  touch("audio/klingon/opera/tlh_0001.flac");
  touch("processed_lyrics/spanish/es_0002.txt");
  touch("processed_lyrics/english/en_0007.txt");
  const Scan scan = scan_corpus(root());
  ASSERT_EQ(scan.corpus.songs.size(), 3u);
  EXPECT_EQ(scan.corpus.songs[0].song_id, "ar_0001");
  EXPECT_FALSE(scan.corpus.songs[0].has_lyrics());
  EXPECT_EQ(scan.corpus.songs[1].language, "klingon");
  EXPECT_EQ(scan.corpus.songs[2].genre, "salsa");
  EXPECT_EQ(scan.corpus.songs[2].lyrics_path, fs::path("processed_lyrics/spanish/es_0002.txt"));
  ASSERT_EQ(scan.problems.size(), 1u);
  EXPECT_EQ(scan.problems[0].kind, "unmatched lyrics");
  EXPECT_EQ(scan.problems[0].path, fs::path("processed_lyrics/english/en_0007.txt"));
}

TEST_F(Corpora, ScanListsWhatCannotBeUsed) {
  touch("audio/english/pop/en_0001_A.wav");
  touch("audio/english/rock/en_0001_B.wav");
  touch("audio/english/pop/-rf_0001.wav");
  touch("audio/english/pop/en_0\n02.wav");
  touch("audio/english/loose.wav");
  fs::create_directory(root() / "audio/english/pop/en_0003.wav");
  ASSERT_EQ(::mkfifo((root() / "audio/english/pop/en_0004.wav").c_str(), 0600), 0);
  fs::create_symlink("/etc/hostname", root() / "audio/english/pop/en_0005.wav");
  fs::create_symlink("en_0006.wav", root() / "audio/english/pop/en_0006.wav");
  const Scan scan = scan_corpus(root());
  ASSERT_EQ(scan.corpus.songs.size(), 1u);
  std::map<std::string, int> kinds;
  for (const Problem& problem : scan.problems) ++kinds[problem.kind];
  EXPECT_EQ(kinds["doubled id"], 1);
  EXPECT_EQ(kinds["bad name"], 3);
  EXPECT_EQ(kinds["outside"] + kinds["not a file"], 4);
  EXPECT_GE(kinds["outside"], 1);
  EXPECT_THROW(load_corpus(root()), InputError) << "a doubled id is refused before any work";
}

TEST_F(Corpora, LinksInsideTheRootAreFollowedAndOutsideOnesOnRequest) {
  testing::TemporaryFolder elsewhere;
  std::ofstream(fs::path(elsewhere.path()) / "far.wav") << "x";
  touch("audio/english/pop/en_0001.wav");
  fs::create_symlink("en_0001.wav", root() / "audio/english/pop/en_0002.wav");
  fs::create_symlink(fs::path(elsewhere.path()) / "far.wav", root() / "audio/english/pop/en_0003.wav");
  EXPECT_EQ(scan_corpus(root()).corpus.songs.size(), 2u);
  EXPECT_EQ(scan_corpus(root(), {.allow_outside = true}).corpus.songs.size(), 3u);
}

TEST_F(Corpora, NoSongIsAnError) {
  EXPECT_THROW(load_corpus(root()), InputError);
  fs::create_directories(root() / "audio/english/pop");
  EXPECT_THROW(load_corpus(root()), InputError);
}

TEST_F(Corpora, ManifestRoundTrip) {
  Corpus corpus;
  corpus.root = root();
  corpus.factor_names = {"tempo_bpm", "remark"};
  corpus.songs = {{"en_0001", "One, \"two\"", "english", "pop", "audio/a.wav", "", {"120.00", "two\nlines"}},
                  {"en_0002", "ノ", "english", "rock", "audio/b.wav", "l/b.txt", {"90.50", ""}}};
  write_manifest(corpus, root() / "manifest.csv");
  const Corpus read = load_corpus(root());
  EXPECT_EQ(read.factor_names, corpus.factor_names);
  ASSERT_EQ(read.songs.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(read.songs[i].song_id, corpus.songs[i].song_id);
    EXPECT_EQ(read.songs[i].title, corpus.songs[i].title);
    EXPECT_EQ(read.songs[i].audio_path, corpus.songs[i].audio_path);
    EXPECT_EQ(read.songs[i].lyrics_path, corpus.songs[i].lyrics_path);
    EXPECT_EQ(read.songs[i].factors, corpus.songs[i].factors);
  }
}

TEST_F(Corpora, ManifestOfOnesOwnReplacesTheWalkAndNeedsFourColumns) {
  touch("mine.csv", "genre,language,audio_path,song_id\npop,english,x/y.wav,a b\n");
  const Corpus corpus = load_corpus(root(), root() / "mine.csv");
  EXPECT_EQ(corpus.songs.at(0).title, "a b");
  EXPECT_EQ(corpus.songs.at(0).audio_path, fs::path("x/y.wav"));
  touch("mine.csv", "genre,language,song_id\npop,english,a\n");
  EXPECT_THROW(load_corpus(root(), root() / "mine.csv"), InputError);
}

TEST_F(Corpora, ManifestFaults) {
  EXPECT_EQ(manifest_error(""), ": no song: 0 rows (allowed 1 or more)");
  EXPECT_EQ(manifest_error("a,,e,p,x.wav,,false\na,,e,p,y.wav,,false\n"),
            ":3: doubled song id: a (first in line 2)");
  EXPECT_EQ(manifest_error("a,,e,p,x.wav,,false\nb,,e,p,./x.wav,,false\n"),
            ":3: doubled audio_path: x.wav (first in line 2)");
  EXPECT_EQ(manifest_error(",,e,p,x.wav,,false\n"), ":2: empty song id");
  EXPECT_EQ(manifest_error("-rf,,e,p,x.wav,,false\n"), ":2: song id starts with '-'");
  EXPECT_EQ(manifest_error("../x,,e,p,x.wav,,false\n"), ":2: song id starts with '.'");
  EXPECT_EQ(manifest_error("a/b,,e,p,x.wav,,false\n"), ":2: song id holds a slash or control character: a/b");
  EXPECT_EQ(manifest_error("\"a\nb\",,e,p,x.wav,,false\n"),
            ":2: song id holds a slash or control character: a\\x0ab");
  EXPECT_EQ(manifest_error(std::string(300, 'a') + ",,e,p,x.wav,,false\n"),
            ":2: song id too long: 300 bytes (allowed 200)");
  EXPECT_EQ(manifest_error("a,,e,p,,,false\n"), ":2: empty audio_path");
  EXPECT_EQ(manifest_error("a,,,p,x.wav,,false\n"), ":2: empty language");
  EXPECT_EQ(manifest_error("a,,e,p,x.wav,,maybe\n"), ":2: bad has_lyrics: maybe (allowed true, false, 1, 0)");
  EXPECT_EQ(manifest_error("a,,e,p,x.wav,,true\n"), ":2: has_lyrics contradicts lyrics_path: true, ");
}

TEST_F(Corpora, ManifestPathsStayInsideTheRoot) {
  const std::string refused = "path leaves the data folder: ",
                    allowed = " (allowed relative paths, or --allow-outside)";
  EXPECT_EQ(manifest_error("a,,e,p,../../etc/passwd,,false\n"),
            ":2: " + refused + "../../etc/passwd" + allowed);
  EXPECT_EQ(manifest_error("a,,e,p,/etc/passwd,,false\n"), ":2: " + refused + "/etc/passwd" + allowed);
  EXPECT_EQ(manifest_error("a,,e,p,a/../../b,,false\n"), ":2: " + refused + "a/../../b" + allowed);
  EXPECT_EQ(manifest_error("a,,e,p,x.wav,../l.txt,true\n"), ":2: " + refused + "../l.txt" + allowed);
  EXPECT_EQ(manifest_error("a,,e,p,a/../b.wav,,false\n"), "no error");
  fs::create_symlink("/etc", root() / "link");
  EXPECT_NE(manifest_error("a,,e,p,link/passwd,,false\n").find(":2: leaves the data folder"),
            std::string::npos);
  EXPECT_EQ(manifest_error("a,,e,p,link/passwd,,false\n", {.allow_outside = true}), "no error");
  EXPECT_EQ(manifest_error("a,,e,p,/etc/passwd,,false\n", {.allow_outside = true}), "no error");
}

}  // namespace
}  // namespace chorale::data

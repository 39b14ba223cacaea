// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <set>

#include "data/audio_writer.h"
#include "data/corpus.h"
#include "data/csv.h"
#include "data/synth/corpus_writer.h"
#include "data/synth/lyrics.h"
#include "data/synth/plan.h"
#include "data/synth/portable_math.h"
#include "data/synth/renderer.h"
#include "data/synth/scales.h"
#include "data/synth/styles.h"
#include "kernels/error.h"
#include "tensor/file.h"
#include "tests/tensor_formats/temporary_folder.h"

namespace fs = std::filesystem;

namespace chorale::data::synth {
namespace {

/// FNV-1a over the samples' bits.
std::uint64_t hash_of(const std::vector<float>& samples) {
  std::uint64_t hash = 14695981039346656037u;
  for (const float sample : samples) {
    std::uint32_t bits;
    std::memcpy(&bits, &sample, sizeof bits);
    hash = (hash ^ bits) * 1099511628211u;
  }
  return hash;
}

double rms_of(const std::vector<float>& samples) {
  double sum = 0.0;
  for (const float x : samples) sum += static_cast<double>(x) * x;
  return std::sqrt(sum / static_cast<double>(samples.size()));
}

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

TEST(Renderer, EveryGenreSoundsWithinLevels) {
  for (const LanguageStyle& language : languages()) {
    for (const GenreStyle& style : styles_of(language.language)) {
      const SongFactors factors = draw_factors(style.genre, 5);
      EXPECT_GE(factors.tempo_bpm, style.tempo_low);
      EXPECT_LE(factors.tempo_bpm, style.tempo_high);
      const std::vector<float> samples = Renderer().render(factors, 16000, 6.0);
      ASSERT_EQ(samples.size(), 96000u);
      float peak = 0.0f;
      for (const float x : samples) {
        ASSERT_TRUE(std::isfinite(x)) << style.genre;
        peak = std::max(peak, std::abs(x));
      }
      EXPECT_LE(peak, 0.9501f) << style.genre;
      const double decibels = 20.0 * std::log10(rms_of(samples));
      EXPECT_GT(decibels, -34.0) << style.genre;
      EXPECT_LT(decibels, -6.0) << style.genre;
    }
  }
}

TEST(Renderer, SameSeedSameSamplesOnAnyThread) {
  const std::vector<std::string> genres = {"jazz",         "salsa",      "flamenco",
                                           "nazrul_geeti", "mahraganat", "bollywood_pop"};
  std::vector<std::uint64_t> first(genres.size());
  for (std::size_t i = 0; i < genres.size(); ++i) {
    first[i] = hash_of(Renderer().render(draw_factors(genres[i], i), 22050, 8.0));
  }
  for (const int threads : {1, 2, 3}) {
#pragma omp parallel for num_threads(threads) schedule(dynamic)
    for (std::size_t i = 0; i < genres.size(); ++i) {
      EXPECT_EQ(hash_of(Renderer().render(draw_factors(genres[i], i), 22050, 8.0)), first[i]) << genres[i];
    }
  }
  EXPECT_NE(hash_of(Renderer().render(draw_factors("jazz", 99), 22050, 8.0)), first[0]);
}

// The corpus is part of what users compare results on: the same on every compiler and machine. A change of
// sound on purpose raises renderer_version and this number.
TEST(Renderer, SamplesAreTheOnesOfThisVersion) {
  EXPECT_EQ(renderer_version, 1);
  EXPECT_EQ(hash_of(Renderer().render(draw_factors("khaleeji", 42), 22050, 10.0)), 8539680478290603865u);
}

TEST(Renderer, FactorsAreAudible) {
  SongFactors factors = draw_factors("latin_pop", 3);
  const auto high_share = [](const std::vector<float>& x) {  // energy of the first difference over energy
    double change = 0.0, sum = 0.0;
    for (std::size_t i = 1; i < x.size(); ++i) {
      change += std::pow(static_cast<double>(x[i]) - x[i - 1], 2);
      sum += static_cast<double>(x[i]) * x[i];
    }
    return change / sum;
  };
  factors.brightness = 0.15f;
  const std::vector<float> dark = Renderer().render(factors, 22050, 8.0);
  factors.brightness = 0.85f;
  const std::vector<float> bright = Renderer().render(factors, 22050, 8.0);
  EXPECT_GT(high_share(bright), 2.0 * high_share(dark));
  factors.energy = 0.1f;
  const double quiet = rms_of(Renderer().render(factors, 22050, 8.0));
  factors.energy = 0.9f;
  EXPECT_GT(rms_of(Renderer().render(factors, 22050, 8.0)), 1.5 * quiet);
}

TEST(Renderer, RefusesWhatItCannotRender) {
  SongFactors factors = draw_factors("pop", 1);
  EXPECT_THROW(Renderer().render(factors, 100, 5.0), UsageError);
  EXPECT_THROW(Renderer().render(factors, 22050, std::nan("")), UsageError);
  factors.mode = "none";
  EXPECT_THROW(Renderer().render(factors, 22050, 5.0), UsageError);
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

TEST(Lyrics, AreWellFormedInTheirScripts) {
  const std::map<std::string, std::string> letters = {
      {"arabic", "ا"}, {"bangla", "া"}, {"english", "e"}, {"hindi", "र"}, {"spanish", "a"}};
  for (const auto& [language, letter] : letters) {
    bool plain = false, sectioned = false;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const Lyrics lyrics = write_lyrics(language, "pop", seed);
      EXPECT_EQ(lyrics.romanized.empty(), language == "english" || language == "spanish");
      EXPECT_EQ(lyrics.translated.empty(), language == "english");
      if (!lyrics.translated.empty()) {
        EXPECT_EQ(lyrics.translated.size(), lyrics.original.size());
      }
      const std::string text = lyrics_file_text(language, "pop", seed);
      EXPECT_TRUE(valid_utf8(text));
      EXPECT_EQ(text.find('%'), std::string::npos);
      EXPECT_NE(text.find(letter), std::string::npos);
      (text.starts_with("[Original]\n") ? sectioned : plain) = true;
      EXPECT_EQ(text, lyrics_file_text(language, "pop", seed));
    }
    EXPECT_TRUE(plain && sectioned) << language;
  }
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

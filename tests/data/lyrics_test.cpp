// SPDX-License-Identifier: MIT
#include "data/synth/lyrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "data/synth/phonetics.h"
#include "data/synth/styles.h"
#include "data/synth/text_table.h"
#include "data/synth/vocabulary.h"
#include "kernels/error.h"
#include "tensor/file.h"

namespace chorale::data::synth {
namespace {

/// The places of a line, sorted.
std::set<char> places(std::string_view line) {
  std::set<char> out;
  for (std::size_t i = 0; i + 2 < line.size(); ++i) {
    if (line[i] == '{') out.insert(line[i + 1]);
  }
  return out;
}

/// First and last code point of a script's letters in UTF-8's first bytes.
bool in_script(std::string_view language, std::string_view text) {
  const auto has = [&](char first, char last) {
    for (const char c : text) {
      if (c >= first && c <= last) return true;
    }
    return false;
  };
  if (language == "arabic") return has('\xD8', '\xDB');
  if (language == "bangla")
    return text.find("\xE0\xA6") != std::string_view::npos || text.find("\xE0\xA7") != std::string_view::npos;
  if (language == "hindi")
    return text.find("\xE0\xA4") != std::string_view::npos || text.find("\xE0\xA5") != std::string_view::npos;
  return has('a', 'z');
}

void expect_text(const Text& text, std::string_view language) {
  const bool latin = language == "english" || language == "spanish";
  if (text.original.find_first_not_of("{} abcdefghijklmnopqrstuvwxyz") != std::string_view::npos || latin) {
    EXPECT_TRUE(in_script(language, text.original)) << text.original;
  }
  EXPECT_EQ(text.romanized.empty(), latin) << text.original;
  EXPECT_EQ(text.translated.empty(), language == "english") << text.original;
  for (const std::string_view form : {text.romanized, text.translated}) {
    EXPECT_TRUE(std::all_of(form.begin(), form.end(), [](char c) { return c >= ' ' && c <= '~'; })) << form;
    if (!form.empty()) {
      EXPECT_EQ(places(form), places(text.original)) << text.original;
    }
  }
}

TEST(Vocabulary, HoldsTwelveThemesAndSeveralHundredWordsALanguage) {
  for (const LanguageStyle& language : languages()) {
    const Vocabulary& vocabulary = vocabulary_of(language.language);
    EXPECT_EQ(vocabulary.language, language.language);
    EXPECT_EQ(vocabulary.themes.size(), 12u);
    std::set<std::string_view> words;
    const auto count = [&](std::string_view text) {
      for (const std::string_view word : split(text, ' ')) {
        if (word.find('{') == std::string_view::npos) words.insert(word);
      }
    };
    for (const Word& word : vocabulary.words) {
      expect_text(word.text, language.language);
      count(word.text.original);
    }
    for (const Text& line : vocabulary.lines) {
      expect_text(line, language.language);
      count(line.original);
    }
    for (const Theme& theme : vocabulary.themes) {
      for (const Word& word : theme.words) {
        expect_text(word.text, language.language);
        count(word.text.original);
      }
      for (const Text& line : theme.lines) {
        expect_text(line, language.language);
        count(line.original);
      }
    }
    EXPECT_GE(words.size(), 300u) << language.language;
  }
  EXPECT_THROW(vocabulary_of("latin"), UsageError);
}

TEST(Lyrics, AreCompleteInEveryForm) {
  for (const LanguageStyle& language : languages()) {
    bool plain = false, sectioned = false;
    std::set<std::string> themes;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
      const Lyrics lyrics = write_lyrics(language.language, "pop", seed);
      const bool latin = language.language == "english" || language.language == "spanish";
      EXPECT_EQ(lyrics.romanized.size(), latin ? 0 : lyrics.original.size());
      EXPECT_EQ(lyrics.translated.size(), language.language == "english" ? 0 : lyrics.original.size());
      EXPECT_EQ(lyrics.theme, lyrics_theme(language.language, "pop", seed));
      themes.insert(lyrics.theme);
      const std::string text = lyrics_file_text(language.language, "pop", seed);
      EXPECT_TRUE(valid_utf8(text));
      EXPECT_EQ(text.find_first_of("{}"), std::string::npos) << text;
      EXPECT_TRUE(in_script(language.language, text));
      (text.starts_with("[Original]\n") ? sectioned : plain) = true;
      EXPECT_EQ(text, lyrics_file_text(language.language, "pop", seed));
      EXPECT_FALSE(song_title(language.language, "pop", seed).empty());
    }
    EXPECT_TRUE(plain && sectioned) << language.language;
    EXPECT_GE(themes.size(), 8u) << language.language;
  }
}

TEST(Lyrics, RefrainsReturn) {
  const Lyrics lyrics = write_lyrics("bangla", "adhunik", 3);
  std::map<int, std::string> stanzas;
  int stanza = 0;
  for (const std::string& line : lyrics.original) {
    if (line.empty())
      ++stanza;
    else
      stanzas[stanza] += line + "\n";
  }
  EXPECT_TRUE(lyrics.refrain_stanza(1));
  EXPECT_EQ(stanzas.at(1), stanzas.at(3));
  EXPECT_NE(stanzas.at(0), stanzas.at(2));
}

TEST(Lyrics, ContractWhereTheLanguageDoes) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    for (const std::string& line : write_lyrics("spanish", "bolero", seed).original) {
      EXPECT_EQ(line.find(" de el "), std::string::npos) << line;
      EXPECT_EQ(line.find(" a el "), std::string::npos) << line;
    }
    const Lyrics arabic = write_lyrics("arabic", "rai", seed);
    for (const std::string& line : arabic.original) EXPECT_EQ(line.find("يا ال"), std::string::npos) << line;
    for (const std::string& line : arabic.translated)
      EXPECT_EQ(line.find("O the "), std::string::npos) << line;
  }
}

TEST(Phonetics, ReadsLinesAsSyllables) {
  const auto count = [](std::string_view language, std::string_view line) {
    return syllables_of(language, line).size();
  };
  EXPECT_EQ(count("bangla", "tumi amar chand"), 5u);
  EXPECT_EQ(count("hindi", "tere bina yah jeevan"), 7u);
  EXPECT_EQ(count("arabic", "uhibbuk akthar min al-layl"), 8u);
  EXPECT_EQ(count("spanish", "Quiero cantar contigo"), 7u);
  EXPECT_EQ(count("english", "Tell me, are the moons still gone?"), 7u);
  const Syllable first = syllables_of("spanish", "noche")[0];
  EXPECT_EQ(phone(first.before[0]).name, "n");
  EXPECT_EQ(phone(first.vowel).name, "es_o");
  EXPECT_TRUE(first.stressed);
  EXPECT_TRUE(syllables_of("english", " , ").empty());
  EXPECT_THROW(syllables_of("latin", "nox"), UsageError);
}

/// Every line of every language can be sung.
TEST(Phonetics, EveryLineHasSyllables) {
  for (const LanguageStyle& language : languages()) {
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      const Lyrics lyrics = write_lyrics(language.language, "pop", seed);
      for (const std::string& line : lyrics.romanized.empty() ? lyrics.original : lyrics.romanized) {
        if (line.empty()) continue;
        const std::size_t syllables = syllables_of(language.language, line).size();
        EXPECT_GE(syllables, 3u) << line;
        EXPECT_LE(syllables, 24u) << line;
      }
    }
  }
}

}  // namespace
}  // namespace chorale::data::synth

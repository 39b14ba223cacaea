// SPDX-License-Identifier: MIT
#include "data/synth/lyrics.h"

#include <algorithm>
#include <map>

#include "data/synth/purposes.h"
#include "data/synth/text_table.h"
#include "data/synth/vocabulary.h"
#include "kernels/error.h"

namespace chorale::data::synth {
namespace {

/// A theme of its own for every genre, taken by four songs in ten.
std::size_t pick_theme(std::string_view genre, std::size_t count, Random& random) {
  std::uint32_t hash = 2166136261u;
  for (const char c : genre) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  const bool own = random.chance(0.4f);
  const auto any = static_cast<std::size_t>(random.below(static_cast<int>(count)));
  return own ? hash % count : any;
}

/// Share of the places that take a word of any theme.
constexpr float common_share = 0.2f;

/// Whether a word may stand in a place of this kind: n takes m and f where a language has them.
bool fits(const Word& word, char kind) {
  return word.kind == kind || (kind == 'n' && (word.kind == 'm' || word.kind == 'f'));
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

/// The words of a line's places, drawn: mostly the theme's, else common ones; {K} differs from {k}.
class Choice {
 public:
  Choice(const Vocabulary& vocabulary, const Theme& theme, std::string_view line, Random& random) {
    for (std::size_t i = 0; i + 2 < line.size(); ++i) {
      if (line[i] == '{' && line[i + 2] == '}' && !chosen_.contains(line[i + 1])) {
        chosen_[line[i + 1]] = draw(vocabulary, theme, line[i + 1], random);
      }
    }
  }

  std::string fill(std::string_view line, std::string_view Text::*form) const {
    std::string out;
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (line[i] == '{') {
        out += chosen_.at(line[i + 1])->text.*form;
        i += 2;
      } else {
        out += line[i];
      }
    }
    return out;
  }

 private:
  const Word* draw(const Vocabulary& vocabulary, const Theme& theme, char place, Random& random) const {
    const char kind = is_upper(place) ? static_cast<char>(place - 'A' + 'a') : place;
    const char other = is_upper(place) ? kind : static_cast<char>(kind - 'a' + 'A');
    const auto taken = chosen_.find(other);
    const auto candidates = [&](std::span<const Word> words) {
      std::vector<const Word*> out;
      for (const Word& word : words) {
        if (fits(word, kind) && (taken == chosen_.end() || taken->second != &word)) out.push_back(&word);
      }
      return out;
    };
    std::vector<const Word*> words = candidates(theme.words);
    const bool common = random.chance(common_share);
    if (common || words.empty()) {
      std::vector<const Word*> others = candidates(vocabulary.words);
      if (!others.empty()) words = std::move(others);
    }
    if (words.empty())
      throw ContractError("vocabulary: no word of kind: " + std::string(1, kind) + " (" +
                          std::string(vocabulary.language) + ")");
    return words[static_cast<std::size_t>(random.below(static_cast<int>(words.size())))];
  }

  std::map<char, const Word*> chosen_;
};

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

/// Romanised words after the vocative lose their article, whatever its consonant became: ya ash-shams, ya
/// shams.
void drop_vocative_articles(std::string& line) {
  for (std::size_t at = 0; (at = line.find("ya a", at)) != std::string::npos; at += 3) {
    const std::size_t hyphen = line.find('-', at);
    if ((at == 0 || line[at - 1] == ' ') && hyphen != std::string::npos && hyphen - at <= 6)
      line.erase(at + 3, hyphen - at - 2);
  }
}

/// As sung: the Arabic vocative takes no article.
std::string romanised(std::string line, std::string_view language) {
  if (language == "arabic") drop_vocative_articles(line);
  return line;
}

std::string translated(std::string line) {
  replace_all(line, "O the ", "O ");
  return line;
}

/// As written: Spanish contracts its articles, and lines in Latin script begin with a capital.
std::string written(std::string line, std::string_view language) {
  if (language == "arabic") replace_all(line, "يا ال", "يا ");
  if (language == "spanish") {
    replace_all(line, " de el ", " del ");
    replace_all(line, " a el ", " al ");
  }
  const bool latin = language == "spanish" || language == "english";
  if (latin && !line.empty() && line[0] >= 'a' && line[0] <= 'z')
    line[0] = static_cast<char>(line[0] - 'a' + 'A');
  return line;
}

/// The lines in a drawn order, none twice.
std::vector<const Text*> shuffled(std::span<const Text> lines, Random& random) {
  std::vector<const Text*> out;
  for (const Text& line : lines) out.push_back(&line);
  for (std::size_t i = out.size(); i > 1; --i) {
    std::swap(out[i - 1], out[static_cast<std::size_t>(random.below(static_cast<int>(i)))]);
  }
  return out;
}

std::string section(std::string_view name, const std::vector<std::string>& lines) {
  std::string out(name);
  out += '\n';
  for (const std::string& line : lines) out += line + '\n';
  return out + '\n';
}

/// Spanish letters without their accents, everything else that is no letter dropped; the first letter a
/// capital.
std::string ascii_word(std::string_view word) {
  std::string kept;
  for (std::size_t i = 0; i < word.size(); ++i) {
    char c = word[i];
    if (c == '\xC3' && i + 1 < word.size()) {
      const auto at = std::string_view("\xA1\xA9\xAD\xB1\xB3\xBA\xBC").find(word[++i]);
      c = at == std::string_view::npos ? ' ' : "aeinouu"[at];
    }
    const bool letter = (c >= 'a' && c <= 'z') || is_upper(c);
    if (letter) kept += kept.empty() && c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return kept;
}

class Writer {
 public:
  Writer(const Vocabulary& vocabulary, const Theme& theme, Random& random)
      : vocabulary_(vocabulary), theme_(theme), random_(random) {
    lyrics_.theme = theme.name;
  }

  void add(const Text& line) { add(line, Choice(vocabulary_, theme_, line.original, random_)); }
  void add(const Text& line, const Choice& choice) {
    lyrics_.original.push_back(written(choice.fill(line.original, &Text::original), vocabulary_.language));
    if (!line.romanized.empty())
      lyrics_.romanized.push_back(
          romanised(choice.fill(line.romanized, &Text::romanized), vocabulary_.language));
    if (!line.translated.empty())
      lyrics_.translated.push_back(translated(choice.fill(line.translated, &Text::translated)));
  }
  void end_stanza() {
    lyrics_.original.emplace_back();
    if (!lyrics_.romanized.empty()) lyrics_.romanized.emplace_back();
    if (!lyrics_.translated.empty()) lyrics_.translated.emplace_back();
  }
  Choice choose(const Text& line) const { return {vocabulary_, theme_, line.original, random_}; }
  Lyrics take() {
    for (std::vector<std::string>* lines : {&lyrics_.original, &lyrics_.romanized, &lyrics_.translated}) {
      if (!lines->empty()) lines->pop_back();
    }
    return std::move(lyrics_);
  }

 private:
  const Vocabulary& vocabulary_;
  const Theme& theme_;
  Random& random_;
  Lyrics lyrics_;
};

}  // namespace

const Vocabulary& vocabulary_of(std::string_view language) {
  if (language == "arabic") return arabic_vocabulary();
  if (language == "bangla") return bangla_vocabulary();
  if (language == "english") return english_vocabulary();
  if (language == "hindi") return hindi_vocabulary();
  if (language == "spanish") return spanish_vocabulary();
  throw UsageError("language: unknown name: " + std::string(language) +
                   " (allowed arabic, bangla, english, hindi, spanish)");
}

Lyrics write_lyrics(std::string_view language, std::string_view genre, std::uint64_t seed) {
  const Vocabulary& vocabulary = vocabulary_of(language);
  Random random(seed, words_draw);
  const Theme& theme = vocabulary.themes[pick_theme(genre, vocabulary.themes.size(), random)];
  const std::vector<const Text*> own = shuffled(theme.lines, random),
                                 common = shuffled(vocabulary.lines, random);
  Writer writer(vocabulary, theme, random);
  const Text &hook = *own[0], &second = *own[1], &turn = *common[0];
  const Choice hook_words = writer.choose(hook), second_words = writer.choose(second),
               turn_words = writer.choose(turn);
  const int verses = random.chance(0.4f) ? 3 : 2;
  std::size_t next_common = 1, next_own = 2;
  for (int verse = 0; verse < verses; ++verse) {
    for (int line = 0; line < 4; ++line) {
      const bool themed = line % 2 == verse % 2 && next_own < own.size();
      writer.add(themed ? *own[next_own++] : *common[next_common++]);
    }
    writer.end_stanza();
    writer.add(hook, hook_words);
    writer.add(second, second_words);
    writer.add(hook, hook_words);
    writer.add(turn, turn_words);
    writer.end_stanza();
  }
  return writer.take();
}

std::string lyrics_theme(std::string_view language, std::string_view genre, std::uint64_t seed) {
  const std::span<const Theme> themes = vocabulary_of(language).themes;
  Random random(seed, words_draw);
  return std::string(themes[pick_theme(genre, themes.size(), random)].name);
}

std::string lyrics_file_text(std::string_view language, std::string_view genre, std::uint64_t seed) {
  const Lyrics lyrics = write_lyrics(language, genre, seed);
  Random random(seed, layout_draw);
  std::string text;
  if (random.chance(0.6f)) {
    text = section("[Original]", lyrics.original);
    if (!lyrics.romanized.empty()) text += section("[Romanized]", lyrics.romanized);
    if (!lyrics.translated.empty()) text += section("[Translated]", lyrics.translated);
    text.pop_back();
  } else {
    for (const std::string& line : lyrics.original) text += line + '\n';
  }
  return text;
}

std::string song_title(std::string_view language, std::string_view genre, std::uint64_t seed) {
  const Lyrics lyrics = write_lyrics(language, genre, seed);
  const std::vector<std::string>& lines = lyrics.romanized.empty() ? lyrics.original : lyrics.romanized;
  const auto stanza = std::find(lines.begin(), lines.end(), std::string());
  std::string title;
  int words = 0;
  for (const std::string_view word : split(*(stanza + 1), ' ')) {
    if (words == 3) break;
    const std::string kept = ascii_word(word);
    if (kept.empty()) continue;
    title += (words++ > 0 ? "_" : "") + kept;
  }
  return title;
}

}  // namespace chorale::data::synth

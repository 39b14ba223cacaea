// SPDX-License-Identifier: MIT
#include "data/synth/lyrics.h"

#include <algorithm>

#include "data/synth/portable_math.h"
#include "data/synth/text_table.h"
#include "kernels/error.h"

namespace chorale::data::synth {
namespace {

enum Purpose : std::uint32_t { words_draw = 60, layout_draw };

std::string filled(std::string_view line, std::string_view noun) {
  std::string out(line);
  if (const std::size_t place = out.find('%'); place != std::string::npos) out.replace(place, 1, noun);
  return out;
}

void add_line(Lyrics& lyrics, const Words& line, const Words& noun) {
  lyrics.original.push_back(filled(line.original, noun.original));
  lyrics.romanized.push_back(filled(line.romanized, noun.romanized));
  lyrics.translated.push_back(filled(line.translated, noun.translated));
}

void end_stanza(Lyrics& lyrics) {
  lyrics.original.emplace_back();
  lyrics.romanized.emplace_back();
  lyrics.translated.emplace_back();
}

std::string section(std::string_view name, const std::vector<std::string>& lines) {
  std::string out(name);
  out += '\n';
  for (const std::string& line : lines) out += line + '\n';
  return out + '\n';
}

/// A theme of its own for every genre, taken by four songs in ten.
std::size_t pick_theme(std::string_view genre, std::size_t count, Random& random) {
  std::uint32_t hash = 2166136261u;
  for (const char c : genre) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  const bool own = random.chance(0.4f);
  const auto any = static_cast<std::size_t>(random.below(static_cast<int>(count)));
  return own ? hash % count : any;
}

}  // namespace

const std::vector<Theme>& themes_of(std::string_view language) {
  if (language == "arabic") return arabic_themes();
  if (language == "bangla") return bangla_themes();
  if (language == "english") return english_themes();
  if (language == "hindi") return hindi_themes();
  if (language == "spanish") return spanish_themes();
  throw UsageError("language: unknown name: " + std::string(language) +
                   " (allowed arabic, bangla, english, hindi, spanish)");
}

Lyrics write_lyrics(std::string_view language, std::string_view genre, std::uint64_t seed) {
  const std::vector<Theme>& themes = themes_of(language);
  Random random(seed, words_draw);
  const Theme& theme = themes[pick_theme(genre, themes.size(), random)];
  const Theme& other = themes[static_cast<std::size_t>(random.below(static_cast<int>(themes.size())))];
  const auto draw = [&](const std::vector<Words>& words) -> const Words& {
    return words[static_cast<std::size_t>(random.below(static_cast<int>(words.size())))];
  };
  // A stanza takes lines of a theme in a drawn order, none twice.
  const auto order = [&](const Theme& from) {
    std::vector<const Words*> lines;
    for (const Words& line : from.lines) lines.push_back(&line);
    for (std::size_t i = lines.size(); i > 1; --i) {
      std::swap(lines[i - 1], lines[static_cast<std::size_t>(random.below(static_cast<int>(i)))]);
    }
    return lines;
  };
  const std::vector<const Words*> main = order(theme), guests = order(other);
  const Words& chorus_noun = draw(theme.nouns);
  Lyrics lyrics;
  const auto chorus = [&] {
    add_line(lyrics, *main[0], chorus_noun);
    add_line(lyrics, *main[1], chorus_noun);
    add_line(lyrics, *main[0], chorus_noun);
    end_stanza(lyrics);
  };
  for (int verse = 0; verse < 2; ++verse) {
    for (std::size_t i = 2; i < 5; ++i)
      add_line(lyrics, *main[(i + static_cast<std::size_t>(verse)) % main.size()], draw(theme.nouns));
    add_line(lyrics, *guests[static_cast<std::size_t>(verse)], draw(other.nouns));
    end_stanza(lyrics);
    chorus();
  }
  for (std::vector<std::string>* lines : {&lyrics.original, &lyrics.romanized, &lyrics.translated})
    lines->pop_back();
  if (theme.lines[0].romanized.empty()) lyrics.romanized.clear();
  if (theme.lines[0].translated.empty()) lyrics.translated.clear();
  return lyrics;
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
    std::string kept;
    for (std::size_t i = 0; i < word.size(); ++i) {
      char c = word[i];
      // The two-byte letters of Spanish: the accent is dropped.
      if (c == '\xC3' && i + 1 < word.size()) {
        const auto at = std::string_view("\xA1\xA9\xAD\xB1\xB3\xBA\xBC").find(word[++i]);
        c = at == std::string_view::npos ? ' ' : "aeinouu"[at];
      }
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (letter) kept += kept.empty() && c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    if (kept.empty()) continue;
    title += (words++ > 0 ? "_" : "") + kept;
  }
  return title;
}

}  // namespace chorale::data::synth

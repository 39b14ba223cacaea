// SPDX-License-Identifier: MIT
// The words and lines of the demo corpus's lyrics, written for it: five languages, twelve themes each.
//
// A line has places for words, {k} for a word of kind k and {K} for another one. The kinds of each language
// are listed on top of its table; a kind keeps what must agree together, so that any word of it fits.
// Romanised and translated lines have the same places, filled with the same words.
#pragma once
#include <span>
#include <string_view>

namespace chorale::data::synth {

/// One text three ways. `romanized` is empty in languages written in Latin script, `translated` (English) in
/// English.
struct Text {
  std::string_view original, romanized = "", translated = "";
};

struct Word {
  char kind;
  Text text;
};

struct Theme {
  std::string_view name;
  std::span<const Word> words;
  std::span<const Text> lines;
};

struct Vocabulary {
  std::string_view language;
  std::span<const Word> words;  ///< of every theme
  std::span<const Text> lines;
  std::span<const Theme> themes;
};

const Vocabulary& arabic_vocabulary();
const Vocabulary& bangla_vocabulary();
const Vocabulary& english_vocabulary();
const Vocabulary& hindi_vocabulary();
const Vocabulary& spanish_vocabulary();
/// UsageError on an unknown language.
const Vocabulary& vocabulary_of(std::string_view language);

}  // namespace chorale::data::synth

// SPDX-License-Identifier: MIT
// Words for the demo corpus, from hand-written lines with one open place each, in five scripts.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chorale::data::synth {

/// One text three ways. `romanized` is empty in languages written in Latin script, `translated` (English) in
/// English.
struct Words {
  std::string_view original, romanized, translated;
};

/// Lines hold at most one `%`, where a noun of the theme goes.
struct Theme {
  std::string_view name;
  std::vector<Words> lines, nouns;
};

const std::vector<Theme>& arabic_themes();
const std::vector<Theme>& bangla_themes();
const std::vector<Theme>& english_themes();
const std::vector<Theme>& hindi_themes();
const std::vector<Theme>& spanish_themes();
/// UsageError on an unknown language.
const std::vector<Theme>& themes_of(std::string_view language);

struct Lyrics {
  std::vector<std::string> original, romanized, translated;  ///< lines; empty strings part the stanzas
};

/// Two verses and a chorus of one theme. Themes lean on the genre, weakly. Deterministic in the arguments.
Lyrics write_lyrics(std::string_view language, std::string_view genre, std::uint64_t seed);

/// The content of a lyrics file: plain, or in sections [Original], [Romanized], [Translated]; which, by the
/// seed.
std::string lyrics_file_text(std::string_view language, std::string_view genre, std::uint64_t seed);

/// A title of ASCII words joined by `_`, from the song's first chorus line.
std::string song_title(std::string_view language, std::string_view genre, std::uint64_t seed);

}  // namespace chorale::data::synth

// SPDX-License-Identifier: MIT
// Song texts from the vocabularies: verses and refrains of one theme, in three forms that say the same.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chorale::data::synth {

struct Lyrics {
  std::string theme;
  /// Lines; empty strings part the stanzas. `romanized` is empty in languages written in Latin script,
  /// `translated` (English) in English.
  std::vector<std::string> original, romanized, translated;
  /// Verses and refrains take turns, verses first; stanzas count from 0.
  bool refrain_stanza(int index) const { return index % 2 == 1; }
};

/// Two or three verses of four lines, each with the refrain. Themes lean on the genre, weakly. Deterministic
/// in the arguments. UsageError on an unknown language.
Lyrics write_lyrics(std::string_view language, std::string_view genre, std::uint64_t seed);

/// The theme of those words, one of twelve.
std::string lyrics_theme(std::string_view language, std::string_view genre, std::uint64_t seed);

/// The content of a lyrics file: plain, or in sections [Original], [Romanized], [Translated]; which, by the
/// seed.
std::string lyrics_file_text(std::string_view language, std::string_view genre, std::uint64_t seed);

/// A title of ASCII words joined by `_`, from the first line of the refrain.
std::string song_title(std::string_view language, std::string_view genre, std::uint64_t seed);

}  // namespace chorale::data::synth

// SPDX-License-Identifier: MIT
#include "data/synth/styles.h"

#include <string>

#include "kernels/error.h"

namespace chorale::data::synth {
namespace {

constexpr LanguageStyle table[] = {
    {"arabic", "ar", "oud:2 ney:2 qanun:2 violin voice:2", "riq:x.xxx.x.x.xxx.x.|riq:x.xx.xx.xx.x", 0.22f,
     1.5f, 2600, 2.5f, 1.1f, 1.0f, 150, "aaaiue"},
    {"bangla", "bn", "bansuri:2 dotara:2 harmonium esraj voice:3",
     "manjira:x...x...x...x...|manjira:x.....x.....", 0.16f, 0.9f, 700, 3.0f, 0.9f, 1.06f, 200, "aoeiu"},
    {"english", "en", "electric_guitar:2 piano synth_lead voice:4",
     "tambourine:..x...x...x...x.|tambourine:...x.....x..",

     0.08f, 0.6f, 450, -2.0f, 0.6f, 0.97f, 120, "aeiou"},
    {"hindi", "hi", "sitar:2 bansuri:2 shehnai strings:2 voice:3",
     "dholak_high:..x.x.x...x.x.x.|dholak_high:..x.x...x.x.",

     0.24f, 1.9f, 1700, 3.0f, 1.2f, 1.08f, 220, "aaeiou"},
    {"spanish", "es", "nylon_guitar:2 trumpet accordion requinto voice:4",
     "shaker:x.xxx.xxx.xxx.xx|palmas:x..x..x.x.x.", 0.12f, 0.8f, 1100, -2.5f, 0.8f, 1.02f, 150, "aaeoo"},
};

}  // namespace

std::span<const LanguageStyle> languages() { return table; }

const LanguageStyle& find_language(std::string_view language) {
  for (const LanguageStyle& style : table) {
    if (style.language == language) return style;
  }
  throw UsageError("language: unknown name: " + std::string(language) +
                   " (allowed arabic, bangla, english, hindi, spanish)");
}

std::span<const GenreStyle> styles_of(std::string_view language) {
  find_language(language);
  if (language == "arabic") return arabic_styles();
  if (language == "bangla") return bangla_styles();
  if (language == "english") return english_styles();
  if (language == "hindi") return hindi_styles();
  return spanish_styles();
}

const GenreStyle& find_style(std::string_view genre) {
  for (const LanguageStyle& language : table) {
    for (const GenreStyle& style : styles_of(language.language)) {
      if (style.genre == genre) return style;
    }
  }
  throw UsageError("genre: unknown name: " + std::string(genre) +
                   " (allowed the 45 genres of the demo corpus)");
}

}  // namespace chorale::data::synth

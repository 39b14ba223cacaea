// SPDX-License-Identifier: MIT
#include "data/synth/styles.h"

#include <string>
#include <vector>

#include "kernels/error.h"

namespace chorale::data::synth {
namespace {

constexpr LanguageStyle table[] = {
    {"arabic", "ar", 1.1f, 150, 0.55f, 0.5f, 1.0f},   {"bangla", "bn", 0.9f, 200, 0.5f, 0.6f, 1.02f},
    {"english", "en", 0.7f, 120, 0.12f, 0.1f, 0.99f}, {"hindi", "hi", 1.1f, 220, 0.5f, 0.5f, 1.03f},
    {"spanish", "es", 0.9f, 150, 0.18f, 0.9f, 1.0f},
};

// clang-format off
constexpr Manner manners[] = {
    // name       rolloff breath vibrato ring   glide   orn.  semis rate
    {"pop",       1.35f, 0.04f, 0.8f, 0.35f, 0.04f,  1.0f,  0, 3.4f},
    {"crooner",   1.50f, 0.06f, 1.1f, 0.30f, 0.07f,  1.0f, -2, 2.5f},
    {"soft",      1.75f, 0.11f, 0.5f, 0.20f, 0.05f,  0.7f, -2, 3.0f},
    {"belt",      1.05f, 0.02f, 1.1f, 0.55f, 0.04f,  1.0f,  4, 3.0f},
    {"rock",      0.95f, 0.09f, 0.5f, 0.55f, 0.06f,  0.7f,  4, 3.2f},
    {"soul",      1.40f, 0.07f, 1.0f, 0.35f, 0.06f,  1.8f,  1, 3.0f},
    {"twang",     1.10f, 0.03f, 0.6f, 0.45f, 0.10f,  1.2f,  1, 3.2f},
    {"folk",      1.15f, 0.03f, 0.5f, 0.40f, 0.05f,  1.0f,  2, 3.4f},
    {"classical", 1.30f, 0.02f, 1.2f, 0.55f, 0.09f,  1.4f,  0, 2.1f},
    {"tarab",     1.10f, 0.02f, 1.2f, 0.50f, 0.08f,  1.5f,  0, 2.2f},
    {"playback",  1.20f, 0.02f, 1.3f, 0.50f, 0.08f,  1.3f,  5, 2.8f},
    {"cante",     1.00f, 0.08f, 0.9f, 0.55f, 0.07f,  1.8f,  3, 2.2f},
    {"ranchera",  1.05f, 0.02f, 1.8f, 0.55f, 0.08f,  1.0f,  3, 2.4f},
    {"shout",     0.95f, 0.07f, 0.3f, 0.50f, 0.05f,  0.8f,  5, 3.8f},
    {"rap",       1.10f, 0.06f, 0.0f, 0.30f, 0.02f,  0.2f, -3, 5.4f, 1, true},
    {"autotune",  1.20f, 0.02f, 0.1f, 0.40f, 0.004f, 0.8f,  1, 3.8f},
    {"choir",     1.40f, 0.03f, 0.7f, 0.35f, 0.05f,  0.3f,  0, 2.4f, 3},
};
// clang-format on

}  // namespace

std::span<const LanguageStyle> languages() { return table; }

const LanguageStyle& find_language(std::string_view language) {
  for (const LanguageStyle& style : table) {
    if (style.language == language) return style;
  }
  throw UsageError("language: unknown name: " + std::string(language) +
                   " (allowed arabic, bangla, english, hindi, spanish)");
}

const Manner& find_manner(std::string_view name) {
  for (const Manner& manner : manners) {
    if (manner.name == name) return manner;
  }
  throw UsageError("manner: unknown name: " + std::string(name) + " (allowed those of the manner table)");
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

// SPDX-License-Identifier: MIT
#include "data/synth/factors.h"

#include <algorithm>
#include <charconv>

#include "data/synth/lyrics.h"
#include "data/synth/purposes.h"
#include "data/synth/styles.h"
#include "data/synth/text_table.h"

namespace chorale::data::synth {
namespace {

/// Two decimals, by no locale, and exactly what is written to the manifest.
float rounded(float value) { return static_cast<float>(static_cast<int>(value * 100.0f + 0.5f)) / 100.0f; }

std::string number(float value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, 2).ptr};
}

SongFactors draw(std::string_view genre, std::uint64_t seed, bool must_sing) {
  const GenreStyle& style = find_style(genre);
  Random random(seed, factors_draw);
  SongFactors factors;
  factors.language = style.language;
  factors.genre = style.genre;
  factors.seed = seed;
  // Earlier grooves are the usual ones.
  const int grooves = static_cast<int>(style.grooves.size());
  const Groove& groove =
      style.grooves[static_cast<std::size_t>(std::min(random.below(grooves), random.below(grooves)))];
  factors.metre = groove.metre;
  // Triangular: most songs near the middle of the range.
  const float place = 0.5f * (random.uniform() + random.uniform());
  factors.tempo_bpm = rounded(groove.tempo_low + place * (groove.tempo_high - groove.tempo_low));
  factors.key = random.below(12);
  const std::span<const GenreStyle> siblings = styles_of(style.language);
  const bool borrow = random.chance(1.0f / 8.0f);
  const GenreStyle& source =
      borrow ? siblings[static_cast<std::size_t>(random.below(static_cast<int>(siblings.size())))] : style;
  factors.mode = pick_weighted(source.scales, random);
  factors.energy = rounded(std::clamp(style.energy + 0.08f * random.normal(), 0.05f, 0.98f));
  factors.brightness = rounded(std::clamp(style.brightness + 0.08f * random.normal(), 0.05f, 0.98f));
  factors.sung = random.chance(style.sung) || must_sing;
  if (factors.sung) factors.theme = lyrics_theme(factors.language, factors.genre, seed);
  return factors;
}

}  // namespace

SongFactors draw_factors(std::string_view genre, std::uint64_t seed) { return draw(genre, seed, false); }
SongFactors draw_sung_factors(std::string_view genre, std::uint64_t seed) { return draw(genre, seed, true); }

std::vector<std::string> factor_names() {
  return {"tempo_bpm", "key", "mode", "metre", "energy", "brightness", "theme", "seed"};
}

std::vector<std::string> factor_cells(const SongFactors& factors) {
  static constexpr const char* keys[12] = {"C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"};
  return {number(factors.tempo_bpm), keys[factors.key],          factors.mode,  factors.metre,
          number(factors.energy),    number(factors.brightness), factors.theme, std::to_string(factors.seed)};
}

}  // namespace chorale::data::synth

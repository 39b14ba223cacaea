// SPDX-License-Identifier: MIT
#include "data/synth/factors.h"

#include <algorithm>
#include <charconv>

#include "data/synth/styles.h"
#include "data/synth/text_table.h"

namespace chorale::data::synth {
namespace {

constexpr std::uint32_t factors_purpose = 1;

/// Two decimals, by no locale, and exactly what is written to the manifest.
float rounded(float value) { return static_cast<float>(static_cast<int>(value * 100.0f + 0.5f)) / 100.0f; }

std::string number(float value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, 2).ptr};
}

}  // namespace

SongFactors draw_factors(std::string_view genre, std::uint64_t seed) {
  const GenreStyle& style = find_style(genre);
  Random random(seed, factors_purpose);
  SongFactors factors;
  factors.language = style.language;
  factors.genre = style.genre;
  factors.seed = seed;
  // Triangular: most songs near the middle of the genre's range.
  const float place = 0.5f * (random.uniform() + random.uniform());
  factors.tempo_bpm = rounded(style.tempo_low + place * (style.tempo_high - style.tempo_low));
  factors.key = random.below(12);
  const std::span<const GenreStyle> siblings = styles_of(style.language);
  const bool borrow = random.chance(1.0f / 6.0f);
  const GenreStyle& source =
      borrow ? siblings[static_cast<std::size_t>(random.below(static_cast<int>(siblings.size())))] : style;
  factors.mode = pick_weighted(source.scales, random);
  factors.energy = rounded(std::clamp(style.energy + 0.13f * random.normal(), 0.05f, 0.98f));
  factors.brightness = rounded(std::clamp(style.brightness + 0.14f * random.normal(), 0.05f, 0.98f));
  return factors;
}

std::vector<std::string> factor_names() {
  return {"tempo_bpm", "key", "mode", "energy", "brightness", "seed"};
}

std::vector<std::string> factor_cells(const SongFactors& factors) {
  static constexpr const char* keys[12] = {"C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"};
  return {number(factors.tempo_bpm), keys[factors.key],          factors.mode,
          number(factors.energy),    number(factors.brightness), std::to_string(factors.seed)};
}

}  // namespace chorale::data::synth

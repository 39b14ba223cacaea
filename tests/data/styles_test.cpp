// SPDX-License-Identifier: MIT
// The style tables hold together: everything that they name exists, and grids have the length of their bars.
#include <gtest/gtest.h>

#include "data/synth/arrangement.h"
#include "data/synth/harmony.h"
#include "data/synth/instruments.h"
#include "data/synth/percussion.h"
#include "data/synth/text_table.h"

namespace chorale::data::synth {
namespace {

void expect_instruments(std::string_view list, std::string_view genre) {
  for (const std::string_view entry : split(list, ' ')) {
    const std::string_view name = entry.substr(0, entry.find(':'));
    if (name != "-") {
      EXPECT_NO_THROW(find_instrument(name)) << genre;
    }
  }
}

/// Every alternative of `grids` is `unit` steps long, or a multiple, and written in `letters`.
void expect_grids(std::string_view grids, std::size_t unit, bool multiple, std::string_view letters,
                  std::string_view genre) {
  for (const std::string_view grid : split(grids, '|')) {
    EXPECT_TRUE(multiple ? grid.size() % unit == 0 : grid.size() == unit) << genre << ": " << grid;
    EXPECT_EQ(grid.find_first_not_of(letters), std::string_view::npos) << genre << ": " << grid;
  }
}

void expect_groove(const Groove& groove, std::string_view genre) {
  const std::size_t steps = split(groove.bass, '|')[0].size();
  const float per_beat = static_cast<float>(steps) / groove.beats;
  EXPECT_EQ(per_beat, static_cast<float>(static_cast<int>(per_beat))) << genre;
  EXPECT_LT(groove.tempo_low, groove.tempo_high) << genre;
  expect_grids(groove.bass, steps, false, "12345678-.", genre);
  expect_grids(groove.chords, steps, false, "Xxmabf-.", genre);
  expect_grids(groove.riffs, steps, true, "123456789-.", genre);
  for (const std::string_view kit : split(groove.drums, '|')) {
    if (kit == "-") continue;
    for (const std::string_view row : split(kit, ';')) {
      const std::size_t colon = row.find(':');
      ASSERT_NE(colon, std::string_view::npos) << genre << ": " << row;
      EXPECT_NO_THROW(find_drum(row.substr(0, colon))) << genre;
      expect_grids(row.substr(colon + 1), steps, false, "Xxort.", genre);
    }
  }
}

TEST(Styles, NameWhatExistsAndFillTheirBars) {
  for (const LanguageStyle& language : languages()) {
    for (const GenreStyle& style : styles_of(language.language)) {
      for (const std::string_view list :
           {style.basses, style.chords, style.pads, style.riffs, style.leads, style.doubles, style.drones})
        expect_instruments(list, style.genre);
      for (const std::string_view name : split(style.fills, ' '))
        EXPECT_NO_THROW(find_drum(name)) << style.genre;
      for (const std::string_view name : split(style.manners, ' '))
        EXPECT_NO_THROW(find_manner(name.substr(0, name.find(':')))) << style.genre;
      for (const std::string_view entry : split(style.scales, ' ')) {
        const Scale& scale = find_scale(entry.substr(0, entry.find(':')));
        for (const std::string_view progression : split(style.progressions, '|')) {
          EXPECT_NO_THROW(Harmony(progression, scale)) << style.genre;
        }
      }
      EXPECT_EQ(style.form.find_first_not_of("vrsb"), std::string_view::npos) << style.genre;
      for (const Groove& groove : style.grooves) expect_groove(groove, style.genre);
    }
  }
}

TEST(Styles, FactorsFindTheGrooveThatTheyWereDrawnFrom) {
  for (const LanguageStyle& language : languages()) {
    for (const GenreStyle& style : styles_of(language.language)) {
      for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const SongFactors factors = draw_factors(style.genre, seed);
        const Groove& groove = groove_of(style, factors);
        EXPECT_EQ(groove.metre, factors.metre);
        EXPECT_GE(factors.tempo_bpm, groove.tempo_low - 0.01f) << style.genre;
        EXPECT_LE(factors.tempo_bpm, groove.tempo_high + 0.01f) << style.genre;
        EXPECT_GE(factors.energy, 0.05f);
        EXPECT_LE(factors.energy, 0.98f);
        EXPECT_GE(factors.brightness, 0.05f);
        EXPECT_LE(factors.brightness, 0.98f);
      }
    }
  }
}

TEST(Harmony, ChordsOfTheMode) {
  const Harmony harmony("1 4m,5D b2M 0", find_scale("phrygian_dominant"));
  EXPECT_EQ(harmony.at(0, 0.0).notes, (std::vector<int>{0, 400, 700}));
  EXPECT_EQ(harmony.at(1, 0.0).root, 500);
  EXPECT_EQ(harmony.at(1, 0.9).root, 700);
  EXPECT_EQ(harmony.at(1, 0.9).notes, (std::vector<int>{0, 400, 700, 1000}));
  EXPECT_EQ(harmony.at(2, 0.0).root, 0);  // a semitone below the mode's low second
  EXPECT_TRUE(harmony.at(3, 0.0).drone);
  EXPECT_FALSE(harmony.modal());
  EXPECT_EQ(harmony.cents_over(harmony.at(1, 0.9), 3), 400);
  const Harmony minor("1", find_scale("minor"));
  EXPECT_EQ(minor.nearest_chord_degree(minor.at(0, 0.0), 3), 2);  // the fourth falls to the third
  EXPECT_TRUE(Harmony("0 0", find_scale("bayati")).modal());
}

}  // namespace
}  // namespace chorale::data::synth

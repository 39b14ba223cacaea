// SPDX-License-Identifier: MIT
// Melodies: where a phrase's notes fall in its bars, which way they go in the mode, and how they are
// decorated.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "data/synth/harmony.h"
#include "data/synth/instruments.h"
#include "data/synth/phonetics.h"
#include "data/synth/timeline.h"

namespace chorale::data::synth {

struct MelodyNote {
  double step = 0.0, length = 1.0;  ///< within the phrase
  float degree = 0.0f;              ///< of the mode, 0 = tonic
  float cents = 0.0f;               ///< added to it
  float gain = 1.0f;
  Ornament ornament = Ornament::none;
  bool slurred = false;
  int syllable = -1;
};

/// What is asked of one phrase.
struct PhraseRequest {
  int first_bar = 0, bars = 2;
  int notes = 8;                        ///< onsets; syllables, where it is sung
  std::span<const Syllable> syllables;  ///< empty for an instrument
  std::uint32_t role = 0;               ///< equal roles have equal rhythms and contours
  bool closing = false;                 ///< comes to rest on the mode's first resting note
  bool spoken = false;
  int lift = 0;  ///< degrees added
};

class Composer {
 public:
  Composer(const Timeline& timeline, const Harmony& harmony, const GenreStyle& style,
           const LanguageStyle& language, float ornament, std::uint64_t seed);
  std::vector<MelodyNote> phrase(const PhraseRequest& request) const;

 private:
  /// How much a step attracts an onset.
  float weight(int step_of_bar) const;
  std::vector<int> onsets(const PhraseRequest& request, int usable) const;
  /// Moves stressed syllables to stronger steps, where their neighbours leave room; the less, the more even
  /// the language.
  void stress(const PhraseRequest& request, std::vector<int>& steps) const;
  std::vector<int> contour(const PhraseRequest& request, const std::vector<int>& steps) const;
  /// Lets the phrase end on a turn of the mode, or on a resting note.
  void close(const PhraseRequest& request, std::vector<int>& degrees, Random& random) const;
  /// Splits long notes, and ornaments some.
  std::vector<MelodyNote> decorated(const PhraseRequest& request, const std::vector<MelodyNote>& notes) const;

  const Timeline& timeline_;
  const Harmony& harmony_;
  const GenreStyle& style_;
  const LanguageStyle& language_;
  float ornament_;
  std::uint64_t seed_;
};

}  // namespace chorale::data::synth

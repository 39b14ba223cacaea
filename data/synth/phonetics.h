// SPDX-License-Identifier: MIT
// The sounds of the five languages: vowels by their formants, consonants by their noise, and how a line in
// Latin letters is read as syllables of them.
#pragma once
#include <string_view>
#include <vector>

namespace chorale::data::synth {

enum class Sound : unsigned char {
  vowel,
  nasal,
  liquid,
  plosive,
  voiced_plosive,
  fricative,
  voiced_fricative
};

/// One sound of speech. Formants in Hz, of a man; noise: its centre and its gain.
struct Phone {
  std::string_view name;
  Sound sound;
  float formant[3];
  float noise_hz, noise_gain;
  float seconds;  ///< of a consonant
};

/// A vowel with the consonants before and after it; indices of phones, -1 for none.
struct Syllable {
  int before[2] = {-1, -1};
  int vowel = 0;
  int glide = -1;  ///< second half of a diphthong
  int after = -1;
  bool stressed = false;
};

const Phone& phone(int index);
/// Index of a phone by its name; UsageError on an unknown name.
int find_phone(std::string_view name);

/// The names of the vowels of a language, for tests and tables. UsageError on an unknown language.
std::vector<std::string_view> vowels_of(std::string_view language);

/// Reads a line of words: romanised Arabic, Bangla or Hindi, or English or Spanish as written. What is no
/// letter parts words. UsageError on an unknown language.
std::vector<Syllable> syllables_of(std::string_view language, std::string_view line);

}  // namespace chorale::data::synth

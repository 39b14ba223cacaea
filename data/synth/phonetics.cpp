// SPDX-License-Identifier: MIT
// Formants of English: Peterson and Barney 1952, adult men. Of the others: within the ranges that the
// Handbook of the International Phonetic Association and the acoustic literature give for the five Spanish
// vowels, the Arabic triangle with its backed neighbours, and the Hindi and Bangla systems; rounded.
#include "data/synth/phonetics.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "kernels/error.h"

namespace chorale::data::synth {
namespace {

using enum Sound;

// clang-format off
constexpr Phone phones[] = {
    // English
    {"en_i", vowel, {270, 2290, 3010}, 0, 0, 0},  {"en_I", vowel, {390, 1990, 2550}, 0, 0, 0},
    {"en_E", vowel, {530, 1840, 2480}, 0, 0, 0},  {"en_ae", vowel, {660, 1720, 2410}, 0, 0, 0},
    {"en_A", vowel, {730, 1090, 2440}, 0, 0, 0},  {"en_O", vowel, {570, 840, 2410}, 0, 0, 0},
    {"en_U", vowel, {440, 1020, 2240}, 0, 0, 0},  {"en_u", vowel, {300, 870, 2240}, 0, 0, 0},
    {"en_V", vowel, {640, 1190, 2390}, 0, 0, 0},  {"en_3", vowel, {490, 1350, 1690}, 0, 0, 0},
    // Spanish
    {"es_a", vowel, {690, 1400, 2480}, 0, 0, 0},  {"es_e", vowel, {460, 1900, 2560}, 0, 0, 0},
    {"es_i", vowel, {290, 2250, 2950}, 0, 0, 0},  {"es_o", vowel, {480, 960, 2450}, 0, 0, 0},
    {"es_u", vowel, {330, 760, 2350}, 0, 0, 0},
    // Arabic: a and aa fronted, A backed as beside emphatics
    {"ar_a", vowel, {610, 1550, 2450}, 0, 0, 0},  {"ar_aa", vowel, {680, 1660, 2500}, 0, 0, 0},
    {"ar_A", vowel, {640, 1120, 2550}, 0, 0, 0},  {"ar_i", vowel, {380, 2000, 2600}, 0, 0, 0},
    {"ar_ii", vowel, {300, 2240, 2900}, 0, 0, 0}, {"ar_u", vowel, {400, 1050, 2400}, 0, 0, 0},
    {"ar_uu", vowel, {330, 820, 2350}, 0, 0, 0},
    // Hindi
    {"hi_a", vowel, {600, 1300, 2450}, 0, 0, 0},  {"hi_aa", vowel, {740, 1230, 2500}, 0, 0, 0},
    {"hi_i", vowel, {380, 2080, 2650}, 0, 0, 0},  {"hi_ii", vowel, {290, 2330, 3000}, 0, 0, 0},
    {"hi_e", vowel, {410, 2160, 2700}, 0, 0, 0},  {"hi_ai", vowel, {570, 1880, 2580}, 0, 0, 0},
    {"hi_o", vowel, {430, 860, 2450}, 0, 0, 0},   {"hi_au", vowel, {590, 960, 2480}, 0, 0, 0},
    {"hi_u", vowel, {380, 930, 2350}, 0, 0, 0},   {"hi_uu", vowel, {310, 760, 2300}, 0, 0, 0},
    // Bangla: a written a is a half-open o
    {"bn_a", vowel, {770, 1320, 2500}, 0, 0, 0},  {"bn_ae", vowel, {660, 1830, 2500}, 0, 0, 0},
    {"bn_e", vowel, {420, 2060, 2620}, 0, 0, 0},  {"bn_i", vowel, {300, 2270, 2950}, 0, 0, 0},
    {"bn_o", vowel, {470, 900, 2450}, 0, 0, 0},   {"bn_O", vowel, {610, 990, 2450}, 0, 0, 0},
    {"bn_u", vowel, {330, 800, 2350}, 0, 0, 0},
    // sonorants
    {"m", nasal, {260, 1050, 2200}, 0, 0, 0.07f}, {"n", nasal, {270, 1550, 2500}, 0, 0, 0.06f},
    {"l", liquid, {360, 1250, 2700}, 0, 0, 0.06f}, {"r", liquid, {430, 1320, 1800}, 0, 0, 0.05f},
    {"rr", liquid, {450, 1350, 2200}, 2500, 0.05f, 0.09f}, {"w", liquid, {310, 700, 2250}, 0, 0, 0.06f},
    {"y", liquid, {280, 2250, 3000}, 0, 0, 0.05f}, {"ayn", liquid, {640, 1250, 2450}, 0, 0, 0.07f},
    // noise
    {"p", plosive, {350, 800, 2200}, 900, 0.5f, 0.08f},     {"t", plosive, {350, 1700, 2600}, 4200, 0.6f, 0.08f},
    {"k", plosive, {350, 1900, 2500}, 1900, 0.6f, 0.09f},   {"q", plosive, {500, 1150, 2500}, 1200, 0.6f, 0.09f},
    {"ch", plosive, {320, 1900, 2700}, 3200, 0.9f, 0.13f},  {"hamza", plosive, {500, 1400, 2500}, 600, 0.1f, 0.05f},
    {"b", voiced_plosive, {300, 800, 2200}, 700, 0.2f, 0.06f},  {"d", voiced_plosive, {300, 1700, 2600}, 3600, 0.3f, 0.06f},
    {"g", voiced_plosive, {300, 1900, 2500}, 1800, 0.3f, 0.06f}, {"j", voiced_plosive, {300, 1900, 2700}, 2900, 0.5f, 0.09f},
    {"f", fricative, {350, 1100, 2300}, 6500, 0.25f, 0.09f}, {"s", fricative, {350, 1700, 2600}, 6200, 0.8f, 0.11f},
    {"sh", fricative, {350, 1900, 2600}, 3200, 0.9f, 0.11f}, {"th", fricative, {350, 1500, 2600}, 6800, 0.2f, 0.08f},
    {"kh", fricative, {500, 1300, 2500}, 1500, 0.7f, 0.10f}, {"H", fricative, {650, 1500, 2500}, 1700, 0.45f, 0.09f},
    {"h", fricative, {500, 1500, 2500}, 1600, 0.3f, 0.06f},
    {"z", voiced_fricative, {300, 1700, 2600}, 6000, 0.4f, 0.08f}, {"v", voiced_fricative, {320, 1200, 2300}, 5200, 0.15f, 0.06f},
    {"dh", voiced_fricative, {330, 1500, 2600}, 5200, 0.1f, 0.05f}, {"gh", voiced_fricative, {450, 1250, 2500}, 1300, 0.3f, 0.08f},
};

/// Letters and the phones they stand for, longest first; a vowel may be two. Capitals are read as small letters.
struct Spelling {
  std::string_view letters, first, second;
};

constexpr Spelling english[] = {
    {"ough", "en_O", ""}, {"igh", "en_A", "en_I"}, {"tch", "ch", ""}, {"air", "en_E", "en_3"}, {"ear", "en_i", "en_3"},
    {"our", "en_O", "en_3"}, {"ee", "en_i", ""}, {"ea", "en_i", ""}, {"oo", "en_u", ""}, {"ou", "en_A", "en_U"}, {"ow", "en_O", "en_U"},
    {"ai", "en_E", "en_I"}, {"ay", "en_E", "en_I"}, {"oa", "en_O", "en_U"}, {"oi", "en_O", "en_I"}, {"oy", "en_O", "en_I"},
    {"ie", "en_i", ""}, {"au", "en_O", ""}, {"aw", "en_O", ""}, {"ew", "en_u", ""}, {"ar", "en_A", "en_3"}, {"er", "en_3", ""},
    {"ir", "en_3", ""}, {"or", "en_O", "en_3"}, {"ur", "en_3", ""}, {"th", "dh", ""}, {"sh", "sh", ""}, {"ch", "ch", ""},
    {"ph", "f", ""}, {"wh", "w", ""}, {"ck", "k", ""}, {"ng", "n", ""}, {"qu", "k", ""}, {"kn", "n", ""},
    {"a", "en_ae", ""}, {"e", "en_E", ""}, {"i", "en_I", ""}, {"o", "en_A", ""}, {"u", "en_V", ""}, {"c", "k", ""}, {"x", "k", ""}, {"j", "j", ""}};
constexpr Spelling spanish[] = {
    {"qu", "k", ""}, {"gue", "g", ""}, {"ch", "ch", ""}, {"ll", "y", ""}, {"rr", "rr", ""}, {"\xC3\xB1", "n", ""},
    {"\xC3\xA1", "es_a", ""}, {"\xC3\xA9", "es_e", ""}, {"\xC3\xAD", "es_i", ""}, {"\xC3\xB3", "es_o", ""}, {"\xC3\xBA", "es_u", ""},
    {"ai", "es_a", "es_i"}, {"ei", "es_e", "es_i"}, {"oi", "es_o", "es_i"}, {"au", "es_a", "es_u"}, {"eu", "es_e", "es_u"},
    {"ia", "es_i", "es_a"}, {"ie", "es_i", "es_e"}, {"io", "es_i", "es_o"}, {"ua", "es_u", "es_a"}, {"ue", "es_u", "es_e"},
    {"a", "es_a", ""}, {"e", "es_e", ""}, {"i", "es_i", ""}, {"o", "es_o", ""}, {"u", "es_u", ""},
    {"ce", "s", "es_e"}, {"ci", "s", "es_i"}, {"c", "k", ""}, {"z", "s", ""}, {"j", "kh", ""}, {"v", "b", ""}, {"h", "", ""}, {"x", "k", ""}};
constexpr Spelling arabic[] = {
    {"kh", "kh", ""}, {"gh", "gh", ""}, {"sh", "sh", ""}, {"th", "th", ""}, {"dh", "dh", ""}, {"aa", "ar_aa", ""}, {"ii", "ar_ii", ""},
    {"uu", "ar_uu", ""}, {"ay", "ar_a", "ar_ii"}, {"aw", "ar_a", "ar_uu"}, {"qa", "q", "ar_A"}, {"ra", "r", "ar_A"}, {"sa", "s", "ar_a"},
    {"a", "ar_a", ""}, {"i", "ar_i", ""}, {"u", "ar_u", ""}, {"e", "ar_i", ""}, {"o", "ar_u", ""}, {"'", "ayn", ""}, {"h", "H", ""}, {"q", "q", ""}, {"r", "rr", ""}, {"j", "j", ""}};
constexpr Spelling hindi[] = {
    {"chh", "ch", ""}, {"aa", "hi_aa", ""}, {"ee", "hi_ii", ""}, {"oo", "hi_uu", ""}, {"ai", "hi_ai", ""}, {"au", "hi_au", ""},
    {"kh", "k", ""}, {"gh", "g", ""}, {"sh", "sh", ""}, {"th", "t", ""}, {"dh", "d", ""}, {"ph", "p", ""}, {"bh", "b", ""}, {"jh", "j", ""}, {"ch", "ch", ""},
    {"a", "hi_a", ""}, {"e", "hi_e", ""}, {"i", "hi_i", ""}, {"o", "hi_o", ""}, {"u", "hi_u", ""}, {"y", "y", ""}, {"j", "j", ""}};
constexpr Spelling bangla[] = {
    {"chh", "ch", ""}, {"kh", "k", ""}, {"gh", "g", ""}, {"sh", "sh", ""}, {"th", "t", ""}, {"dh", "d", ""}, {"ph", "f", ""}, {"bh", "b", ""}, {"jh", "j", ""},
    {"ch", "ch", ""}, {"ae", "bn_ae", ""}, {"oi", "bn_o", "bn_i"}, {"ou", "bn_o", "bn_u"}, {"ai", "bn_a", "bn_i"}, {"ui", "bn_u", "bn_i"},
    {"a", "bn_a", ""}, {"e", "bn_e", ""}, {"i", "bn_i", ""}, {"o", "bn_O", ""}, {"u", "bn_u", ""}, {"y", "y", ""}, {"j", "j", ""}};
constexpr Spelling everywhere[] = {
    {"b", "b", ""}, {"d", "d", ""}, {"f", "f", ""}, {"g", "g", ""}, {"h", "h", ""}, {"k", "k", ""}, {"l", "l", ""}, {"m", "m", ""}, {"n", "n", ""},
    {"p", "p", ""}, {"q", "k", ""}, {"r", "r", ""}, {"s", "s", ""}, {"t", "t", ""}, {"v", "v", ""}, {"w", "w", ""}, {"y", "y", ""}, {"z", "z", ""}};
// clang-format on

std::vector<Spelling> spellings_of(std::string_view language) {
  std::vector<Spelling> all;
  const auto take = [&](const auto& table) { all.insert(all.end(), std::begin(table), std::end(table)); };
  if (language == "english")
    take(english);
  else if (language == "spanish")
    take(spanish);
  else if (language == "arabic")
    take(arabic);
  else if (language == "hindi")
    take(hindi);
  else if (language == "bangla")
    take(bangla);
  else
    throw UsageError("language: unknown name: " + std::string(language) +
                     " (allowed arabic, bangla, english, hindi, spanish)");
  take(everywhere);
  std::stable_sort(all.begin(), all.end(),
                   [](const Spelling& a, const Spelling& b) { return a.letters.size() > b.letters.size(); });
  return all;
}

struct Sounds {
  std::vector<int> phones;
  std::vector<bool> joined;  ///< a diphthong's second half
};

Sounds sounds_of(std::string_view word, const std::vector<Spelling>& spellings) {
  Sounds out;
  for (std::size_t i = 0; i < word.size();) {
    const auto found = std::find_if(spellings.begin(), spellings.end(),
                                    [&](const Spelling& s) { return word.substr(i).starts_with(s.letters); });
    if (found == spellings.end()) {
      ++i;
      continue;
    }
    i += found->letters.size();
    if (found->first.empty()) continue;
    out.phones.push_back(find_phone(found->first));
    out.joined.push_back(false);
    if (!found->second.empty()) {
      const int second = find_phone(found->second);
      out.joined.push_back(phone(out.phones.back()).sound == vowel && phone(second).sound == vowel);
      out.phones.push_back(second);
    }
  }
  return out;
}

bool is_vowel(int index) { return phone(index).sound == vowel; }

void add_word(std::vector<Syllable>& out, const Sounds& sounds) {
  const std::size_t first = out.size(), n = sounds.phones.size();
  std::vector<int> waiting;  // consonants since the last vowel
  for (std::size_t i = 0; i < n; ++i) {
    const int now = sounds.phones[i];
    if (!is_vowel(now)) {
      waiting.push_back(now);
      continue;
    }
    if (sounds.joined[i] && waiting.empty() && out.size() > first) {
      out.back().glide = now;
      continue;
    }
    if (out.size() > first &&
        waiting.size() > 1) {  // the first consonant of a cluster closes the syllable before
      out.back().after = waiting.front();
      waiting.erase(waiting.begin());
    }
    Syllable syllable;
    for (std::size_t k = 0; k < std::min<std::size_t>(2, waiting.size()); ++k)
      syllable.before[k] = waiting[waiting.size() - std::min<std::size_t>(2, waiting.size()) + k];
    syllable.vowel = now;
    out.push_back(syllable);
    waiting.clear();
  }
  if (out.size() > first && !waiting.empty()) out.back().after = waiting.front();
}

/// Words of one syllable are stressed if they are long, others on the last but one (Spanish, Arabic, Hindi)
/// or on the first (English, Bangla).
void stress(std::vector<Syllable>& all, std::size_t first, std::size_t letters, std::string_view language) {
  const std::size_t count = all.size() - first;
  if (count == 0) return;
  if (count == 1) {
    all[first].stressed = letters > 3;
    return;
  }
  const bool early = language == "english" || language == "bangla";
  all[early ? first : first + count - 2].stressed = true;
}

/// A final e after a consonant, in a word that has another vowel.
bool silent_e(std::string_view word) {
  constexpr std::string_view vowels = "aeiouy";
  return word.size() > 2 && word.back() == 'e' &&
         vowels.find(word[word.size() - 2]) == std::string_view::npos &&
         word.substr(0, word.size() - 1).find_first_of(vowels) != std::string_view::npos;
}

}  // namespace

const Phone& phone(int index) { return phones[index]; }

int find_phone(std::string_view name) {
  for (std::size_t i = 0; i < std::size(phones); ++i) {
    if (phones[i].name == name) return static_cast<int>(i);
  }
  throw UsageError("phone: unknown name: " + std::string(name) + " (allowed those of the phone table)");
}

std::vector<std::string_view> vowels_of(std::string_view language) {
  spellings_of(language);  // refuses what is no language
  const std::string_view code = language == "bangla" ? "bn" : language.substr(0, 2);
  std::vector<std::string_view> names;
  for (const Phone& candidate : phones) {
    const bool own = candidate.name.substr(0, 2) == (language == "spanish" ? "es" : code);
    if (candidate.sound == vowel && own) names.push_back(candidate.name);
  }
  return names;
}

std::vector<Syllable> syllables_of(std::string_view language, std::string_view line) {
  const std::vector<Spelling> spellings = spellings_of(language);
  std::vector<Syllable> out;
  std::string word;
  const auto flush = [&] {
    if (language == "english" && silent_e(word)) word.pop_back();
    if (language == "english" && word.size() > 2 && word.back() == 'y') word.back() = 'i';
    const std::size_t first = out.size();
    add_word(out, sounds_of(word, spellings));
    stress(out, first, word.size(), language);
    word.clear();
  };
  for (const char c : line) {
    if (c == ' ' || c == ',' || c == '-' || c == '.' || c == '!' || c == '?') {
      flush();
    } else {
      word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  flush();
  return out;
}

}  // namespace chorale::data::synth

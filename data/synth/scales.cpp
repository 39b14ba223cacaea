// SPDX-License-Identifier: MIT
#include "data/synth/scales.h"

#include <string>

#include "kernels/error.h"

namespace chorale::data::synth {
namespace {

// Maqamat: quarter tones as 24 equal ones, resting notes and turns after their usual sayr. Ragas: the phrases
// are short forms of the pakad that textbooks give, the resting notes are vadi and samvadi.
constexpr Scale table[] = {
    {"major", 7, {0, 2, 4, 5, 7, 9, 11}, "1 3 5", ""},
    {"minor", 7, {0, 2, 3, 5, 7, 8, 10}, "1 5 3", ""},
    {"harmonic_minor", 7, {0, 2, 3, 5, 7, 8, 11}, "1 5", "5 6 7 8|8 7 6 5"},
    {"dorian", 7, {0, 2, 3, 5, 7, 9, 10}, "1 5 4", ""},
    {"phrygian", 7, {0, 1, 3, 5, 7, 8, 10}, "1 2 5", "4 3 2 1|5 4 3 2 1"},
    {"phrygian_dominant", 7, {0, 1, 4, 5, 7, 8, 10}, "1 2 4", "4 3 2 1|2 3 2 1 0 1|5 4 3 2 3 2 1"},
    {"lydian", 7, {0, 2, 4, 6, 7, 9, 11}, "1 5 3", ""},
    {"mixolydian", 7, {0, 2, 4, 5, 7, 9, 10}, "1 5 4", ""},
    {"blues", 6, {0, 3, 5, 6, 7, 10}, "1 5 2", "5 4 3 2 1|1 2 3 2 1 0|6 5 3 2 1"},
    {"pentatonic_major", 5, {0, 2, 4, 7, 9}, "1 4 3", ""},
    {"pentatonic_minor", 5, {0, 3, 5, 7, 10}, "1 4 3", "5 4 3 2 1|1 2 1 0 1"},
    {"bayati", 7, {0, 1.5f, 3, 5, 7, 8, 10}, "1 4 5", "4 3 2 1|1 2 3 4 3 2 1|5 4 3 2 3 2 1 0 1"},
    {"rast", 7, {0, 2, 3.5f, 5, 7, 9, 10.5f}, "1 5 3", "5 4 3 2 1|1 0 1 2 3 2 1|3 4 5 4 3 2 1"},
    {"hijaz", 7, {0, 1, 4, 5, 7, 8, 10}, "1 4 5", "4 3 2 1|5 4 3 2 3 2 1|1 2 3 2 1 0 1"},
    {"hijaz_kar", 7, {0, 1, 4, 5, 7, 8, 11}, "1 5", "8 7 6 5|5 4 3 2 1|1 0 1 2 3 2 1"},
    {"saba", 7, {0, 1.5f, 3, 4, 7, 8, 10}, "1 3 6", "3 4 3 2 1|1 2 3 4 3|4 3 2 3 2 1"},
    {"sikah", 7, {0, 1.5f, 3.5f, 5.5f, 7, 8.5f, 10.5f}, "1 3 5", "3 2 1|1 2 3 4 3 2 1|5 4 3 2 1 0 1"},
    {"nahawand", 7, {0, 2, 3, 5, 7, 8, 11}, "1 5 3", "5 4 3 2 1|8 7 6 5 4 3|1 0 1 2 3 2 1"},
    {"kurd", 7, {0, 1, 3, 5, 7, 8, 10}, "1 4 5", "4 3 2 1|5 4 3 4 3 2 1"},
    {"ajam", 7, {0, 2, 4, 5, 7, 9, 11}, "1 5 3", "5 4 3 2 1|3 4 5 3 1"},
    {"yaman", 7, {0, 2, 4, 6, 7, 9, 11}, "3 7 1", "0 2 3 4 2 1|3 4 5 4 3 2 0 1|7 6 5 4 3 2 1"},
    {"kafi", 7, {0, 2, 3, 5, 7, 9, 10}, "5 1 2", "1 2 3 4 5|5 4 3 2 1|2 3 4 5 4 3 2"},
    {"khamaj", 8, {0, 2, 4, 5, 7, 9, 10, 11}, "3 1 5", "3 4 5 6 5|7 6 5 4 3|5 4 3 2 1"},
    {"bhairav", 7, {0, 1, 4, 5, 7, 8, 11}, "6 2 1", "3 4 6 5|3 4 3 2 1|6 5 4 3 2 1"},
    {"bhairavi", 7, {0, 1, 3, 5, 7, 8, 10}, "4 1 5", "3 4 3 2 1|5 6 5 4 3 2 1|1 2 3 4 3 2 1"},
    {"bhupali", 5, {0, 2, 4, 7, 9}, "3 5 1", "3 2 1 0 1|3 4 5 4 3 2 1|5 4 3 4 3 2 1"},
    {"desh", 7, {0, 2, 4, 5, 7, 9, 10}, "2 5 1", "2 4 5 7 6 5|4 3 2 3 1|5 6 4 3 2 1"},
    {"pilu", 8, {0, 2, 3, 4, 5, 7, 8, 11}, "3 8 1", "3 2 1 0 1|6 5 3 2 1|3 4 3 2 1 0 1"},
};

}  // namespace

std::span<const Scale> scales() { return table; }

const Scale& find_scale(std::string_view name) {
  for (const Scale& scale : table) {
    if (scale.name == name) return scale;
  }
  throw UsageError("scale: unknown name: " + std::string(name) + " (allowed those of scales())");
}

}  // namespace chorale::data::synth

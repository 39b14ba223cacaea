// SPDX-License-Identifier: MIT
#include "data/synth/scales.h"

#include <string>

#include "kernels/error.h"

namespace chorale::data::synth {
namespace {

constexpr Scale table[] = {
    {"major", 7, {0, 2, 4, 5, 7, 9, 11}},
    {"minor", 7, {0, 2, 3, 5, 7, 8, 10}},
    {"harmonic_minor", 7, {0, 2, 3, 5, 7, 8, 11}},
    {"dorian", 7, {0, 2, 3, 5, 7, 9, 10}},
    {"phrygian", 7, {0, 1, 3, 5, 7, 8, 10}},
    {"phrygian_dominant", 7, {0, 1, 4, 5, 7, 8, 10}},
    {"lydian", 7, {0, 2, 4, 6, 7, 9, 11}},
    {"mixolydian", 7, {0, 2, 4, 5, 7, 9, 10}},
    {"blues", 6, {0, 3, 5, 6, 7, 10}},
    {"pentatonic_major", 5, {0, 2, 4, 7, 9}},
    {"pentatonic_minor", 5, {0, 3, 5, 7, 10}},
    {"bayati", 7, {0, 1.5f, 3, 5, 7, 8, 10}},
    {"rast", 7, {0, 2, 3.5f, 5, 7, 9, 10.5f}},
    {"hijaz", 7, {0, 1, 4, 5, 7, 8, 10}},
    {"hijaz_kar", 7, {0, 1, 4, 5, 7, 8, 11}},
    {"saba", 7, {0, 1.5f, 3, 4, 7, 8, 10}},
    {"nahawand", 7, {0, 2, 3, 5, 7, 8, 11}},
    {"kurd", 7, {0, 1, 3, 5, 7, 8, 10}},
    {"yaman", 7, {0, 2, 4, 6, 7, 9, 11}},
    {"kafi", 7, {0, 2, 3, 5, 7, 9, 10}},
    {"khamaj", 8, {0, 2, 4, 5, 7, 9, 10, 11}},
    {"bhairav", 7, {0, 1, 4, 5, 7, 8, 11}},
    {"bhairavi", 7, {0, 1, 3, 5, 7, 8, 10}},
    {"bhupali", 5, {0, 2, 4, 7, 9}},
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

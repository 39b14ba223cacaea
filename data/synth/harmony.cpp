// SPDX-License-Identifier: MIT
#include "data/synth/harmony.h"

#include <algorithm>
#include <cstdlib>

#include "data/synth/text_table.h"

namespace chorale::data::synth {
namespace {

int cents(float semitones) { return static_cast<int>(100.0f * semitones + (semitones < 0 ? -0.5f : 0.5f)); }

/// Scales of five, six or eight notes take their chords from the diatonic mode around them.
const Scale& thirds_of(const Scale& scale) {
  if (scale.size == 7) return scale;
  bool major = false;
  for (int i = 0; i < scale.size; ++i) major = major || scale.steps[i] == 4.0f;
  return find_scale(major && scale.name != "pilu" ? "major" : "minor");
}

std::vector<int> quality(char c) {
  switch (c) {
    case 'M':
      return {0, 400, 700};
    case 'm':
      return {0, 300, 700};
    case 'D':
      return {0, 400, 700, 1000};
    case 'J':
      return {0, 400, 700, 1100};
    case 'k':
      return {0, 300, 700, 1000};
    case 'd':
      return {0, 300, 600};
    case '9':
      return {0, 400, 1000, 1400};
    default:
      return {};
  }
}

Chord parse(std::string_view token, const Scale& thirds) {
  Chord chord;
  int shift = 0;
  if (token[0] == 'b' || token[0] == '#') {
    shift = token[0] == 'b' ? -100 : 100;
    token.remove_prefix(1);
  }
  const char suffix = token.size() > 1 ? token[1] : ' ';
  if (token[0] == '0') {
    chord.drone = true;
    int fifth = cents(thirds.steps[4]);
    if (fifth != 700) fifth = 500;
    chord.notes = {0, fifth, 1200};
    return chord;
  }
  chord.degree = token[0] - '1';
  chord.root = cents(thirds.semitones(chord.degree)) + shift;
  chord.notes = quality(suffix);
  if (chord.notes.empty()) {
    for (int third = 0; third < (suffix == '7' ? 4 : 3); ++third)
      chord.notes.push_back(cents(thirds.semitones(chord.degree + 2 * third)) -
                            cents(thirds.semitones(chord.degree)));
  }
  return chord;
}

}  // namespace

Harmony::Harmony(std::string_view progression, const Scale& scale)
    : scale_(scale), thirds_(thirds_of(scale)) {
  for (const std::string_view bar : split(progression, ' ')) {
    bars_.emplace_back();
    for (const std::string_view token : split(bar, ',')) {
      bars_.back().push_back(parse(token, thirds_));
      modal_ = modal_ && bars_.back().back().drone;
    }
  }
}

const Chord& Harmony::at(int bar, double place) const {
  const std::vector<Chord>& chords = bars_[static_cast<std::size_t>(bar) % bars_.size()];
  const auto index = static_cast<std::size_t>(place * static_cast<double>(chords.size()));
  return chords[std::min(index, chords.size() - 1)];
}

int Harmony::nearest_chord_degree(const Chord& chord, int degree) const {
  const auto belongs = [&](int candidate) {
    const int above = cents(scale_.semitones(candidate)) - chord.root,
              folded = ((above % 1200) + 1200) % 1200;
    return std::any_of(chord.notes.begin(), chord.notes.end(),
                       [&](int note) { return std::abs(note % 1200 - folded) < 60; });
  };
  for (int distance = 0; distance < 4; ++distance) {
    if (belongs(degree - distance)) return degree - distance;
    if (belongs(degree + distance)) return degree + distance;
  }
  return degree;
}

int Harmony::cents_over(const Chord& chord, int n) const {
  if (n == 1 || n == 8) return n == 8 ? 1200 : 0;
  const auto third = static_cast<std::size_t>((n - 1) / 2);
  if (n % 2 == 1 && third < chord.notes.size() && n < 8) return chord.notes[third];
  return cents(thirds_.semitones(chord.degree + n - 1)) - cents(thirds_.semitones(chord.degree));
}

}  // namespace chorale::data::synth

// SPDX-License-Identifier: MIT
// Where the steps of a song's bars lie in samples, and its form.
#pragma once
#include <vector>

#include "data/synth/factors.h"
#include "data/synth/portable_math.h"
#include "data/synth/styles.h"

namespace chorale::data::synth {

struct Timeline {
  double sample_rate = 22050.0, step_samples = 0.0;
  int steps = 16;        ///< in a bar
  float beats = 4.0f;    ///< in a bar
  float swing = 0.0f;    ///< share of a step by which odd steps are late
  float loose_s = 0.0f;  ///< how late players may be
  int bars = 0;          ///< that begin within the song

  Timeline(const Groove& groove, float tempo_bpm, std::size_t samples, double rate);
  /// Sample at which a step of a bar begins.
  long at(int bar, double step) const;
  /// The same for a player, who is a little late.
  long played(int bar, double step, Random& random) const;
  /// Samples of `count` steps.
  int length_of(double count) const { return static_cast<int>(count * step_samples); }
  double bar_seconds() const { return steps * step_samples / sample_rate; }
  int steps_per_beat() const { return static_cast<int>(static_cast<float>(steps) / beats + 0.5f); }
};

/// A stretch of bars in which the same parts sound.
struct Section {
  char kind = 'v';  ///< i intro, v verse, r refrain, s solo, b break
  int first_bar = 0, bars = 4;
  bool drums = true, bass = true, chords = true, pad = false, riff = false, voice = false, lead = false;
  bool thin = false;  ///< drums without their upper rows
  bool free = false;  ///< the lead plays without metre
  float lift = 1.0f;  ///< of chords and melody
};

/// The sections from the first bar to the last. Deterministic in (style, factors, number of bars).
std::vector<Section> plan_form(const Timeline& timeline, const GenreStyle& style, const SongFactors& factors);

}  // namespace chorale::data::synth

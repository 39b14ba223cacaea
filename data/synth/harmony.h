// SPDX-License-Identifier: MIT
// Chords: a progression in the notation of the style tables, laid over the bars.
//
// A chord is [b|#]DEGREE[QUALITY]: the degree of the mode, 1..7, or 0 for a drone of tonic and fifth (fourth
// where the mode has no fifth). Without a quality its notes are thirds of the mode; M major, m minor, D
// dominant seventh, J major seventh, k minor seventh, d diminished, 9 dominant ninth, 7 the mode's seventh
// chord.
#pragma once
#include <string_view>
#include <vector>

#include "data/synth/scales.h"

namespace chorale::data::synth {

struct Chord {
  int root = 0;            ///< cents above the tonic
  int degree = 0;          ///< of the mode, 0 = tonic
  std::vector<int> notes;  ///< cents above the root, the first 0
  bool drone = false;
};

class Harmony {
 public:
  Harmony(std::string_view progression, const Scale& scale);
  /// The chord that sounds at a place in the bar, 0 its start and 1 its end.
  const Chord& at(int bar, double place) const;
  /// The degree nearest to `degree` whose pitch belongs to the chord; the lower of two.
  int nearest_chord_degree(const Chord& chord, int degree) const;
  bool modal() const { return modal_; }  ///< nothing but drones
  const Scale& scale() const { return scale_; }
  /// Cents above the chord's root of the n-th degree over it, 1 = the root, 8 = the octave.
  int cents_over(const Chord& chord, int n) const;

 private:
  const Scale& scale_;
  const Scale& thirds_;  ///< the seven-note mode that chords are built of
  std::vector<std::vector<Chord>> bars_;
  bool modal_ = true;
};

}  // namespace chorale::data::synth

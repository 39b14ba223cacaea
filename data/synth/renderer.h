// SPDX-License-Identifier: MIT
// Renders a song from its factors.
#pragma once
#include <vector>

#include "data/synth/factors.h"

namespace chorale::data::synth {

/// Keeps its buffers from song to song; one thread at a time.
class Renderer {
 public:
  /// Mono samples within [-0.95, 0.95], valid until the next call. Every bit depends on the arguments alone:
  /// not on the machine, the thread or what was rendered before. UsageError on an unknown language, genre or
  /// mode, a rate outside 8,000..192,000 Hz, a length outside 0.5..3,600 s, or a tempo outside 20..400.
  const std::vector<float>& render(const SongFactors& factors, int sample_rate = 22050,
                                   double seconds = 30.0);

 private:
  std::vector<float> music_, drums_, voice_, room_;
};

/// Hz to which the mean spectral centroid of a song is brought: 700 at brightness 0, 3,200 at 1.
double centroid_of(float brightness);

}  // namespace chorale::data::synth

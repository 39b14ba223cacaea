// SPDX-License-Identifier: MIT
// The drums of a song: a groove's rows, varied, with fills at the ends of sections.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "data/synth/factors.h"
#include "data/synth/styles.h"
#include "data/synth/timeline.h"

namespace chorale::data::synth {

class Drummer {
 public:
  Drummer(const GenreStyle& style, const Groove& groove, const SongFactors& factors,
          const Timeline& timeline);
  void play(std::span<float> out, const Section& section);
  /// Samples at which the first row, the kick of most kits, was struck.
  const std::vector<long>& pulses() const { return pulses_; }

 private:
  struct Row {
    std::string grid;
    std::vector<float> hits[2];  ///< two takes of the sound
    float gain;
  };
  Row row_of(int drum, std::string_view grid, float gain);
  /// A grid with a few ghost notes more and strokes fewer; energetic songs gain, quiet ones lose.
  std::string varied(std::string_view grid);
  void strike(std::span<float> out, const Row& row, int bar, int step, char stroke, float gain);
  void play_fill(std::span<float> out, int bar, int from);

  const SongFactors& factors_;
  const Timeline& timeline_;
  Random choice_, timing_;
  float pitch_, length_, gain_;
  std::uint32_t takes_;
  std::vector<Row> rows_, fill_rows_;
  Row crash_;
  bool has_crash_ = false;
  std::vector<long> pulses_;
};

}  // namespace chorale::data::synth

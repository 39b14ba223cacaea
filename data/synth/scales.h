// SPDX-License-Identifier: MIT
// Scales: church modes, maqamat with their quarter tones, ragas and thaats, and what melodies in them are
// like.
#pragma once
#include <span>
#include <string_view>

namespace chorale::data::synth {

struct Scale {
  std::string_view name;
  int size;
  float steps[8];          ///< semitones above the tonic, ascending, within one octave
  std::string_view rests;  ///< degrees on which phrases come to rest, 1 = tonic, in the order of their weight
  std::string_view phrases;  ///< characteristic turns as degrees, 0 = below the tonic; several parted by `|`

  /// Semitones above the tonic of degree `index` (0 = tonic); any integer, octaves included.
  float semitones(int index) const {
    const int octave = index >= 0 ? index / size : -((size - 1 - index) / size);
    return steps[index - octave * size] + 12.0f * static_cast<float>(octave);
  }
};

std::span<const Scale> scales();
/// UsageError on an unknown name.
const Scale& find_scale(std::string_view name);

}  // namespace chorale::data::synth

// SPDX-License-Identifier: MIT
// Drums and hand percussion: partials of a struck body whose pitch may glide, and filtered noise.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

namespace chorale::data::synth {

/// How a struck body's partials lie above its lowest.
enum class Body : std::uint8_t {
  pure,      ///< the lowest alone
  membrane,  ///< a drum skin: 1, 1.59, 2.14, 2.65
  loaded,    ///< a skin with a paste, as of a tabla: nearly harmonic
  metal,     ///< a plate: dense and inharmonic
  bar        ///< a stick or block: 1, 2.76, 5.40
};

struct Drum {
  std::string_view name;
  Body body;
  float start_hz, end_hz, sweep_s;  ///< pitch of the lowest partial and the time it glides in
  float tone_s, tone_gain;          ///< time to -60 dB
  float overtone;                   ///< gain of the upper partials
  float noise_s, noise_gain;
  float low_hz, high_hz;  ///< band of the noise
  int bursts = 1;         ///< hand claps: several onsets 11 ms apart
};

/// Index of a drum; UsageError on an unknown name.
int find_drum(std::string_view name);
const Drum& drum(int index);

/// How one song's kit differs from the table.
struct DrumTuning {
  float pitch = 1.0f;       ///< factor of the frequencies
  float length = 1.0f;      ///< factor of the decay times
  float brightness = 0.5f;  ///< 0..1, 0.5 leaves the noise band as it is
};

/// One hit, peak 1. `take` chooses the noise: two takes of one drum differ.
std::vector<float> render_drum(int index, const DrumTuning& tuning, double sample_rate, std::uint32_t take);

}  // namespace chorale::data::synth

// SPDX-License-Identifier: MIT
// Drums and hand percussion: a tone whose pitch falls, two membrane overtones, and filtered noise.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

namespace chorale::data::synth {

struct Drum {
  std::string_view name;
  float start_hz, end_hz, sweep_s;  ///< pitch of the tone and the time it falls in
  float tone_s, tone_gain;          ///< time to -60 dB
  float overtone;                   ///< gain of the overtones at 1.59 and 2.14 times the pitch
  float noise_s, noise_gain;
  float low_hz, high_hz;  ///< band of the noise
  int bursts = 1;         ///< hand claps: several onsets 11 ms apart
};

/// Index of a drum; UsageError on an unknown name.
int find_drum(std::string_view name);

/// How one song's kit differs from the table.
struct DrumTuning {
  float pitch = 1.0f;       ///< factor of the frequencies
  float length = 1.0f;      ///< factor of the decay times
  float brightness = 0.5f;  ///< 0..1, 0.5 leaves the noise band as it is
};

/// One hit, peak 1.
std::vector<float> render_drum(int drum, const DrumTuning& tuning, double sample_rate, std::uint64_t seed,
                               std::uint32_t purpose);

}  // namespace chorale::data::synth

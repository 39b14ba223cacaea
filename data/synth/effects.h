// SPDX-License-Identifier: MIT
// What is done to the mix: room, tilt, saturation, noise floor, level.
#pragma once
#include <cstdint>
#include <span>

namespace chorale::data::synth {

/// Adds a room to `signal` from `send` (Schroeder 1962: four combs, two all-passes). wet 0..1.
void add_reverb(std::span<float> signal, std::span<const float> send, float wet, float decay_s,
                double sample_rate);

/// Raises what lies above 1.2 kHz and lowers what lies below by up to 8 dB each: brightness 0..1, 0.5 flat.
void tilt(std::span<float> signal, float brightness, double sample_rate);

/// Raises (or lowers) the octave or so around `hz` by `decibels`.
void add_presence(std::span<float> signal, float hz, float decibels, double sample_rate);

/// Saturates a signal that is first brought to a peak of 1 + amount.
void saturate(std::span<float> signal, float amount);

/// Adds white noise of this peak.
void add_noise_floor(std::span<float> signal, float peak, std::uint64_t seed);

/// Removes the mean and scales to an RMS of `decibels` full scale, or less so that the peak stays at most
/// 0.95.
void set_level(std::span<float> signal, float decibels);

}  // namespace chorale::data::synth

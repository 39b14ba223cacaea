// SPDX-License-Identifier: MIT
// What is done to the mix: room, echo, ducking, band, saturation, noise.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace chorale::data::synth {

/// Adds a room to `signal` from `send` (Schroeder 1962: four combs, two all-passes). wet 0..1. `room` is
/// scratch of the same length.
void add_reverb(std::span<float> signal, std::span<const float> send, std::span<float> room, float wet,
                float decay_s, double sample_rate);

/// Adds the signal to itself `delay` samples later, each echo `feedback` times the one before.
void add_echo(std::span<float> signal, std::size_t delay, float feedback);

/// Lowers the signal by the share `depth` at each pulse; it is back after `recovery_s`.
void duck(std::span<float> signal, const std::vector<long>& pulses, float depth, double recovery_s,
          double sample_rate);

/// Keeps what lies between two frequencies: 6 dB an octave below, 12 above.
void keep_band(std::span<float> signal, double low_hz, double high_hz, double sample_rate);

/// Raises or lowers five bands, parted at 150, 500, 1,600 and 5,000 Hz with 6 dB an octave, by these
/// decibels.
void equalize(std::span<float> signal, const float (&decibels)[5], double sample_rate);

/// Saturates a signal that is first brought to a peak of 1 + amount.
void drive(std::span<float> signal, float amount);

/// Adds white noise of this peak.
void add_hiss(std::span<float> signal, float peak, std::uint32_t place);

}  // namespace chorale::data::synth

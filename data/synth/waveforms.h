// SPDX-License-Identifier: MIT
// Single cycles of the harmonic instruments, by inverse transform of their spectra; and the oscillator that
// reads them.
#pragma once
#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "data/synth/instruments.h"

namespace chorale::data::synth {

/// One cycle and its first sample again.
using Waveform = std::vector<float>;

/// Cosines of the given amplitudes (index 0 unused) with phases that keep the peak low.
Waveform waveform_of(const std::vector<float>& amplitudes);

/// Reads a cycle by linear interpolation; the phase is a 32-bit fraction of a turn.
class Oscillator {
 public:
  static constexpr int bits = 10, size = 1 << bits;
  explicit Oscillator(double turns = 0.0) : phase_(static_cast<std::uint32_t>(turns * 4294967296.0)) {}
  static std::uint32_t step_of(double hz, double sample_rate) {
    return static_cast<std::uint32_t>(hz / sample_rate * 4294967296.0);
  }
  std::uint32_t phase() const { return phase_; }
  void advance(std::uint32_t step) { phase_ += step; }
  float operator()(const Waveform& wave) const {
    const std::uint32_t index = phase_ >> (32 - bits);
    const float part = static_cast<float>(phase_ & ((1u << (32 - bits)) - 1)) * (1.0f / (1u << (32 - bits)));
    return wave[index] + part * (wave[index + 1] - wave[index]);
  }

 private:
  std::uint32_t phase_;
};

/// The cycles of one song's instruments, made when first asked for.
class WaveformBank {
 public:
  WaveformBank(double sample_rate, float brightness) : sample_rate_(sample_rate), brightness_(brightness) {}
  /// For a note of this pitch: harmonics up to 0.42 of the rate, at most 64, the body's resonances applied.
  /// The dull one falls off 1.2 orders faster.
  const Waveform& at(int instrument, double cents, bool dull);

 private:
  double sample_rate_;
  float brightness_;
  std::map<std::tuple<int, int, bool>, Waveform> waveforms_;  // instrument, semitone, dull
};

}  // namespace chorale::data::synth

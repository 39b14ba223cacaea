// SPDX-License-Identifier: MIT
#include "data/synth/waveforms.h"

#include <algorithm>

#include "data/synth/fourier.h"
#include "data/synth/portable_math.h"

namespace chorale::data::synth {
namespace {

constexpr int most_harmonics = 64;

const Fourier& transform() {
  static const Fourier fourier(Oscillator::size);
  return fourier;
}

float resonance(float hz, float centre, float width) {
  const float x = (hz - centre) / width;
  return 1.0f / (1.0f + x * x);
}

}  // namespace

Waveform waveform_of(const std::vector<float>& amplitudes) {
  std::vector<float> real(Oscillator::size, 0.0f), imaginary(Oscillator::size, 0.0f);
  const std::size_t count = std::min<std::size_t>(amplitudes.size(), Oscillator::size / 2);
  for (std::size_t h = 1; h < count; ++h) {
    const double turns = static_cast<double>(h * h) / 128.0;  // Schroeder 1970: phases quadratic in h
    real[h] = amplitudes[h] * static_cast<float>(sine_of_turns(turns + 0.25));
    imaginary[h] = amplitudes[h] * static_cast<float>(sine_of_turns(turns));
  }
  transform().transform(real, imaginary);
  real.push_back(real.front());
  return real;
}

const Waveform& WaveformBank::at(int index, double cents, bool dull) {
  const int semitone = static_cast<int>(cents / 100.0 + 0.5);
  Waveform& wave = waveforms_[{index, semitone, dull}];
  if (!wave.empty()) return wave;
  const Instrument& it = instrument(index);
  const double hz = hertz(100.0 * semitone);
  const int harmonics = std::clamp(static_cast<int>(0.42 * sample_rate_ / hz), 1, most_harmonics);
  const double rolloff = it.rolloff * exp2(0.9 * (0.5 - brightness_)) + (dull ? 1.2 : 0.0);
  std::vector<float> amplitudes(static_cast<std::size_t>(harmonics) + 1, 0.0f);
  for (int h = 1; h <= harmonics; ++h) {
    const float frequency = static_cast<float>(h * hz);
    float amplitude = static_cast<float>(exp2(-rolloff * log2(h)));
    if (h % 2 == 0) amplitude *= it.even;
    float body = 1.0f;
    if (it.resonance_hz > 0.0f) body += 2.2f * resonance(frequency, it.resonance_hz, 0.3f * it.resonance_hz);
    if (it.resonance2_hz > 0.0f)
      body += 1.8f * resonance(frequency, it.resonance2_hz, 0.25f * it.resonance2_hz);
    amplitudes[static_cast<std::size_t>(h)] = amplitude * body;
  }
  wave = waveform_of(amplitudes);
  float peak = 1e-6f;
  for (const float x : wave) peak = std::max(peak, x < 0 ? -x : x);
  for (float& x : wave) x /= peak;
  return wave;
}

}  // namespace chorale::data::synth

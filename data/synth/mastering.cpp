// SPDX-License-Identifier: MIT
#include "data/synth/mastering.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "data/synth/fourier.h"
#include "data/synth/portable_math.h"

namespace chorale::data::synth {
namespace {

constexpr std::size_t frame = 1024, bins = frame / 2;
constexpr int frames = 48;
constexpr double turning_hz[2] = {800.0, 2400.0}, most_octaves = 1.8;  // of amplitude, at each

const Fourier& transform() {
  static const Fourier fourier(frame);
  return fourier;
}

/// Squared magnitudes of the frames, frame by frame.
std::vector<float> spectra(std::span<const float> signal) {
  const int count = signal.size() < frame ? 0 : frames;
  std::vector<float> out, real(frame), imaginary(frame);
  out.reserve(static_cast<std::size_t>(count) * bins);
  const SineTable& sine = sine_table();
  for (int k = 0; k < count; ++k) {
    const std::size_t start = (signal.size() - frame) * static_cast<std::size_t>(k) / (frames - 1);
    for (std::size_t i = 0; i < frame; ++i) {
      const float s = sine.at(static_cast<int>(i * (SineTable::size / 2) / frame));
      real[i] = signal[start + i] * s * s;  // Hann
    }
    std::fill(imaginary.begin(), imaginary.end(), 0.0f);
    transform().transform(real, imaginary);
    for (std::size_t i = 0; i < bins; ++i) out.push_back(real[i] * real[i] + imaginary[i] * imaginary[i]);
  }
  return out;
}

/// Multiplies `gain` by the squared gain of a slope at each bin: high + (low - high) lowpass, a one-pole
/// split.
void add_slope(std::vector<double>& gain, double corner_hz, double octaves, double sample_rate) {
  const double low = exp2(-octaves), high = exp2(octaves), c = one_pole(corner_hz, sample_rate);
  for (std::size_t i = 0; i < bins; ++i) {
    const double turns = static_cast<double>(i) / static_cast<double>(frame);
    const double re = 1.0 - (1.0 - c) * sine_of_turns(turns + 0.25), im = (1.0 - c) * sine_of_turns(turns);
    const double scale = c / (re * re + im * im);  // lowpass = c / (1 - (1 - c) e^-iw) = scale (re - i im)
    const double hr = high + (low - high) * scale * re, hi = (low - high) * -scale * im;
    gain[i] *= hr * hr + hi * hi;
  }
}

std::vector<double> slopes(double octaves, double sample_rate) {
  std::vector<double> gain(bins, 1.0);
  for (const double corner_hz : turning_hz) add_slope(gain, corner_hz, octaves, sample_rate);
  return gain;
}

double centroid(const std::vector<float>& power, const std::vector<double>& gain, double sample_rate) {
  double sum = 0.0;
  int counted = 0;
  for (std::size_t k = 0; k + bins <= power.size(); k += bins) {
    double weighted = 0.0, total = 0.0;
    for (std::size_t i = 1; i < bins; ++i) {
      const double m =
          std::sqrt(static_cast<double>(power[k + i]) * gain[i]);  // exact on every machine (IEEE 754)
      weighted += m * static_cast<double>(i);
      total += m;
    }
    if (total > 1e-9) {
      sum += weighted / total;
      ++counted;
    }
  }
  return counted == 0 ? 0.0 : sum / counted * sample_rate / frame;
}

}  // namespace

double mean_centroid(std::span<const float> signal, double sample_rate) {
  return centroid(spectra(signal), std::vector<double>(bins, 1.0), sample_rate);
}

void set_centroid(std::span<float> signal, double hz, double sample_rate) {
  const std::vector<float> power = spectra(signal);
  double low = -most_octaves, high = most_octaves;
  for (int i = 0; i < 8; ++i) {
    const double middle = 0.5 * (low + high);
    (centroid(power, slopes(middle, sample_rate), sample_rate) < hz ? low : high) = middle;
  }
  const double octaves = 0.5 * (low + high);
  const float down = static_cast<float>(exp2(-octaves)), up = static_cast<float>(exp2(octaves));
  const float c = one_pole(turning_hz[0], sample_rate), d = one_pole(turning_hz[1], sample_rate);
  float first = 0.0f, second = 0.0f;
  for (float& x : signal) {
    first += c * (x - first);
    const float y = up * x + (down - up) * first;
    second += d * (y - second);
    x = up * y + (down - up) * second;
  }
}

void set_level(std::span<float> signal, float decibels) {
  double sum = 0.0, squares = 0.0;
  for (const float x : signal) {
    sum += x;
    squares += static_cast<double>(x) * x;
  }
  const auto count = static_cast<double>(std::max<std::size_t>(signal.size(), 1));
  const auto mean = static_cast<float>(sum / count);
  const double rms = std::sqrt(std::max(0.0, squares / count - static_cast<double>(mean) * mean));
  if (rms <= 0.0) return;
  const float scale = static_cast<float>(decibels_to_gain(decibels) / rms);
  for (float& x : signal) {
    const float y = scale * (x - mean), size = std::abs(y);
    x = y;
    if (size > 0.6f) {  // rounded off from 0.6 on, towards 0.95
      const float over = size - 0.6f, kept = 0.6f + over / (1.0f + over / 0.35f);
      x = y < 0 ? -kept : kept;
    }
  }
}

}  // namespace chorale::data::synth

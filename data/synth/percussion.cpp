// SPDX-License-Identifier: MIT
#include "data/synth/percussion.h"

#include <algorithm>
#include <string>

#include "data/synth/portable_math.h"
#include "kernels/error.h"

namespace chorale::data::synth {
namespace {

// clang-format off
//   name            start  end   sweep  tone   gain  over  noise  gain  low    high
constexpr Drum table[] = {
    {"kick",         150,   50,   0.04f, 0.45f, 1.0f, 0.0f, 0.02f, 0.3f,  300,   4000},
    {"kick_soft",    110,   55,   0.03f, 0.35f, 1.0f, 0.1f, 0.02f, 0.1f,  200,   1500},
    {"kick_808",     120,   42,   0.08f, 1.10f, 1.0f, 0.0f, 0.01f, 0.2f,  500,   5000},
    {"snare",        240,   180,  0.02f, 0.18f, 0.5f, 0.4f, 0.30f, 0.8f,  900,   8000},
    {"snare_tight",  330,   260,  0.01f, 0.12f, 0.5f, 0.3f, 0.16f, 0.8f,  1500,  9500},
    {"brush",        200,   190,  0.01f, 0.05f, 0.1f, 0.0f, 0.35f, 0.8f,  1500,  6000},
    {"march_snare",  300,   240,  0.01f, 0.10f, 0.4f, 0.3f, 0.22f, 1.0f,  1800,  9000},
    {"rim",          820,   800,  0.01f, 0.06f, 0.8f, 0.6f, 0.02f, 0.4f,  1500,  6000},
    {"clap",         900,   900,  0.01f, 0.01f, 0.0f, 0.0f, 0.22f, 1.0f,  900,   5500, 4},
    {"palmas",       1300,  1300, 0.01f, 0.02f, 0.2f, 0.0f, 0.07f, 1.0f,  1200,  6500, 2},
    {"hat",          7000,  7000, 0.01f, 0.05f, 0.1f, 0.5f, 0.07f, 1.0f,  6500,  10500},
    {"open_hat",     6800,  6800, 0.01f, 0.20f, 0.1f, 0.5f, 0.40f, 1.0f,  6000,  10500},
    {"ride",         4200,  4200, 0.01f, 0.50f, 0.2f, 0.7f, 0.70f, 0.6f,  5000,  10500},
    {"crash",        3800,  3800, 0.01f, 0.90f, 0.1f, 0.6f, 1.40f, 1.0f,  3500,  10500},
    {"shaker",       6000,  6000, 0.01f, 0.02f, 0.0f, 0.0f, 0.09f, 1.0f,  4500,  10000},
    {"maracas",      6500,  6500, 0.01f, 0.02f, 0.0f, 0.0f, 0.05f, 1.0f,  5500,  10500},
    {"guira",        5200,  5200, 0.01f, 0.04f, 0.1f, 0.3f, 0.11f, 1.0f,  3500,  9500},
    {"tambourine",   7600,  7600, 0.01f, 0.15f, 0.2f, 0.6f, 0.20f, 1.0f,  5500,  10500},
    {"cowbell",      800,   800,  0.01f, 0.16f, 1.0f, 0.9f, 0.02f, 0.2f,  1500,  7000},
    {"clave",        2450,  2450, 0.01f, 0.08f, 1.0f, 0.1f, 0.01f, 0.2f,  2000,  8000},
    {"conga_low",    215,   190,  0.02f, 0.35f, 1.0f, 0.3f, 0.03f, 0.3f,  500,   3000},
    {"conga_high",   330,   300,  0.02f, 0.22f, 1.0f, 0.3f, 0.03f, 0.4f,  800,   4500},
    {"conga_slap",   420,   380,  0.01f, 0.08f, 0.7f, 0.4f, 0.06f, 0.8f,  1500,  7000},
    {"bongo_low",    390,   360,  0.01f, 0.16f, 1.0f, 0.3f, 0.02f, 0.3f,  900,   5000},
    {"bongo_high",   560,   530,  0.01f, 0.11f, 1.0f, 0.3f, 0.02f, 0.4f,  1200,  6500},
    {"timbale",      480,   440,  0.02f, 0.28f, 0.9f, 0.6f, 0.06f, 0.4f,  1500,  8000},
    {"tambora",      130,   100,  0.03f, 0.30f, 1.0f, 0.3f, 0.06f, 0.4f,  400,   3500},
    {"caja",         290,   260,  0.02f, 0.14f, 1.0f, 0.4f, 0.04f, 0.5f,  900,   5000},
    {"cajon_low",    105,   85,   0.03f, 0.22f, 1.0f, 0.2f, 0.04f, 0.4f,  200,   2500},
    {"cajon_high",   280,   250,  0.01f, 0.10f, 0.6f, 0.3f, 0.12f, 0.8f,  1200,  7500},
    {"tom",          140,   95,   0.06f, 0.45f, 1.0f, 0.3f, 0.05f, 0.3f,  300,   2500},
    {"doum",         125,   92,   0.03f, 0.30f, 1.0f, 0.3f, 0.03f, 0.3f,  300,   2500},
    {"tek",          620,   580,  0.01f, 0.09f, 0.8f, 0.6f, 0.05f, 0.8f,  2200,  9000},
    {"ka",           540,   510,  0.01f, 0.06f, 0.6f, 0.5f, 0.04f, 0.6f,  1800,  8000},
    {"riq",          900,   880,  0.01f, 0.05f, 0.3f, 0.4f, 0.16f, 0.9f,  4500,  10500},
    {"sagat",        5400,  5400, 0.01f, 0.30f, 0.6f, 0.9f, 0.10f, 0.3f,  5000,  10500},
    {"frame",        105,   88,   0.03f, 0.45f, 1.0f, 0.5f, 0.08f, 0.3f,  250,   2500},
    {"tabla_ge",     95,    120,  0.12f, 0.55f, 1.0f, 0.2f, 0.02f, 0.2f,  200,   1500},
    {"tabla_na",     420,   415,  0.01f, 0.40f, 0.9f, 0.9f, 0.02f, 0.5f,  1500,  7000},
    {"tabla_tin",    330,   328,  0.01f, 0.60f, 0.9f, 0.7f, 0.01f, 0.3f,  1200,  5000},
    {"dholak_low",   118,   95,   0.05f, 0.32f, 1.0f, 0.3f, 0.03f, 0.3f,  300,   2000},
    {"dholak_high",  390,   370,  0.01f, 0.18f, 0.9f, 0.6f, 0.04f, 0.6f,  1500,  7000},
    {"manjira",      4700,  4700, 0.01f, 0.55f, 0.8f, 0.9f, 0.03f, 0.2f,  5000,  10500},
    {"electro_tom",  420,   120,  0.10f, 0.25f, 1.0f, 0.0f, 0.02f, 0.2f,  800,   6000},
};
// clang-format on

/// Adds a sine whose frequency glides from `start` to `end` and whose amplitude decays.
void add_tone(std::vector<float>& out, double start, double end, double sweep, double decay, float gain,
              double sample_rate) {
  const float fall = decay_per_step(decay * sample_rate);
  const double glide = exp2(-1.0 / (0.3 * sweep * sample_rate));
  const SineTable& sine = sine_table();
  double offset = start - end, phase = 0.0;
  float amplitude = gain;
  for (float& sample : out) {
    sample += amplitude * sine(phase);
    phase += (end + offset) / sample_rate;
    phase -= static_cast<int>(phase);
    offset *= glide;
    amplitude *= fall;
    if (amplitude < 1e-4f) return;
  }
}

}  // namespace

int find_drum(std::string_view name) {
  for (std::size_t i = 0; i < std::size(table); ++i) {
    if (table[i].name == name) return static_cast<int>(i);
  }
  throw UsageError("drum: unknown name: " + std::string(name) + " (allowed those of the percussion table)");
}

std::vector<float> render_drum(int index, const DrumTuning& tuning, double sample_rate, std::uint64_t seed,
                               std::uint32_t purpose) {
  const Drum& drum = table[index];
  const double nyquist = 0.47 * sample_rate;
  const double tone_s = drum.tone_s * tuning.length, noise_s = drum.noise_s * tuning.length;
  const double seconds = std::min(1.5, std::max(tone_s, noise_s + 0.011 * drum.bursts));
  std::vector<float> out(static_cast<std::size_t>(seconds * sample_rate) + 1, 0.0f);
  if (drum.tone_gain > 0.0f) {
    constexpr double ratios[3] = {1.0, 1.59, 2.14};
    for (int mode = 0; mode < 3; ++mode) {
      const double ratio = ratios[mode] * tuning.pitch;
      const float gain =
          mode == 0 ? drum.tone_gain : drum.tone_gain * drum.overtone / static_cast<float>(mode + 1);
      if (gain > 0.0f && drum.start_hz * ratio < nyquist) {
        add_tone(out, drum.start_hz * ratio, drum.end_hz * ratio, drum.sweep_s, tone_s / (1.0 + 0.5 * mode),
                 gain, sample_rate);
      }
    }
  }
  std::vector<float> noise(out.size());
  fill_noise(noise, seed, purpose);
  const double tilt = exp2(1.2 * (tuning.brightness - 0.5));
  const float low = one_pole(std::min(drum.low_hz * tilt, nyquist), sample_rate);
  const float high = one_pole(std::min(drum.high_hz * tilt, nyquist), sample_rate);
  const float fall = decay_per_step(noise_s * sample_rate);
  const auto burst = static_cast<std::size_t>(0.011 * sample_rate);
  float below_low = 0.0f, below_low2 = 0.0f, below_high = 0.0f, amplitude = drum.noise_gain;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i > 0 && burst > 0 && i % burst == 0 && i / burst < static_cast<std::size_t>(drum.bursts)) {
      amplitude = drum.noise_gain;
    }
    below_high += high * (noise[i] - below_high);
    below_low += low * (below_high - below_low);
    const float once = below_high - below_low;
    below_low2 += low * (once - below_low2);
    out[i] += 1.6f * amplitude * (once - below_low2);
    amplitude *= fall;
  }
  float peak = 1e-6f;
  for (const float sample : out) peak = std::max(peak, sample < 0 ? -sample : sample);
  for (float& sample : out) sample /= peak;
  return out;
}

}  // namespace chorale::data::synth

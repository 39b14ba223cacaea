// SPDX-License-Identifier: MIT
#include "data/synth/renderer.h"

#include <string>

#include "data/synth/arrangement.h"
#include "data/synth/effects.h"
#include "data/synth/portable_math.h"
#include "data/synth/styles.h"
#include "kernels/error.h"

namespace chorale::data::synth {
namespace {

constexpr std::uint32_t mix_purpose = 2;

void check(const SongFactors& factors, int sample_rate, double seconds) {
  if (sample_rate < 8000 || sample_rate > 192000) {
    throw UsageError("sample rate: out of range: " + std::to_string(sample_rate) + " (allowed 8000..192000)");
  }
  if (!(seconds >= 0.5 && seconds <= 3600.0)) {
    throw UsageError("seconds: out of range: " + std::to_string(seconds) + " (allowed 0.5..3600)");
  }
  if (!(factors.tempo_bpm >= 20.0f && factors.tempo_bpm <= 400.0f)) {
    throw UsageError("tempo: out of range: " + std::to_string(factors.tempo_bpm) + " (allowed 20..400)");
  }
}

}  // namespace

std::vector<float> Renderer::render(const SongFactors& factors, int sample_rate, double seconds) const {
  check(factors, sample_rate, seconds);
  const LanguageStyle& language = find_language(factors.language);
  const auto samples = static_cast<std::size_t>(seconds * sample_rate + 0.5);
  std::vector<float> drums(samples, 0.0f), music(samples, 0.0f);
  Arrangement(factors, sample_rate).mix(drums, music);

  Random random(factors.seed, mix_purpose);
  const float wet = language.reverb * random.uniform(0.6f, 1.5f) * (1.3f - 0.6f * factors.energy);
  const float decay_s = language.reverb_s * random.uniform(0.7f, 1.4f);
  const float presence = language.presence + random.uniform(-1.0f, 1.0f);
  std::vector<float> send(samples);
  for (std::size_t i = 0; i < samples; ++i) send[i] = music[i] + 0.25f * drums[i];
  for (std::size_t i = 0; i < samples; ++i) music[i] += drums[i];
  add_reverb(music, send, wet, decay_s, sample_rate);
  tilt(music, factors.brightness, sample_rate);
  add_presence(music, language.presence_hz, presence, sample_rate);
  saturate(music, 1.8f * factors.energy);
  add_noise_floor(music, static_cast<float>(exp2(-random.uniform(8.0f, 13.0f))), factors.seed);
  set_level(music, -25.0f + 12.0f * factors.energy + random.uniform(-2.5f, 2.5f));
  return music;
}

}  // namespace chorale::data::synth

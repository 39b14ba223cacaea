// SPDX-License-Identifier: MIT
#include "data/synth/renderer.h"

#include <algorithm>
#include <string>

#include "data/synth/arrangement.h"
#include "data/synth/effects.h"
#include "data/synth/mastering.h"
#include "data/synth/purposes.h"
#include "kernels/error.h"

namespace chorale::data::synth {
namespace {

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

double centroid_of(float brightness) { return 700.0 * exp2(2.19 * brightness); }

const std::vector<float>& Renderer::render(const SongFactors& factors, int sample_rate, double seconds) {
  check(factors, sample_rate, seconds);
  const auto samples = static_cast<std::size_t>(seconds * sample_rate + 0.5);
  for (std::vector<float>* buffer : {&music_, &drums_, &voice_}) buffer->assign(samples, 0.0f);
  room_.resize(samples);
  Arrangement song(factors, sample_rate, samples);
  song.mix({drums_, music_, voice_});
  const Mix& recording = song.recording();

  Random random(factors.seed, mix_draw);
  const float wet = recording.room * random.uniform(0.7f, 1.35f);
  const float decay_s = recording.room_s * random.uniform(0.7f, 1.4f);
  const float band = random.uniform(0.9f, 1.11f), echo = recording.echo * random.uniform(0.5f, 1.3f);
  float tone[5];
  for (int k = 0; k < 5; ++k) tone[k] = recording.tone[k] + 0.45f * random.normal();
  if (recording.pump > 0.0f) duck(music_, song.pulses(), recording.pump, 0.3, sample_rate);
  if (recording.echo > 0.0f)
    add_echo(voice_, static_cast<std::size_t>(0.75 * song.beat_samples()), std::min(0.6f, echo));
  for (std::size_t i = 0; i < samples; ++i) music_[i] += voice_[i];
  for (std::size_t i = 0; i < samples; ++i) voice_[i] = music_[i] + 0.3f * drums_[i];  // what the room hears
  for (std::size_t i = 0; i < samples; ++i) music_[i] += drums_[i];
  add_reverb(music_, voice_, room_, wet, decay_s, sample_rate);
  drive(music_, 0.5f * recording.drive + 0.6f * factors.energy);
  equalize(music_, tone, sample_rate);
  keep_band(music_, recording.low_hz * band, recording.high_hz * band, sample_rate);
  const float hiss = recording.hiss + static_cast<float>(exp2(-random.uniform(10.0f, 14.0f)));
  add_hiss(music_, hiss, static_cast<std::uint32_t>(factors.seed));
  set_centroid(music_, centroid_of(factors.brightness) * exp2(0.08 * random.normal()), sample_rate);
  set_level(music_, -25.0f + 13.0f * factors.energy + 1.2f * random.normal());
  return music_;
}

}  // namespace chorale::data::synth

// SPDX-License-Identifier: MIT
#include "data/synth/singer.h"

#include <algorithm>

#include "data/synth/portable_math.h"

namespace chorale::data::synth {
namespace {

constexpr int control = 64;  ///< samples between changes of pitch and formants
constexpr float bandwidth_hz[4] = {75.0f, 95.0f, 140.0f, 220.0f};
constexpr float formant_gain[3] = {1.0f, 0.75f, 0.5f};

/// What a sound asks of the source: voicing, and noise with its centre.
struct Excitation {
  float voicing, noise, noise_hz;
};

Excitation excitation_of(const Phone& it, double place) {
  const bool burst = place > (it.seconds > 0.1f ? 0.45 : 0.65);
  switch (it.sound) {
    case Sound::vowel:
      return {1.0f, 0.0f, it.noise_hz};
    case Sound::nasal:
      return {0.5f, 0.0f, it.noise_hz};
    case Sound::liquid:
      return {0.6f, it.noise_gain, it.noise_hz};
    case Sound::plosive:
      return {0.0f, burst ? it.noise_gain : 0.0f, it.noise_hz};
    case Sound::voiced_plosive:
      return {0.15f, burst ? it.noise_gain : 0.0f, it.noise_hz};
    case Sound::fricative:
      return {0.0f, it.noise_gain, it.noise_hz};
    case Sound::voiced_fricative:
      return {0.4f, it.noise_gain, it.noise_hz};
  }
  return {0.0f, 0.0f, 0.0f};
}

/// Four floats that one instruction handles.
using Lanes = float __attribute__((vector_size(16)));

/// Two-pole resonators side by side, each with a peak gain of about 1.
class Resonators {
 public:
  Lanes a = {}, b = {}, c = {}, y1 = {}, y2 = {};

  explicit Resonators(double rate) : rate_(rate) {
    for (int k = 0; k < 4; ++k) {
      radius_[k] = exp2(-4.532360141827194 * bandwidth_hz[k] / rate);  // exp(-pi width / rate)
      c[k] = static_cast<float>(radius_[k] * radius_[k]);
    }
  }
  void tune(int k, double hz) {
    const double turns = std::min(0.45, hz / rate_);
    const SineTable& sine = sine_table();
    b[k] = static_cast<float>(2.0 * radius_[k]) * sine(turns + 0.25);
    a[k] = (1.0f - c[k]) * sine(turns);
  }
  void step(float x) {
    const Lanes y = a * x + (b * y1 - c * y2);
    y2 = y1;
    y1 = y;
  }

 private:
  double rate_, radius_[4];
};

}  // namespace

Singer::Singer(const Voice& voice, double sample_rate, std::uint32_t place)
    : voice_(voice),
      rate_(sample_rate),
      place_(place),
      glide_(decay_per_step(2.5 * voice.glide_s * sample_rate / control)) {}

const Waveform& Singer::glottis(double cents) {
  const int third = static_cast<int>(cents / 400.0);
  Waveform& wave = glottis_[third];
  if (!wave.empty()) return wave;
  const int harmonics = std::clamp(static_cast<int>(0.42 * rate_ / hertz(400.0 * (third + 1))), 1, 80);
  std::vector<float> amplitudes(static_cast<std::size_t>(harmonics) + 1, 0.0f);
  for (int h = 1; h <= harmonics; ++h)
    amplitudes[static_cast<std::size_t>(h)] =
        static_cast<float>(exp2(-static_cast<double>(voice_.rolloff) * log2(h)));
  return wave = waveform_of(amplitudes);
}

std::vector<Singer::Segment> Singer::segments_of(std::span<const LineNote> notes,
                                                 std::span<const Syllable> syllables) const {
  std::vector<Segment> out;
  const auto samples = [&](double seconds) { return static_cast<long>(seconds * rate_); };
  for (std::size_t i = 0; i < notes.size(); ++i) {
    const LineNote& note = notes[i];
    if (note.syllable < 0) continue;
    const Syllable& syllable = syllables[static_cast<std::size_t>(note.syllable)];
    std::size_t last = i;  // the notes that the syllable goes on through
    while (last + 1 < notes.size() && notes[last + 1].syllable < 0) ++last;
    long end = notes[last].start + notes[last].length;
    if (last + 1 < notes.size()) end = std::min(end, notes[last + 1].start);
    // Consonants come ahead of the beat, but leave half of the room to the vowel before.
    double wanted = 0.0;
    for (const int consonant : syllable.before) wanted += consonant < 0 ? 0.0 : phone(consonant).seconds;
    const long before = out.empty() ? samples(0.3) : note.start - out.back().start;
    const double scale =
        wanted > 0.0 ? std::min(1.0, 0.5 * static_cast<double>(before) / (rate_ * wanted)) : 0.0;
    long at = note.start - samples(scale * wanted);
    if (!out.empty() && out.back().end > at) out.back().end = at;
    if (!out.empty() && out.back().end < at) out.push_back({out.back().end, at, -1});
    for (const int consonant : syllable.before) {
      if (consonant < 0) continue;
      const long next = at + samples(scale * phone(consonant).seconds);
      out.push_back({at, next, consonant});
      at = next;
    }
    long coda = end;
    if (syllable.after >= 0)
      coda = end - std::min(samples(phone(syllable.after).seconds), (end - note.start) / 4);
    if (syllable.glide >= 0) {
      const long turn = at + (coda - at) * 6 / 10;
      out.push_back({at, turn, syllable.vowel});
      out.push_back({turn, coda, syllable.glide});
    } else {
      out.push_back({at, coda, syllable.vowel});
    }
    if (syllable.after >= 0) out.push_back({coda, end, syllable.after});
  }
  return out;
}

double Singer::cents_at(std::span<const LineNote> notes, std::size_t& current, long sample) {
  while (current + 1 < notes.size() && sample >= notes[current + 1].start - static_cast<long>(0.03 * rate_)) {
    const double leap = notes[current].cents + distance_ - notes[current + 1].cents;
    ++current;
    distance_ = std::clamp(leap, -900.0, 900.0);
  }
  distance_ *= glide_;
  const LineNote& note = notes[current];
  const double seconds = std::max(0.0, static_cast<double>(sample - note.start) / rate_),
               length_s = note.length / rate_;
  double cents = note.cents + voice_.detune_cents + distance_;
  cents += ornament_cents_at(note.ornament, voice_.ornament_cents, seconds, length_s);
  cents += voice_.vibrato_cents * std::clamp((seconds - 0.2) / 0.4, 0.0, 1.0) *
           sine_of_turns(voice_.vibrato_hz * seconds);
  return cents;
}

void Singer::sing(std::span<float> out, std::span<const LineNote> notes, std::span<const Syllable> syllables,
                  float gain) {
  if (notes.empty()) return;
  const std::vector<Segment> segments = segments_of(notes, syllables);
  if (segments.empty()) return;
  const NoiseTable& noise = noise_table();
  Oscillator source;
  Resonators mouth(rate_);
  float formant[3] = {500, 1500, 2500}, voicing = 0.0f, hiss = 0.0f, hiss_hz = 3000.0f;
  mouth.tune(3, 3300.0 * voice_.formant);
  float n1 = 0.0f, n2 = 0.0f;  // the consonants' resonator
  std::size_t current = 0, place = 0;
  distance_ = 0.0;
  const long last =
      std::min<long>(static_cast<long>(out.size()), segments.back().end + static_cast<long>(0.08 * rate_));
  for (long start = std::max(0L, segments.front().start); start < last; start += control) {
    while (place < segments.size() && start >= segments[place].end) ++place;
    const bool silent =
        place == segments.size() || segments[place].phone < 0 || start < segments[place].start;
    Excitation wanted{0.0f, 0.0f, hiss_hz};
    if (!silent) {
      const Segment& segment = segments[place];
      const Phone& it = phone(segment.phone);
      const double within = static_cast<double>(start - segment.start) /
                            static_cast<double>(std::max(1L, segment.end - segment.start));
      wanted = excitation_of(it, within);
      const float follow = it.sound == Sound::vowel ? 0.16f : 0.3f;  // of the way in each 3 ms
      for (int k = 0; k < 3; ++k) formant[k] += follow * (it.formant[k] - formant[k]);
      if (wanted.noise > 0.0f) hiss_hz = wanted.noise_hz;
    }
    const double cents = cents_at(notes, current, start);
    const float strength = notes[current].gain;
    const float next_voicing = voicing + (wanted.voicing * strength > voicing ? 0.35f : 0.25f) *
                                             (wanted.voicing * strength - voicing);
    const float next_hiss = hiss + 0.5f * (wanted.noise * strength * voice_.consonants - hiss);
    const long count = std::min<long>(control, last - start);
    if (next_voicing > 1e-3f || next_hiss > 1e-3f || voicing > 1e-3f) {
      for (int k = 0; k < 3; ++k) mouth.tune(k, formant[k] * voice_.formant);
      const Waveform& wave = glottis(cents);
      const std::uint32_t step = Oscillator::step_of(hertz(cents), rate_);
      const double hiss_turns = std::min(0.45, hiss_hz / rate_), r = exp2(-4.53 * 0.4 * hiss_turns);
      const float nb = static_cast<float>(2.0 * r * sine_of_turns(hiss_turns + 0.25)),
                  nc = static_cast<float>(r * r), na = static_cast<float>(1.0 - r * r);
      const float voicing_slope = (next_voicing - voicing) / control,
                  hiss_slope = (next_hiss - hiss) / control;
      for (long i = 0; i < count; ++i) {
        const float white = noise[place_ + static_cast<std::uint32_t>(start + i)];
        mouth.step(voicing * (source(wave) + voice_.breath * white));
        const float n = na * hiss * white + (nb * n1 - nc * n2);
        n2 = n1;
        n1 = n;
        // Neighbouring formants in opposite phase leave no notch between them.
        const float low = formant_gain[0] * mouth.y1[0] - formant_gain[1] * mouth.y1[1];
        const float high = formant_gain[2] * mouth.y1[2] - voice_.ring * mouth.y1[3];
        out[static_cast<std::size_t>(start + i)] += gain * ((low + high) + 0.18f * n);
        source.advance(step);
        voicing += voicing_slope;
        hiss += hiss_slope;
      }
    }
    voicing = next_voicing;
    hiss = next_hiss;
  }
}

}  // namespace chorale::data::synth

// SPDX-License-Identifier: MIT
#include "data/synth/instruments.h"

#include <algorithm>
#include <cmath>

#include "data/synth/portable_math.h"

namespace chorale::data::synth {
namespace {

constexpr int table_size = 1024;
constexpr int sine_stride = SineTable::size / table_size;

double hertz(int cents) { return 440.0 * exp2((cents - 6900) / 1200.0); }

/// First three formants of the vowels a e i o u, Hz.
constexpr float formants[5][3] = {
    {800, 1150, 2900}, {450, 1900, 2600}, {300, 2200, 3000}, {450, 800, 2800}, {330, 700, 2500}};
constexpr float formant_gain[3] = {1.0f, 0.6f, 0.25f};

float resonance(float hz, float centre, float width) {
  const float x = (hz - centre) / width;
  return 1.0f / (1.0f + x * x);
}

/// Saturation, odd and monotonic: a Pade form of tanh.
float saturate(float x) {
  x = std::clamp(x, -3.0f, 3.0f);
  return x * (27.0f + x * x) / (27.0f + 9.0f * x * x);
}

/// Attack, decay to the sustain level, release, sample by sample.
class Envelope {
 public:
  Envelope(const Instrument& it, int samples, double rate)
      : attack_(std::max(1, std::min(samples, static_cast<int>(it.attack_s * rate)))),
        hold_(samples),
        sustain_(it.sustain),
        fall_(decay_per_step(it.decay_s * rate)),
        release_(decay_per_step(it.release_s * rate)) {}

  float next() {
    const int i = position_++;
    if (i < attack_) return level_ = static_cast<float>(i + 1) / static_cast<float>(attack_);
    if (i < hold_) return level_ = sustain_ + (level_ - sustain_) * fall_;
    return level_ *= release_;
  }

 private:
  int attack_, hold_, position_ = 0;
  float sustain_, fall_, release_, level_ = 0.0f;
};

/// Pitch as a factor, updated every 32 samples: vibrato after the onset, and the ornament.
class PitchCurve {
 public:
  static constexpr int step = 32;
  PitchCurve(const Instrument& it, const Note& note, const Tone& tone, double rate)
      : note_(note), rate_(rate), vibrato_(it.vibrato_cents * tone.vibrato), reach_(tone.ornament_cents) {}

  double at(int sample) const {
    const double seconds = sample / rate_;
    double cents = 0.0;
    if (vibrato_ > 0.0) {
      cents += vibrato_ * std::min(1.0, seconds / 0.35) * sine_of_turns(5.4 * seconds);
    }
    const double slide = std::max(0.0, 1.0 - seconds / 0.11);
    switch (note_.ornament) {
      case Ornament::none:
        break;
      case Ornament::slide_up:
        cents -= reach_ * slide * slide;
        break;
      case Ornament::slide_down:
        cents += reach_ * slide * slide;
        break;
      case Ornament::trill:
        if (seconds < 0.30 && static_cast<int>(seconds / 0.05) % 2 == 1) cents += reach_;
        break;
      case Ornament::shake:
        if (seconds < 0.7) cents += 0.5 * reach_ * sine_of_turns(6.5 * seconds);
        break;
    }
    return exp2(cents / 1200.0);
  }

 private:
  const Note& note_;
  double rate_, vibrato_, reach_;
};

void add_breath(std::vector<float>& out, float share, double hz, double rate, std::uint64_t seed,
                std::uint32_t purpose) {
  std::vector<float> noise(out.size());
  fill_noise(noise, seed, purpose);
  const float low = one_pole(std::min(hz, 0.4 * rate), rate),
              high = one_pole(std::min(6.0 * hz, 0.45 * rate), rate);
  float a = 0.0f, b = 0.0f;
  for (std::size_t i = 0; i < out.size(); ++i) {
    a += low * (noise[i] - a);
    b += high * (noise[i] - b);
    out[i] = (1.0f - share) * out[i] + 2.5f * share * (b - a);
  }
}

}  // namespace

const NoteBank::Table& NoteBank::wave_table(const Note& note, double hz, bool dull) {
  const Instrument& it = instrument(note.instrument);
  const int vowel = it.synthesis == Synthesis::voice ? note.vowel : 0;
  Table& table = tables_[{note.instrument, note.cents / 100, vowel, dull}];
  if (!table.empty()) return table;
  table.assign(table_size + 1, 0.0f);
  const SineTable& sine = sine_table();
  const int harmonics = std::clamp(static_cast<int>(0.42 * sample_rate_ / hz), 1, 48);
  const double rolloff = it.rolloff * exp2(0.9 * (0.5 - tone_.brightness)) + (dull ? 1.2 : 0.0);
  for (int h = 1; h <= harmonics; ++h) {
    const float frequency = static_cast<float>(h * hz);
    float amplitude = static_cast<float>(exp2(-rolloff * log2(h)));
    if (h % 2 == 0) amplitude *= it.even;
    if (it.resonance_hz > 0.0f)
      amplitude *= 1.0f + 2.2f * resonance(frequency, it.resonance_hz, 0.4f * it.resonance_hz);
    if (it.synthesis == Synthesis::voice) {
      float gain = 0.02f;
      for (int k = 0; k < 3; ++k) {
        gain +=
            formant_gain[k] * resonance(frequency, formants[vowel][k] * tone_.formant, 110.0f + 40.0f * k);
      }
      amplitude *= gain;
    }
    if (amplitude < 1e-4f) continue;
    for (int i = 0; i < table_size; ++i) table[i] += amplitude * sine.at(h * i % table_size * sine_stride);
  }
  table[table_size] = table[0];
  return table;
}

void NoteBank::render_harmonic(const Note& note, std::vector<float>& out) {
  const Instrument& it = instrument(note.instrument);
  const double hz = hertz(note.cents);
  const Table& bright = wave_table(note, hz, false);
  const Table& dull = it.fade_s > 0.0f ? wave_table(note, hz, true) : bright;
  const PitchCurve pitch(it, note, tone_, sample_rate_);
  Envelope envelope(it, note.samples, sample_rate_);
  const float fade = it.fade_s > 0.0f ? decay_per_step(3.0 * it.fade_s * sample_rate_) : 1.0f;
  const double second = exp2(it.detune_cents / 1200.0);
  const int oscillators = it.detune_cents > 0.0f ? 2 : 1;
  const double increment = hz / sample_rate_ * table_size;
  double phase[2] = {0.0, 0.37 * table_size};
  double step[2] = {0.0, 0.0};
  float share = 1.0f;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i % PitchCurve::step == 0) {
      step[0] = increment * pitch.at(static_cast<int>(i));
      step[1] = step[0] * second;
    }
    float sum = 0.0f;
    for (int k = 0; k < oscillators; ++k) {
      const int index = static_cast<int>(phase[k]);
      const float part = static_cast<float>(phase[k] - index);
      const float a = bright[index] + part * (bright[index + 1] - bright[index]);
      const float b = dull[index] + part * (dull[index + 1] - dull[index]);
      sum += b + share * (a - b);
      phase[k] += step[k];
      if (phase[k] >= table_size) phase[k] -= table_size;
    }
    share *= fade;
    out[i] = sum * envelope.next();
  }
}

void NoteBank::render_modulated(const Note& note, std::vector<float>& out) {
  const Instrument& it = instrument(note.instrument);
  const SineTable& sine = sine_table();
  const double hz = hertz(note.cents);
  Envelope envelope(it, note.samples, sample_rate_);
  const double carrier = hz / sample_rate_, modulator = carrier * it.ratio;
  float depth = static_cast<float>(it.index * exp2(1.5 * (tone_.brightness - 0.5)) / 6.283185307179586);
  const float fade = decay_per_step(1.5 * it.decay_s * sample_rate_);
  double a = 0.0, b = 0.0;
  for (float& sample : out) {
    double turns = a + depth * sine(b);
    turns -= std::floor(turns);
    sample = envelope.next() * sine(turns);
    a += carrier;
    b += modulator;
    a -= static_cast<int>(a);
    b -= static_cast<int>(b);
    depth *= fade;
  }
}

void NoteBank::render_plucked(const Note& note, std::vector<float>& out) {
  const Instrument& it = instrument(note.instrument);
  const double hz = hertz(note.cents);
  const double period = sample_rate_ / hz;
  const double delay = std::max(2.0, period - 0.3);  // the loop filter delays by 0.3 samples
  const auto length = static_cast<std::size_t>(delay);
  const auto part = static_cast<float>(delay - static_cast<double>(length));
  // Bass strings keep longer, treble strings shorter.
  const double decay_s = it.decay_s * exp2(-0.4 * log2(hz / 220.0)) * exp2(0.8 * (tone_.brightness - 0.5));
  const float loss = decay_per_step(decay_s * hz);
  // One period of noise, low-passed by the hardness of the pluck.
  std::vector<float> line(length + 2);
  fill_noise(line, seed_, static_cast<std::uint32_t>(0x10000 + note.instrument * 16384 + note.cents / 50));
  const double corner = 9000.0 * exp2(-1.6 * it.rolloff + 2.0 * (tone_.brightness - 0.5));
  const float soft = one_pole(std::min(corner, 0.45 * sample_rate_), sample_rate_);
  float state = 0.0f, mean = 0.0f;
  for (float& x : line) {
    state += soft * (x - state);
    x = state;
    mean += state;
  }
  mean /= static_cast<float>(line.size());
  std::size_t position = 0;
  float previous = 0.0f;
  const std::size_t size = line.size();
  for (float& x : line) x -= mean;
  for (float& sample : out) {
    // line[position] is the oldest sample, length + 2 behind.
    const std::size_t next = position + 2 >= size ? position + 2 - size : position + 2;
    const std::size_t older = position + 1 >= size ? 0 : position + 1;
    const float tap = (1.0f - part) * line[next] + part * line[older];
    const float value = loss * (0.7f * tap + 0.3f * previous);
    previous = tap;
    line[position] = value;
    if (++position == size) position = 0;
    sample = value;
  }
  const float release = decay_per_step(it.release_s * sample_rate_);
  float gain = 1.0f;
  for (std::size_t i = static_cast<std::size_t>(note.samples); i < out.size(); ++i) out[i] *= gain *= release;
  if (it.resonance_hz > 0.0f) {  // the body: a band-pass added to the string
    const float c = one_pole(it.resonance_hz, sample_rate_),
                d = one_pole(2.0 * it.resonance_hz, sample_rate_);
    float low = 0.0f, high = 0.0f;
    for (float& sample : out) {
      low += c * (sample - low);
      high += d * (sample - high);
      sample = 0.6f * sample + 1.2f * (high - low);
    }
  }
}

std::vector<float> NoteBank::render(const Note& note) {
  const Instrument& it = instrument(note.instrument);
  std::vector<float> out(static_cast<std::size_t>(note.samples) +
                         static_cast<std::size_t>(it.release_s * sample_rate_));
  switch (it.synthesis) {
    case Synthesis::harmonic:
    case Synthesis::voice:
      render_harmonic(note, out);
      break;
    case Synthesis::frequency_modulation:
      render_modulated(note, out);
      break;
    case Synthesis::plucked:
      render_plucked(note, out);
      break;
  }
  if (it.breath > 0.0f) {
    add_breath(out, it.breath, hertz(note.cents), sample_rate_, seed_,
               static_cast<std::uint32_t>(note.cents));
    Envelope envelope(it, note.samples, sample_rate_);
    for (float& sample : out) sample *= envelope.next();
  }
  float peak = 1e-6f;
  for (const float sample : out) peak = std::max(peak, std::abs(sample));
  const float scale = 1.0f / peak;
  const float drive = it.drive, level = drive > 0.0f ? 1.0f / saturate(1.0f + drive) : 1.0f;
  for (float& sample : out) {
    sample *= scale;
    if (drive > 0.0f) sample = level * saturate((1.0f + drive) * sample);
  }
  return out;
}

std::span<const float> NoteBank::note(const Note& note) {
  const auto found = notes_.find(note);
  if (found != notes_.end()) return found->second;
  return notes_.emplace(note, render(note)).first->second;
}

}  // namespace chorale::data::synth

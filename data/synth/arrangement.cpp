// SPDX-License-Identifier: MIT
#include "data/synth/arrangement.h"

#include <algorithm>

#include "data/synth/lyrics.h"
#include "data/synth/purposes.h"
#include "data/synth/text_table.h"

namespace chorale::data::synth {
namespace {

Tone tone_of(const SongFactors& factors, const LanguageStyle& language) {
  Random random(factors.seed, instruments_draw);
  return {0.5f + 0.6f * (factors.brightness - 0.5f), language.vibrato * random.uniform(0.6f, 1.4f),
          language.ornament_cents};
}

/// Most songs play their own genre's instruments; some take a neighbour's, a few those of another language.
const GenreStyle& palette_of(const SongFactors& factors, const GenreStyle& style) {
  Random random(factors.seed, styles_draw);
  const float draw = random.uniform();
  const std::string_view language =
      draw < 0.03f ? languages()[static_cast<std::size_t>(random.below(5))].language : style.language;
  const std::span<const GenreStyle> styles = styles_of(language);
  const GenreStyle& other = styles[static_cast<std::size_t>(random.below(static_cast<int>(styles.size())))];
  return draw < 0.09f ? other : style;
}

Harmony harmony_of(const SongFactors& factors, const GenreStyle& style) {
  Random random(factors.seed, styles_draw + 20000u);
  return {pick_alternative(style.progressions, random), find_scale(factors.mode)};
}

Timeline timeline_of(const SongFactors& factors, const GenreStyle& style, const Groove& groove,
                     std::size_t samples, double rate) {
  Random random(factors.seed, styles_draw + 20001u);
  Timeline timeline(groove, factors.tempo_bpm, samples, rate);
  timeline.swing = style.swing > 0.0f ? std::clamp(style.swing + 0.03f * random.normal(), 0.0f, 0.3f) : 0.0f;
  timeline.loose_s = style.loose_s;
  return timeline;
}

}  // namespace

const Groove& groove_of(const GenreStyle& style, const SongFactors& factors) {
  Random random(factors.seed, styles_draw + 20002u);
  std::vector<const Groove*> fitting, metric;
  for (const Groove& groove : style.grooves) {
    if (groove.metre != factors.metre) continue;
    metric.push_back(&groove);
    if (factors.tempo_bpm >= groove.tempo_low && factors.tempo_bpm <= groove.tempo_high)
      fitting.push_back(&groove);
  }
  const std::vector<const Groove*>& among = fitting.empty() ? metric : fitting;
  if (among.empty()) return style.grooves.front();
  return *among[static_cast<std::size_t>(random.below(static_cast<int>(among.size())))];
}

SingerChoice choose_singer(const SongFactors& factors, const GenreStyle& style,
                           const LanguageStyle& language) {
  Random random(factors.seed, singer_draw);
  SingerChoice choice;
  choice.manner = &find_manner(pick_weighted(style.manners, random));
  const bool woman = random.chance(choice.manner->spoken ? 0.2f : 0.5f);
  const Manner& manner = *choice.manner;
  choice.centre_cents = (woman ? 6600.0f : 5500.0f) + 100.0f * (manner.semitones + 2.0f * random.normal());
  Voice& voice = choice.voice;
  voice.formant = language.formant * (woman ? 1.16f : 1.0f) * (1.0f + 0.03f * random.normal());
  voice.rolloff = manner.rolloff + 0.1f * random.normal() + 0.4f * (0.5f - factors.brightness);
  voice.breath = manner.breath * random.uniform(0.6f, 1.6f);
  voice.vibrato_cents = 32.0f * manner.vibrato * language.vibrato * random.uniform(0.7f, 1.3f);
  voice.vibrato_hz = 5.5f + 0.3f * random.normal();
  voice.glide_s = manner.glide_s;
  voice.ring = manner.ring;
  voice.ornament_cents = language.ornament_cents;
  voice.consonants = random.uniform(0.7f, 1.2f);
  return choice;
}

Arrangement::Arrangement(const SongFactors& factors, double sample_rate, std::size_t samples)
    : factors_(factors),
      style_(find_style(factors.genre)),
      language_(find_language(factors.language)),
      palette_(palette_of(factors, style_)),
      groove_(groove_of(style_, factors)),
      timeline_(timeline_of(factors, style_, groove_, samples, sample_rate)),
      harmony_(harmony_of(factors, style_)),
      tone_(tone_of(factors, language_)),
      bank_(sample_rate, tone_),
      drummer_(style_, groove_, factors, timeline_),
      band_(timeline_, harmony_, bank_, 4800 + 100 * factors.key, factors.seed),
      singer_(choose_singer(factors, style_, language_)),
      composer_(timeline_, harmony_, style_, language_,
                std::min(0.8f, style_.ornament * singer_.manner->ornament), factors.seed),
      timing_(factors.seed, lead_draw) {
  choose_parts();
  read_words();
}

int Arrangement::pick(std::string_view instruments, Random& random) const {
  const std::string_view name = instruments.empty() ? "-" : pick_weighted(instruments, random);
  return name == "-" ? -1 : find_instrument(name);
}

void Arrangement::choose_parts() {
  Random random(factors_.seed, instruments_draw + 1000u);
  const auto part = [&](std::string_view instruments, std::string_view grids, float gain) {
    Part out;
    out.instrument = pick(instruments, random);
    if (!grids.empty()) out.grid = pick_alternative(grids, random);
    out.gain = gain * random.uniform(0.82f, 1.2f);
    out.arpeggio = random.below(3);
    return out;
  };
  bass_ = part(palette_.basses, groove_.bass, 0.42f);
  chords_ = part(palette_.chords, groove_.chords, 0.15f);
  pad_ = part(palette_.pads, "", 0.09f);
  riff_ = part(palette_.riffs, groove_.riffs, 0.2f);
  drone_ = part(palette_.drones, "", 0.14f);
  lead_ = pick(palette_.leads, random);
  second_lead_ = pick(palette_.leads, random);
  double_ = pick(palette_.doubles, random);
  lead_gain_ = 0.32f * random.uniform(0.8f, 1.25f);
  backing_ = random.chance(style_.backing);
}

void Arrangement::read_words() {
  if (!factors_.sung) return;
  const Lyrics lyrics = write_lyrics(factors_.language, factors_.genre, factors_.seed);
  const std::vector<std::string>& lines = lyrics.romanized.empty() ? lyrics.original : lyrics.romanized;
  int stanza = 0;
  for (const std::string& line : lines) {
    if (line.empty()) {
      ++stanza;
      continue;
    }
    SungLine sung = syllables_of(factors_.language, line);
    if (sung.empty()) continue;
    if (lyrics.refrain_stanza(stanza)) {
      if (stanza == 1) refrain_.push_back(std::move(sung));
    } else {
      verse_.push_back(std::move(sung));
    }
  }
}

float Arrangement::tonic_near(float centre) const {
  float tonic = 100.0f * static_cast<float>(factors_.key) + 2400.0f;
  while (tonic + 900.0f < centre) tonic += 1200.0f;  // melodies lie about a third above their tonic
  return tonic;
}

void Arrangement::place(const std::vector<MelodyNote>& phrase, int first_bar, float tonic_cents,
                        int first_syllable, std::vector<LineNote>& out) {
  for (const MelodyNote& melody : phrase) {
    LineNote note;
    note.start = timeline_.at(first_bar, melody.step);
    if (!melody.slurred) note.start = timeline_.played(first_bar, melody.step, timing_);
    if (!out.empty() && note.start <= out.back().start) continue;
    note.length = timeline_.length_of(melody.length);
    const int degree = static_cast<int>(melody.degree < 0 ? melody.degree - 0.5f : melody.degree + 0.5f);
    note.cents = tonic_cents + 100.0f * harmony_.scale().semitones(degree) + melody.cents;
    note.gain = melody.gain;
    note.ornament = melody.ornament;
    note.slurred = melody.slurred;
    note.syllable = melody.syllable < 0 ? -1 : first_syllable + melody.syllable;
    out.push_back(note);
  }
}

void Arrangement::mix(const Buses& buses) {
  for (const Section& section : plan_form(timeline_, style_, factors_)) play_section(section, buses);
  perform(buses);
}

void Arrangement::play_section(const Section& section, const Buses& buses) {
  drummer_.play(buses.drums, section);
  band_.play_bass(buses.music, bass_, section);
  band_.play_chords(buses.music, chords_, section);
  band_.play_pad(buses.music, pad_, section);
  band_.play_riff(buses.music, riff_, section);
  band_.play_drone(buses.music, drone_, section);
  if (section.voice && !verse_.empty()) sing_section(section);
  if (section.lead) lead_section(section);
}

}  // namespace chorale::data::synth

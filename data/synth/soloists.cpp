// SPDX-License-Identifier: MIT
// The parts of an arrangement that carry the melody: the singer, those who follow the singer, and the lead.
#include <algorithm>
#include <cmath>

#include "data/synth/arrangement.h"
#include "data/synth/purposes.h"

namespace chorale::data::synth {
namespace {

/// Brings a bus to an RMS, counted over what is not silent.
void level(std::span<float> bus, float wanted) {
  double squares = 0.0;
  std::size_t count = 0;
  for (const float x : bus) {
    if (x > 1e-4f || x < -1e-4f) {
      squares += static_cast<double>(x) * x;
      ++count;
    }
  }
  if (count == 0) return;
  const float gain = wanted / static_cast<float>(std::sqrt(squares / static_cast<double>(count)));
  for (float& x : bus) x *= gain;
}

/// The bars that a line of words takes: a power of two, within the section.
int bars_for(std::size_t syllables, float rate, const Timeline& timeline, int section_bars, bool spoken) {
  const double seconds = static_cast<double>(syllables) / static_cast<double>(rate) + (spoken ? 0.2 : 0.8);
  const auto usable = static_cast<std::size_t>(0.72 * timeline.steps);
  int bars = 1;
  while (bars < section_bars && (1.4 * bars * timeline.bar_seconds() < seconds ||
                                 syllables > usable * static_cast<std::size_t>(bars)))
    bars *= 2;
  return std::min(bars, section_bars);
}

}  // namespace

void Arrangement::sing_section(const Section& section) {
  const bool refrain = section.kind == 'r' && !refrain_.empty();
  const std::vector<SungLine>& lines = refrain ? refrain_ : verse_;
  const float tonic = tonic_near(singer_.centre_cents);
  std::size_t index = refrain ? 0 : next_verse_line_;
  int bar = section.first_bar;
  const int end = section.first_bar + section.bars;
  for (int line = 0; bar < end; ++line, ++index) {
    const SungLine& words = lines[index % lines.size()];
    PhraseRequest request;
    request.first_bar = bar;
    request.bars = bars_for(words.size(), singer_.manner->rate, timeline_, end - bar, singer_.manner->spoken);
    request.notes = static_cast<int>(words.size());
    request.syllables = words;
    // The second line answers the first, the third goes elsewhere: A A' B A, and refrains C D C D.
    const std::uint32_t verse_roles[4] = {0, 1, 2, 0}, refrain_roles[4] = {3, 4, 3, 4};
    request.role = refrain ? refrain_roles[line % 4] : verse_roles[line % 4];
    request.closing = line % 2 == 1;
    request.spoken = singer_.manner->spoken;
    request.lift = refrain ? 2 : 0;
    const auto first = static_cast<int>(sung_.size());
    sung_.insert(sung_.end(), words.begin(), words.end());
    const std::vector<MelodyNote> phrase = composer_.phrase(request);
    place(phrase, bar, tonic, first, voice_notes_);
    if (refrain && backing_) {
      std::vector<MelodyNote> third = phrase;
      for (MelodyNote& note : third) note.degree -= request.spoken ? 0.0f : 2.0f;
      place(third, bar, tonic, first, backing_notes_);
    }
    if (section.lead && !request.spoken && request.bars > 0) {  // the lead answers in the singer's rest
      PhraseRequest answer;
      answer.first_bar = bar + request.bars - 1;
      answer.bars = 1;
      answer.notes = std::max(2, static_cast<int>(style_.density * timeline_.beats * 0.5f));
      answer.role = 20 + request.role;
      const std::vector<MelodyNote> all = composer_.phrase(answer);
      std::vector<MelodyNote> late;  // pushed into the end of the bar
      for (MelodyNote note : all) {
        note.step = 0.68 * timeline_.steps + 0.32 * note.step;
        note.length *= 0.4;
        late.push_back(note);
      }
      const int lead = instrument(std::max(0, lead_)).register_shift;
      place(late, answer.first_bar, tonic_near(6500.0f + 1200.0f * static_cast<float>(lead)), 0,
            lead_notes_[0]);
    }
    bar += request.bars;
  }
  if (!refrain) next_verse_line_ = index;
}

void Arrangement::lead_section(const Section& section) {
  if (section.voice) return;  // it answers the singer there
  const bool second = section.kind == 'r' || section.kind == 's';
  const int index = second ? second_lead_ : lead_;
  if (index < 0) return;
  const float centre = 6600.0f + 1200.0f * static_cast<float>(instrument(index).register_shift);
  const int unit = std::max(1, std::min(section.bars, timeline_.bar_seconds() > 2.2 ? 1 : 2));
  int line = 0;
  for (int bar = section.first_bar; bar < section.first_bar + section.bars; bar += unit, ++line) {
    PhraseRequest request;
    request.first_bar = bar;
    request.bars = std::min(unit, section.first_bar + section.bars - bar);
    const float density = style_.density *
                          (section.kind == 's' ? 1.3f
                           : section.free      ? 0.7f
                                               : 1.0f) *
                          (0.75f + 0.5f * factors_.energy);
    request.notes =
        std::max(2, static_cast<int>(density * timeline_.beats * static_cast<float>(request.bars)));
    const std::uint32_t roles[4] = {0, 1, 2, 1};
    request.role = 8 + (section.kind == 's' ? 4 + static_cast<std::uint32_t>(line) % 4 : roles[line % 4]) +
                   (second ? 8 : 0);
    request.closing = line % 2 == 1;
    request.lift = section.kind == 's' ? 2 : 0;
    std::vector<MelodyNote> phrase = composer_.phrase(request);
    if (section.free) {
      for (MelodyNote& note : phrase) note.step += 0.7 * timing_.uniform();
    }
    place(phrase, bar, tonic_near(centre), 0, lead_notes_[second ? 1 : 0]);
  }
}

void Arrangement::perform(const Buses& buses) {
  const auto play = [&](const std::vector<LineNote>& notes, int index, float gain, std::uint32_t place) {
    if (index < 0 || notes.empty()) return;
    if (instrument(index).sustained())
      add_line(buses.music, notes, index, bank_, gain, place);
    else
      add_notes(buses.music, notes, index, bank_, 1.4f * gain);
  };
  const auto place = static_cast<std::uint32_t>(factors_.seed);
  play(lead_notes_[0], lead_, lead_gain_, place);
  play(lead_notes_[1], second_lead_, lead_gain_, place + 1000u);
  if (!voice_notes_.empty() && double_ >= 0 && !singer_.manner->spoken) {
    std::vector<LineNote> follower =
        voice_notes_;  // heterophony: the same notes, a little later, seldom the same turns
    const float shift = 1200.0f * static_cast<float>(instrument(double_).register_shift);
    for (LineNote& note : follower) {
      note.start += static_cast<long>(0.03 * timeline_.sample_rate);
      note.cents += shift;
      note.ornament = Ornament::none;
    }
    play(follower, double_, 0.7f * lead_gain_, place + 2000u);
  }
  for (int i = 0; i < singer_.manner->voices; ++i) {
    Voice voice = singer_.voice;
    voice.detune_cents = i == 0 ? 0.0f : 14.0f * static_cast<float>(i % 2 == 0 ? i : -i);
    voice.formant *= 1.0f + 0.03f * static_cast<float>(i);
    Singer(voice, timeline_.sample_rate, place + 77u * static_cast<std::uint32_t>(i))
        .sing(buses.voice, voice_notes_, sung_, 1.0f);
  }
  if (!backing_notes_.empty()) {
    Voice voice = singer_.voice;
    voice.detune_cents = 8.0f;
    voice.formant *= 1.05f;
    Singer(voice, timeline_.sample_rate, place + 999u).sing(buses.voice, backing_notes_, sung_, 0.45f);
  }
  level(buses.voice, 0.135f);
}

}  // namespace chorale::data::synth

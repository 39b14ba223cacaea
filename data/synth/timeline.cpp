// SPDX-License-Identifier: MIT
#include "data/synth/timeline.h"

#include <algorithm>

#include "data/synth/purposes.h"
#include "data/synth/text_table.h"

namespace chorale::data::synth {
namespace {

/// Bars of a section: four, or two or eight where those would last much longer or shorter than nine seconds.
int section_bars(const Timeline& timeline) {
  const double seconds = timeline.bar_seconds();
  return seconds > 3.2 ? 2 : seconds < 1.35 ? 8 : 4;
}

void set_intro(Section& section, std::string_view kind) {
  section.kind = 'i';
  section.drums = kind == "drums" || kind == "band";
  section.bass = kind == "band";
  section.chords = kind == "chords" || kind == "band" || kind == "lead";
  section.riff = kind == "riff" || kind == "band";
  section.pad = kind == "chords" || kind == "free" || kind == "riff";
  section.lead = kind == "lead" || kind == "band" || kind == "free";
  section.free = kind == "free";
}

void set_parts(Section& section, Random& random, bool sung, float energy) {
  const bool pad = random.chance(0.35f), riff = random.chance(0.5f), fills = random.chance(0.6f);
  const bool bare = random.chance(0.5f), thin = random.chance(0.5f - 0.3f * energy);
  section.voice = sung;
  section.lead = !sung || fills;
  section.riff = riff;
  section.pad = pad;
  switch (section.kind) {
    case 'v':
      section.thin = thin;
      break;
    case 'r':
      section.riff = section.pad = true;
      section.lift = 1.2f;
      break;
    case 's':
      section.voice = false;
      section.lead = true;
      section.lift = 1.1f;
      break;
    case 'b':  // either percussion alone, or everything but percussion
      section.drums = bare;
      section.bass = section.riff = false;
      section.chords = section.pad = !bare;
      section.voice = sung && !bare;
      section.lead = !sung && !bare;
      break;
    default:
      break;
  }
}

}  // namespace

Timeline::Timeline(const Groove& groove, float tempo_bpm, std::size_t samples, double rate)
    : sample_rate(rate), beats(groove.beats) {
  steps = static_cast<int>(split(groove.bass, '|')[0].size());
  step_samples = rate * 60.0 * groove.beats / (static_cast<double>(tempo_bpm) * steps);
  bars = static_cast<int>(static_cast<double>(samples) / (step_samples * steps)) + 1;
}

long Timeline::at(int bar, double step) const {
  const bool odd = static_cast<int>(step) % 2 == 1 && steps_per_beat() % 2 == 0;
  return static_cast<long>((static_cast<double>(bar) * steps + step + (odd ? swing : 0.0)) * step_samples);
}

long Timeline::played(int bar, double step, Random& random) const {
  return at(bar, step) + static_cast<long>(loose_s * random.uniform() * static_cast<float>(sample_rate));
}

std::vector<Section> plan_form(const Timeline& timeline, const GenreStyle& style,
                               const SongFactors& factors) {
  Random random(factors.seed, form_draw);
  std::vector<Section> sections;
  const int unit = section_bars(timeline);
  int bar = 0;
  const bool intro = random.chance(timeline.bars > unit + 1 ? 0.7f : 0.0f);
  const std::string_view kind = pick_weighted(style.intros, random);
  const bool half = random.chance(0.6f);
  if (intro) {
    Section section;
    section.bars = half || unit > 2 ? std::max(1, unit / 2) : unit;
    set_intro(section, kind);
    sections.push_back(section);
    bar = section.bars;
  }
  // A recording starts at the form's beginning or, as an excerpt, somewhere in it.
  const bool excerpt = random.chance(0.3f);
  auto place = excerpt ? static_cast<std::size_t>(random.below(static_cast<int>(style.form.size()))) : 0;
  for (; bar < timeline.bars; ++place) {
    Section section;
    section.kind = style.form[place % style.form.size()];
    section.first_bar = bar;
    section.bars = section.kind == 'b' ? std::max(1, unit / 2) : unit;
    set_parts(section, random, factors.sung, factors.energy);
    bar += section.bars;
    sections.push_back(section);
  }
  return sections;
}

}  // namespace chorale::data::synth

// SPDX-License-Identifier: MIT
#include "data/synth/drummer.h"

#include "data/synth/lines.h"
#include "data/synth/percussion.h"
#include "data/synth/purposes.h"
#include "data/synth/text_table.h"

namespace chorale::data::synth {

Drummer::Drummer(const GenreStyle& style, const Groove& groove, const SongFactors& factors,
                 const Timeline& timeline)
    : factors_(factors),
      timeline_(timeline),
      choice_(factors.seed, drums_draw),
      timing_(factors.seed, timing_draw) {
  pitch_ = static_cast<float>(exp2(choice_.uniform(-0.16f, 0.16f)));
  length_ = static_cast<float>(exp2(choice_.uniform(-0.4f, 0.3f)));
  takes_ = choice_.word() % 4096u;
  gain_ = (0.4f + 0.5f * factors.energy) * choice_.uniform(0.85f, 1.18f);
  bool first = true;
  for (const std::string_view row : split(pick_alternative(groove.drums, choice_), ';')) {
    if (row == "-") continue;
    const std::size_t colon = row.find(':');
    rows_.push_back(row_of(find_drum(row.substr(0, colon)), row.substr(colon + 1), first ? 1.0f : 0.62f));
    first = false;
  }
  for (const std::string_view name : split(style.fills, ' ')) {
    const int drum = find_drum(name);
    if (name == "crash") {
      crash_ = row_of(drum, "", 0.5f);
      has_crash_ = true;
    } else {
      fill_rows_.push_back(row_of(drum, "", 0.7f));
    }
  }
}

Drummer::Row Drummer::row_of(int drum, std::string_view grid, float gain) {
  const DrumTuning tuning{pitch_, length_, factors_.brightness};
  const float metal = synth::drum(drum).body == Body::metal ? 0.5f : 1.0f;  // they carry far
  Row row{varied(grid), {}, gain * metal * choice_.uniform(0.82f, 1.18f)};
  for (std::vector<float>& hit : row.hits) hit = render_drum(drum, tuning, timeline_.sample_rate, takes_++);
  return row;
}

std::string Drummer::varied(std::string_view grid) {
  std::string out(grid);
  for (char& c : out) {
    const float draw = choice_.uniform();
    if (c == '.' && draw < 0.015f + 0.05f * factors_.energy)
      c = 'o';
    else if (c == 'x' && draw < 0.12f - 0.1f * factors_.energy)
      c = '.';
    else if (c == 'x' && draw > 0.95f)
      c = 'X';
  }
  return out;
}

void Drummer::strike(std::span<float> out, const Row& row, int bar, int step, char stroke, float gain) {
  const float jitter = timing_.uniform(0.85f, 1.1f);
  const std::vector<float>& hit = row.hits[timing_.word() % 2];
  const int strokes = stroke == 'r' ? 2 : stroke == 't' ? 3 : 1;
  const float loud = stroke == 'X' ? 1.0f : stroke == 'o' ? 0.35f : stroke == 'x' ? 0.72f : 0.6f;
  for (int i = 0; i < strokes; ++i) {
    const long start = timeline_.played(bar, step + static_cast<double>(i) / strokes, timing_);
    add(out, start, hit, gain_ * row.gain * gain * loud * jitter);
    if (&row == rows_.data() && i == 0 && stroke != 'o') pulses_.push_back(start);
  }
}

void Drummer::play_fill(std::span<float> out, int bar, int from) {
  const int count = timeline_.steps - from;
  for (int i = 0; i < count; ++i) {
    if (!timing_.chance(0.8f)) continue;
    const std::size_t which =
        static_cast<std::size_t>(i) * fill_rows_.size() / static_cast<std::size_t>(count);
    strike(out, fill_rows_[which], bar, from + i, 'X',
           0.55f + 0.45f * static_cast<float>(i) / static_cast<float>(count));
  }
}

void Drummer::play(std::span<float> out, const Section& section) {
  if (!section.drums) return;
  const int beat = timeline_.steps_per_beat();
  for (int bar = section.first_bar; bar < section.first_bar + section.bars; ++bar) {
    const bool last = bar + 1 == section.first_bar + section.bars;
    const bool fill = last && section.kind != 'i' && !fill_rows_.empty() && timing_.chance(0.75f);
    const int from = fill ? timeline_.steps - beat * (timing_.chance(0.4f) && timeline_.beats >= 4.0f ? 2 : 1)
                          : timeline_.steps;
    if (has_crash_ && bar == section.first_bar && section.kind == 'r') strike(out, crash_, bar, 0, 'X', 0.8f);
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (section.thin && i >= 2 && rows_.size() > 2) break;
      for (int step = 0; step < timeline_.steps; ++step) {
        const char stroke = rows_[i].grid[static_cast<std::size_t>(step)];
        if (stroke == '.' || (step >= from && i > 0)) continue;
        strike(out, rows_[i], bar, step, stroke, bar == section.first_bar && step == 0 ? 1.1f : 1.0f);
      }
    }
    if (fill) play_fill(out, bar, from);
  }
}

}  // namespace chorale::data::synth

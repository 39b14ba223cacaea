// SPDX-License-Identifier: MIT
#include "data/synth/arrangement.h"

#include <algorithm>

#include "data/synth/percussion.h"
#include "data/synth/text_table.h"

namespace chorale::data::synth {
namespace {

enum Purpose : std::uint32_t {
  styles_draw = 10,
  drums_draw,
  parts_draw,
  melody_draw,
  sections_draw,
  timing_draw
};

Tone tone_of(const SongFactors& factors, const LanguageStyle& language) {
  Random random(factors.seed, parts_draw);
  Tone tone;
  tone.brightness = factors.brightness;
  tone.vibrato = language.vibrato * random.uniform(0.6f, 1.4f);
  tone.formant = language.formant * random.uniform(0.9f, 1.12f);
  tone.ornament_cents = language.ornament_cents;
  return tone;
}

void add(std::span<float> out, long start, std::span<const float> samples, float gain) {
  if (start < 0 || start >= static_cast<long>(out.size())) return;
  const std::size_t count = std::min(samples.size(), out.size() - static_cast<std::size_t>(start));
  float* target = out.data() + start;
  for (std::size_t i = 0; i < count; ++i) target[i] += gain * samples[i];
}

/// Index of the degree nearest to a pure fifth.
int fifth_degree(const Scale& scale) {
  int best = 0;
  for (int i = 1; i < scale.size; ++i) {
    const float now = std::abs(scale.steps[i] - 7.0f), before = std::abs(scale.steps[best] - 7.0f);
    if (now < before) best = i;
  }
  return best;
}

bool is_plucked(int index) { return instrument(index).synthesis == Synthesis::plucked; }

}  // namespace

Arrangement::Arrangement(const SongFactors& factors, double sample_rate)
    : factors_(factors),
      sample_rate_(sample_rate),
      style_(find_style(factors.genre)),
      language_(find_language(factors.language)),
      scale_(find_scale(factors.mode)),
      drum_style_(&style_),
      harmony_style_(&style_),
      palette_style_(&style_),
      timing_(factors.seed, timing_draw),
      bank_(sample_rate, tone_of(factors, language_), factors.seed) {
  choose_styles();
  choose_drums();
  choose_parts();
  compose_melody();
}

/// Most songs are of one style; some take their drums, harmony or instruments from a neighbour.
void Arrangement::choose_styles() {
  Random random(factors_.seed, styles_draw);
  steps_ = static_cast<int>(split(style_.bass, '|')[0].size());
  step_samples_ = sample_rate_ * 60.0 * style_.beats / (static_cast<double>(factors_.tempo_bpm) * steps_);
  swing_ = steps_ == 16 ? std::clamp(style_.swing + 0.03f * random.normal(), 0.0f, 0.3f) : 0.0f;
  const std::span<const GenreStyle> siblings = styles_of(factors_.language);
  const auto neighbour = [&]() -> const GenreStyle& {
    return siblings[static_cast<std::size_t>(random.below(static_cast<int>(siblings.size())))];
  };
  const GenreStyle& drums = neighbour();
  const bool same_bar = split(drums.bass, '|')[0].size() == static_cast<std::size_t>(steps_);
  if (random.chance(0.10f) && same_bar && drums.beats == style_.beats) drum_style_ = &drums;
  const GenreStyle& harmony = neighbour();
  if (random.chance(0.10f)) harmony_style_ = &harmony;
  const GenreStyle& palette = neighbour();
  if (random.chance(0.10f)) palette_style_ = &palette;
  const LanguageStyle& abroad = languages()[static_cast<std::size_t>(random.below(5))];
  const std::span<const GenreStyle> foreign = styles_of(abroad.language);
  const GenreStyle& guest = foreign[static_cast<std::size_t>(random.below(static_cast<int>(foreign.size())))];
  if (random.chance(0.04f)) palette_style_ = &guest;
}

/// A grid with a few ghost notes more and strokes fewer; energetic songs gain, quiet ones lose.
std::string Arrangement::mutated(std::string_view grid) {
  Random random(factors_.seed, drums_draw + 100 + static_cast<std::uint32_t>(drum_rows_.size()));
  std::string out(grid);
  for (char& c : out) {
    if (c == '.' && random.chance(0.02f + 0.06f * factors_.energy))
      c = 'o';
    else if (c == 'x' && random.chance(0.16f - 0.14f * factors_.energy))
      c = '.';
    else if (c == 'x' && random.chance(0.06f))
      c = 'X';
  }
  return out;
}

void Arrangement::choose_drums() {
  Random random(factors_.seed, drums_draw);
  DrumTuning tuning;
  tuning.pitch = static_cast<float>(exp2(random.uniform(-0.22f, 0.22f)));
  tuning.length = static_cast<float>(exp2(random.uniform(-0.6f, 0.4f)));
  tuning.brightness = factors_.brightness;
  const auto add_row = [&](std::string_view row, float gain) {
    const std::size_t colon = row.find(':');
    const int drum = find_drum(row.substr(0, colon));
    DrumRow out{mutated(row.substr(colon + 1)), {}, gain * random.uniform(0.75f, 1.2f)};
    for (int take = 0; take < 2; ++take) {
      out.hits[take] = render_drum(drum, tuning, sample_rate_, factors_.seed,
                                   static_cast<std::uint32_t>(200 + 2 * drum_rows_.size()) + take);
    }
    drum_rows_.push_back(std::move(out));
  };
  bool first = true;
  for (const std::string_view row : split(pick_alternative(drum_style_->drums, random), ';')) {
    add_row(row, first ? 1.0f : 0.62f);
    first = false;
  }
  if (random.chance(0.65f)) {
    add_row(split(language_.percussion, '|')[steps_ == 16 ? 0 : 1], 0.5f);
  }
  drums_gain_ = (0.25f + 0.75f * factors_.energy) * random.uniform(0.8f, 1.2f);
}

void Arrangement::choose_parts() {
  Random random(factors_.seed, parts_draw + 100);
  for (const std::string_view degree : split(pick_alternative(harmony_style_->progressions, random), ' ')) {
    progression_.push_back(degree[0] - '0');
  }
  bass_grid_ = pick_alternative(style_.bass, random);
  chord_grid_ = pick_alternative(style_.chords, random);
  bass_ = find_instrument(pick_weighted(palette_style_->bass_instruments, random));
  chords_ = find_instrument(pick_weighted(palette_style_->chord_instruments, random));
  const bool common = random.chance(0.3f);
  lead_ = find_instrument(pick_weighted(common ? language_.leads : palette_style_->lead_instruments, random));
  arpeggio_ = random.below(3);
  bass_gain_ = 0.42f * random.uniform(0.8f, 1.25f);
  chords_gain_ = 0.17f * random.uniform(0.75f, 1.3f);
  lead_gain_ = 0.36f * random.uniform(0.75f, 1.25f);
}

void Arrangement::compose_melody() {
  Random random(factors_.seed, melody_draw);
  phrases_[0] = compose_phrase(random);
  phrases_[1] = phrases_[0];
  for (std::size_t i = phrases_[1].size() * 2 / 3; i < phrases_[1].size(); ++i) {
    phrases_[1][i].degree += random.below(5) - 2;
  }
  phrases_[2] = compose_phrase(random);
  for (MelodyNote& note : phrases_[2]) note.degree += 2;
}

std::vector<Arrangement::MelodyNote> Arrangement::compose_phrase(Random& random) {
  const bool spoken = instrument(lead_).name == "rap_voice";
  const int beat = steps_per_beat(), length = 2 * steps_;
  const float density = style_.density * (0.7f + 0.6f * factors_.energy);
  const float ornament = std::min(0.8f, style_.ornament * random.uniform(0.6f, 1.4f));
  const auto weight = [&](int step) {
    return step % beat == 0 ? 1.0f : 2 * (step % beat) == beat ? 0.6f : 0.3f;
  };
  float total = 0.0f;
  for (int step = 0; step < beat; ++step) total += weight(step);
  const int rest = random.chance(0.7f) ? beat * std::max(1, style_.beats / 4) : 0;
  std::vector<MelodyNote> phrase;
  int degree = random.below(4);
  for (int step = 0; step < length - rest; ++step) {
    const bool onset = random.chance(std::min(0.97f, density * weight(step) / total));
    const int move = random.below(spoken ? 3 : 5) - (spoken ? 1 : 2);
    const bool strong = step % (2 * beat) == 0;
    const bool decorated = random.chance(strong ? ornament : 0.5f * ornament);
    const int kind = 1 + random.below(4);
    const int vowel_pick = random.below(static_cast<int>(language_.vowels.size()));
    const float gain = (strong ? 1.0f : 0.8f) * random.uniform(0.85f, 1.1f);
    if (!onset) continue;
    degree += move;
    if (degree > (spoken ? 2 : 8)) degree -= 3;
    if (degree < (spoken ? -1 : -3)) degree += 3;
    int sounding = degree;
    if (strong && !spoken) {  // strong beats sit on the bar's chord
      const int root = chord_degree(step / steps_);
      while ((sounding - root) % 2 != 0) ++sounding;
    }
    const auto vowel = std::string_view("aeiou").find(language_.vowels[static_cast<std::size_t>(vowel_pick)]);
    phrase.push_back({step, 1, sounding, decorated ? static_cast<Ornament>(kind) : Ornament::none,
                      static_cast<int>(vowel), gain});
  }
  for (std::size_t i = 0; i < phrase.size(); ++i) {
    const int next = i + 1 < phrase.size() ? phrase[i + 1].step : length - rest / 2;
    phrase[i].length = std::clamp(next - phrase[i].step, 1, 2 * beat);
  }
  return phrase;
}

std::vector<Arrangement::Section> Arrangement::plan_sections(int bars) {
  Random random(factors_.seed, sections_draw);
  std::vector<Section> plan(static_cast<std::size_t>(bars));
  const int intro = bars >= 8 ? random.below(3) : 0;
  const bool drums_in_intro = random.chance(0.6f);
  for (int bar = 0; bar < bars; ++bar) {
    Section& section = plan[static_cast<std::size_t>(bar)];
    if (bar < intro) {
      section.lead = section.bass = false;
      section.drums = drums_in_intro;
      continue;
    }
    const int group = (bar - intro) / 4, within = (bar - intro) % 4;
    // One draw a group of four bars: a break now and then, otherwise verse and chorus in turn.
    Random group_draw(factors_.seed, sections_draw + 100 + static_cast<std::uint32_t>(group));
    const float draw = group_draw.uniform();
    if (group > 0 && draw < 0.14f - 0.08f * factors_.energy) section.drums = false;
    if (group > 0 && draw > 0.93f) section.lead = false;
    if (group % 2 == 1) section.lift = 1.25f;
    section.opening = within == 0;
  }
  return plan;
}

long Arrangement::start_of(int bar, int step) {
  const double late = step % 2 == 1 ? swing_ : 0.0;
  const double human = 0.003 * timing_.uniform() * sample_rate_;
  return static_cast<long>((static_cast<double>(bar) * steps_ + step + late) * step_samples_ + human);
}

int Arrangement::chord_degree(int bar) const {
  const int degree = progression_[static_cast<std::size_t>(bar) % progression_.size()];
  return degree == 0 ? 0 : (degree - 1) % scale_.size;
}

bool Arrangement::is_drone(int bar) const {
  return progression_[static_cast<std::size_t>(bar) % progression_.size()] == 0;
}

int Arrangement::cents_of(int degree, int octave_base) const {
  return 100 * (octave_base + factors_.key) + static_cast<int>(100.0f * scale_.semitones(degree) + 0.5f);
}

std::vector<int> Arrangement::chord_cents(int bar) const {
  const int root = chord_degree(bar);
  std::vector<int> degrees = {root, root + 2, root + 4};
  if (is_drone(bar)) degrees = {0, fifth_degree(scale_), scale_.size};
  std::vector<int> cents;
  for (const int degree : degrees) {
    int pitch = cents_of(degree, 48) + 1200 * instrument(chords_).register_shift;
    while (pitch >= 6700 + 1200 * instrument(chords_).register_shift) pitch -= 1200;
    cents.push_back(pitch);
  }
  std::sort(cents.begin(), cents.end());
  return cents;
}

void Arrangement::mix_drums(std::span<float> out, int bar, const Section& section) {
  const bool fill = bar % 4 == 3;
  for (const DrumRow& row : drum_rows_) {
    for (int step = 0; step < steps_; ++step) {
      char c = row.grid[static_cast<std::size_t>(step)];
      const long start = start_of(bar, step);
      const float jitter = timing_.uniform(0.85f, 1.1f), draw = timing_.uniform();
      if (c == '.' && fill && step >= steps_ - steps_per_beat() && draw < 0.25f) c = 'x';
      const float stroke = c == 'X' ? 1.0f : c == 'x' ? 0.72f : c == 'o' ? 0.35f : 0.0f;
      if (stroke == 0.0f) continue;
      const float accent = section.opening && step == 0 ? 1.15f : 1.0f;
      add(out, start, row.hits[draw < 0.5f ? 0 : 1], drums_gain_ * row.gain * stroke * jitter * accent);
    }
  }
}

/// Steps that the character at `step` goes on for.
static int held_steps(std::string_view grid, int step) {
  int held = 1;
  while (step + held < static_cast<int>(grid.size()) && grid[static_cast<std::size_t>(step + held)] == '-')
    ++held;
  return held;
}

void Arrangement::mix_bass(std::span<float> out, int bar) {
  const int root = chord_degree(bar);
  for (int step = 0; step < steps_; ++step) {
    const char c = bass_grid_[static_cast<std::size_t>(step)];
    if (c < '1' || c > '8') continue;
    int degree = root + (c - '1');
    if (c == '8') degree = root + scale_.size;
    if (c == '5' && is_drone(bar)) degree = fifth_degree(scale_);
    int cents = cents_of(degree, 36);
    while (cents >= 5300) cents -= 1200;
    Note note;
    note.instrument = bass_;
    note.cents = cents;
    note.samples = length_of(held_steps(bass_grid_, step) - 0.08);
    const long start = start_of(bar, step);
    add(out, start, bank_.note(note), bass_gain_ * timing_.uniform(0.88f, 1.08f));
  }
}

void Arrangement::mix_chords(std::span<float> out, int bar, const Section& section) {
  const std::vector<int> cents = chord_cents(bar);
  const bool plucked = is_plucked(chords_);
  int count = 0;
  for (int step = 0; step < steps_; ++step) {
    const char c = chord_grid_[static_cast<std::size_t>(step)];
    if (c != 'X' && c != 'x' && c != 'a') continue;
    Note note;
    note.instrument = chords_;
    note.samples = length_of(held_steps(chord_grid_, step) - 0.08 + (plucked ? 1.0 : 0.0));
    const long start = start_of(bar, step);
    const float gain =
        chords_gain_ * section.lift * (c == 'x' ? 0.65f : 1.0f) * timing_.uniform(0.88f, 1.08f);
    if (c == 'a') {
      const int place = count++ % 4;
      const int up = place < 3 ? place : 1, down = place < 3 ? 2 - place : 1;
      note.cents = cents[static_cast<std::size_t>(arpeggio_ == 1 ? down : up)];
      if (arpeggio_ == 2 && place == 3) note.cents = cents[0] + 1200;
      add(out, start, bank_.note(note), 1.7f * gain);
      continue;
    }
    const long strum = plucked ? static_cast<long>(0.011 * sample_rate_) : 0;
    for (std::size_t i = 0; i < cents.size(); ++i) {
      note.cents = cents[i];
      add(out, start + strum * static_cast<long>(i), bank_.note(note), gain);
    }
  }
}

void Arrangement::mix_lead(std::span<float> out, int bar, const Section& section) {
  static constexpr int form[4] = {0, 1, 2, 0};
  const std::vector<MelodyNote>& phrase = phrases_[form[bar / 2 % 4]];
  const int first = bar % 2 * steps_;
  for (const MelodyNote& melody : phrase) {
    if (melody.step < first || melody.step >= first + steps_) continue;
    Note note;
    note.instrument = lead_;
    note.cents = cents_of(melody.degree, 60) + 1200 * instrument(lead_).register_shift;
    if (factors_.key > 6) note.cents -= 1200;
    note.samples = length_of(melody.length - 0.1);
    note.ornament = melody.ornament;
    note.vowel = instrument(lead_).synthesis == Synthesis::voice ? melody.vowel : 0;
    add(out, start_of(bar, melody.step - first), bank_.note(note), lead_gain_ * section.lift * melody.gain);
  }
}

void Arrangement::mix(std::span<float> drums, std::span<float> music) {
  const int bars = static_cast<int>(static_cast<double>(music.size()) / (step_samples_ * steps_)) + 1;
  const std::vector<Section> plan = plan_sections(bars);
  for (int bar = 0; bar < bars; ++bar) {
    const Section& section = plan[static_cast<std::size_t>(bar)];
    if (section.drums) mix_drums(drums, bar, section);
    if (section.bass) mix_bass(music, bar);
    if (section.chords) mix_chords(music, bar, section);
    if (section.lead) mix_lead(music, bar, section);
  }
}

}  // namespace chorale::data::synth

// SPDX-License-Identifier: MIT
#include "data/synth/melody.h"

#include <algorithm>
#include <charconv>

#include "data/synth/purposes.h"
#include "data/synth/text_table.h"

namespace chorale::data::synth {
namespace {

constexpr int lowest = -3, highest = 9;

std::vector<int> numbers(std::string_view text) {
  std::vector<int> out;
  for (const std::string_view word : split(text, ' ')) {
    int value = 0;
    std::from_chars(word.data(), word.data() + word.size(), value);
    out.push_back(value - 1);  // tables count from 1
  }
  return out;
}

/// Height of a phrase over its course, 0..1 at place 0..1.
float shape(int kind, float place) {
  switch (kind) {
    case 0:  // an arch
      return 4.0f * place * (1.0f - place);
    case 1:  // falling
      return 1.0f - place;
    case 2:  // rising
      return place;
    default:  // two waves
      return place < 0.5f ? 8.0f * place * (0.5f - place) : 8.0f * (place - 0.5f) * (1.0f - place);
  }
}

}  // namespace

Composer::Composer(const Timeline& timeline, const Harmony& harmony, const GenreStyle& style,
                   const LanguageStyle& language, float ornament, std::uint64_t seed)
    : timeline_(timeline),
      harmony_(harmony),
      style_(style),
      language_(language),
      ornament_(ornament),
      seed_(seed) {}

float Composer::weight(int step) const {
  const int beat = std::max(1, timeline_.steps_per_beat()), within = step % beat;
  if (step == 0) return 1.0f;
  if (within == 0) return 0.8f;
  // Halves of a beat, or thirds of one that has three or six steps.
  const bool half = beat % 3 == 0 ? within % (beat / 3) == 0 && beat > 3 : 2 * within == beat;
  return (half ? 0.45f : 0.15f) + (half ? 0.5f : 0.35f) * style_.syncopation;
}

std::vector<int> Composer::onsets(const PhraseRequest& request, int usable) const {
  Random random(seed_, melody_draw + 3 * request.role);
  // A weighted choice without repetition (Efraimidis and Spirakis 2006): the largest of u^(1/w). Even
  // languages weigh all steps more alike.
  std::vector<std::pair<double, int>> keys;
  for (int step = 0; step < usable; ++step) {
    const float w = weight(step % timeline_.steps);
    const float even = request.spoken ? 0.7f : 0.45f * language_.evenness;
    const double u = 0.002 + 0.996 * random.uniform();
    keys.emplace_back(log2(u) / static_cast<double>(w + even * (0.5f - w)), step);
  }
  std::sort(keys.begin(), keys.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  std::vector<int> steps;
  for (std::size_t i = 0; i < std::min(keys.size(), static_cast<std::size_t>(request.notes)); ++i)
    steps.push_back(keys[i].second);
  std::sort(steps.begin(), steps.end());
  if (!request.syllables.empty()) stress(request, steps);
  return steps;
}

void Composer::stress(const PhraseRequest& request, std::vector<int>& steps) const {
  Random random(seed_, melody_draw + 3 * request.role + 800000u);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const bool wanted = random.chance(1.0f - language_.evenness);
    if (!request.syllables[i].stressed || !wanted) continue;
    const int first = i == 0 ? 0 : steps[i - 1] + 1,
              last = i + 1 < steps.size() ? steps[i + 1] - 1 : steps[i];
    for (int step = first; step <= last; ++step) {
      if (weight(step % timeline_.steps) > weight(steps[i] % timeline_.steps)) steps[i] = step;
    }
  }
}

std::vector<int> Composer::contour(const PhraseRequest& request, const std::vector<int>& steps) const {
  Random random(seed_, melody_draw + 3 * request.role + 1);
  const int kind = random.below(4), beat = std::max(1, timeline_.steps_per_beat());
  const float base = static_cast<float>(random.below(3) + request.lift - 1),
              height = random.uniform(2.5f, 6.0f);
  int degree = static_cast<int>(base) + random.below(3);
  std::vector<int> out;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const float place =
        static_cast<float>(i) / static_cast<float>(std::max<std::size_t>(1, steps.size() - 1));
    const float wanted = base + height * shape(kind, place) + 1.4f * random.normal();
    const float gap = wanted - static_cast<float>(degree);
    const bool leap = random.chance(0.12f), stay = random.chance(0.15f);
    int move = gap > 0.4f ? 1 : gap < -0.4f ? -1 : 0;
    if (gap > 2.0f || gap < -2.0f) move *= 2;
    if (leap) move *= 2;
    if (stay) move = 0;
    degree = std::clamp(degree + move, lowest, highest);
    int sounding = degree;
    if (!harmony_.modal() && steps[i] % (2 * beat) == 0) {  // strong beats sit on the bar's chord
      const int within = steps[i] % timeline_.steps;
      const Chord& chord = harmony_.at(request.first_bar + steps[i] / timeline_.steps,
                                       static_cast<double>(within) / timeline_.steps);
      sounding = harmony_.nearest_chord_degree(chord, degree);
    }
    out.push_back(sounding);
  }
  close(request, out, random);
  return out;
}

void Composer::close(const PhraseRequest& request, std::vector<int>& degrees, Random& random) const {
  const Scale& scale = harmony_.scale();
  const std::vector<std::string_view> turns = split(scale.phrases, '|');
  const std::vector<int> rests = numbers(scale.rests);
  const bool turn_wanted = random.chance(harmony_.modal() ? 0.75f : 0.35f);
  const int which = turns.empty() ? 0 : random.below(static_cast<int>(turns.size()));
  const auto rest = static_cast<std::size_t>(random.below(static_cast<int>(rests.size())));
  if (degrees.empty()) return;
  if (turn_wanted && !turns.empty()) {
    const std::vector<int> turn = numbers(turns[static_cast<std::size_t>(which)]);
    const std::size_t count = std::min(turn.size(), degrees.size());
    for (std::size_t i = 0; i < count; ++i)
      degrees[degrees.size() - count + i] = turn[turn.size() - count + i];
    if (request.closing || degrees.back() == 0) return;
  }
  int target = request.closing ? rests.front() : rests[rest];
  while (degrees.back() - target > scale.size / 2) target += scale.size;  // in the octave at hand
  degrees.back() = target;
  if (degrees.size() > 1) {  // approached by step
    int& before = degrees[degrees.size() - 2];
    before = std::clamp(before, target - 2, target + 2);
  }
}

std::vector<MelodyNote> Composer::decorated(const PhraseRequest& request,
                                            const std::vector<MelodyNote>& notes) const {
  static constexpr int figures[5][3] = {{1, 0, 0}, {-1, 0, 0}, {1, -1, 0}, {1, 2, 1}, {-1, -2, -1}};
  static constexpr int figure_size[5] = {2, 2, 3, 3, 3};
  static constexpr Ornament kinds[6] = {Ornament::slide_up, Ornament::turn,     Ornament::shake,
                                        Ornament::trill,    Ornament::slide_up, Ornament::slide_down};
  Random random(seed_, melody_draw + 3 * request.role + 2);
  const double step_s = timeline_.step_samples / timeline_.sample_rate;
  const bool sung = !request.syllables.empty();
  std::vector<MelodyNote> out;
  for (const MelodyNote& note : notes) {
    const bool split_wanted =
        random.chance(std::min(0.9f, (sung ? language_.melisma : 0.4f) * 2.0f * ornament_));
    const bool ornament_wanted = random.chance(ornament_);
    const int figure = random.below(5), kind = random.below(6);
    MelodyNote main = note;
    const double seconds = note.length * step_s;
    if (!split_wanted || seconds < 0.42 || request.spoken) {
      if (ornament_wanted && !request.spoken && seconds > 0.12) main.ornament = kinds[kind];
      out.push_back(main);
      continue;
    }
    // The first half on the note itself, then the figure.
    main.length = 0.5 * note.length;
    out.push_back(main);
    const int count = figure_size[figure];
    for (int i = 0; i < count; ++i) {
      MelodyNote part = note;
      part.length = 0.5 * note.length / count;
      part.step = note.step + main.length + i * part.length;
      part.degree = note.degree + static_cast<float>(figures[figure][i]);
      part.slurred = true;
      part.syllable = -1;
      out.push_back(part);
    }
  }
  return out;
}

std::vector<MelodyNote> Composer::phrase(const PhraseRequest& request) const {
  const int length = request.bars * timeline_.steps, beat = std::max(1, timeline_.steps_per_beat());
  const int rest = std::min(length / 3, request.spoken ? beat / 2 : beat + beat / 2);
  const std::vector<int> steps = onsets(request, std::max(1, length - rest));
  const std::vector<int> degrees = contour(request, steps);
  Random random(seed_, melody_draw + 3 * request.role + 900000u);
  std::vector<MelodyNote> notes;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    MelodyNote note;
    note.step = steps[i];
    const int next = i + 1 < steps.size() ? steps[i + 1] : length - rest / 2;
    note.length = std::min(static_cast<double>(next - steps[i]), 2.5 * beat) * (request.spoken ? 0.9 : 0.97);
    note.degree = static_cast<float>(degrees[i]);
    const bool strong = steps[i] % beat == 0;
    note.gain = (strong ? 1.0f : 0.85f) * random.uniform(0.88f, 1.08f);
    if (request.spoken) {  // speech moves within a few semitones, and falls
      note.degree = 0.0f;
      note.cents = 300.0f * random.normal() * 0.5f + (strong ? 120.0f : 0.0f) -
                   150.0f * static_cast<float>(i) / static_cast<float>(steps.size());
      if (i + 1 == steps.size()) note.ornament = Ornament::fall_off;
    }
    if (!request.syllables.empty()) {
      note.syllable = static_cast<int>(i);
      if (request.syllables[i].stressed) note.gain *= 1.1f;
    }
    notes.push_back(note);
  }
  return decorated(request, notes);
}

}  // namespace chorale::data::synth

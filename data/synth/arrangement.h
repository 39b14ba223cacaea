// SPDX-License-Identifier: MIT
// From factors to sound: which groove, instruments, singer and melodies a song has, and where they play.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "data/synth/accompaniment.h"
#include "data/synth/drummer.h"
#include "data/synth/melody.h"
#include "data/synth/singer.h"

namespace chorale::data::synth {

/// The groove that draw_factors drew the metre and tempo of, or the nearest to them that the style has.
const Groove& groove_of(const GenreStyle& style, const SongFactors& factors);

/// The singer of a song: register, formants and manner.
struct SingerChoice {
  const Manner* manner = nullptr;
  Voice voice;
  float centre_cents = 5500.0f;  ///< about which the melody lies
};

SingerChoice choose_singer(const SongFactors& factors, const GenreStyle& style,
                           const LanguageStyle& language);

/// Three buses of a song's length.
struct Buses {
  std::span<float> drums, music, voice;
};

class Arrangement {
 public:
  Arrangement(const SongFactors& factors, double sample_rate, std::size_t samples);
  Arrangement(const Arrangement&) = delete;
  Arrangement& operator=(const Arrangement&) = delete;
  /// Adds the song to the buses, which are silent before.
  void mix(const Buses& buses);
  const std::vector<long>& pulses() const { return drummer_.pulses(); }
  double beat_samples() const { return timeline_.step_samples * timeline_.steps_per_beat(); }
  const Mix& recording() const { return style_.mix; }

 private:
  using SungLine = std::vector<Syllable>;

  void choose_parts();
  void read_words();
  int pick(std::string_view instruments, Random& random) const;
  void play_section(const Section& section, const Buses& buses);
  void sing_section(const Section& section);
  void lead_section(const Section& section);
  /// Puts a phrase at its bars, as notes of a line whose tonic is `tonic_cents`.
  void place(const std::vector<MelodyNote>& phrase, int first_bar, float tonic_cents, int first_syllable,
             std::vector<LineNote>& out);
  /// The tonic nearest to `centre` that puts melodies about it.
  float tonic_near(float centre_cents) const;
  void perform(const Buses& buses);

  const SongFactors& factors_;
  const GenreStyle& style_;
  const LanguageStyle& language_;
  const GenreStyle& palette_;  ///< whose instruments play
  const Groove& groove_;
  Timeline timeline_;
  Harmony harmony_;
  Tone tone_;
  NoteBank bank_;
  Drummer drummer_;
  Accompaniment band_;
  SingerChoice singer_;
  Composer composer_;
  Random timing_;
  Part bass_, chords_, pad_, riff_, drone_;
  int lead_ = -1, second_lead_ = -1, double_ = -1;
  float lead_gain_ = 0.3f;
  bool backing_ = false;
  std::vector<SungLine> verse_, refrain_;
  std::size_t next_verse_line_ = 0;
  std::vector<Syllable> sung_;  ///< every syllable in the order it is sung
  std::vector<LineNote> voice_notes_, lead_notes_[2];
  std::vector<LineNote> backing_notes_;
};

}  // namespace chorale::data::synth

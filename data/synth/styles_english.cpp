// SPDX-License-Identifier: MIT
// The English genres of the demo corpus; see styles.h for the notation.
#include "data/synth/styles.h"

namespace chorale::data::synth {
namespace {

// clang-format off
constexpr GenreStyle table[] = {
    {.genre = "pop", .language = "english",
     .tempo_low = 96, .tempo_high = 128, .beats = 4, .energy = 0.6f, .brightness = 0.6f, .swing = 0.02f,
     .scales = "major:3 minor:2 mixolydian", .progressions = "1 5 6 4|6 4 1 5|1 4 6 5",
     .drums = "kick:X.......X.x.....;"
              "snare:....X.......X...;"
              "hat:x.x.x.x.x.x.x.x.|"
              "kick:X...X...X...X...;"
              "clap:....X.......X...;"
              "open_hat:..x...x...x...x.",
     .bass = "1-1-1-1-1-1-1-1-|1-----1-1-------", .bass_instruments = "electric_bass:2 synth_bass:2",
     .chords = "X-------X-------|X--x--x-X--x--x-", .chord_instruments = "piano:2 saw_pad electric_guitar pluck_synth",
     .lead_instruments = "voice:5 synth_lead", .density = 1.4f, .ornament = 0.12f},
    {.genre = "rock", .language = "english",
     .tempo_low = 100, .tempo_high = 152, .beats = 4, .energy = 0.8f, .brightness = 0.62f, .swing = 0.0f,
     .scales = "minor:2 major:2 mixolydian:2 blues", .progressions = "1 7 4 1|1 4 5 4|6 4 1 5",
     .drums = "kick:X.x.....X.x.....;"
              "snare:....X.......X...;"
              "hat:X.x.X.x.X.x.X.x.|"
              "kick:X...x.x...x.....;"
              "snare:....X.......X..x;"
              "ride:X.x.X.x.X.x.X.x.",
     .bass = "1-1-1-1-1-1-1-1-", .bass_instruments = "electric_bass",
     .chords = "X-x-X-x-X-x-X-x-|X-------X-x-X-x-", .chord_instruments = "distorted_guitar:4 electric_guitar",
     .lead_instruments = "voice:3 distorted_guitar:2 low_voice", .density = 1.2f, .ornament = 0.12f},
    {.genre = "hiphop", .language = "english",
     .tempo_low = 78, .tempo_high = 102, .beats = 4, .energy = 0.62f, .brightness = 0.42f, .swing = 0.1f,
     .scales = "minor:3 dorian pentatonic_minor:2", .progressions = "1 1 6 7|1 1 4 4|1 6 1 7",
     .drums = "kick_808:X..x......xx....;"
              "snare_tight:....X.......X...;"
              "hat:x.xxx.x.x.xxx.xx|"
              "kick:X.....x..x......;"
              "clap:....X.......X...;"
              "hat:x.x.x.x.x.x.xxx.",
     .bass = "1--1------11----|1-----1--1------", .bass_instruments = "sub_bass:3 synth_bass",
     .chords = "X---------------|..x...x...x...x.", .chord_instruments = "electric_piano:2 strings pluck_synth piano",
     .lead_instruments = "rap_voice:5 voice", .density = 2.6f, .ornament = 0.03f},
    {.genre = "jazz", .language = "english",
     .tempo_low = 100, .tempo_high = 190, .beats = 4, .energy = 0.42f, .brightness = 0.45f, .swing = 0.0f,
     .scales = "dorian:2 mixolydian:2 major blues", .progressions = "2 5 1 1|1 6 2 5|1 4 1 5",
     .drums = "ride:X..x.xX..x.x;"
              "hat:...X.....X..;"
              "kick_soft:o.....o.....|"
              "ride:X..X.xX..X.x;"
              "hat:...X.....X..;"
              "brush:X..x..X..x..",
     .bass = "1..3..5..6..|1..2..3..5..", .bass_instruments = "upright_bass",
     .chords = "X....x......|..x..X.....x", .chord_instruments = "piano:3 electric_guitar",
     .lead_instruments = "saxophone:3 trumpet:2 piano clarinet voice", .density = 1.7f, .ornament = 0.25f},
    {.genre = "electronic", .language = "english",
     .tempo_low = 118, .tempo_high = 140, .beats = 4, .energy = 0.78f, .brightness = 0.7f, .swing = 0.0f,
     .scales = "minor:3 phrygian dorian", .progressions = "1 1 6 7|1 1 1 1|6 7 1 1",
     .drums = "kick:X...X...X...X...;"
              "clap:....X.......X...;"
              "open_hat:..X...X...X...X.;"
              "hat:xxxxxxxxxxxxxxxx|"
              "kick:X...X...X...X...;"
              "hat:..x...x...x...xx;"
              "electro_tom:...x......x..x..",
     .bass = "..1-..1-..1-..1-|1.11.11.1.11.11.", .bass_instruments = "synth_bass",
     .chords = "aaaaaaaaaaaaaaaa|X--X--X---X--X--", .chord_instruments = "saw_stab:2 pluck_synth:2 saw_pad",
     .lead_instruments = "synth_lead:3 pluck_synth:2 voice", .density = 1.5f, .ornament = 0.04f},
    {.genre = "country", .language = "english",
     .tempo_low = 92, .tempo_high = 140, .beats = 4, .energy = 0.55f, .brightness = 0.58f, .swing = 0.04f,
     .scales = "major:4 mixolydian pentatonic_major", .progressions = "1 4 1 5|1 5 4 1|1 4 5 1",
     .drums = "kick:X.......X.......;"
              "snare:..x...x...x...x.;"
              "brush:x.x.x.x.x.x.x.x.|"
              "kick:X...X...X...X...;"
              "rim:....X.......X...;"
              "hat:x.x.x.x.x.x.x.x.",
     .bass = "1-..5-..1-..5-..|1---5---1---5---", .bass_instruments = "upright_bass electric_bass:2",
     .chords = "..X...X...X...X.|X.x.X.xxX.x.X.xx", .chord_instruments = "steel_guitar:4 banjo:2",
     .lead_instruments = "voice:3 fiddle:2 steel_guitar low_voice", .density = 1.3f, .ornament = 0.2f},
    {.genre = "rnb", .language = "english",
     .tempo_low = 62, .tempo_high = 98, .beats = 4, .energy = 0.45f, .brightness = 0.48f, .swing = 0.08f,
     .scales = "minor:2 dorian:2 major", .progressions = "4 3 2 1|1 6 2 5|6 5 4 4",
     .drums = "kick_808:X......x..x.....;"
              "clap:....X.......X...;"
              "hat:x.x.x.xxx.x.x.x.|"
              "kick_soft:X.x.......x.....;"
              "rim:....X.......X...;"
              "shaker:x.xxx.xxx.xxx.xx",
     .bass = "1------1--1-----|1-5-----1-3-----", .bass_instruments = "sub_bass:2 electric_bass",
     .chords = "X-------x-------|X-----x---x-----", .chord_instruments = "electric_piano:4 saw_pad",
     .lead_instruments = "voice:6 electric_piano", .density = 1.5f, .ornament = 0.4f},
};
// clang-format on

}  // namespace

std::span<const GenreStyle> english_styles() { return table; }

}  // namespace chorale::data::synth

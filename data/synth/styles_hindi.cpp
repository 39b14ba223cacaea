// SPDX-License-Identifier: MIT
// The Hindi genres of the demo corpus; see styles.h for the notation.
#include "data/synth/styles.h"

namespace chorale::data::synth {
namespace {

// clang-format off
constexpr GenreStyle table[] = {
    {.genre = "bollywood_classic", .language = "hindi",
     .tempo_low = 82, .tempo_high = 126, .beats = 4, .energy = 0.5f, .brightness = 0.48f, .swing = 0.03f,
     .scales = "yaman:2 khamaj kafi major bhairavi", .progressions = "1 4 5 1|1 6 4 5|0 0 4 1",
     .drums = "dholak_low:X.....x.x.......;"
              "dholak_high:..x.x.x...x.x.x.;"
              "tambourine:....x.......x...|"
              "tabla_ge:X.......x.x.....;"
              "tabla_na:..x.x.x...x.x.xx",
     .bass = "1---5---1---5---|1-----5---------", .bass_instruments = "upright_bass:2 electric_bass",
     .chords = "..X...X...X...X.|a.a.a.a.a.a.a.a.", .chord_instruments = "accordion nylon_guitar santoor:2",
     .lead_instruments = "voice:3 violin:2 sitar flute strings", .density = 1.5f, .ornament = 0.45f},
    {.genre = "bollywood_modern", .language = "hindi",
     .tempo_low = 92, .tempo_high = 132, .beats = 4, .energy = 0.74f, .brightness = 0.64f, .swing = 0.02f,
     .scales = "minor:2 kafi bhairavi major", .progressions = "6 4 1 5|1 6 7 1|1 1 6 7",
     .drums = "kick:X...X...X...X...;"
              "dholak_high:..x.x.x...x.x.x.;"
              "clap:....X.......X...|"
              "kick_808:X..x..x.X.......;"
              "snare:....X.......X...;"
              "dholak_low:..x...x...x...x.;"
              "hat:x.x.x.xxx.x.x.xx",
     .bass = "1-1-1-1-1-1-1-1-|1--1--1-1-------", .bass_instruments = "synth_bass:2 sub_bass",
     .chords = "X--x--x-X--x--x-|X-------X-------", .chord_instruments = "saw_stab saw_pad strings pluck_synth",
     .lead_instruments = "voice:4 synth_lead sitar shehnai", .density = 1.6f, .ornament = 0.3f},
    {.genre = "bollywood_patriotic", .language = "hindi",
     .tempo_low = 84, .tempo_high = 120, .beats = 4, .energy = 0.6f, .brightness = 0.55f, .swing = 0.0f,
     .scales = "major:4 bhupali khamaj", .progressions = "1 4 5 1|1 5 6 4|4 5 1 1",
     .drums = "march_snare:X.xxX.xxX.xxXxxx;"
              "kick:X.......X.......|"
              "march_snare:X..xX..xX.xxX...;"
              "kick:X...X...X...X...;"
              "crash:X...............",
     .bass = "1---5---1---5---", .bass_instruments = "tuba:2 electric_bass",
     .chords = "X-------X-------|X---X---X---X---", .chord_instruments = "brass:2 strings:2 choir:2",
     .lead_instruments = "choir:2 voice:2 trumpet strings flute", .density = 1.0f, .ornament = 0.18f},
    {.genre = "bollywood_pop", .language = "hindi",
     .tempo_low = 94, .tempo_high = 130, .beats = 4, .energy = 0.64f, .brightness = 0.6f, .swing = 0.02f,
     .scales = "major:2 minor:2 kafi", .progressions = "1 5 6 4|6 4 1 5|1 6 4 5",
     .drums = "kick:X.......X.x.....;"
              "snare:....X.......X...;"
              "dholak_high:..x.x.x...x.x.x.|"
              "dholak_low:X.....x.X.....x.;"
              "dholak_high:..x.x.x...x.x.xx;"
              "clap:....x.......x...",
     .bass = "1-1-1-1-1-1-1-1-|1---5---1---5---", .bass_instruments = "electric_bass synth_bass",
     .chords = "X--x--x-X--x--x-|a.a.a.a.a.a.a.a.", .chord_instruments = "nylon_guitar strings:2 electric_piano",
     .lead_instruments = "voice:4 strings bansuri", .density = 1.6f, .ornament = 0.35f},
    {.genre = "indipop", .language = "hindi",
     .tempo_low = 92, .tempo_high = 126, .beats = 4, .energy = 0.58f, .brightness = 0.58f, .swing = 0.02f,
     .scales = "major:2 minor mixolydian", .progressions = "1 4 6 5|1 5 4 4|6 5 4 5",
     .drums = "kick:X.....x.X.......;"
              "snare:....X.......X...;"
              "tabla_na:..x.x.x...x.x.x.|"
              "kick:X...X...X...X...;"
              "rim:....x.......x...;"
              "shaker:x.xxx.xxx.xxx.xx",
     .bass = "1-----1-1-------|1-1-5-5-1-1-5-5-", .bass_instruments = "electric_bass:2 synth_bass",
     .chords = "X.x.X.xxX.x.X.xx|X-------X-------", .chord_instruments = "steel_guitar:2 nylon_guitar electric_piano",
     .lead_instruments = "voice:5 flute electric_guitar", .density = 1.4f, .ornament = 0.25f},
};
// clang-format on

}  // namespace

std::span<const GenreStyle> hindi_styles() { return table; }

}  // namespace chorale::data::synth

// SPDX-License-Identifier: MIT
// The Bangla genres of the demo corpus; see styles.h for the notation.
#include "data/synth/styles.h"

namespace chorale::data::synth {
namespace {

// clang-format off
constexpr GenreStyle table[] = {
    {.genre = "adhunik", .language = "bangla",
     .tempo_low = 78, .tempo_high = 116, .beats = 4, .energy = 0.45f, .brightness = 0.5f, .swing = 0.02f,
     .scales = "major:2 minor:2 kafi", .progressions = "1 6 4 5|1 4 5 1|6 4 5 1",
     .drums = "tabla_ge:X.......x.x.....;"
              "tabla_na:..x.x.x...x.x.x.;"
              "shaker:x.x.x.x.x.x.x.x.|"
              "kick_soft:X.......X.......;"
              "rim:....x.......x...;"
              "tabla_na:..xx..x...xx..x.",
     .bass = "1-----5-1-------", .bass_instruments = "electric_bass",
     .chords = "a.a.a.a.a.a.a.a.|X-------X-------", .chord_instruments = "nylon_guitar:2 strings:2 piano",
     .lead_instruments = "voice:4 violin bansuri", .density = 1.3f, .ornament = 0.3f},
    {.genre = "bengali_rock", .language = "bangla",
     .tempo_low = 94, .tempo_high = 142, .beats = 4, .energy = 0.76f, .brightness = 0.58f, .swing = 0.0f,
     .scales = "minor:3 major dorian", .progressions = "1 6 7 1|6 4 1 5|1 7 6 7",
     .drums = "kick:X.x.....X.x.....;"
              "snare:....X.......X...;"
              "hat:x.x.x.x.x.x.x.x.|"
              "kick:X.....x.X.......;"
              "snare:....X.......X..x;"
              "crash:X...............;"
              "hat:X.x.X.x.X.x.X.x.",
     .bass = "1-1-1-1-1-1-1-1-", .bass_instruments = "electric_bass",
     .chords = "X-x-X-x-X-x-X-x-|X-------X-------", .chord_instruments = "distorted_guitar:3 electric_guitar:2",
     .lead_instruments = "voice:4 distorted_guitar electric_guitar", .density = 1.2f, .ornament = 0.18f},
    {.genre = "folk_baul", .language = "bangla",
     .tempo_low = 96, .tempo_high = 142, .beats = 4, .energy = 0.6f, .brightness = 0.6f, .swing = 0.06f,
     .scales = "mixolydian:2 pentatonic_major:2 kafi bhupali", .progressions = "0 0 0 0|1 1 4 1|1 5 1 1",
     .drums = "dholak_low:X.....x.X.....x.;"
              "dholak_high:..x.xx.x..x.xx.x;"
              "manjira:x...x...x...x...|"
              "dholak_low:X..x....X..x....;"
              "dholak_high:..x.x.x...x.x.xx",
     .bass = "1-..1-..5-..1-..", .bass_instruments = "upright_bass dotara",
     .chords = "a.aaa.aaa.aaa.aa|X.xxX.xxX.xxX.xx", .chord_instruments = "dotara:4 harmonium",
     .lead_instruments = "voice:3 bansuri:2 dotara:2", .density = 1.8f, .ornament = 0.3f},
    {.genre = "nazrul_geeti", .language = "bangla",
     .tempo_low = 74, .tempo_high = 122, .beats = 4, .energy = 0.42f, .brightness = 0.46f, .swing = 0.0f,
     .scales = "bhairavi:2 kafi:2 khamaj harmonic_minor", .progressions = "0 0 0 0|1 1 4 1|1 4 5 1",
     .drums = "tabla_ge:X.......x..x....;"
              "tabla_na:..x.x.x...x.x.x.|"
              "tabla_ge:X.x.....x.......;"
              "tabla_na:....x.xx..x.x.x.;"
              "tabla_tin:..x.......x.....",
     .bass = "1-------1-------", .bass_instruments = "drone upright_bass",
     .chords = "X---------------|X-------x-------", .chord_instruments = "harmonium:4 drone",
     .lead_instruments = "voice:4 violin harmonium", .density = 1.5f, .ornament = 0.6f},
    {.genre = "rabindra_sangeet", .language = "bangla",
     .tempo_low = 84, .tempo_high = 132, .beats = 3, .energy = 0.3f, .brightness = 0.4f, .swing = 0.0f,
     .scales = "major:2 dorian mixolydian:2 yaman", .progressions = "0 0 0 0|1 4 1 5|1 6 4 1",
     .drums = "tabla_ge:X.....o.....;"
              "tabla_na:..x.x...x.x.|"
              "frame:X...........;"
              "tabla_tin:....x...x...",
     .bass = "1-----------", .bass_instruments = "drone:2 upright_bass",
     .chords = "X-----------|X...x...x...", .chord_instruments = "harmonium:4 piano nylon_guitar",
     .lead_instruments = "voice:4 esraj:3 flute", .density = 1.1f, .ornament = 0.4f},
};
// clang-format on

}  // namespace

std::span<const GenreStyle> bangla_styles() { return table; }

}  // namespace chorale::data::synth

// SPDX-License-Identifier: MIT
// The Spanish genres of the demo corpus; see styles.h for the notation.
#include "data/synth/styles.h"

namespace chorale::data::synth {
namespace {

// clang-format off
constexpr GenreStyle table[] = {
    {.genre = "bachata", .language = "spanish",
     .tempo_low = 116, .tempo_high = 142, .beats = 4, .energy = 0.55f, .brightness = 0.62f, .swing = 0.0f,
     .scales = "minor:3 major:2", .progressions = "1 7 6 5|1 4 5 1|6 4 1 5",
     .drums = "guira:X.xxX.xxX.xxX.xx;"
              "bongo_high:x.x.x.x.x.x.X.x.;"
              "bongo_low:......x.......X.|"
              "guira:X.xxX.xxX.xxX.xx;"
              "bongo_high:X.x.X.x.X.x...x.;"
              "bongo_low:............X...;"
              "kick_soft:X.......X.......",
     .bass = "1-..5-..8-..5-..|1---..5-1---....", .bass_instruments = "electric_bass",
     .chords = "a.a.a.a.a.a.a.a.", .chord_instruments = "requinto:4 steel_guitar electric_guitar",
     .lead_instruments = "voice:4 requinto:3", .density = 1.5f, .ornament = 0.25f},
    {.genre = "banda", .language = "spanish",
     .tempo_low = 104, .tempo_high = 152, .beats = 4, .energy = 0.76f, .brightness = 0.62f, .swing = 0.0f,
     .scales = "major:5 mixolydian", .progressions = "1 5 5 1|1 4 5 1|1 1 5 5",
     .drums = "tambora:X...X...X...X...;"
              "march_snare:..x...x...x...xx;"
              "crash:..x...x...x...x.|"
              "tambora:X.......X.......;"
              "march_snare:....X..x....X.xx;"
              "timbale:..x...x...x...x.",
     .bass = "1...5...1...5...", .bass_instruments = "tuba",
     .chords = "..X...X...X...X.|..X...X...X.X.X.", .chord_instruments = "brass:4 clarinet",
     .lead_instruments = "trumpet:2 clarinet:2 brass:2 voice:2", .density = 1.7f, .ornament = 0.2f},
    {.genre = "bolero", .language = "spanish",
     .tempo_low = 78, .tempo_high = 108, .beats = 4, .energy = 0.3f, .brightness = 0.42f, .swing = 0.0f,
     .scales = "minor:2 major:2 harmonic_minor", .progressions = "1 6 2 5|1 4 5 1|4 1 5 1",
     .drums = "maracas:X.xxX.xxX.xxX.xx;"
              "bongo_high:x.x.x.x.x.x.x.x.;"
              "bongo_low:......x.......x.|"
              "maracas:x.x.x.x.x.x.x.x.;"
              "conga_low:............x.x.;"
              "conga_high:....x...........",
     .bass = "1-----5-8-------|1-------5---8---", .bass_instruments = "upright_bass",
     .chords = "a.a.a.a.a.a.a.a.|X---..x-X---x---", .chord_instruments = "nylon_guitar:4 piano",
     .lead_instruments = "voice:4 requinto:2 trumpet strings", .density = 1.0f, .ornament = 0.3f},
    {.genre = "corrido", .language = "spanish",
     .tempo_low = 104, .tempo_high = 148, .beats = 3, .energy = 0.56f, .brightness = 0.55f, .swing = 0.0f,
     .scales = "major:4 mixolydian", .progressions = "1 1 5 5|1 4 5 1|1 5 5 1",
     .drums = "kick:X...........;"
              "snare:....x...x...|"
              "kick_soft:X...........;"
              "rim:....x...x...;"
              "hat:x...x...x...",
     .bass = "1...........|1.......5...", .bass_instruments = "tuba:2 guitarron upright_bass",
     .chords = "....X...X...", .chord_instruments = "steel_guitar:3 accordion requinto",
     .lead_instruments = "voice:3 accordion:2 requinto:2", .density = 1.4f, .ornament = 0.15f},
    {.genre = "flamenco", .language = "spanish",
     .tempo_low = 92, .tempo_high = 136, .beats = 4, .energy = 0.55f, .brightness = 0.58f, .swing = 0.0f,
     .scales = "phrygian_dominant:3 phrygian:2", .progressions = "4 3 2 1|1 2 3 2|1 1 2 1",
     .drums = "palmas:X..X..X.X.X.;"
              "cajon_low:X.....X.....;"
              "cajon_high:..x..x..x.x.|"
              "palmas:.xx.xx.xx.xx;"
              "cajon_low:X..X..X.....",
     .bass = "1-....1-....", .bass_instruments = "nylon_guitar",
     .chords = "X..x..X.x.X.|aaaaaaaaaaaa", .chord_instruments = "nylon_guitar:6",
     .lead_instruments = "voice:3 nylon_guitar:4", .density = 2.0f, .ornament = 0.6f},
    {.genre = "flamenco_pop", .language = "spanish",
     .tempo_low = 92, .tempo_high = 122, .beats = 4, .energy = 0.64f, .brightness = 0.6f, .swing = 0.02f,
     .scales = "phrygian_dominant minor:2 harmonic_minor", .progressions = "4 3 2 1|6 5 4 3|1 4 7 3",
     .drums = "palmas:..x...xx..x...xx;"
              "cajon_low:X..x....X..x....;"
              "cajon_high:....X.......X.x.|"
              "kick:X.......X.x.....;"
              "clap:....X.......X...;"
              "palmas:..xx..x...xx..x.",
     .bass = "1-----1-5-------|1-1-..1-5-5-..5-", .bass_instruments = "electric_bass",
     .chords = "X.x.X.xxX.x.X.xx|X..xX.x.X..xX.x.", .chord_instruments = "nylon_guitar:5 piano",
     .lead_instruments = "voice:5 nylon_guitar:2", .density = 1.6f, .ornament = 0.4f},
    {.genre = "latin_folk", .language = "spanish",
     .tempo_low = 84, .tempo_high = 126, .beats = 4, .energy = 0.46f, .brightness = 0.52f, .swing = 0.0f,
     .scales = "minor:2 pentatonic_minor:2 major", .progressions = "1 7 3 1|1 4 7 3|6 3 5 1",
     .drums = "frame:X.....x..x..;"
              "tom:......X.....;"
              "shaker:x.xx.xx.xx.x|"
              "tom:X..x..X.....;"
              "rim:..x..x..x..x",
     .bass = "1-....5-....|1...5.......", .bass_instruments = "upright_bass guitarron",
     .chords = "X.xx.xX.xx.x|a.aa.aa.aa.a", .chord_instruments = "charango:3 nylon_guitar:3",
     .lead_instruments = "flute:3 voice:3 charango", .density = 1.4f, .ornament = 0.25f},
    {.genre = "latin_indie", .language = "spanish",
     .tempo_low = 88, .tempo_high = 134, .beats = 4, .energy = 0.52f, .brightness = 0.54f, .swing = 0.0f,
     .scales = "major:2 minor:2 dorian", .progressions = "1 3 4 4|6 4 1 5|1 5 6 4",
     .drums = "kick:X.......X.x.....;"
              "snare:....X.......X...;"
              "hat:x.x.x.x.x.x.x.x.|"
              "kick_soft:X.....x.X.......;"
              "rim:....X.......X...;"
              "shaker:x.xxx.xxx.xxx.xx",
     .bass = "1-1-1-1-1-1-1-1-|1-----1-1-------", .bass_instruments = "electric_bass",
     .chords = "a.a.a.a.a.a.a.a.|X.x.X.xxX.x.X.xx", .chord_instruments = "electric_guitar:3 nylon_guitar electric_piano",
     .lead_instruments = "voice:4 electric_guitar synth_lead", .density = 1.2f, .ornament = 0.15f},
    {.genre = "latin_pop", .language = "spanish",
     .tempo_low = 90, .tempo_high = 126, .beats = 4, .energy = 0.64f, .brightness = 0.62f, .swing = 0.0f,
     .scales = "minor:3 major:2", .progressions = "6 4 1 5|1 7 6 7|1 5 6 4",
     .drums = "kick:X...X...X...X...;"
              "snare:...x..x....x..x.;"
              "shaker:x.xxx.xxx.xxx.xx|"
              "kick:X.......X.x.....;"
              "clap:....X.......X...;"
              "conga_high:..x...xx..x...xx",
     .bass = "1-----1-1-------|1--1--1-1--1--1-", .bass_instruments = "synth_bass electric_bass",
     .chords = "X--x--x-X--x--x-|X.x.X.xxX.x.X.xx", .chord_instruments = "nylon_guitar:2 piano pluck_synth",
     .lead_instruments = "voice:5 synth_lead", .density = 1.6f, .ornament = 0.2f},
    {.genre = "latin_rock", .language = "spanish",
     .tempo_low = 102, .tempo_high = 150, .beats = 4, .energy = 0.78f, .brightness = 0.6f, .swing = 0.0f,
     .scales = "minor:2 dorian:2 blues", .progressions = "1 4 1 4|1 7 6 5|1 4 5 4",
     .drums = "kick:X.x.....X.x.....;"
              "snare:....X.......X...;"
              "hat:X.x.X.x.X.x.X.x.|"
              "kick:X.....x.X.......;"
              "snare:....X.......X...;"
              "conga_low:..............xx;"
              "conga_slap:....x.......x...;"
              "cowbell:X...X...X...X...",
     .bass = "1-1-1-1-1-1-1-1-|1--1--1-5--5--5-", .bass_instruments = "electric_bass",
     .chords = "X-x-X-x-X-x-X-x-|X--X--X-X--X--X-", .chord_instruments = "distorted_guitar:3 electric_guitar:2 organ",
     .lead_instruments = "voice:3 electric_guitar:2 distorted_guitar", .density = 1.3f, .ornament = 0.2f},
    {.genre = "latin_trap", .language = "spanish",
     .tempo_low = 62, .tempo_high = 80, .beats = 4, .energy = 0.58f, .brightness = 0.4f, .swing = 0.0f,
     .scales = "minor:3 phrygian:2 harmonic_minor", .progressions = "1 1 6 7|1 6 1 5|1 1 1 1",
     .drums = "kick_808:X......x..X.....;"
              "snare_tight:........X.......;"
              "hat:x.x.x.xxx.x.xxxx|"
              "kick_808:X.....X....x....;"
              "clap:........X.......;"
              "hat:xxx.x.x.xxxxx.x.",
     .bass = "1------1--1-----|1-----1----1----", .bass_instruments = "sub_bass",
     .chords = "X---------------|a...a...a...a...", .chord_instruments = "bells piano pluck_synth strings",
     .lead_instruments = "rap_voice:4 voice:3", .density = 3.0f, .ornament = 0.1f},
    {.genre = "mariachi", .language = "spanish",
     .tempo_low = 96, .tempo_high = 176, .beats = 3, .energy = 0.68f, .brightness = 0.62f, .swing = 0.0f,
     .scales = "major:4 harmonic_minor", .progressions = "1 4 5 1|1 1 5 5|1 5 5 1",
     .drums = "shaker:....o...o...|"
              "palmas:....o...o...",
     .bass = "1...........|1.......5...", .bass_instruments = "guitarron",
     .chords = "....X...X...|X.xx.xX.xx.x", .chord_instruments = "nylon_guitar:3 charango:2",
     .lead_instruments = "trumpet:3 violin:3 voice:3", .density = 1.5f, .ornament = 0.3f},
    {.genre = "norteno", .language = "spanish",
     .tempo_low = 104, .tempo_high = 144, .beats = 4, .energy = 0.62f, .brightness = 0.6f, .swing = 0.0f,
     .scales = "major:5 mixolydian", .progressions = "1 1 5 5|1 4 5 1|1 5 1 5",
     .drums = "kick:X...X...X...X...;"
              "snare:..x...x...x...x.;"
              "hat:x.x.x.x.x.x.x.x.|"
              "kick:X...X...X...X...;"
              "snare:..x...x...x.x.x.",
     .bass = "1...5...1...5...", .bass_instruments = "electric_bass:2 guitarron",
     .chords = "..X...X...X...X.", .chord_instruments = "steel_guitar:3 accordion",
     .lead_instruments = "accordion:5 voice:3", .density = 1.9f, .ornament = 0.25f},
    {.genre = "reggaeton", .language = "spanish",
     .tempo_low = 86, .tempo_high = 104, .beats = 4, .energy = 0.72f, .brightness = 0.52f, .swing = 0.0f,
     .scales = "minor:4 phrygian", .progressions = "6 4 1 5|1 6 3 7|1 1 6 7",
     .drums = "kick:X...X...X...X...;"
              "snare:...x..x....x..x.;"
              "hat:x.x.x.x.x.x.x.x.|"
              "kick_808:X...X...X...X...;"
              "snare_tight:...X..X....X..X.;"
              "shaker:x.xxx.xxx.xxx.xx",
     .bass = "1-----1-1-----1-|1--1--1-1--1--1-", .bass_instruments = "sub_bass:2 synth_bass",
     .chords = "X--x--x-X--x--x-|X-------X-------", .chord_instruments = "pluck_synth:2 bells saw_stab",
     .lead_instruments = "voice:2 rap_voice:3 synth_lead", .density = 2.1f, .ornament = 0.1f},
    {.genre = "salsa", .language = "spanish",
     .tempo_low = 160, .tempo_high = 212, .beats = 8, .energy = 0.72f, .brightness = 0.6f, .swing = 0.0f,
     .scales = "minor:3 dorian:2 major", .progressions = "1 4 5 4|1 7 6 5|2 5 1 1",
     .drums = "clave:x..x..x...x.x...;"
              "cowbell:X.x.X.x.X.x.X.x.;"
              "conga_slap:..x...........x.;"
              "conga_low:......xx......xx|"
              "clave:..x.x...x..x..x.;"
              "timbale:x.x.xx.x.x.x.x.x;"
              "conga_low:......xx......xx;"
              "maracas:xxxxxxxxxxxxxxxx",
     .bass = "...5..8-...5..8-|...5..1-..35..1-", .bass_instruments = "upright_bass electric_bass",
     .chords = "X.xx.x.xX.xx.x.x|X..X.xX.X..X.xX.", .chord_instruments = "piano:6",
     .lead_instruments = "voice:3 brass:3 trumpet:2", .density = 0.95f, .ornament = 0.15f},
    {.genre = "tejano", .language = "spanish",
     .tempo_low = 96, .tempo_high = 134, .beats = 4, .energy = 0.6f, .brightness = 0.62f, .swing = 0.0f,
     .scales = "major:3 minor:2", .progressions = "1 5 5 1|1 4 5 1|6 4 5 1",
     .drums = "guira:X.xxX.xxX.xxX.xx;"
              "kick:X...X...X...X...;"
              "snare:....x.......x...|"
              "kick:X...X...X...X...;"
              "snare:..x...x...x...x.;"
              "hat:x.x.x.x.x.x.x.x.",
     .bass = "1-..5-..1-..5-..|1...5...1...5...", .bass_instruments = "synth_bass electric_bass",
     .chords = "..X...X...X...X.", .chord_instruments = "organ saw_stab electric_guitar",
     .lead_instruments = "accordion:3 voice:3 synth_lead", .density = 1.6f, .ornament = 0.2f},
    {.genre = "vallenato", .language = "spanish",
     .tempo_low = 94, .tempo_high = 130, .beats = 4, .energy = 0.6f, .brightness = 0.6f, .swing = 0.04f,
     .scales = "major:3 minor:2", .progressions = "1 5 5 1|1 4 5 1|1 1 5 5",
     .drums = "guira:X.xxX.xxX.xxX.xx;"
              "caja:X..x..x.X..x.xx.|"
              "guira:xxX.xxX.xxX.xxX.;"
              "caja:..xx..x...xx..x.;"
              "conga_low:X.......X.......",
     .bass = "1..5..8-1..5..8-|1-..5-..8-..5-..", .bass_instruments = "electric_bass",
     .chords = "..X...X...X...X.|X.x.X.xxX.x.X.xx", .chord_instruments = "nylon_guitar:2 accordion",
     .lead_instruments = "accordion:5 voice:3", .density = 1.9f, .ornament = 0.3f},
};
// clang-format on

}  // namespace

std::span<const GenreStyle> spanish_styles() { return table; }

}  // namespace chorale::data::synth

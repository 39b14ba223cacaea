// SPDX-License-Identifier: MIT
// The English genres of the demo corpus; see styles.h for the notation.
#include "data/synth/styles.h"

namespace chorale::data::synth {
namespace {

// clang-format off
constexpr Groove pop[] = {
    {"4/4", 4, 98, 126,
     "kick:X.......X.x.....;snare:....X.......X...;hat:x.x.x.x.x.x.x.x.|"
     "kick:X...X...X...X...;clap:....X.......X...;open_hat:..x...x...x...x.;hat:x.xxx.xxx.xxx.xx|"
     "kick:X..x..x.....X...;snare_fat:....X.......X...;shaker:x.xxx.xxx.xxx.xx",
     "1-1-1-1-1-1-1-1-|1-----1-1-------|1--1--1-1--1--1-",
     "X-------X-------|X--x--x-X--x--x-|X...X...X...X...", "5...8.5.3...5...|8.5.3.5.8.5.3.5."},
    {"6/8", 2, 52, 68,
     "kick:X.....x.....;snare:......X.....;hat:x.x.x.x.x.x.", "1-----1-----", "a.a.a.a.a.a.|X-----X-----", ""},
};
constexpr Groove rock[] = {
    {"4/4", 4, 112, 158,
     "kick_hard:X.x.....X.x.....;snare_fat:....X.......X...;hat:X.x.X.x.X.x.X.x.|"
     "kick_hard:X...x.x...x.....;snare_fat:....X.......X..x;ride:X.x.X.x.X.x.X.x.|"
     "kick_hard:X.....x.X.x.....;snare_fat:....X.......X...;crash:X...X...X...X...",
     "1-1-1-1-1-1-1-1-|1-1-1-1-1-1-5-8-", "X-x-X-x-X-x-X-x-|X-------X-x-X-x-|XmmmXmmmXmmmXmXm", "1.1.4.1.5.4.1...|1-3-4-1-3-5-4---"},
    {"12/8", 4, 62, 92,
     "kick_hard:X....xX.....;snare_fat:...X.....X..;ride:X.xX.xX.xX.x", "1.11.33.55.8", "X.xX.xX.xX.x", "1..3..5..3.."},
};
constexpr Groove hiphop[] = {
    {"4/4", 4, 78, 98,
     "kick:X..x......xx....;snare:....X.......X...;hat:x.x.x.x.x.x.xxx.|"
     "kick:X.....x..x......;snare_fat:....X.......X...;hat:x.xxx.x.x.xxx.xx|"
     "kick_808:X..x......xx....;clap:....X.......X...;hat_808:x.x.x.xrx.x.xtx.",
     "1--1------11----|1-----1--1------|1-----------3-1-", "X---------------|..x...x...x...x.|X-----X-x-------", "8.5.....3...5...|1...3...5.3....."},
};
constexpr Groove jazz[] = {
    {"4/4", 4, 108, 196,
     "ride:X..X.xX..X.x;hat_pedal:...X.....X..;kick_soft:o.....o.....|"
     "brush_swish:X..x..X..x..;brush:x.xx.xx.xx.x;hat_pedal:...x.....x..|"
     "ride:X..X.xX..x..;rim:.........X..;hat_pedal:...X.....X..",
     "1..3..5..6..|1..2..3..5..|8..6..5..3..", "X....x......|..x..X.....x|.....X..x...", ""},
    {"3/4", 3, 120, 168, "ride:X..X.xX..;brush:x..x..x..;hat_pedal:...x..x..", "1..5..3..|1.....5..", "X..x.....|...X..x..", ""},
    {"4/4", 4, 112, 136,  // bossa nova
     "rim:X..X..X...X..X..;hat:x.x.x.x.x.x.x.x.;kick_soft:X..xX..xX..xX..x", "1--5--5-1--5--5-", "X..x..X...x..X..|X.x..X.x..X.x..x", ""},
};
constexpr Groove electronic[] = {
    {"4/4", 4, 118, 138,
     "kick_hard:X...X...X...X...;clap:....X.......X...;open_hat:..X...X...X...X.;hat_808:xxxxxxxxxxxxxxxx|"
     "kick_hard:X...X...X...X...;hat:..x...x...x...xx;electro_tom:...x......x..x..;clap:....X.......X...|"
     "kick_hard:X...X...X...X...;rim:...x..x....x..x.;hat_808:x.xxx.xxx.xxx.xx",
     "..1-..1-..1-..1-|1.11.11.1.11.11.|.111.111.111.111", "aaaaaaaaaaaaaaaa|X--X--X---X--X--|..X...X...X...X.",
     "1.5.8.5.1.5.8.5.|1818181818181818|1..5..8..5..3..5"},
    {"4/4", 4, 164, 176,  // breakbeat
     "kick_hard:X.........X.....;snare_tight:....X..x.x..X...;hat_808:x.x.x.x.x.x.x.xx", "1-------1-----3-|1-----------5---",
     "X---------------|X-----X---------", "5.8...5.3.....5."},
};
constexpr Groove country[] = {
    {"4/4", 4, 96, 140,
     "kick:X.......X.......;snare:....X.......X...;brush:x.x.x.x.x.x.x.x.|"
     "brush:xxXxxxXxxxXxxxXx;kick_soft:X...X...X...X...|"
     "kick:X...X...X...X...;rim:..x...x...x...x.;hat:x.x.x.x.x.x.x.x.",
     "1---5---1---5---|1-..5-..1-..5-..", "b.X.f.X.b.X.f.X.|b.x.X.x.f.x.X.xx", "1.35.135.135.13.|8.5.3.5.8.5.3.1."},
    {"3/4", 3, 92, 132, "kick:X...........;brush:x.x.X.x.X.x.;hat_pedal:....x...x...", "1...........|1.......5...", "b...X...X...|b...x.x.X...", "1...3...5..."},
};
constexpr Groove rnb[] = {
    {"4/4", 4, 62, 94,
     "kick_808:X......x..x.....;clap:....X.......X...;hat_808:x.x.x.xxx.x.x.xr|"
     "kick_soft:X.x.......x.....;snap:....X.......X...;shaker:x.xxx.xxx.xxx.xx|"
     "kick:X..x..x...x.....;rim:....X.......X...;hat:x.xrx.xxx.x.x.tx",
     "1------1--1-----|1-5-----1-3-----|1--1----5--8----", "X-------x-------|X-----x---x-----|X---x-----x-X---", "5.......8..5....|3.5.8......5...."},
    {"12/8", 4, 56, 76, "kick_soft:X....xX.....;snap:...X.....X..;hat:x.xx.xx.xx.x", "1.....1.5...", "X-----X-----|aaaaaaaaaaaa", ""},
};

constexpr GenreStyle table[] = {
    {.genre = "pop", .language = "english", .energy = 0.62f, .brightness = 0.62f, .swing = 0.02f,
     .scales = "major:4 minor:2 mixolydian", .progressions = "1 5 6 4|6 4 1 5|1 6 4 5|4 5 6 1", .grooves = pop,
     .fills = "crash tom_high tom", .basses = "electric_bass:2 synth_bass:2 slap_bass",
     .chords = "piano:3 electric_guitar pluck_synth:2 steel_guitar", .pads = "saw_pad:2 warm_pad strings", .riffs = "pluck_synth:2 bells synth_lead",
     .leads = "synth_lead:2 electric_guitar square_lead", .manners = "pop:5 soft belt:2", .sung = 0.95f, .density = 1.4f, .ornament = 0.1f,
     .syncopation = 0.5f, .backing = 0.7f, .form = "vrvrsr", .intros = "chords:2 riff:2 drums band", .mix = {.tone = {1, -1, 0, 1, 3}, .room = 0.09f, .room_s = 0.8f, .drive = 0.6f, .pump = 0.15f, .echo = 0.12f}},
    {.genre = "rock", .language = "english", .energy = 0.84f, .brightness = 0.65f,
     .scales = "minor:2 major:2 mixolydian:2 blues:2", .progressions = "1 b7M 4 1|1 4 5 4|6 4 1 5|1M b3M 4M 1M", .grooves = rock,
     .fills = "crash snare_fat tom_high tom", .basses = "picked_bass:3 electric_bass", .chords = "distorted_guitar:5 electric_guitar",
     .pads = "rock_organ distorted_guitar -:2", .riffs = "distorted_guitar:3 electric_guitar", .leads = "overdriven_lead:4 electric_guitar",
     .manners = "rock:4 belt:2 shout", .sung = 0.9f, .density = 1.7f, .ornament = 0.3f, .backing = 0.4f, .form = "vrvrsr",
     .intros = "riff:3 band drums", .mix = {.tone = {-1, 3, 6, 4, -3}, .room = 0.07f, .room_s = 0.7f, .low_hz = 60, .drive = 2.0f}},
    {.genre = "hiphop", .language = "english", .energy = 0.62f, .brightness = 0.36f, .swing = 0.12f, .loose_s = 0.006f,
     .scales = "minor:3 dorian pentatonic_minor:2 blues", .progressions = "1k 1k 4k 4k|1k 1k 6J 5D|2k 5D 1J 1J|1 1 6 7", .grooves = hiphop,
     .fills = "snare tom", .basses = "sub_bass:3 upright_bass electric_bass", .chords = "electric_piano:3 piano muted_guitar:2",
     .pads = "strings warm_pad choir", .riffs = "electric_piano piano muted_trumpet vibraphone", .leads = "saxophone muted_trumpet flute synth_lead",
     .manners = "rap:9 soul", .sung = 0.93f, .density = 1.0f, .ornament = 0.1f, .syncopation = 0.7f, .form = "vvrvr", .intros = "riff:2 chords drums",
     .mix = {.tone = {8, 1, -4, -3, 0}, .room = 0.04f, .room_s = 0.5f, .high_hz = 8500, .drive = 0.9f, .hiss = 0.006f}},
    {.genre = "jazz", .language = "english", .energy = 0.36f, .brightness = 0.40f, .loose_s = 0.009f,
     .scales = "dorian:2 mixolydian:2 major:2 blues", .progressions = "2k 5D 1J 1J|1J,6k 2k,5D 1J,6k 2k,5D|1D 4D 1D 5D|3k 6D 2k 5D", .grooves = jazz,
     .fills = "brush tom_high", .basses = "upright_bass", .chords = "piano:4 electric_guitar vibraphone", .pads = "-",
     .leads = "saxophone:4 trumpet:2 muted_trumpet:2 clarinet piano vibraphone", .manners = "crooner:4 soul", .sung = 0.3f, .density = 2.0f,
     .ornament = 0.25f, .syncopation = 0.9f, .backing = 0.0f, .form = "vvsssv", .intros = "band:2 drums chords", .mix = {.tone = {1, 4, 0, -4, -3}, .room = 0.16f, .room_s = 0.8f, .high_hz = 9000}},
    {.genre = "electronic", .language = "english", .energy = 0.84f, .brightness = 0.73f, .loose_s = 0.0f,
     .scales = "minor:4 phrygian dorian", .progressions = "1 1 6 7|1 1 1 1|6 7 1 1|1 3 7 6", .grooves = electronic,
     .fills = "crash electro_tom snare_808", .basses = "synth_bass:3 reese_bass:2", .chords = "saw_stab:3 super_saw:2 pluck_synth", .pads = "saw_pad:2 super_saw",
     .riffs = "pluck_synth:2 saw_lead square_lead saw_stab", .leads = "saw_lead:3 square_lead synth_lead:2", .manners = "pop autotune soft", .sung = 0.3f,
     .density = 1.8f, .ornament = 0.04f, .syncopation = 0.6f, .form = "vbrrvbr", .intros = "drums:2 riff:2", .mix = {.tone = {7, -4, -6, 1, 6}, .room = 0.1f, .room_s = 1.4f, .drive = 1.4f, .pump = 0.65f, .echo = 0.3f}},
    {.genre = "country", .language = "english", .energy = 0.54f, .brightness = 0.59f, .swing = 0.05f, .loose_s = 0.006f,
     .scales = "major:5 mixolydian pentatonic_major", .progressions = "1 4 1 5|1 5 4 1|1 1 4 5|1 4 5 1", .grooves = country,
     .fills = "brush tom", .basses = "upright_bass electric_bass:2", .chords = "steel_guitar:5 twelve_string", .pads = "pedal_steel:3 -", .riffs = "banjo:4 mandolin:2 steel_guitar",
     .leads = "fiddle:3 pedal_steel:3 harmonica banjo steel_guitar", .manners = "twang:5 folk", .sung = 0.9f, .density = 1.8f, .ornament = 0.3f, .backing = 0.6f,
     .form = "vrsvr", .intros = "lead:3 band riff", .mix = {.tone = {-3, -1, 1, 6, 4}, .room = 0.08f, .room_s = 0.6f, .low_hz = 50}},
    {.genre = "rnb", .language = "english", .energy = 0.42f, .brightness = 0.43f, .swing = 0.09f,
     .scales = "minor:2 dorian:2 major:2", .progressions = "4J 3k 2k 1J|1J 6k 2k 5D|6k 5k 4J 4J|2k 3k 4J 5D", .grooves = rnb,
     .fills = "snap tom", .basses = "sub_bass:2 electric_bass slap_bass:2", .chords = "electric_piano:5 clavinet electric_guitar", .pads = "warm_pad:3 strings",
     .riffs = "electric_guitar bells muted_guitar", .leads = "saxophone synth_lead electric_piano", .manners = "soul:6 soft", .sung = 0.96f, .density = 1.3f, .ornament = 0.45f,
     .syncopation = 0.8f, .backing = 0.8f, .form = "vrvrb", .intros = "chords:3 lead", .mix = {.tone = {6, 1, -3, -1, 4}, .room = 0.1f, .room_s = 1.1f, .high_hz = 9500, .echo = 0.15f}},
};
// clang-format on

}  // namespace

std::span<const GenreStyle> english_styles() { return table; }

}  // namespace chorale::data::synth

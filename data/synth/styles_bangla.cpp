// SPDX-License-Identifier: MIT
// The Bangla genres of the demo corpus; see styles.h for the notation.
#include "data/synth/styles.h"

namespace chorale::data::synth {
namespace {

// clang-format off
constexpr Groove adhunik[] = {
    {"4/4", 4, 78, 112,
     "tabla_ge:X.......x.x.....;tabla_na:..x.x.x...x.x.x.;shaker:x.x.x.x.x.x.x.x.|"
     "kick_soft:X.......X.......;rim:....x.......x...;tabla_na:..xx..x...xx..x.",
     "1-----5-1-------|1---5---1---5---", "a.a.a.a.a.a.a.a.|b.x.X.x.b.x.X.x.", "5...8...5.3.....|........8.5.3..."},
    {"6/8", 2, 52, 74, "tabla_ge:X.....x.....;tabla_na:..x.x...x.x.;brush:x.x.x.x.x.x.", "1-----5-----", "b.x.x.f.x.x.|a.a.a.a.a.a.", "8...5.3....."},
};
constexpr Groove bengali_rock[] = {
    {"4/4", 4, 94, 142,
     "kick_hard:X.x.....X.x.....;snare_fat:....X.......X...;hat:x.x.x.x.x.x.x.x.|"
     "kick_hard:X.....x.X.......;snare_fat:....X.......X..x;crash:X...............;ride:X.x.X.x.X.x.X.x.",
     "1-1-1-1-1-1-1-1-", "X-x-X-x-X-x-X-x-|X-------X-------|a.a.a.a.a.a.a.a.", "1.3.5.3.8.5.3.1.|5.8.5.3.1.3.5..."},
    {"6/8", 2, 58, 84, "kick_hard:X.....x.....;snare:......X.....;hat:x.x.x.x.x.x.", "1-----1-5---", "X-----X-----|X.x.x.X.x.x.", ""},
};
constexpr Groove baul[] = {
    {"4/4", 4, 104, 148,
     "khol_low:X.....x.X.....x.;khol_high:..x.xx.x..x.xx.x;manjira:x...x...x...x...|"
     "dholak_low:X..x....X..x....;dholak_high:..x.x.x...x.x.xx;khomok:....x.......x.x.",
     "1-..1-..5-..1-..", "a.aaa.aaa.aaa.aa|X.xxX.xxX.xxX.xx", "1.1.5.1.1.1.5.8.|1.151.151.151.58"},
    {"6/8", 2, 84, 118, "khol_low:X.....X...x.;khol_high:..x.x...x.xx;manjira:x.....x.....", "1-....5-....", "a.aaaaa.aaaa|X.x.xxX.x.xx", "1.1.5.1.5.8."},
};
constexpr Groove nazrul[] = {
    {"4/4", 4, 76, 124,
     "tabla_ge:X.......x..x....;tabla_na:..x.x.x...x.x.x.;tabla_tin:......x.......x.|"
     "tabla_ge:X.x.....x.......;tabla_na:....x.xx..x.x.x.;tabla_te:..xx......xx..xx",
     "1-------1-------", "X---------------|X-------x-------", ""},
    {"6/8", 2, 54, 80, "tabla_ge:X.....o.....;tabla_na:..x.x.......;tabla_tin:......x.x.x.", "1-----------", "X-----------|X-----x-----", ""},
    {"7/8", 3.5f, 96, 132, "tabla_ge:X.....X...x...;tabla_na:..x.x...x...x.;tabla_te:.....x...x...x", "1-------------", "X-------------", ""},
};
constexpr Groove rabindra[] = {
    {"3/4", 3, 84, 126, "tabla_ge:X.....o.....;tabla_na:..x.x...x.x.|frame:X...........;tabla_tin:....x...x...;manjira:x...........", "1-----------",
     "X-----------|X...x...x...", ""},
    {"4/4", 4, 72, 104, "tabla_ge:X.......o.......;tabla_tin:....x.......x...|khol_low:X.......x.......;khol_high:....x...x...x...;manjira:x.......x.......",
     "1-------5-------", "X-------x-------|X---------------", ""},
    {"7/8", 3.5f, 92, 126, "tabla_ge:X.........X...;tabla_na:....x.......x.;manjira:x.....x...x...", "1-------------", "X-----x---x---", ""},
};

constexpr GenreStyle table[] = {
    {.genre = "adhunik", .language = "bangla", .energy = 0.42f, .brightness = 0.47f, .swing = 0.02f, .loose_s = 0.006f,
     .scales = "major:3 minor:2 kafi", .progressions = "1 6 4 5|1 4 5 1|6 4 5 1|1 6 2k 5D", .grooves = adhunik, .fills = "tabla_te tabla_na",
     .basses = "electric_bass upright_bass", .chords = "nylon_guitar:3 piano accordion:2", .pads = "strings:3 film_strings", .riffs = "mandolin:2 santoor film_strings",
     .leads = "violin:2 bansuri mandolin accordion film_strings:2", .doubles = "-:3 violin harmonium", .manners = "crooner:5 playback:2", .sung = 0.97f, .density = 1.5f,
     .ornament = 0.3f, .syncopation = 0.2f, .form = "vrsvr", .intros = "lead:3 band", .mix = {.tone = {-4, 4, 4, -3, -6}, .room = 0.16f, .room_s = 1.2f, .low_hz = 80, .high_hz = 6500, .hiss = 0.006f}},
    {.genre = "bengali_rock", .language = "bangla", .energy = 0.79f, .brightness = 0.59f,
     .scales = "minor:4 major dorian", .progressions = "1 6 7 1|6 4 1 5|1 7 6 7|1 3 4 6", .grooves = bengali_rock, .fills = "crash snare_fat tom_high tom",
     .basses = "picked_bass electric_bass", .chords = "distorted_guitar:3 electric_guitar:2 steel_guitar:2", .pads = "saw_pad -:2", .riffs = "electric_guitar:2 distorted_guitar",
     .leads = "overdriven_lead:4 bansuri electric_guitar", .manners = "rock:3 folk:3", .sung = 0.95f, .density = 1.5f, .ornament = 0.22f, .backing = 0.3f, .form = "vvrsvr",
     .intros = "riff:2 chords:2 band", .mix = {.tone = {0, 4, 4, 1, 0}, .room = 0.1f, .room_s = 0.9f, .low_hz = 60, .drive = 1.5f}},
    {.genre = "folk_baul", .language = "bangla", .energy = 0.60f, .brightness = 0.59f, .loose_s = 0.01f,
     .scales = "mixolydian:2 pentatonic_major:2 kafi khamaj bhupali", .progressions = "0 0 0 0|1 1 4 1|1 5 1 1", .grooves = baul, .fills = "khol_high",
     .basses = "-:2 dotara upright_bass", .chords = "dotara:4 harmonium", .pads = "harmonium -:2", .riffs = "ektara:4 dotara:2", .leads = "bansuri:3 dotara:3 violin",
     .doubles = "dotara:3 bansuri -:2 violin", .drones = "ektara:3 -", .manners = "folk:5 shout:2", .sung = 0.93f, .density = 1.9f, .ornament = 0.35f, .form = "vrvs",
     .intros = "lead:2 riff:2 free", .mix = {.tone = {-4, 0, 3, 6, 4}, .room = 0.06f, .room_s = 0.5f, .low_hz = 70}},
    {.genre = "nazrul_geeti", .language = "bangla", .energy = 0.38f, .brightness = 0.42f, .loose_s = 0.008f,
     .scales = "bhairavi:3 kafi:2 khamaj:2 pilu desh harmonic_minor", .progressions = "0 0 0 0", .grooves = nazrul, .fills = "tabla_te tabla_na",
     .basses = "-", .chords = "harmonium:5 santoor", .pads = "-", .riffs = "-", .leads = "harmonium violin:3 sarod:2 sitar", .doubles = "harmonium:5 violin:2", .drones = "tanpura:4 -",
     .manners = "classical:6 playback", .sung = 0.96f, .density = 1.6f, .ornament = 0.6f, .syncopation = 0.2f, .form = "vrvrs", .intros = "free:3 lead:2", .mix = {.tone = {-6, 7, 3, -4, -3}, .room = 0.16f, .room_s = 1.1f, .low_hz = 80, .high_hz = 8000, .hiss = 0.003f}},
    {.genre = "rabindra_sangeet", .language = "bangla", .energy = 0.24f, .brightness = 0.33f, .loose_s = 0.01f,
     .scales = "major:3 dorian mixolydian:2 yaman:2 bhairavi", .progressions = "0 0 0 0|1 4 1 5|1 6 4 1", .grooves = rabindra, .fills = "tabla_te",
     .basses = "-:3 upright_bass", .chords = "harmonium:3 piano:2 nylon_guitar", .pads = "strings esraj -", .riffs = "-", .leads = "esraj:5 flute:2 piano", .doubles = "esraj:4 harmonium:2 -",
     .drones = "tanpura:3 -", .manners = "classical:2 soft:3 crooner:3", .sung = 0.97f, .density = 1.0f, .ornament = 0.35f, .syncopation = 0.05f, .form = "vrvr", .intros = "lead:3 chords",
     .mix = {.tone = {-3, 7, 0, -4, -1}, .room = 0.22f, .room_s = 1.5f, .high_hz = 9000}},
};
// clang-format on

}  // namespace

std::span<const GenreStyle> bangla_styles() { return table; }

}  // namespace chorale::data::synth

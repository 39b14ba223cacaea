// SPDX-License-Identifier: MIT
// The Hindi genres of the demo corpus; see styles.h for the notation.
#include "data/synth/styles.h"

namespace chorale::data::synth {
namespace {

// clang-format off
constexpr Groove classic[] = {
    {"4/4", 4, 84, 126,
     "dholak_low:X.....x.x.......;dholak_high:..x.x.x...x.x.x.;tambourine:....x.......x...|"
     "tabla_ge:X.......x.x.....;tabla_na:..x.x.x...x.x.xx;ghungroo:....x.......x...",
     "1---5---1---5---|1-----5---------", "..X...X...X...X.|b.x.X.x.b.x.X.x.", "8...5...8.7.5...|....5.6.8...5..."},
    {"6/8", 2, 64, 94, "tabla_ge:X.....x.....;tabla_na:..x.x...x.x.;ghungroo:x.....x.....|dholak_low:X.....x...x.;dholak_high:..x.x...x.x.", "1-----5-----",
     "b.x.x.b.x.x.|..x.x...x.x.", "5...8...5..."},
};
constexpr Groove modern[] = {
    {"4/4", 4, 94, 130,
     "kick_hard:X...X...X...X...;dhol_high:..x.x.x...x.x.x.;clap:....X.......X...;dhol_low:X.....x...x.....|"
     "kick_808:X..x..x.X.......;snare:....X.......X...;dhol_high:..x..x..x..x.xx.;hat_808:x.x.x.xrx.x.x.xx|"
     "dhol_low:X.....X...X.....;dhol_high:..XX.X..X.XX.X.X;kick_hard:X...X...X...X...",
     "1-1-1-1-1-1-1-1-|1--1--1-1-------", "X--x--x-X--x--x-|X-------X-------|..X...X...X...X.", "1.5.8.5.7.5.3.5.|1..1..5.8..7..5."},
};
constexpr Groove patriotic[] = {
    {"2/4", 4, 96, 120,
     "march_snare:X.xxX.xxX.xxXrxr;kick:X.......X.......;crash:X...............|"
     "march_snare:X..xX..xX.xxX...;kick:X...X...X...X...;tom:..........x.x.x.",
     "1---5---1---5---|1-------5-------", "X---X---X---X---|X-------X-------", "1---3---5---8---|5.5.8---5---3---"},
    {"4/4", 4, 72, 94, "tabla_ge:X.......x.x.....;tabla_na:..x.x.x...x.x.x.;march_snare:o...o...o...oroo", "1-------5-------", "X-------X-------", ""},
};
constexpr Groove pop[] = {
    {"4/4", 4, 88, 124,
     "kick:X.......X.x.....;snare:....X.......X...;tabla_na:..x.x.x...x.x.x.|"
     "kick_soft:X.....x.X.......;rim:....x.......x...;tabla_ge:X.......x.x.....;tabla_na:..x.x.x...x.x.xx|"
     "dholak_low:X.....x.X.....x.;dholak_high:..x.x.x...x.x.xx;clap:....x.......x...",
     "1-1-1-1-1-1-1-1-|1---5---1---5---|1-----1-5-------", "X--x--x-X--x--x-|a.a.a.a.a.a.a.a.", "8.5.3.5.8.5.3.5.|5---3---6---5---"},
    {"6/8", 2, 52, 70, "kick_soft:X.....x.....;rim:......X.....;tabla_na:..x.x...x.x.", "1-----5-----", "a.a.a.a.a.a.", ""},
};
constexpr Groove indipop[] = {
    {"4/4", 4, 92, 126,
     "kick:X.....x.X.......;snare_808:....X.......X...;hat_808:x.x.x.x.x.x.x.x.;tabla_na:..x...x...x...x.|"
     "kick:X...X...X...X...;simmons:..............x.;snare:....X.......X...;tambourine:..x...x...x...x.",
     "1-----1-1-------|1-1-5-5-1-1-5-5-|1.11..1.5.5.8...", "X.x.X.xxX.x.X.xx|..X...X...X...X.", "8.8.5.5.3.3.5.5.|1...5...8...5..."},
};

constexpr GenreStyle table[] = {
    {.genre = "bollywood_classic", .language = "hindi", .energy = 0.48f, .brightness = 0.47f, .swing = 0.03f, .loose_s = 0.008f,
     .scales = "yaman:2 khamaj kafi:2 major:2 bhairavi:2 pilu", .progressions = "1 4 5 1|1 6 4 5|0 0 4 1|1 5 1 4", .grooves = classic, .fills = "tabla_te tabla_na dholak_high",
     .basses = "upright_bass:2 -", .chords = "accordion:2 nylon_guitar harmonium mandolin", .pads = "film_strings:4", .riffs = "santoor:2 sitar mandolin:2 film_strings",
     .leads = "film_strings:4 sitar:2 flute violin accordion shehnai", .doubles = "-:2 violin harmonium:2", .manners = "playback:6 crooner:3", .sung = 0.95f, .density = 1.7f,
     .ornament = 0.5f, .syncopation = 0.2f, .form = "vrsvr", .intros = "lead:3 band free", .mix = {.tone = {-8, 1, 8, 4, -8}, .room = 0.16f, .room_s = 1.0f, .low_hz = 150, .high_hz = 4200, .drive = 0.8f, .hiss = 0.012f}},
    {.genre = "bollywood_modern", .language = "hindi", .energy = 0.79f, .brightness = 0.68f, .loose_s = 0.001f,
     .scales = "minor:3 kafi bhairavi:2 phrygian_dominant", .progressions = "6 4 1 5|1 6 7 1|1 1 6 7|1 7 6 7", .grooves = modern, .fills = "crash dhol_high electro_tom",
     .basses = "synth_bass:2 sub_bass reese_bass", .chords = "saw_stab:3 pluck_synth super_saw", .pads = "saw_pad film_strings", .riffs = "saw_lead:2 sitar pluck_synth shehnai",
     .leads = "saw_lead:2 synth_lead shehnai:2 sitar", .manners = "pop:3 autotune:2 playback rap", .sung = 0.94f, .density = 1.7f, .ornament = 0.35f, .syncopation = 0.6f, .backing = 0.5f,
     .form = "vrbrvr", .intros = "riff:3 drums:2", .mix = {.tone = {7, -3, -3, 4, 4}, .room = 0.1f, .room_s = 1.2f, .drive = 1.6f, .pump = 0.4f, .echo = 0.2f}},
    {.genre = "bollywood_patriotic", .language = "hindi", .energy = 0.62f, .brightness = 0.55f,
     .scales = "major:5 bhupali khamaj desh", .progressions = "1 4 5 1|1 5 6 4|4 5 1 1|1 1 4 5", .grooves = patriotic, .fills = "crash march_snare",
     .basses = "tuba:3 upright_bass", .chords = "brass:4 trombones:2 strings", .pads = "choir:2 strings:2", .riffs = "brass trumpet strings", .leads = "trumpet:3 film_strings:2 flute brass",
     .doubles = "strings:2 trumpet -", .manners = "choir:5 belt:2", .sung = 0.93f, .density = 1.1f, .ornament = 0.15f, .syncopation = 0.05f, .backing = 0.6f, .form = "vrvr",
     .intros = "drums:2 band:2 lead", .mix = {.tone = {3, 4, 1, -1, -3}, .room = 0.22f, .room_s = 1.8f, .low_hz = 60, .high_hz = 9000, .drive = 0.8f}},
    {.genre = "bollywood_pop", .language = "hindi", .energy = 0.58f, .brightness = 0.57f, .swing = 0.02f,
     .scales = "major:3 minor:2 kafi khamaj", .progressions = "1 5 6 4|6 4 1 5|1 6 4 5|1 3 4 5", .grooves = pop, .fills = "tom_high tom tabla_te",
     .basses = "electric_bass:3 synth_bass", .chords = "nylon_guitar:3 piano:2 electric_piano steel_guitar", .pads = "strings:3 saw_pad", .riffs = "bansuri santoor nylon_guitar bells",
     .leads = "bansuri:4 film_strings:2 sarod nylon_guitar", .doubles = "-:4 strings", .manners = "pop:4 playback:3 soft:2", .sung = 0.97f, .density = 1.5f, .ornament = 0.4f, .syncopation = 0.35f,
     .backing = 0.5f, .form = "vrsvr", .intros = "lead:3 chords:2", .mix = {.tone = {1, 1, -1, 1, 4}, .room = 0.16f, .room_s = 1.6f, .drive = 0.5f, .echo = 0.15f}},
    {.genre = "indipop", .language = "hindi", .energy = 0.62f, .brightness = 0.62f, .loose_s = 0.0f,
     .scales = "major:3 minor mixolydian:2", .progressions = "1 4 6 5|1 5 4 4|6 5 4 5|1 b7M 4 5", .grooves = indipop, .fills = "simmons electro_tom",
     .basses = "slap_bass:3 synth_bass:2", .chords = "steel_guitar:2 electric_piano:2 twelve_string muted_guitar", .pads = "saw_pad:3 choir", .riffs = "bells:2 square_lead marimba",
     .leads = "square_lead saxophone:2 flute electric_guitar", .manners = "pop:5 belt", .sung = 0.96f, .density = 1.5f, .ornament = 0.2f, .syncopation = 0.4f, .backing = 0.7f,
     .form = "vrvrs", .intros = "riff:2 drums band", .mix = {.tone = {0, -4, 1, 3, 7}, .room = 0.2f, .room_s = 1.1f, .low_hz = 60, .high_hz = 9500}},
};
// clang-format on

}  // namespace

std::span<const GenreStyle> hindi_styles() { return table; }

}  // namespace chorale::data::synth

// SPDX-License-Identifier: MIT
// The Arabic genres of the demo corpus; see styles.h for the notation.
#include "data/synth/styles.h"

namespace chorale::data::synth {
namespace {

// clang-format off
constexpr Groove classic[] = {
    {"4/4", 4, 66, 104,  // maqsum, wahda
     "doum:X.......X.......;tek:..X...X.....X...;riq:x.xxx.x.x.xxx.x.|"
     "doum:X.....x.X.......;tek:....X.......X.x.;riq:x.x.x.x.x.x.x.x.|doum:X...............;tek:......X.x...X...;riq:x.xxx.xxx.xxx.xx",
     "1-----1-1-------", "..x...x.....x...|a.aaa.a.a.aaa.a.", ""},
    {"10/8", 5, 84, 112,  // samai thaqil
     "doum:X.........XxX.......;tek:......X.......X.X...;riq:x...x.x...x...x...x.", "1---------1-1-------", "x.....x...x...x.....", ""},
    {"3/4", 3, 84, 120, "doum:X...........;tek:....X...X...;riq:x.x.x.x.x.x.", "1-----------", "a.a.a.a.a.a.", ""},
};
constexpr Groove dabke[] = {
    {"4/4", 4, 106, 136,
     "tabl:X.....X.X.......;tabl_stick:..X.xx..x.X.xx..;palmas:....X.......X...|"
     "tabl:X..x....X.......;tabl_stick:...X..X..x..X.xx;tek:x.xxx.xxx.xxx.xx", "1.1...1.1.1.....", "X...X...X...X...|..x...x...x...x.", "1.2.3.2.1.2.4.3.|1.1.2.1.4.3.2.1."},
    {"6/4", 6, 118, 146, "tabl:X.......X.......X...X...;tabl_stick:..xxX...x.xxX...x...X.xx;palmas:....X.......X.......X...", "1...1...1...1...1...5...",
     "X...X...X...X...X...X...", "1.2.3.2.1.2.3.4.3.2.1..."},
};
constexpr Groove electronic[] = {
    {"4/4", 4, 114, 132,
     "kick_hard:X...X...X...X...;tek:..x...x...x.x...;open_hat:..x...x...x...x.|"
     "kick_hard:X...X...X...X...;doum:X.......X.......;tek:..X.x.X..xx.X.xx;clap:....X.......X...", "..1-..1-..1-..1-|1.11.11.1.11.11.",
     "aaaaaaaaaaaaaaaa|X--X--X---X--X--", "1.2.1.3.2.1.2...|5.4.3.4.3.2.1.2."},
    {"4/4", 4, 92, 108, "kick_808:X......x..X.....;tek:..x.X.x...x.X.xx;sagat:x.x.x.x.x.x.x.x.", "1------1--1-----", "X-----------X---", "1...2.1...3.2.1."},
};
constexpr Groove folk[] = {
    {"4/4", 4, 88, 124,
     "bendir:X.....x.X.......;tek:..x.x...x.x.x...|frame:X...x...X...x...;sagat:..x...x...x...x.;tek:...x...x...x..xx", "1---1---1---1---", "a.aaa.a.a.aaa.a.|X.......X.......", "1.2.1.4.3.2.1..."},
    {"6/8", 2, 84, 116, "bendir:X.....X.x...;tek:..x.x...x.xx;palmas:....X.....X.", "1-----1-----", "a.a.a.a.a.a.", "1.2.3.2.1.2."},
    {"7/8", 3.5f, 104, 140, "frame:X.....X...x...;tek:..x.x...x...xx", "1-----1---1---", "X.....x...x...", ""},
};
constexpr Groove indie[] = {
    {"4/4", 4, 84, 126,
     "kick:X.......X.x.....;snare:....X.......X...;riq:x.x.x.x.x.x.x.x.|kick_soft:X.....x...x.....;rim:....X.......X...;shaker:x.xxx.xxx.xxx.xx", "1-----1-1-------|1-1-1-1-1-1-1-1-",
     "X.x.X.xxX.x.X.xx|a.a.a.a.a.a.a.a.", "1...3...5.4.3..."},
    {"7/8", 3.5f, 108, 138, "kick:X.....x...x...;rim:....X.......X.;riq:x.x.x.x.x.x.x.", "1-----1---5---", "a.a.a.a.a.a.a.|X-----X---X---", "1.3.5.4.3.2.1."},
    {"6/8", 2, 54, 76, "kick_soft:X.....x.....;brush:..x.x...x.x.", "1-----5-----", "a.a.a.a.a.a.", ""},
};
constexpr Groove pop[] = {
    {"4/4", 4, 92, 124,
     "doum:X.......X.......;tek:..X...X.....X...;kick:X.......X.......;clap:....X.......X...|"
     "kick:X...X...X...X...;tek:..x.x.x...x.x.x.;snare:....X.......X...;riq:x.xxx.xxx.xxx.xx", "1-1-1-1-1-1-1-1-|1-----1-1-------|..1-..1-..1-..1-",
     "X-------X-------|X--x--x-X--x--x-", "..1.2.3.4.3.2.1.|........5.4.3.2.|5-4-3-2-........"},
};
constexpr Groove rap[] = {
    {"4/4", 4, 72, 98,
     "kick_808:X..x......x.....;snare_tight:....X.......X...;hat_808:x.xxx.x.x.xrx.xt|"
     "kick:X.....x..x......;clap:....X.......X...;tek:..x.x...x.x.x.xx|kick_808:X......x..X.....;snare_808:........X.......;hat_808:x.x.xrx.x.x.xtxx",
     "1--1------1-----|1-----------1---", "X---------------|..x...x...x...x.", "1...2.1.....4.3.|5...4...3.2.1..."},
};
constexpr Groove rock[] = {
    {"4/4", 4, 104, 148,
     "kick_hard:X.x.....X.x.....;snare_fat:....X.......X...;hat:X.x.X.x.X.x.X.x.|kick_hard:X.....x.X.......;snare_fat:....X.......X...;doum:X...........x...;tek:..x...x...x...xx",
     "1-1-1-1-1-1-1-1-", "X-x-X-x-X-x-X-x-|X-------X-x-X-x-", "1.2.1.4.3.2.1...|1.1.2.1.5.4.2.1."},
    {"10/8", 5, 118, 150, "kick_hard:X.....X...X...X.....;snare_fat:........X.......X...;ride:x.x.x.x.x.x.x.x.x.x.", "1-----1---1---1-1---", "X-----X---X---X-----", "1.2.4.2.1.2.5.4.2.1."},
};
constexpr Groove khaleeji[] = {
    {"6/8", 2, 96, 124, "mirwas:X..xX.X.xX.x;frame:X.....x.....;palmas:..X.x...X.xx|frame:X...x.X...x.;mirwas:..xx.x..xx.x;palmas:x..X..x..X..", "1-....1...1.", "X..x..X..x..|a.aaa.a.aaa.", "1.2.3.1.2.4."},
    {"4/4", 4, 88, 116, "frame:X..X..X.X..X..x.;mirwas:..x..x.x..xx.x.x;palmas:....X..x....X..x|doum:X..X..X.x.......;tek:..x..x.x..x.xx.x;palmas:..x..x...x..x.x.", "1..1..1.1..1..1.",
     "X..x..x.X..x..x.|a..a..a.a..a..a.", "1..2..3.2..1...."},
};
constexpr Groove mahraganat[] = {
    {"4/4", 4, 100, 128,
     "kick_hard:X.....X.X.......;snare_tight:..X...X.....X...;electro_tom:....x..x....x.xx;tek:x.xxx.xxx.xxx.xx|"
     "kick_808:X..X..X.X..X..X.;clap:....X.......X...;tek:..x.x.xx..x.x.xx;simmons:............x.xx", "1..1..1.1..1..1.|1.1.1.1.1.1.1.1.", "X.X.X.X.X.X.X.X.|aaaaaaaaaaaaaaaa",
     "1.1.2.1.3.2.1.2.|4.3.2.1.4.3.2.1.|1121314131211..."},
};
constexpr Groove rai[] = {
    {"6/8", 2, 92, 120, "kick:X.....X.....;doum:X..x..X.x...;tek:..x.xx..x.xx;qraqeb:x.xxx.x.xxx.", "1---5-1---5-", "..X...X...X.|X..x..X..x..", "5.4.3.4.3.2."},
    {"4/4", 4, 94, 126, "doum:X..x..X.X..x..X.;tek:..x..x.x..x..x.x;kick:X.......X.......;clap:....X.......X...|kick:X...X...X...X...;tek:..xx..x...xx..x.;snare_808:....X.......X...",
     "1..1..5.1..1..5.|1-1-5-5-1-1-5-5-", "..X...X...X...X.|X..x..x.X..x..x.", "5.4.3.4.3.2.1...|8...7.5.4...5..."},
};

constexpr GenreStyle table[] = {
    {.genre = "arabic_classic", .language = "arabic", .energy = 0.36f, .brightness = 0.40f, .loose_s = 0.01f,
     .scales = "bayati:2 rast:3 hijaz nahawand:2 saba sikah", .progressions = "0 0 0 0", .grooves = classic, .fills = "tek riq", .basses = "upright_bass:2 -:2",
     .chords = "qanun:3 oud:2", .pads = "-", .riffs = "-", .leads = "arab_strings:3 violin ney:2 qanun:2 oud:2", .doubles = "arab_strings:5 qanun:2 oud", .drones = "-:3 arab_strings",
     .manners = "tarab:6", .sung = 0.75f, .density = 1.8f, .ornament = 0.6f, .syncopation = 0.3f, .form = "svsvr", .intros = "lead:2 free:3 band", .mix = {.tone = {-7, 4, 7, -1, -7}, .room = 0.2f, .room_s = 1.3f, .low_hz = 110, .high_hz = 5200, .hiss = 0.008f}},
    {.genre = "arabic_dabke", .language = "arabic", .energy = 0.86f, .brightness = 0.73f, .loose_s = 0.006f,
     .scales = "bayati:3 hijaz:2 sikah rast", .progressions = "0 0 0 0", .grooves = dabke, .fills = "tabl_stick", .basses = "synth_bass:2 -:2", .chords = "arab_keyboard buzuq:2 -",
     .pads = "-", .riffs = "mijwiz:3 arab_keyboard buzuq", .leads = "mijwiz:6 arab_keyboard:2 buzuq:2", .doubles = "mijwiz -", .drones = "mijwiz:4 -", .manners = "shout:5 folk", .sung = 0.7f,
     .density = 2.6f, .ornament = 0.45f, .form = "svsvb", .intros = "lead:2 drums free", .mix = {.tone = {1, -3, 4, 8, 1}, .room = 0.08f, .room_s = 0.5f, .low_hz = 60, .drive = 1.4f, .echo = 0.25f}},
    {.genre = "arabic_electronic", .language = "arabic", .energy = 0.82f, .brightness = 0.71f, .loose_s = 0.0f,
     .scales = "hijaz:3 kurd:2 nahawand phrygian_dominant", .progressions = "1 1 7 1|0 0 0 0|1 7 6 7", .grooves = electronic, .fills = "crash tek electro_tom", .basses = "synth_bass:2 reese_bass sub_bass",
     .chords = "saw_stab:2 pluck_synth qanun", .pads = "saw_pad:2 warm_pad", .riffs = "oud qanun pluck_synth:2 arab_keyboard", .leads = "ney:2 saw_lead:2 qanun mizmar violin", .manners = "tarab soft autotune", .sung = 0.35f,
     .density = 1.6f, .ornament = 0.4f, .syncopation = 0.5f, .form = "vbrsvr", .intros = "free drums:2 riff:2", .mix = {.tone = {6, -3, -4, 3, 6}, .room = 0.16f, .room_s = 1.8f, .drive = 1.2f, .pump = 0.5f, .echo = 0.3f}},
    {.genre = "arabic_folk", .language = "arabic", .energy = 0.54f, .brightness = 0.55f, .swing = 0.04f, .loose_s = 0.012f,
     .scales = "bayati:4 rast:2 saba hijaz sikah", .progressions = "0 0 0 0", .grooves = folk, .fills = "tek", .basses = "-:3 guembri", .chords = "buzuq:2 oud -:2", .pads = "-",
     .riffs = "buzuq:2 rababa gasba", .leads = "rababa:4 ney:2 gasba:2 buzuq:2 mijwiz", .doubles = "rababa:3 ney -:2", .drones = "-:2 rababa", .manners = "folk:5 shout", .sung = 0.85f, .density = 1.7f,
     .ornament = 0.5f, .backing = 0.5f, .form = "vrvs", .intros = "free:2 lead:2 drums", .mix = {.tone = {-4, 3, 6, 4, -1}, .room = 0.05f, .room_s = 0.4f, .low_hz = 80, .high_hz = 9000}},
    {.genre = "arabic_indie", .language = "arabic", .energy = 0.48f, .brightness = 0.47f,
     .scales = "nahawand:2 kurd:2 minor:2 hijaz", .progressions = "1 6 7 1|1 4 6 5|6 7 1 1|1 3 7 4", .grooves = indie, .fills = "tom_high tom", .basses = "electric_bass:3 upright_bass",
     .chords = "electric_guitar:3 steel_guitar:2 piano", .pads = "warm_pad:2 strings", .riffs = "oud:3 electric_guitar piano", .leads = "oud:3 electric_guitar:2 clarinet violin", .manners = "soft:5 pop:2", .sung = 0.92f,
     .density = 1.3f, .ornament = 0.3f, .syncopation = 0.4f, .backing = 0.3f, .form = "vrvrs", .intros = "chords:2 riff:2", .mix = {.tone = {0, 3, 1, -3, -3}, .room = 0.22f, .room_s = 2.0f, .drive = 0.5f, .echo = 0.2f}},
    {.genre = "arabic_pop", .language = "arabic", .energy = 0.67f, .brightness = 0.65f,
     .scales = "nahawand:3 kurd:3 hijaz bayati ajam", .progressions = "1 6 7 1|1 7 6 7|1 4 7 1|1 6 4 5", .grooves = pop, .fills = "tek crash", .basses = "synth_bass:2 electric_bass",
     .chords = "electric_piano:2 nylon_guitar saw_stab piano", .pads = "arab_strings:3 saw_pad", .riffs = "arab_strings:4 accordion_dry arab_keyboard qanun", .leads = "arab_strings:3 accordion_dry:2 violin ney", .doubles = "-:3 arab_strings",
     .manners = "pop:4 tarab:3", .sung = 0.97f, .density = 1.7f, .ornament = 0.45f, .backing = 0.4f, .form = "vrsvr", .intros = "lead:2 band:2 riff", .mix = {.tone = {1, -3, 0, 4, 6}, .room = 0.12f, .room_s = 1.2f, .drive = 0.8f, .pump = 0.1f, .echo = 0.12f}},
    {.genre = "arabic_rap", .language = "arabic", .energy = 0.67f, .brightness = 0.39f, .swing = 0.05f,
     .scales = "hijaz:2 kurd:2 minor:2 nahawand", .progressions = "1 1 6 7|1 1 7 1|0 0 0 0|1 1 2 1", .grooves = rap, .fills = "tek snare_808", .basses = "glide_808:3 sub_bass:2", .chords = "piano electric_piano oud strings",
     .pads = "strings choir warm_pad", .riffs = "oud:3 qanun:2 ney bells", .leads = "ney:2 oud violin", .manners = "rap:8 autotune", .sung = 0.95f, .density = 1.0f, .ornament = 0.2f, .syncopation = 0.6f, .form = "vvrvr",
     .intros = "riff:3 free", .mix = {.tone = {10, -1, -4, 1, 1}, .room = 0.05f, .room_s = 0.7f, .high_hz = 9500, .drive = 1.3f}},
    {.genre = "arabic_rock", .language = "arabic", .energy = 0.84f, .brightness = 0.62f,
     .scales = "hijaz:2 kurd:2 nahawand:2 phrygian_dominant:2", .progressions = "1 7 6 7|1M 2 1M 7|1 6 7 1", .grooves = rock, .fills = "crash snare_fat tom_high tom", .basses = "picked_bass:3 electric_bass", .chords = "distorted_guitar:4 electric_guitar",
     .pads = "rock_organ strings -:2", .riffs = "distorted_guitar:3 oud", .leads = "overdriven_lead:3 oud:2 violin", .manners = "rock:4 tarab:2", .sung = 0.88f, .density = 1.7f, .ornament = 0.4f, .form = "vrvsr", .intros = "riff:3 free",
     .mix = {.tone = {-1, 0, 6, 6, -3}, .room = 0.1f, .room_s = 0.9f, .low_hz = 60, .drive = 2.0f}},
    {.genre = "khaleeji", .language = "arabic", .energy = 0.60f, .brightness = 0.55f, .swing = 0.06f, .loose_s = 0.008f,
     .scales = "bayati:2 rast:2 sikah hijaz kurd", .progressions = "0 0 0 0|1 1 7 1", .grooves = khaleeji, .fills = "palmas mirwas", .basses = "upright_bass synth_bass:2", .chords = "oud:4 qanun", .pads = "arab_strings -:2",
     .riffs = "oud:3 arab_strings", .leads = "oud:4 arab_strings:3 violin:2", .doubles = "violin:2 oud arab_strings:2 -", .manners = "tarab:3 folk:3 choir:2", .sung = 0.95f, .density = 1.7f, .ornament = 0.45f, .syncopation = 0.6f, .backing = 0.6f,
     .form = "vrvrs", .intros = "free:2 lead:2 drums", .mix = {.tone = {-1, 4, 0, 3, 4}, .room = 0.13f, .room_s = 1.0f, .low_hz = 50}},
    {.genre = "mahraganat", .language = "arabic", .energy = 0.90f, .brightness = 0.76f, .loose_s = 0.0f,
     .scales = "hijaz:2 kurd:3 bayati", .progressions = "1 1 1 1|1 1 7 1|0 0 0 0", .grooves = mahraganat, .fills = "simmons electro_tom tek", .basses = "synth_bass reese_bass:2 glide_808", .chords = "saw_stab:2 combo_organ super_saw", .pads = "-",
     .riffs = "square_lead:2 arab_keyboard:3 mizmar", .leads = "arab_keyboard:3 mizmar:2 square_lead", .manners = "autotune:5 shout:2 rap:2", .sung = 0.95f, .density = 2.4f, .ornament = 0.35f, .syncopation = 0.6f, .backing = 0.5f, .form = "vrvrb",
     .intros = "riff:2 drums", .mix = {.tone = {4, -6, 4, 8, 0}, .room = 0.05f, .room_s = 0.5f, .low_hz = 40, .drive = 3.0f, .echo = 0.3f}},
    {.genre = "rai", .language = "arabic", .energy = 0.67f, .brightness = 0.65f, .swing = 0.03f,
     .scales = "kurd:3 hijaz:2 minor nahawand phrygian", .progressions = "1 7 6 7|1 1 7 1|1 4 7 1|4 3 2 1", .grooves = rai, .fills = "tek simmons", .basses = "electric_bass synth_bass:2 slap_bass", .chords = "combo_organ nylon_guitar:2 saw_stab electric_guitar",
     .pads = "saw_pad -", .riffs = "accordion:2 saw_lead:2 trumpet gasba", .leads = "accordion:3 saw_lead:2 trumpet gasba violin", .manners = "autotune:3 belt:2 folk:2", .sung = 0.96f, .density = 1.8f, .ornament = 0.45f, .syncopation = 0.4f, .form = "vrsvr",
     .intros = "lead:2 free riff", .mix = {.tone = {1, -1, -3, 7, 3}, .room = 0.14f, .room_s = 1.2f, .drive = 0.8f, .echo = 0.2f}},
};
// clang-format on

}  // namespace

std::span<const GenreStyle> arabic_styles() { return table; }

}  // namespace chorale::data::synth

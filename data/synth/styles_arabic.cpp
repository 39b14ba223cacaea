// SPDX-License-Identifier: MIT
// The Arabic genres of the demo corpus; see styles.h for the notation.
#include "data/synth/styles.h"

namespace chorale::data::synth {
namespace {

// clang-format off
constexpr GenreStyle table[] = {
    {.genre = "arabic_classic", .language = "arabic",
     .tempo_low = 68, .tempo_high = 108, .beats = 4, .energy = 0.4f, .brightness = 0.45f, .swing = 0.0f,
     .scales = "bayati:2 rast:2 hijaz nahawand:2 saba", .progressions = "0 0 0 0",
     .drums = "doum:X.......X.......;"
              "tek:..X...X.....X...;"
              "riq:x.xxx.x.x.xxx.x.|"
              "doum:X.....x.X.......;"
              "tek:....X.......X.x.;"
              "riq:x.x.x.x.x.x.x.x.",
     .bass = "1-----1-1-------", .bass_instruments = "upright_bass:2 oud",
     .chords = "X-------x-------|..x...x.....x...", .chord_instruments = "qanun:2 oud:2 strings",
     .lead_instruments = "strings:2 violin:2 oud ney qanun voice:3", .density = 1.6f, .ornament = 0.65f},
    {.genre = "arabic_dabke", .language = "arabic",
     .tempo_low = 106, .tempo_high = 136, .beats = 4, .energy = 0.82f, .brightness = 0.7f, .swing = 0.0f,
     .scales = "bayati:2 hijaz:2 kurd", .progressions = "0 0 0 0|1 1 7 1",
     .drums = "doum:X.....X.X.......;"
              "tek:..X.......x.X...;"
              "kick:X.....X.X.......|"
              "doum:X..x....X.......;"
              "tek:...X..X.....X.xx;"
              "palmas:....X.......X...",
     .bass = "1.1...1.1.1.....", .bass_instruments = "synth_bass:2 sub_bass",
     .chords = "X...X...X...X...|..x...x...x...x.", .chord_instruments = "saw_stab organ drone",
     .lead_instruments = "mizmar:5 synth_lead voice:2", .density = 2.2f, .ornament = 0.5f},
    {.genre = "arabic_electronic", .language = "arabic",
     .tempo_low = 116, .tempo_high = 134, .beats = 4, .energy = 0.78f, .brightness = 0.7f, .swing = 0.0f,
     .scales = "hijaz:2 kurd:2 nahawand", .progressions = "1 1 7 1|0 0 0 0|1 7 6 7",
     .drums = "kick:X...X...X...X...;"
              "tek:..x...x...x.x...;"
              "open_hat:..x...x...x...x.|"
              "kick:X...X...X...X...;"
              "doum:X.......X.......;"
              "tek:..X...X.....X...;"
              "clap:....X.......X...",
     .bass = "..1-..1-..1-..1-|1.11.11.1.11.11.", .bass_instruments = "synth_bass",
     .chords = "aaaaaaaaaaaaaaaa|X--X--X---X--X--", .chord_instruments = "saw_stab:2 pluck_synth saw_pad",
     .lead_instruments = "synth_lead:3 qanun ney mizmar voice", .density = 1.7f, .ornament = 0.35f},
    {.genre = "arabic_folk", .language = "arabic",
     .tempo_low = 84, .tempo_high = 124, .beats = 4, .energy = 0.55f, .brightness = 0.55f, .swing = 0.04f,
     .scales = "bayati:3 rast:2 saba hijaz", .progressions = "0 0 0 0",
     .drums = "frame:X.....x.X.......;"
              "tek:..x.x...x.x.x...|"
              "frame:X...x...X...x...;"
              "sagat:..x...x...x...x.;"
              "tek:...x...x...x..xx",
     .bass = "1---1---1---1---", .bass_instruments = "oud upright_bass",
     .chords = "a.aaa.a.a.aaa.a.|X.......X.......", .chord_instruments = "oud:3 qanun",
     .lead_instruments = "ney:3 oud:2 voice:3 mizmar", .density = 1.8f, .ornament = 0.5f},
    {.genre = "arabic_indie", .language = "arabic",
     .tempo_low = 84, .tempo_high = 128, .beats = 4, .energy = 0.5f, .brightness = 0.5f, .swing = 0.0f,
     .scales = "nahawand:2 kurd:2 minor:2 hijaz", .progressions = "1 6 7 1|1 4 6 5|6 7 1 1",
     .drums = "kick:X.......X.x.....;"
              "snare:....X.......X...;"
              "riq:x.x.x.x.x.x.x.x.|"
              "kick_soft:X.....x...x.....;"
              "rim:....X.......X...;"
              "shaker:x.xxx.xxx.xxx.xx",
     .bass = "1-----1-1-------", .bass_instruments = "electric_bass",
     .chords = "X.x.X.xxX.x.X.xx|a.a.a.a.a.a.a.a.", .chord_instruments = "electric_guitar:2 oud piano steel_guitar",
     .lead_instruments = "voice:4 oud electric_guitar", .density = 1.2f, .ornament = 0.3f},
    {.genre = "arabic_pop", .language = "arabic",
     .tempo_low = 92, .tempo_high = 126, .beats = 4, .energy = 0.66f, .brightness = 0.62f, .swing = 0.0f,
     .scales = "nahawand:2 kurd:2 hijaz bayati", .progressions = "1 6 7 1|1 7 6 7|1 4 7 1",
     .drums = "doum:X.......X.......;"
              "tek:..X...X.....X...;"
              "kick:X.......X.......;"
              "clap:....X.......X...|"
              "kick:X...X...X...X...;"
              "tek:..x.x.x...x.x.x.;"
              "snare:....X.......X...",
     .bass = "1-1-1-1-1-1-1-1-|1-----1-1-------", .bass_instruments = "synth_bass electric_bass",
     .chords = "X-------X-------|X--x--x-X--x--x-", .chord_instruments = "strings:3 electric_piano saw_pad",
     .lead_instruments = "voice:4 strings violin accordion", .density = 1.6f, .ornament = 0.4f},
    {.genre = "arabic_rap", .language = "arabic",
     .tempo_low = 78, .tempo_high = 102, .beats = 4, .energy = 0.64f, .brightness = 0.44f, .swing = 0.06f,
     .scales = "hijaz kurd:2 minor:2", .progressions = "1 1 6 7|1 1 7 1|0 0 0 0",
     .drums = "kick_808:X..x......x.....;"
              "snare_tight:....X.......X...;"
              "hat:x.xxx.x.x.xxx.xx|"
              "kick:X.....x..x......;"
              "clap:....X.......X...;"
              "tek:..x.x...x.x.x.xx",
     .bass = "1--1------1-----", .bass_instruments = "sub_bass:3 synth_bass",
     .chords = "X---------------|..x...x...x...x.", .chord_instruments = "oud qanun strings electric_piano",
     .lead_instruments = "rap_voice:5 voice ney", .density = 2.5f, .ornament = 0.08f},
    {.genre = "arabic_rock", .language = "arabic",
     .tempo_low = 100, .tempo_high = 148, .beats = 4, .energy = 0.8f, .brightness = 0.6f, .swing = 0.0f,
     .scales = "hijaz:2 kurd nahawand:2 phrygian_dominant", .progressions = "1 7 6 7|1 2 1 7|1 6 7 1",
     .drums = "kick:X.x.....X.x.....;"
              "snare:....X.......X...;"
              "hat:X.x.X.x.X.x.X.x.|"
              "kick:X.....x.X.......;"
              "snare:....X.......X...;"
              "tek:..x...x...x...xx;"
              "crash:X...............",
     .bass = "1-1-1-1-1-1-1-1-", .bass_instruments = "electric_bass",
     .chords = "X-x-X-x-X-x-X-x-|X-------X-x-X-x-", .chord_instruments = "distorted_guitar:4 electric_guitar",
     .lead_instruments = "voice:3 distorted_guitar:2 oud", .density = 1.3f, .ornament = 0.35f},
    {.genre = "khaleeji", .language = "arabic",
     .tempo_low = 86, .tempo_high = 122, .beats = 4, .energy = 0.6f, .brightness = 0.55f, .swing = 0.08f,
     .scales = "bayati:2 rast hijaz kurd", .progressions = "0 0 0 0|1 1 7 1",
     .drums = "frame:X..x..x.X..x..x.;"
              "tek:..x..x.x..x..x.x;"
              "palmas:....X..x....X..x|"
              "doum:X..x..X.x.......;"
              "frame:X.......X.......;"
              "palmas:..x..x...x..x.x.",
     .bass = "1..1..1.1..1..1.", .bass_instruments = "synth_bass upright_bass",
     .chords = "X..x..x.X..x..x.|a..a..a.a..a..a.", .chord_instruments = "oud:3 strings qanun",
     .lead_instruments = "voice:4 oud:2 violin strings", .density = 1.6f, .ornament = 0.5f},
    {.genre = "mahraganat", .language = "arabic",
     .tempo_low = 98, .tempo_high = 128, .beats = 4, .energy = 0.86f, .brightness = 0.72f, .swing = 0.0f,
     .scales = "hijaz:2 kurd:2 bayati", .progressions = "1 1 1 1|1 1 7 1|0 0 0 0",
     .drums = "kick:X.....X.X.......;"
              "snare_tight:..X...X.....X...;"
              "electro_tom:....x..x....x.xx|"
              "kick_808:X..X..X.X..X..X.;"
              "clap:....X.......X...;"
              "tek:..x.x.xx..x.x.xx",
     .bass = "1..1..1.1..1..1.|1.1.1.1.1.1.1.1.", .bass_instruments = "synth_bass sub_bass",
     .chords = "X.X.X.X.X.X.X.X.|aaaaaaaaaaaaaaaa", .chord_instruments = "saw_stab:2 synth_lead organ",
     .lead_instruments = "rap_voice:2 synth_lead:3 mizmar voice", .density = 2.4f, .ornament = 0.35f},
    {.genre = "rai", .language = "arabic",
     .tempo_low = 94, .tempo_high = 134, .beats = 4, .energy = 0.66f, .brightness = 0.64f, .swing = 0.05f,
     .scales = "kurd:2 hijaz:2 minor nahawand", .progressions = "1 7 6 7|1 1 7 1|1 4 7 1",
     .drums = "doum:X..x..X.X..x..X.;"
              "tek:..x..x.x..x..x.x;"
              "kick:X.......X.......|"
              "kick:X...X...X...X...;"
              "tek:..xx..x...xx..x.;"
              "clap:....X.......X...",
     .bass = "1..1..5.1..1..5.|1-1-5-5-1-1-5-5-", .bass_instruments = "electric_bass synth_bass",
     .chords = "..X...X...X...X.|X..x..x.X..x..x.", .chord_instruments = "accordion:2 saw_stab nylon_guitar organ",
     .lead_instruments = "voice:4 accordion:2 synth_lead trumpet", .density = 1.7f, .ornament = 0.45f},
};
// clang-format on

}  // namespace

std::span<const GenreStyle> arabic_styles() { return table; }

}  // namespace chorale::data::synth

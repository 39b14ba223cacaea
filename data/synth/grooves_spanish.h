// SPDX-License-Identifier: MIT
// How the Spanish genres of the demo corpus move; see styles.h for the notation.
#pragma once
#include "data/synth/styles.h"

namespace chorale::data::synth::spanish {

// clang-format off
constexpr Groove bachata[] = {
    {"4/4", 4, 116, 142,
     "guira:X.xxX.xxX.xxX.xx;bongo_high:x.x.x.x.x.x.X.x.;bongo_low:......x.......X.|guira:X.xxX.xxX.xxX.xx;bongo_high:X.x.X.x.X.x...x.;bongo_low:............X...;kick_soft:X.......X.......",
     "1---..5-1---....|1-..5-..8-..5-..", "X.x.X.x.X.x.X.xx|X...X.x.X...X.x.", "1.3.5.8.5.3.5.3.|8.5.3.5.8.5.8.5.|1.5.3.5.8...5..."},
};
constexpr Groove banda[] = {
    {"2/4", 4, 112, 156, "tambora:X...X...X...X...;march_snare:..x...x...x...xx;crash:..x...x...x...x.|tambora:X.......X.......;march_snare:....X..x....X.xx;crash:....x.......x...", "1...5...1...5...",
     "..X...X...X...X.|..X...X...X.X.X.", "8.5.3.5.8...5...|5.5.5.8.5.3.1..."},
    {"3/4", 3, 108, 150, "tambora:X...........;march_snare:....x...x...;crash:....o...o...", "1...........|1.......5...", "....X...X...", "5...3...1..."},
};
constexpr Groove bolero[] = {
    {"4/4", 4, 76, 106,
     "maracas:X.xxX.xxX.xxX.xx;bongo_high:x.x.x.x.x.x.x.x.;bongo_low:......x.......x.|maracas:x.x.x.x.x.x.x.x.;conga_low:............x.x.;conga_high:....x...........;rim:x..x..x...x.x...",
     "1-----5-8-------|1-------5---8---", "a.a.a.a.a.a.a.a.|X---..x-X---x---", "5...8.5.3...5..."},
};
constexpr Groove corrido[] = {
    {"3/4", 3, 112, 156, "kick_soft:X...........;rim:....x...x...;hat:x...x...x...|-", "1...........|1.......5...", "....X...X...|b...X...X...", "5.3.1.3.5..."},
    {"2/4", 4, 104, 140, "kick_soft:X...X...X...X...;rim:..x...x...x...x.", "1...5...1...5...", "..X...X...X...X.", "1.3.5.8.5.3.5..."},
};
constexpr Groove flamenco[] = {
    {"12/8", 4, 104, 150,  // buleria: accents on 12 3 6 8 10
     "palmas:X..X..X.X.X.;cajon_low:X.....X.....;cajon_high:..x..x..x.x.|palmas:Xx.Xx.XxXxXx;palmas_soft:.xx.xx.xx.xx", "............", "X..x..X.x.X.|XxxXxxXxXxXx|aaaaaaaaaaaa", ""},
    {"3/4", 3, 72, 104, "palmas_soft:X...X...X...;cajon_low:X...........", "............", "X.......aaaa|aaaaaaaaaaaa", ""},  // solea, fandango
    {"4/4", 4, 96, 126, "palmas:..x...xx..x...xx;cajon_low:X..x....X..x....;cajon_high:....X.......X.x.", "................", "X.xxX.xxX.xxX.xx|aaaaaaaaaaaaaaaa", ""},  // rumba, tangos
};
constexpr Groove flamenco_pop[] = {
    {"4/4", 4, 92, 122,
     "palmas:..x...xx..x...xx;cajon_low:X..x....X..x....;cajon_high:....X.......X.x.|kick:X.......X.x.....;clap:....X.......X...;palmas:..xx..x...xx..x.", "1-----1-5-------|1-1-..1-5-5-..5-",
     "X.x.X.xxX.x.X.xx|X..xX.x.X..xX.x.", "1.2.3.2.1...5.4.|5.4.3.4.3.2.1..."},
};
constexpr Groove latin_folk[] = {
    {"6/8", 2, 74, 112, "bombo:X.....x.x...;rim:..x.x...x.x.|bombo:X...x.X.....;shaker:x.xxx.x.xxx.", "1-....5-....|1...5.......", "X.xx.xX.xx.x|a.aa.aa.aa.a", "5.3.1.3.5.8."},
    {"2/4", 4, 84, 116, "bombo:X...x...X...x...;shaker:x.xxx.xxx.xxx.xx|bombo:X..x....X..x....", "1---5---1---5---", "X.xxX.xxX.xxX.xx", "1.1.3.5.5.3.1..."},
};
constexpr Groove latin_indie[] = {
    {"4/4", 4, 88, 136,
     "kick:X.......X.x.....;snare:....X.......X...;hat:x.x.x.x.x.x.x.x.|kick_soft:X.....x.X.......;rim:....X.......X...;shaker:x.xxx.xxx.xxx.xx|kick:X..x..x.X..x..x.;snare_808:....X.......X...;guiro:X.xxX.xxX.xxX.xx",
     "1-1-1-1-1-1-1-1-|1-----1-1-------|1..3..5-1..3..5-", "a.a.a.a.a.a.a.a.|..X...X...X...X.|X-------x-------", "5.3.5.8.5.3.1...|8...5...3...5..."},
};
constexpr Groove latin_pop[] = {
    {"4/4", 4, 90, 126,
     "kick:X...X...X...X...;snare:...x..x....x..x.;shaker:x.xxx.xxx.xxx.xx|kick:X.......X.x.....;clap:....X.......X...;conga_high:..x...xx..x...xx;conga_low:......x.......x.", "1-----1-1-------|1--1--1-1--1--1-",
     "X--x--x-X--x--x-|X.x.X.xxX.x.X.xx", "5..8..5.3..5..3.|1.3.5.3.8.5.3..."},
};
constexpr Groove latin_rock[] = {
    {"4/4", 4, 104, 150,
     "kick_hard:X.x.....X.x.....;snare_fat:....X.......X...;hat:X.x.X.x.X.x.X.x.;conga_high:..x.x.x...x.x.x.|kick_hard:X.....x.X.......;snare:....X.......X...;conga_low:..............xx;conga_slap:....x.......x...;cowbell:X...X...X...X...;timbale:..x..x......x.xx",
     "1-1-1-1-1-1-1-1-|1--1--1-5--5--5-", "X-x-X-x-X-x-X-x-|X--X--X-X--X--X-", "1.3.5.3.4.3.1...|5.5.4.3.1.3.4..."},
};
constexpr Groove latin_trap[] = {
    {"4/4", 4, 62, 80,
     "kick_808:X......x..X.....;snare_808:........X.......;hat_808:x.x.xrxxx.x.xtxx|kick_808:X.....X....x....;clap:........X.......;hat_808:xrx.x.x.xxxxxtx.", "1------1--1-----|1-----1----1----", "X---------------|a...a...a...a...", "5...8...3...5...|8.5.3.......5..."},
};
constexpr Groove mariachi[] = {
    {"3/4", 3, 108, 168, "-", "1...........|1.......5...", "....X...X...", "5.5.8...5..."},
    {"6/8", 2, 92, 126, "-", "1---1-5-1---", "X.xxxxX.X.X.|XxxXxxX.X.X.", "1.3.5.8.5.3."},  // son jalisciense
    {"4/4", 4, 76, 98, "maracas:x.x.x.x.x.x.x.x.;bongo_low:......x.......x.", "1-----5-8-------", "X.x.x.x.X.x.x.x.", ""},
    {"2/4", 4, 116, 148, "-", "1...5...1...5...", "..X...X...X...X.", "8.8.5.5.3.3.1..."},
};
constexpr Groove norteno[] = {
    {"2/4", 4, 110, 148, "kick:X...X...X...X...;snare:..x...x...x...x.;hat:x.x.x.x.x.x.x.x.|kick:X...X...X...X...;snare:..x...x...x.x.x.", "1...5...1...5...", "..X...X...X...X.|..X...X...X.X.X.", "1.3.5.3.8.5.3.1."},
    {"3/4", 3, 112, 150, "kick:X...........;snare:....x...x...;hat:....x...x...", "1...........|1.......5...", "....X...X...", "5.6.5.3.1..."},
};
constexpr Groove reggaeton[] = {
    {"4/4", 4, 86, 104,  // dembow
     "kick_hard:X...X...X...X...;snare:...X..X....X..X.;hat_808:x.x.x.x.x.x.x.x.|kick_808:X...X...X...X...;snare_tight:...X..X....X..X.;shaker:x.xxx.xxx.xxx.xx;rim:......x.......x.|kick_hard:X...x...X...x...;timbale:...X..X....X..X.;snare_808:...x..x....x..x.",
     "1-----1-1-----1-|1--1--1-1--1--1-", "X--x--x-X--x--x-|X-------X-------", "1.3.5.3.1.3.5.3.|8..5..3.8..5..3.|5...5.3.1...3..."},
};
constexpr Groove salsa[] = {
    {"4/4", 8, 164, 212,  // two bars of four, clave 3-2 and 2-3
     "conga_slap:..x.......x.....;conga_low:......xx......xx;clave:x..x..x...x.x...;cowbell:X.x.X.x.X.x.X.x.;maracas:x.xxx.xxx.xxx.xx|conga_low:......xx......xx;conga_slap:..x.......x.....;clave:..x.x...x..x..x.;timbale:x.x.xx.x.x.x.x.x;guiro:X.xxX.xxX.xxX.xx;bongo_high:xxx.xxx.xxx.xxx.",
     "...5..8-...5..8-|...5..1-..35..1-", "X.xx.x.xX.xx.x.x|X..X.xX.X..X.xX.|.xX.x.xX.xX.x.xX", "8.5.3.5.8.5.3.5.|........8.8.5.3."},
};
constexpr Groove tejano[] = {
    {"2/4", 4, 98, 136, "kick:X...X...X...X...;snare:..x...x...x...x.;hat:x.x.x.x.x.x.x.x.|kick:X...X...X...X...;snare_808:....x.......x...;guira:X.xxX.xxX.xxX.xx;cowbell:..x...x...x...x.", "1-..5-..1-..5-..|1...5...1...5...",
     "..X...X...X...X.", "5.5.8...5.3.1...|8.5.6.5.3.5...1."},
};
constexpr Groove vallenato[] = {
    {"4/4", 4, 94, 130, "caja:X..x..x.X..x.xx.;guacharaca:X.xxX.xxX.xxX.xx|caja:..xx..x...xx..x.;guacharaca:xxX.xxX.xxX.xxX.;conga_low:X.......X.......", "1..5..8-1..5..8-|1-..5-..8-..5-..", "..X...X...X...X.|X.x.X.xxX.x.X.xx", "5.3.5.8.5.3.1.3."},
    {"6/8", 2, 100, 132, "caja:X..x.xX.x.xx;guacharaca:X.xxX.X.xxX.;conga_low:......x.....", "1---5-8---5-", "..X...X...X.|X.x.xxX.x.xx", "8.5.3.5.8.5."},
};
// clang-format on

}  // namespace chorale::data::synth::spanish

// SPDX-License-Identifier: MIT
// English words and lines, written for the demo corpus. Kinds: n noun, p plural noun, a adjective, v verb
// without object, t when, d where.
#include "data/synth/vocabulary.h"

namespace chorale::data::synth {
namespace {

// clang-format off
constexpr Word common[] = {
    {'t', {"tonight"}}, {'t', {"at dawn"}}, {'t', {"all summer"}}, {'t', {"till morning"}}, {'t', {"every Sunday"}}, {'t', {"in December"}},
    {'t', {"after midnight"}}, {'t', {"once again"}}, {'t', {"before sunrise"}}, {'t', {"for a hundred years"}}, {'t', {"in the meantime"}}, {'t', {"someday"}},
    {'d', {"by the window"}}, {'d', {"under the bridge"}}, {'d', {"on the rooftop"}}, {'d', {"beyond the hills"}}, {'d', {"at the edge of town"}}, {'d', {"beside the fire"}},
    {'d', {"in the open field"}}, {'d', {"down at the harbour"}}, {'d', {"behind the curtain"}}, {'d', {"along the railway"}}, {'d', {"near the old mill"}}, {'d', {"inside my head"}},
    {'a', {"gentle"}}, {'a', {"restless"}}, {'a', {"golden"}}, {'a', {"broken"}}, {'a', {"quiet"}}, {'a', {"wild"}}, {'a', {"lonely"}}, {'a', {"brave"}},
    {'a', {"tender"}}, {'a', {"hollow"}}, {'a', {"crooked"}}, {'a', {"brand new"}}, {'a', {"silver"}}, {'a', {"stubborn"}},
    {'v', {"sing"}}, {'v', {"wander"}}, {'v', {"wait"}}, {'v', {"run"}}, {'v', {"laugh"}}, {'v', {"breathe"}}, {'v', {"listen"}}, {'v', {"burn"}}, {'v', {"rise"}}, {'v', {"stay"}},
    {'v', {"whisper"}}, {'v', {"travel"}}, {'v', {"begin again"}}, {'v', {"fall"}},
    {'n', {"song"}}, {'n', {"heart"}}, {'n', {"sky"}}, {'n', {"shadow"}}, {'n', {"silence"}}, {'n', {"sun"}}, {'n', {"world"}}, {'n', {"fire"}},
    {'p', {"stars"}}, {'p', {"hands"}}, {'p', {"words"}}, {'p', {"years"}}, {'p', {"birds"}}, {'p', {"strangers"}},
};
constexpr Text lines[] = {
    {"I will {v} {d} {t}"}, {"The {n} is {a} and so am I"}, {"Nobody knows the {n} like you do"}, {"We {v} and we {V} {t}"}, {"All of the {p} turn {a} {t}"},
    {"Tell me, is the {n} still {a}?"}, {"You gave me the {n}, I kept the {N}"}, {"Oh, {v} with me {d}"}, {"My {a} {n} is waiting {d}"}, {"Count the {p}, forget the {P}"},
    {"Somebody left the {n} {d}"}, {"If I {v}, will you {V} too?"}, {"It takes a {a} {n} to {v}"}, {"Let the {p} {v} {t}"}, {"I never asked the {n} to {v}"},
    {"And the {n} goes on {t}"},
};

constexpr Word love_words[] = {{'n', {"kiss"}}, {'n', {"promise"}}, {'n', {"ring"}}, {'n', {"rose"}}, {'n', {"touch"}}, {'n', {"smile"}}, {'p', {"lovers"}}, {'p', {"roses"}}, {'a', {"faithful"}}};
constexpr Text love_lines[] = {{"Every {n} of yours is mine to keep"}, {"I love you more than the {n} can say"}, {"Hold me like the {n} holds the {N}"}, {"Say my name and I will {v}"}, {"Two {a} hearts, one {n}"}};
constexpr Word longing_words[] = {{'n', {"letter"}}, {'n', {"distance"}}, {'n', {"empty chair"}}, {'n', {"telephone"}}, {'n', {"goodbye"}}, {'n', {"ache"}}, {'p', {"miles"}}, {'p', {"tears"}}, {'a', {"far away"}}};
constexpr Text longing_lines[] = {{"I miss you {d} {t}"}, {"Come back before the {n} is gone"}, {"There are too many {p} between us"}, {"The {n} still smells of you"}, {"I wrote your name on the {n}"}};
constexpr Word night_words[] = {{'n', {"moon"}}, {'n', {"midnight"}}, {'n', {"candle"}}, {'n', {"darkness"}}, {'n', {"owl"}}, {'n', {"lantern"}}, {'p', {"shadows"}}, {'p', {"fireflies"}}, {'a', {"sleepless"}}};
constexpr Text night_lines[] = {{"The {n} came up and the town went still"}, {"Nobody sleeps when the {n} is {a}"}, {"Light a {n} and {v} till dawn"}, {"The night has {p} where the day has doors"}, {"Dark is the {n}, bright is the {N}"}};
constexpr Word rain_words[] = {{'n', {"rain"}}, {'n', {"thunder"}}, {'n', {"umbrella"}}, {'n', {"cloud"}}, {'n', {"storm"}}, {'n', {"gutter"}}, {'p', {"puddles"}}, {'p', {"raindrops"}}, {'a', {"soaking wet"}}};
constexpr Text rain_lines[] = {{"Let the {n} come down on me"}, {"I hear the {n} knocking on the roof"}, {"We were {a} and we did not mind"}, {"After the {n} the street will shine"}, {"Raindrops fall and {p} grow"}};
constexpr Word sea_words[] = {{'n', {"ocean"}}, {'n', {"tide"}}, {'n', {"harbour"}}, {'n', {"sail"}}, {'n', {"lighthouse"}}, {'n', {"shore"}}, {'p', {"waves"}}, {'p', {"gulls"}}, {'a', {"salty"}}};
constexpr Text sea_lines[] = {{"The {n} took my name and gave it back"}, {"Row me over where the {p} {v}"}, {"Leave a light on at the {n}"}, {"The {n} is wide and my boat is small"}, {"I hear the {p} calling {t}"}};
constexpr Word journey_words[] = {{'n', {"highway"}}, {'n', {"suitcase"}}, {'n', {"horizon"}}, {'n', {"map"}}, {'n', {"mountain"}}, {'n', {"engine"}}, {'p', {"roads"}}, {'p', {"wheels"}}, {'a', {"dusty"}}};
constexpr Text journey_lines[] = {{"Take me out along the {n}"}, {"Two dollars and a borrowed {n}"}, {"Mother waved until the {n} was gone"}, {"Every {n} leads me further on"}, {"The {p} are long but the {n} is near"}};
constexpr Word home_words[] = {{'n', {"kitchen"}}, {'n', {"garden"}}, {'n', {"front door"}}, {'n', {"porch"}}, {'n', {"table"}}, {'n', {"village"}}, {'p', {"neighbours"}}, {'p', {"apple trees"}}, {'a', {"warm"}}};
constexpr Text home_lines[] = {{"There is a {n} that knows my name"}, {"Take me back to the {n} where I grew"}, {"Bread on the {n} and boots by the door"}, {"The {p} still ask about me {t}"}, {"Home is a {a} {n} and you"}};
constexpr Word celebration_words[] = {{'n', {"party"}}, {'n', {"wedding"}}, {'n', {"birthday"}}, {'n', {"harvest"}}, {'n', {"holiday"}}, {'n', {"parade"}}, {'p', {"friends"}}, {'p', {"church bells"}}, {'a', {"joyful"}}};
constexpr Text celebration_lines[] = {{"Everybody came for the {n}"}, {"Raise a glass to all the {p}"}, {"This is the {n} we waited for"}, {"Ring the bells and {v} {t}"}, {"Bring your {p}, bring them all"}};
constexpr Word dance_words[] = {{'n', {"rhythm"}}, {'n', {"dance floor"}}, {'n', {"drum"}}, {'n', {"bass line"}}, {'n', {"jukebox"}}, {'n', {"groove"}}, {'p', {"dancers"}}, {'p', {"red shoes"}}, {'a', {"breathless"}}};
constexpr Text dance_lines[] = {{"Move with me to the {n}"}, {"Clap on the two, stamp on the four"}, {"The {n} has got me by the feet"}, {"Spin me round till the {n} is {a}"}, {"Turn it up and {v} {t}"}};
constexpr Word memory_words[] = {{'n', {"photograph"}}, {'n', {"attic"}}, {'n', {"school yard"}}, {'n', {"childhood"}}, {'n', {"diary"}}, {'n', {"old song"}}, {'p', {"yesterdays"}}, {'p', {"faces"}}, {'a', {"faded"}}};
constexpr Text memory_lines[] = {{"I keep a {n} in a wooden box"}, {"Do you remember the {n} {d}?"}, {"All the {p} come back to me"}, {"The {n} is {a} but I know it well"}, {"We were ten and the {n} was ours"}};
constexpr Word city_words[] = {{'n', {"subway"}}, {'n', {"neon sign"}}, {'n', {"traffic"}}, {'n', {"skyline"}}, {'n', {"corner shop"}}, {'n', {"avenue"}}, {'p', {"taxis"}}, {'p', {"sirens"}}, {'a', {"crowded"}}};
constexpr Text city_lines[] = {{"The city hums like a {a} {n}"}, {"Meet me under the {n} at nine"}, {"A million people and one {n}"}, {"The {p} never learn to {v}"}, {"I rent a room above the {n}"}};
constexpr Word dream_words[] = {{'n', {"dream"}}, {'n', {"feather"}}, {'n', {"ladder"}}, {'n', {"rainbow"}}, {'n', {"mirror"}}, {'n', {"kite"}}, {'p', {"wings"}}, {'p', {"planets"}}, {'a', {"weightless"}}};
constexpr Text dream_lines[] = {{"Last night I climbed the {n} to the sky"}, {"In my dream the {p} could {v}"}, {"Do not wake me till the {n} is mine"}, {"Close your eyes and follow the {n}"}, {"I was {a}, I had {p}"}};

constexpr Theme themes[] = {
    {"love", love_words, love_lines}, {"longing", longing_words, longing_lines}, {"night", night_words, night_lines}, {"rain", rain_words, rain_lines},
    {"sea", sea_words, sea_lines}, {"journey", journey_words, journey_lines}, {"home", home_words, home_lines}, {"celebration", celebration_words, celebration_lines},
    {"dance", dance_words, dance_lines}, {"memory", memory_words, memory_lines}, {"city", city_words, city_lines}, {"dream", dream_words, dream_lines},
};
constexpr Vocabulary vocabulary = {"english", common, lines, themes};
// clang-format on

}  // namespace

const Vocabulary& english_vocabulary() { return vocabulary; }

}  // namespace chorale::data::synth

// SPDX-License-Identifier: MIT
// English lines and nouns of the demo corpus, written for it.
#include "data/synth/lyrics.h"

namespace chorale::data::synth {

// clang-format off
const std::vector<Theme>& english_themes() {
  static const std::vector<Theme> themes = {
      {"love",
       {
           {"You came to me like the %", "", ""},
           {"Keep your hand inside of mine", "", ""},
           {"I hear your name in the %", "", ""},
           {"Every clock forgets the time", "", ""},
           {"Stay until the % is gone", "", ""},
           {"There is a window lit for you", "", ""},
       },
       {{"moonlight", "", ""}, {"river", "", ""},
        {"morning", "", ""}, {"fire", "", ""},
        {"garden", "", ""}}},
      {"longing",
       {
           {"It is only me and the % now", "", ""},
           {"Your coat still hangs behind the door", "", ""},
           {"I ask the % where you are", "", ""},
           {"Four in the morning, wide awake", "", ""},
           {"The % knows what I cannot say", "", ""},
           {"Come back before the leaves come down", "", ""},
       },
       {{"rain", "", ""}, {"station", "", ""},
        {"hallway", "", ""}, {"winter", "", ""},
        {"telephone", "", ""}}},
      {"journey",
       {
           {"Take me out along the %", "", ""},
           {"Two dollars and a borrowed map", "", ""},
           {"Somewhere beyond the % we rest", "", ""},
           {"I sing to keep the dark away", "", ""},
           {"The % never asks my name", "", ""},
           {"My mother waved until the bend", "", ""},
       },
       {{"highway", "", ""}, {"mountain", "", ""},
        {"border", "", ""}, {"ocean", "", ""},
        {"railway", "", ""}}},
      {"celebration",
       {
           {"Everybody came for the %", "", ""},
           {"Turn it up and let it ring", "", ""},
           {"Nobody sleeps until the sun", "", ""},
           {"We built the % with our hands", "", ""},
           {"Clap on the two, stamp on the four", "", ""},
           {"This is the % we waited for", "", ""},
       },
       {{"weekend", "", ""}, {"summer", "", ""},
        {"neighbourhood", "", ""}, {"dance floor", "", ""},
        {"harvest", "", ""}}},
  };
  return themes;
}
// clang-format on

}  // namespace chorale::data::synth

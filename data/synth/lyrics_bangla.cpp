// SPDX-License-Identifier: MIT
// Bangla lines and nouns of the demo corpus, written for it.
#include "data/synth/lyrics.h"

namespace chorale::data::synth {

// clang-format off
const std::vector<Theme>& bangla_themes() {
  static const std::vector<Theme> themes = {
      {"love",
       {
           {"তুমি আমার %, তুমি আমার গান", "tumi amar %, tumi amar gan", "you are my %, you are my song"},
           {"% জানে তোমার নাম", "% jane tomar nam", "the % knows your name"},
           {"হাতটা ধরো, দূরে যেও না", "hat-ta dhoro, dure jeo na", "hold my hand, do not go far"},
           {"তোমার চোখে আমার আকাশ", "tomar chokhe amar akash", "in your eyes is my sky"},
           {"তুমি এলে % হাসে", "tumi ele % hashe", "when you come the % smiles"},
           {"মনের কথা সুরে বলি", "moner kotha sure boli", "I tell my heart's words in a tune"},
       },
       {{"চাঁদ", "chand", "moon"}, {"ফুল", "phul", "flower"},
        {"নদী", "nodi", "river"}, {"আলো", "alo", "light"},
        {"ভোর", "bhor", "dawn"}}},
      {"longing",
       {
           {"% আসে, তুমি আসো না", "% ashe, tumi asho na", "the % comes, you do not come"},
           {"একা জানালায় বসে থাকি", "eka janalay boshe thaki", "I sit alone at the window"},
           {"% জানে আমার কথা", "% jane amar kotha", "the % knows my story"},
           {"পুরোনো চিঠি আবার পড়ি", "purono chithi abar pori", "I read the old letters again"},
           {"কবে ফিরবে, বলো আমায়", "kobe phirbe, bolo amay", "when will you return, tell me"},
           {"ঘুমায় শহর, জাগে %", "ghumay shohor, jage %", "the city sleeps, the % stays awake"},
       },
       {{"বৃষ্টি", "brishti", "rain"}, {"রাত", "rat", "night"},
        {"বাতাস", "batash", "wind"}, {"মেঘ", "megh", "cloud"},
        {"তারা", "tara", "star"}}},
      {"journey",
       {
           {"আমায় ডাকে ওই %", "amay dake oi %", "that % is calling me"},
           {"চলো যাই সেই দেশে", "cholo jai shei deshe", "come, let us go to that land"},
           {"সামনে %, পিছনে ঘর", "shamne %, pichhone ghor", "before me the %, behind me my home"},
           {"পায়ের ধুলো গান হয়ে যায়", "payer dhulo gan hoye jay", "the dust of my feet becomes a song"},
           {"মাঝি, তুমি ধীরে চলো", "majhi, tumi dhire cholo", "boatman, go slowly"},
           {"% চেনে আমার পা", "% chene amar pa", "the % knows my feet"},
       },
       {{"পথ", "poth", "road"}, {"নৌকা", "nouka", "boat"},
        {"মাঠ", "math", "field"}, {"পাহাড়", "pahar", "hill"},
        {"সাগর", "shagor", "sea"}}},
      {"celebration",
       {
           {"এসো সবাই, আজ %", "esho shobai, aj %", "come everyone, today is the %"},
           {"রঙে রঙে ভরে গেল দিন", "ronge ronge bhore gelo din", "the day filled with colour upon colour"},
           {"নাচো, গাও, হাততালি দাও", "nacho, gao, hattali dao", "dance, sing, clap your hands"},
           {"বছর ঘুরে এলো %", "bochhor ghure elo %", "the year has turned and the % has come"},
           {"মায়ের হাতে মিষ্টি খাই", "mayer hate mishti khai", "we eat sweets from mother's hand"},
           {"% মানে সবার হাসি", "% mane shobar hashi", "the % means everyone's laughter"},
       },
       {{"উৎসব", "utshob", "festival"}, {"বসন্ত", "boshonto", "spring"},
        {"মেলা", "mela", "fair"}, {"ছুটি", "chhuti", "holiday"},
        {"পূর্ণিমা", "purnima", "full moon"}}},
  };
  return themes;
}
// clang-format on

}  // namespace chorale::data::synth

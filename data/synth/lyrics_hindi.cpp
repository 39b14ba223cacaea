// SPDX-License-Identifier: MIT
// Hindi lines and nouns of the demo corpus, written for it.
#include "data/synth/lyrics.h"

namespace chorale::data::synth {

// clang-format off
const std::vector<Theme>& hindi_themes() {
  static const std::vector<Theme> themes = {
      {"love",
       {
           {"तू ही मेरा %, तू ही मेरी जान", "tu hi mera %, tu hi meri jaan", "you are my %, you are my life"},
           {"तेरी आँखों में मेरा घर है", "teri aankhon mein mera ghar hai", "in your eyes is my home"},
           {"तुझे देखे तो % मुस्काए", "tujhe dekhe to % muskaye", "when it sees you the % smiles"},
           {"हाथ पकड़ ले, दूर न जा", "haath pakad le, door na ja", "hold my hand, do not go far"},
           {"हर साँस में तेरा नाम", "har saans mein tera naam", "your name is in every breath"},
           {"% जैसा चेहरा तेरा", "% jaisa chehra tera", "your face is like the %"},
       },
       {{"चाँद", "chaand", "moon"}, {"फूल", "phool", "flower"},
        {"सूरज", "sooraj", "sun"}, {"गीत", "geet", "song"},
        {"दीपक", "deepak", "lamp"}}},
      {"longing",
       {
           {"% आया, तुम न आए", "% aaya, tum na aaye", "the % came, you did not come"},
           {"रात भर मैं जागता रहा", "raat bhar main jaagta raha", "all night I stayed awake"},
           {"% से पूछूँ तेरा पता", "% se poochhoon tera pata", "I ask the % where you are"},
           {"सूनी गली में याद तेरी", "sooni gali mein yaad teri", "your memory in the empty lane"},
           {"कब लौटोगे, इतना बता दो", "kab lautoge, itna bata do", "when will you return, just tell me"},
           {"चुप है घर और चुप है %", "chup hai ghar aur chup hai %", "the house is silent and the % is silent"},
       },
       {{"सावन", "saawan", "monsoon"}, {"बादल", "baadal", "cloud"},
        {"चाँद", "chaand", "moon"}, {"मौसम", "mausam", "season"},
        {"पतझड़", "patjhad", "autumn"}}},
      {"journey",
       {
           {"मुझे बुलाए दूर का %", "mujhe bulaye door ka %", "the far % calls me"},
           {"चल पड़े हम गाते गाते", "chal pade hum gaate gaate", "we set out singing"},
           {"% के पार नया सवेरा", "% ke paar naya savera", "beyond the % is a new morning"},
           {"पाँव थके पर मन न हारा", "paanv thake par man na haara", "the feet are tired but the heart is not beaten"},
           {"धूल उड़े और गीत बने", "dhool ude aur geet bane", "dust flies up and becomes a song"},
           {"मेरा साथी है यह %", "mera saathi hai yah %", "this % is my companion"},
       },
       {{"सफ़र", "safar", "journey"}, {"पहाड़", "pahaad", "mountain"},
        {"सागर", "saagar", "sea"}, {"जंगल", "jangal", "forest"},
        {"गाँव", "gaanv", "village"}}},
      {"celebration",
       {
           {"आओ मिलकर मनाएँ %", "aao milkar manaayen %", "come, let us celebrate the % together"},
           {"ढोल बजे और पाँव थिरके", "dhol baje aur paanv thirke", "the drum plays and the feet dance"},
           {"रंग उड़ाओ, हँसते जाओ", "rang udaao, hanste jaao", "throw colours, go on laughing"},
           {"घर घर आया आज %", "ghar ghar aaya aaj %", "today the % came to every house"},
           {"माँ ने दीप जलाए द्वार", "maan ne deep jalaaye dwaar", "mother lit lamps at the door"},
           {"साल में एक बार आए %", "saal mein ek baar aaye %", "once a year the % comes"},
       },
       {{"त्योहार", "tyohaar", "festival"}, {"बसंत", "basant", "spring"},
        {"उत्सव", "utsav", "celebration"}, {"जश्न", "jashn", "party"},
        {"फागुन", "phaagun", "month of colours"}}},
  };
  return themes;
}
// clang-format on

}  // namespace chorale::data::synth

// SPDX-License-Identifier: MIT
// Arabic lines and nouns of the demo corpus, written for it.
#include "data/synth/lyrics.h"

namespace chorale::data::synth {

// clang-format off
const std::vector<Theme>& arabic_themes() {
  static const std::vector<Theme> themes = {
      {"love",
       {
           {"قلبي يراك مثل %", "qalbi yaraka mithla %", "my heart sees you like the %"},
           {"عيناك أجمل من %", "aynaka ajmalu min %", "your eyes are lovelier than the %"},
           {"خذ يدي ولا تبتعد", "khudh yadi wa la tabta'id", "take my hand and do not go far"},
           {"صوتك يسكن في روحي", "sawtuka yaskunu fi ruhi", "your voice lives in my soul"},
           {"أكتب اسمك فوق %", "aktubu ismaka fawqa %", "I write your name above the %"},
           {"كل أغنية تبدأ منك", "kullu ughniyatin tabda'u minka", "every song begins with you"},
       },
       {{"القمر", "al-qamar", "moon"}, {"الورد", "al-ward", "rose"},
        {"البحر", "al-bahr", "sea"}, {"النور", "an-nur", "light"},
        {"الصباح", "as-sabah", "morning"}}},
      {"longing",
       {
           {"أسأل % عن وجهك", "as'alu % an wajhika", "I ask the % about your face"},
           {"مع % أنتظر وحدي", "ma'a % antaziru wahdi", "with the % I wait alone"},
           {"نامت المدينة ولم أنم", "namat al-madina wa lam anam", "the city fell asleep and I did not"},
           {"تركت رسالة عند الباب", "taraktu risalatan inda al-bab", "I left a letter by the door"},
           {"بين % وبيني حكاية", "bayna % wa bayni hikaya", "between the % and me there is a story"},
           {"متى تعود إلى بيتنا", "mata ta'udu ila baytina", "when will you come back to our house"},
       },
       {{"الليل", "al-layl", "night"}, {"المطر", "al-matar", "rain"},
        {"الغياب", "al-ghiyab", "absence"}, {"الصمت", "as-samt", "silence"},
        {"الخريف", "al-kharif", "autumn"}}},
      {"journey",
       {
           {"نمشي مع % حتى الفجر", "namshi ma'a % hatta al-fajr", "we walk with the % until dawn"},
           {"حقيبتي صغيرة وحلمي كبير", "haqibati saghira wa hulmi kabir", "my bag is small and my dream is big"},
           {"وراء % أرض جديدة", "wara'a % ardun jadida", "beyond the % is a new land"},
           {"أغني كي لا أخاف", "ughanni kay la akhaf", "I sing so as not to be afraid"},
           {"خطوة بعد خطوة نصل", "khutwa ba'da khutwa nasil", "step after step we arrive"},
           {"اسمي القديم عند %", "ismi al-qadim inda %", "my old name is kept by the %"},
       },
       {{"الطريق", "at-tariq", "road"}, {"الصحراء", "as-sahra'", "desert"},
        {"الجبل", "al-jabal", "mountain"}, {"النهر", "an-nahr", "river"},
        {"الريح", "ar-rih", "wind"}}},
      {"celebration",
       {
           {"غنوا معنا من أجل %", "ghannu ma'ana min ajli %", "sing with us for the %"},
           {"دقوا الطبول وافتحوا الأبواب", "duqqu at-tubul waftahu al-abwab", "beat the drums and open the doors"},
           {"هذا يوم لا ينتهي", "hadha yawmun la yantahi", "this is a day without end"},
           {"نرقص حتى تطلع الشمس", "narqusu hatta tatlu'a ash-shams", "we dance until the sun comes up"},
           {"فرحتنا مثل %", "farhatuna mithla %", "our joy is like the %"},
           {"الكل هنا والقلب سعيد", "al-kullu huna wal-qalbu sa'id", "everyone is here and the heart is glad"},
       },
       {{"العيد", "al-id", "feast"}, {"الحي", "al-hayy", "neighbourhood"},
        {"العرس", "al-urs", "wedding"}, {"الأصدقاء", "al-asdiqa'", "friends"},
        {"الربيع", "ar-rabi'", "spring"}}},
  };
  return themes;
}
// clang-format on

}  // namespace chorale::data::synth

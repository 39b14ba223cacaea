// SPDX-License-Identifier: MIT
// Arabic words and lines in the plain written language, for the demo corpus; romanised as sung, without case
// endings. Kinds: m masculine and f feminine noun with its article, n either, a masculine and b feminine
// predicate, v verb of the first person without object, w the same in the plural, t when, d where.
#include "data/synth/vocabulary.h"

namespace chorale::data::synth {
namespace {

// clang-format off
constexpr Word common[] = {
    {'t', {"قبل الغروب", "qabl al-ghurub", "before sunset"}}, {'t', {"في الربيع", "fi ar-rabi'", "in spring"}}, {'t', {"يوم الوداع", "yawm al-wada'", "on the day of farewell"}},
    {'d', {"أمام العالم", "amam al-alam", "before the world"}}, {'d', {"في آخر الدرب", "fi akhir ad-darb", "at the end of the path"}}, {'d', {"وسط الزحام", "wast az-ziham", "amid the throng"}},
    {'a', {"طيب", "tayyib", "kind"}}, {'a', {"عنيد", "anid", "stubborn"}}, {'a', {"وحيد", "wahid", "lonely"}}, {'b', {"طيبة", "tayyiba", "kind"}}, {'b', {"عنيدة", "anida", "stubborn"}}, {'b', {"وحيدة", "wahida", "lonely"}},
    {'v', {"أضحك", "ad-hak", "laugh"}}, {'v', {"أسافر", "usafir", "travel"}}, {'w', {"نضحك", "nad-hak", "laugh"}}, {'w', {"نسافر", "nusafir", "travel"}}, {'m', {"الصباح", "as-sabah", "the morning"}}, {'f', {"الشمس", "ash-shams", "the sun"}}, {'f', {"الحياة", "al-hayat", "life itself"}},
    {'t', {"الليلة", "al-layla", "tonight"}}, {'t', {"عند الفجر", "inda al-fajr", "at dawn"}}, {'t', {"كل يوم", "kull yawm", "every day"}}, {'t', {"طول العمر", "tul al-umr", "all life long"}},
    {'t', {"مرة أخرى", "marra ukhra", "once again"}}, {'t', {"في المساء", "fi al-masa", "in the evening"}}, {'t', {"حتى الصباح", "hatta as-sabah", "until morning"}}, {'t', {"بلا نهاية", "bila nihaya", "without end"}},
    {'t', {"منذ سنين", "mundhu sinin", "for years"}}, {'t', {"بعد الغياب", "ba'd al-ghiyab", "after the absence"}},
    {'d', {"تحت السماء", "taht as-sama", "under the sky"}}, {'d', {"قرب النافذة", "qurb an-nafidha", "near the window"}}, {'d', {"فوق التل", "fawq at-tall", "upon the hill"}}, {'d', {"بين النخيل", "bayn an-nakhil", "among the palms"}},
    {'d', {"في قلبي", "fi qalbi", "in my heart"}}, {'d', {"على الشرفة", "ala ash-shurfa", "on the balcony"}}, {'d', {"خلف الجدار", "khalf al-jidar", "behind the wall"}}, {'d', {"عند الباب", "inda al-bab", "at the door"}},
    {'d', {"حول النار", "hawl an-nar", "around the fire"}}, {'d', {"في الحقول", "fi al-huqul", "in the fields"}},
    {'a', {"جميل", "jamil", "beautiful"}}, {'a', {"حزين", "hazin", "sad"}}, {'a', {"بعيد", "ba'id", "far away"}}, {'a', {"قريب", "qarib", "near"}}, {'a', {"قديم", "qadim", "old"}}, {'a', {"جديد", "jadid", "new"}},
    {'a', {"كبير", "kabir", "great"}}, {'a', {"هادئ", "hadi", "calm"}}, {'a', {"غريب", "gharib", "strange"}}, {'a', {"صادق", "sadiq", "true"}},
    {'b', {"جميلة", "jamila", "beautiful"}}, {'b', {"حزينة", "hazina", "sad"}}, {'b', {"بعيدة", "ba'ida", "far away"}}, {'b', {"قريبة", "qariba", "near"}}, {'b', {"قديمة", "qadima", "old"}}, {'b', {"جديدة", "jadida", "new"}},
    {'b', {"كبيرة", "kabira", "great"}}, {'b', {"هادئة", "hadia", "calm"}}, {'b', {"غريبة", "ghariba", "strange"}}, {'b', {"صادقة", "sadiqa", "true"}},
    {'v', {"أغني", "ughanni", "sing"}}, {'v', {"أنتظر", "antazir", "wait"}}, {'v', {"أحلم", "ahlam", "dream"}}, {'v', {"أمشي", "amshi", "walk"}}, {'v', {"أبكي", "abki", "weep"}}, {'v', {"أعود", "a'ud", "return"}},
    {'v', {"أسهر", "as-har", "stay awake"}}, {'v', {"أرقص", "arqus", "dance"}}, {'v', {"أبتسم", "abtasim", "smile"}}, {'v', {"أصبر", "asbir", "endure"}},
    {'w', {"نغني", "nughanni", "sing"}}, {'w', {"ننتظر", "nantazir", "wait"}}, {'w', {"نحلم", "nahlam", "dream"}}, {'w', {"نمشي", "namshi", "walk"}}, {'w', {"نعود", "na'ud", "return"}}, {'w', {"نسهر", "nas-har", "stay awake"}},
    {'w', {"نرقص", "narqus", "dance"}}, {'w', {"نلتقي", "naltaqi", "meet"}},
    {'m', {"القلب", "al-qalb", "the heart"}}, {'m', {"الزمان", "az-zaman", "time"}}, {'m', {"الصوت", "as-sawt", "the voice"}}, {'m', {"النور", "an-nur", "the light"}}, {'m', {"العمر", "al-umr", "life"}},
    {'f', {"الروح", "ar-ruh", "the soul"}}, {'f', {"الأرض", "al-ard", "the earth"}}, {'f', {"الأيام", "al-ayyam", "the days"}}, {'f', {"العيون", "al-uyun", "the eyes"}}, {'f', {"الدنيا", "ad-dunya", "the world"}},
};
constexpr Text lines[] = {
    {"{v} معك {t}", "{v} ma'ak {t}", "I {v} with you {t}"}, {"{m} {a} و{M} {A}", "{m} {a} wa {M} {A}", "{m} is {a} and {M} is {A}"}, {"{f} {b} {t}", "{f} {b} {t}", "{f} is {b} {t}"},
    {"أنا و{n} {d}", "ana wa {n} {d}", "{n} and I are {d}"}, {"{w} {d} {t}", "{w} {d} {t}", "we {w} {d} {t}"}, {"يا ليل خذ {n} معك", "ya layl khudh {n} ma'ak", "O night, take {n} with you"},
    {"من أجل {n} {v} {t}", "min ajl {n} {v} {t}", "for the sake of {n} I {v} {t}"}, {"لا تسألوا {n} عني", "la tas'alu {n} anni", "do not ask {n} about me"}, {"أين {n} وأين {N}", "ayn {n} wa ayn {N}", "where is {n} and where is {N}"},
    {"{v} و{V} {d}", "{v} wa {V} {d}", "I {v} and I {V} {d}"}, {"كل شيء {a} {t}", "kull shay {a} {t}", "everything is {a} {t}"}, {"هنا {n} وهناك {N}", "huna {n} wa hunak {N}", "here is {n} and there is {N}"},
    {"تعال {w} مع {n}", "ta'al {w} ma'a {n}", "come, let us {w} with {n}"}, {"في {n} سر {a}", "fi {n} sirr {a}", "in {n} is a secret that is {a}"},
};

constexpr Word love_words[] = {{'m', {"الحب", "al-hubb", "love"}}, {'m', {"الورد", "al-ward", "the rose"}}, {'m', {"العطر", "al-itr", "the perfume"}}, {'m', {"الحبيب", "al-habib", "the beloved"}}, {'f', {"الوعود", "al-wu'ud", "the promises"}}, {'f', {"الابتسامة", "al-ibtisama", "the smile"}}, {'f', {"الهدية", "al-hadiyya", "the gift"}}};
constexpr Text love_lines[] = {{"أحبك أكثر من {n}", "uhibbuk akthar min {n}", "I love you more than {n}"}, {"عيناك مثل {n} {t}", "aynak mithl {n} {t}", "your eyes are like {n} {t}"}, {"اسمك مكتوب على {n}", "ismuk maktub ala {n}", "your name is written on {n}"}, {"خذ {n} واترك لي {N}", "khudh {n} watruk li {N}", "take {n} and leave me {N}"}, {"يا حبيبي {v} لك {t}", "ya habibi {v} lak {t}", "my love, I {v} for you {t}"}};
constexpr Word longing_words[] = {{'m', {"الشوق", "ash-shawq", "longing"}}, {'m', {"الفراق", "al-firaq", "the parting"}}, {'m', {"الدمع", "ad-dam'", "the tear"}}, {'m', {"الغياب", "al-ghiyab", "the absence"}}, {'f', {"الرسالة", "ar-risala", "the letter"}}, {'f', {"المسافة", "al-masafa", "the distance"}}, {'f', {"الجراح", "al-jirah", "the wounds"}}};
constexpr Text longing_lines[] = {{"متى تعود يا {m}", "mata ta'ud ya {m}", "when will you return, O {m}"}, {"طال {m} وأنا {v}", "tal {m} wa ana {v}", "{m} grew long and I {v}"}, {"تعبت من {n} ومن {N}", "ta'ibt min {n} wa min {N}", "I am tired of {n} and of {N}"}, {"بيني وبينك {n}", "bayni wa baynak {n}", "between me and you is {n}"}, {"{v} وحدي {d}", "{v} wahdi {d}", "I {v} alone {d}"}};
constexpr Word night_words[] = {{'m', {"الليل", "al-layl", "the night"}}, {'m', {"القمر", "al-qamar", "the moon"}}, {'m', {"السهر", "as-sahar", "the wakefulness"}}, {'m', {"الظلام", "az-zalam", "the darkness"}}, {'f', {"النجوم", "an-nujum", "the stars"}}, {'f', {"الشموع", "ash-shumu'", "the candles"}}, {'f', {"النجمة", "an-najma", "the star"}}};
constexpr Text night_lines[] = {{"طلع {m} ونام الناس", "tala' {m} wa nam an-nas", "{m} rose and the people slept"}, {"{w} مع {n} {t}", "{w} ma'a {n} {t}", "we {w} with {n} {t}"}, {"أسأل {n} عن وجهك", "as'al {n} an wajhik", "I ask {n} about your face"}, {"يا {m} لا ترحل", "ya {m} la tarhal", "O {m}, do not leave"}, {"نامت المدينة و{v} {d}", "namat al-madina wa {v} {d}", "the city fell asleep and I {v} {d}"}};
constexpr Word rain_words[] = {{'m', {"المطر", "al-matar", "the rain"}}, {'m', {"الغيم", "al-ghaym", "the cloud"}}, {'m', {"الرعد", "ar-ra'd", "the thunder"}}, {'m', {"الشتاء", "ash-shita", "winter"}}, {'f', {"الغيوم", "al-ghuyum", "the clouds"}}, {'f', {"القطرات", "al-qatarat", "the drops"}}, {'f', {"المظلة", "al-mizalla", "the umbrella"}}};
constexpr Text rain_lines[] = {{"نزل {m} على بيتنا", "nazal {m} ala baytina", "{m} came down on our house"}, {"تحت {n} {w} {t}", "taht {n} {w} {t}", "under {n} we {w} {t}"}, {"غسل {m} وجه الطريق", "ghasal {m} wajh at-tariq", "{m} washed the face of the road"}, {"أحب {n} وأخاف {N}", "uhibb {n} wa akhaf {N}", "I love {n} and I fear {N}"}, {"بعد {m} تشرق الشمس", "ba'd {m} tushriq ash-shams", "after {m} the sun shines"}};
constexpr Word sea_words[] = {{'m', {"البحر", "al-bahr", "the sea"}}, {'m', {"الموج", "al-mawj", "the waves"}}, {'m', {"الشاطئ", "ash-shati", "the shore"}}, {'m', {"الشراع", "ash-shira'", "the sail"}}, {'f', {"السفينة", "as-safina", "the ship"}}, {'f', {"الرمال", "ar-rimal", "the sands"}}, {'f', {"اللؤلؤة", "al-lu'lu'a", "the pearl"}}};
constexpr Text sea_lines[] = {{"خذني يا {m} بعيدا", "khudhni ya {m} ba'idan", "take me, O {m}, far away"}, {"على {n} كتبت اسمك", "ala {n} katabt ismak", "on {n} I wrote your name"}, {"يغني {m} و{w} معه", "yughanni {m} wa {w} ma'ah", "{m} sings and we {w} with it"}, {"قلبي سفينة و{m} {a}", "qalbi safina wa {m} {a}", "my heart is a ship and {m} is {a}"}, {"عند {n} {v} {t}", "inda {n} {v} {t}", "by {n} I {v} {t}"}};
constexpr Word journey_words[] = {{'m', {"الطريق", "at-tariq", "the road"}}, {'m', {"السفر", "as-safar", "the journey"}}, {'m', {"الجبل", "al-jabal", "the mountain"}}, {'m', {"القطار", "al-qitar", "the train"}}, {'f', {"الصحراء", "as-sahra", "the desert"}}, {'f', {"القافلة", "al-qafila", "the caravan"}}, {'f', {"الريح", "ar-rih", "the wind"}}};
constexpr Text journey_lines[] = {{"نمشي مع {n} حتى الفجر", "namshi ma'a {n} hatta al-fajr", "we walk with {n} until dawn"}, {"وراء {n} أرض جديدة", "wara {n} ard jadida", "beyond {n} is a new land"}, {"طويل {m} وحلمي {a}", "tawil {m} wa hulmi {a}", "long is {m} and my dream is {a}"}, {"حملت {n} ومشيت وحدي", "hamalt {n} wa mashayt wahdi", "I carried {n} and walked alone"}, {"خطوة بعد خطوة {w}", "khutwa ba'd khutwa {w}", "step after step we {w}"}};
constexpr Word home_words[] = {{'m', {"البيت", "al-bayt", "the house"}}, {'m', {"الوطن", "al-watan", "the homeland"}}, {'m', {"الزيتون", "az-zaytun", "the olive tree"}}, {'m', {"الخبز", "al-khubz", "the bread"}}, {'f', {"القرية", "al-qarya", "the village"}}, {'f', {"الأم", "al-umm", "mother"}}, {'f', {"الدار", "ad-dar", "the courtyard house"}}};
constexpr Text home_lines[] = {{"رجعت إلى {n} {t}", "raja't ila {n} {t}", "I came back to {n} {t}"}, {"رائحة {n} في قميصي", "ra'ihat {n} fi qamisi", "the scent of {n} is in my shirt"}, {"باب {m} مفتوح {t}", "bab {m} maftuh {t}", "the door of {m} is open {t}"}, {"علمتني {f} كيف {v}", "allamatni {f} kayf {v}", "{f} taught me how I should {v}"}, {"أحن إلى {n} و{N}", "ahinn ila {n} wa {N}", "I yearn for {n} and {N}"}};
constexpr Word celebration_words[] = {{'m', {"العيد", "al-id", "the feast"}}, {'m', {"العرس", "al-urs", "the wedding"}}, {'m', {"الفرح", "al-farah", "joy"}}, {'m', {"الموسم", "al-mawsim", "the season"}}, {'f', {"الزغاريد", "az-zagharid", "the cheers"}}, {'f', {"الطبول", "at-tubul", "the drums"}}, {'f', {"العروس", "al-arus", "the bride"}}};
constexpr Text celebration_lines[] = {{"جاء {m} فافتحوا الأبواب", "ja {m} faftahu al-abwab", "{m} has come, so open the doors"}, {"دقوا الطبول {w} {t}", "duqqu at-tubul {w} {t}", "beat the drums, we {w} {t}"}, {"غنوا معنا من أجل {n}", "ghannu ma'ana min ajl {n}", "sing with us for the sake of {n}"}, {"هذا {m} للجميع", "hadha {m} lil-jami'", "this is {m} for everyone"}, {"فرحتنا مثل {n}", "farhatuna mithl {n}", "our joy is like {n}"}};
constexpr Word dance_words[] = {{'m', {"الرقص", "ar-raqs", "the dance"}}, {'m', {"الإيقاع", "al-iqa'", "the rhythm"}}, {'m', {"اللحن", "al-lahn", "the melody"}}, {'m', {"المزمار", "al-mizmar", "the pipe"}}, {'f', {"الدبكة", "ad-dabka", "the line dance"}}, {'f', {"الخطوة", "al-khutwa", "the step"}}, {'f', {"الأنغام", "al-angham", "the tunes"}}};
constexpr Text dance_lines[] = {{"ارقص معي على {n}", "urqus ma'i ala {n}", "dance with me to {n}"}, {"يد بيد {w} {d}", "yad bi-yad {w} {d}", "hand in hand we {w} {d}"}, {"دق {m} وقام الناس", "daqq {m} wa qam an-nas", "{m} struck up and the people rose"}, {"لا تتركوا {n} {t}", "la tatruku {n} {t}", "do not leave {n} {t}"}, {"قدمي تعرف {n} وحدها", "qadami ta'rif {n} wahdaha", "my foot knows {n} by itself"}};
constexpr Word memory_words[] = {{'m', {"الماضي", "al-madi", "the past"}}, {'m', {"الدفتر", "ad-daftar", "the notebook"}}, {'m', {"الجد", "al-jadd", "grandfather"}}, {'m', {"الصبا", "as-siba", "youth"}}, {'f', {"الصورة", "as-sura", "the picture"}}, {'f', {"الحكاية", "al-hikaya", "the tale"}}, {'f', {"الذكريات", "adh-dhikrayat", "the memories"}}};
constexpr Text memory_lines[] = {{"أتذكر {n} {d}", "atadhakkar {n} {d}", "I remember {n} {d}"}, {"مضى {m} وبقيت وحدي", "mada {m} wa baqit wahdi", "{m} has passed and I was left alone"}, {"في {n} كنا صغارا", "fi {n} kunna sigharan", "in {n} we were small"}, {"لا أنسى {n} ولا {N}", "la ansa {n} wa la {N}", "I forget neither {n} nor {N}"}, {"أفتح {n} و{v} {t}", "aftah {n} wa {v} {t}", "I open {n} and {v} {t}"}};
constexpr Word city_words[] = {{'m', {"الشارع", "ash-shari'", "the street"}}, {'m', {"المقهى", "al-maqha", "the coffee house"}}, {'m', {"الحي", "al-hayy", "the neighbourhood"}}, {'m', {"السوق", "as-suq", "the market"}}, {'f', {"المدينة", "al-madina", "the city"}}, {'f', {"الأضواء", "al-adwa", "the lights"}}, {'f', {"الساحة", "as-saha", "the square"}}};
constexpr Text city_lines[] = {{"أعرف {n} حجرا حجرا", "a'rif {n} hajaran hajaran", "I know {n} stone by stone"}, {"في {n} {v} {t}", "fi {n} {v} {t}", "in {n} I {v} {t}"}, {"لا ينام {m} ولا أنام", "la yanam {m} wa la anam", "{m} does not sleep and nor do I"}, {"يا أولاد {m} {w}", "ya awlad {m} {w}", "O children of {m}, let us {w}"}, {"ضاع صوتي بين {n} و{N}", "da' sawti bayn {n} wa {N}", "my voice was lost between {n} and {N}"}};
constexpr Word dream_words[] = {{'m', {"الحلم", "al-hulm", "the dream"}}, {'m', {"الخيال", "al-khayal", "fantasy"}}, {'m', {"الأفق", "al-ufuq", "the horizon"}}, {'m', {"الطائر", "at-ta'ir", "the bird"}}, {'f', {"المرآة", "al-mir'a", "the mirror"}}, {'f', {"الأجنحة", "al-ajniha", "the wings"}}, {'f', {"السماء", "as-sama", "heaven"}}};
constexpr Text dream_lines[] = {{"رأيت {n} في منامي", "ra'ayt {n} fi manami", "I saw {n} in my sleep"}, {"لا توقظوني من {n}", "la tuqizuni min {n}", "do not wake me from {n}"}, {"أطير إلى {n} {t}", "atir ila {n} {t}", "I fly to {n} {t}"}, {"{m} {a} مثل {n}", "{m} {a} mithl {n}", "{m} is {a} like {n}"}, {"أغمض عيني و{v} {d}", "ughmid ayni wa {v} {d}", "I close my eyes and {v} {d}"}};

constexpr Theme themes[] = {
    {"love", love_words, love_lines}, {"longing", longing_words, longing_lines}, {"night", night_words, night_lines}, {"rain", rain_words, rain_lines},
    {"sea", sea_words, sea_lines}, {"journey", journey_words, journey_lines}, {"home", home_words, home_lines}, {"celebration", celebration_words, celebration_lines},
    {"dance", dance_words, dance_lines}, {"memory", memory_words, memory_lines}, {"city", city_words, city_lines}, {"dream", dream_words, dream_lines},
};
constexpr Vocabulary vocabulary = {"arabic", common, lines, themes};
// clang-format on

}  // namespace

const Vocabulary& arabic_vocabulary() { return vocabulary; }

}  // namespace chorale::data::synth

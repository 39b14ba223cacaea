// SPDX-License-Identifier: MIT
// Hindi words and lines, written for the demo corpus. Kinds: m masculine and f feminine noun whose singular
// is the same before a postposition, n either, a adjective of one form, v let-us form of a verb without
// object, t when, d where.
#include "data/synth/vocabulary.h"

namespace chorale::data::synth {
namespace {

// clang-format off
constexpr Word common[] = {
    {'t', {"पहली बार", "pahli baar", "for the first time"}}, {'t', {"होली के दिन", "holi ke din", "on the day of colours"}}, {'t', {"मेरे जाने से पहले", "mere jaane se pahle", "before I go"}}, {'t', {"अगले साल", "agle saal", "next year"}},
    {'d', {"मंदिर के आगे", "mandir ke aage", "before the temple"}}, {'d', {"पुल के नीचे", "pul ke neeche", "beneath the bridge"}}, {'d', {"बरगद की छाँव में", "bargad ki chhaanv mein", "in the banyan's shade"}}, {'d', {"दीवार के पीछे", "deevaar ke peechhe", "behind the wall"}},
    {'a', {"नादान", "naadaan", "foolish"}}, {'a', {"मजबूर", "majboor", "helpless"}}, {'a', {"जवान", "javaan", "young"}}, {'a', {"चंचल", "chanchal", "playful"}},
    {'v', {"सोएँ", "soyen", "sleep"}}, {'v', {"भागें", "bhaagen", "run"}}, {'v', {"रोएँ", "royen", "weep"}}, {'m', {"सूरज", "sooraj", "sun"}}, {'m', {"मौसम", "mausam", "season"}}, {'f', {"खुशी", "khushi", "joy"}}, {'f', {"दुनिया", "duniya", "wide world"}},
    {'t', {"आज की रात", "aaj ki raat", "tonight"}}, {'t', {"हर सुबह", "har subah", "every morning"}}, {'t', {"सारी उम्र", "saari umr", "all life long"}}, {'t', {"एक बार फिर", "ek baar phir", "once again"}},
    {'t', {"शाम ढले", "shaam dhale", "as evening falls"}}, {'t', {"भोर तलक", "bhor talak", "until dawn"}}, {'t', {"बरसों से", "barson se", "for years"}}, {'t', {"धीरे धीरे", "dheere dheere", "slowly, slowly"}},
    {'t', {"आधी रात को", "aadhi raat ko", "at midnight"}}, {'t', {"कभी कभी", "kabhi kabhi", "now and then"}},
    {'d', {"नदी किनारे", "nadi kinaare", "by the river"}}, {'d', {"खिड़की के पास", "khidki ke paas", "near the window"}}, {'d', {"पेड़ों तले", "pedon tale", "under the trees"}}, {'d', {"मेरे आँगन में", "mere aangan mein", "in my courtyard"}},
    {'d', {"दूर कहीं", "door kahin", "somewhere far away"}}, {'d', {"तेरी गली में", "teri gali mein", "in your lane"}}, {'d', {"इस मोड़ पर", "is mod par", "at this bend"}}, {'d', {"छत के ऊपर", "chhat ke oopar", "up on the roof"}},
    {'d', {"मन के भीतर", "man ke bheetar", "within the heart"}}, {'d', {"खेतों में", "kheton mein", "in the fields"}},
    {'a', {"सुंदर", "sundar", "beautiful"}}, {'a', {"उदास", "udaas", "sad"}}, {'a', {"खामोश", "khaamosh", "silent"}}, {'a', {"मधुर", "madhur", "sweet"}}, {'a', {"शांत", "shaant", "calm"}}, {'a', {"लाल", "laal", "red"}},
    {'a', {"आज़ाद", "aazaad", "free"}}, {'a', {"बेचैन", "bechain", "restless"}}, {'a', {"मासूम", "maasoom", "innocent"}}, {'a', {"अनजान", "anjaan", "unknown"}}, {'a', {"रंगीन", "rangeen", "colourful"}}, {'a', {"अजीब", "ajeeb", "strange"}},
    {'v', {"गाएँ", "gaayen", "sing"}}, {'v', {"नाचें", "naachen", "dance"}}, {'v', {"चलें", "chalen", "walk"}}, {'v', {"मिलें", "milen", "meet"}}, {'v', {"हँसें", "hansen", "laugh"}}, {'v', {"उड़ें", "uden", "fly"}}, {'v', {"लौटें", "lauten", "return"}},
    {'v', {"झूमें", "jhoomen", "sway"}}, {'v', {"जागें", "jaagen", "stay awake"}}, {'v', {"बैठें", "baithen", "sit"}}, {'v', {"बहें", "bahen", "flow"}}, {'v', {"खेलें", "khelen", "play"}},
    {'m', {"मन", "man", "heart"}}, {'m', {"गीत", "geet", "song"}}, {'m', {"समय", "samay", "time"}}, {'m', {"संसार", "sansaar", "world"}}, {'m', {"जीवन", "jeevan", "life"}}, {'m', {"नाम", "naam", "name"}},
    {'f', {"साँस", "saans", "breath"}}, {'f', {"आवाज़", "aavaaz", "voice"}}, {'f', {"छाँव", "chhaanv", "shade"}}, {'f', {"बात", "baat", "word"}}, {'f', {"ज़मीन", "zameen", "earth"}}, {'f', {"आग", "aag", "fire"}},
};
constexpr Text lines[] = {
    {"आओ हम {v} {t}", "aao ham {v} {t}", "come, let us {v} {t}"}, {"मेरा {m} है {a} {t}", "mera {m} hai {a} {t}", "my {m} is {a} {t}"}, {"मेरी {f} है {a} {t}", "meri {f} hai {a} {t}", "my {f} is {a} {t}"},
    {"तेरे बिना यह {n} {a}", "tere bina yah {n} {a}", "without you this {n} is {a}"}, {"{n} ही जाने {n} का हाल", "{n} hi jaane {n} ka haal", "only the {n} knows how the {n} fares"}, {"चलो {v} {d}", "chalo {v} {d}", "come on, let us {v} {d}"},
    {"कौन है {a}, कौन है अपना", "kaun hai {a}, kaun hai apna", "who is {a}, who is our own"}, {"{m} भी तेरा, {f} भी तेरी", "{m} bhi tera, {f} bhi teri", "the {m} is yours, the {f} is yours too"}, {"ओ रे {m}, सुन मेरी {f}", "o re {m}, sun meri {f}", "O {m}, hear my {f}"},
    {"{d} मेरा {m}, {t}", "{d} mera {m}, {t}", "my {m} is {d}, {t}"}, {"हम {v} और तुम भी आओ", "ham {v} aur tum bhi aao", "let us {v}, and you come too"}, {"सब कुछ {a} लगे {t}", "sab kuchh {a} lage {t}", "everything seems {a} {t}"},
    {"{n} से पूछो, {N} से पूछो", "{n} se poochho, {N} se poochho", "ask the {n}, ask the {N}"}, {"जब तक {n} है, हम {v}", "jab tak {n} hai, ham {v}", "as long as there is the {n}, let us {v}"},
};

constexpr Word love_words[] = {{'m', {"प्यार", "pyaar", "love"}}, {'m', {"फूल", "phool", "flower"}}, {'m', {"साजन", "saajan", "beloved"}}, {'m', {"दिल", "dil", "heart"}}, {'f', {"मुस्कान", "muskaan", "smile"}}, {'f', {"नज़र", "nazar", "glance"}}, {'f', {"पायल", "paayal", "anklet"}}};
constexpr Text love_lines[] = {{"तू ही मेरा {m}, तू ही मेरी {f}", "tu hi mera {m}, tu hi meri {f}", "you are my {m}, you are my {f}"}, {"तेरी आँखों में मेरा {m} है", "teri aankhon mein mera {m} hai", "in your eyes is my {m}"}, {"हाथ पकड़ ले, दूर न जा {t}", "haath pakad le, door na ja {t}", "hold my hand, do not go far {t}"}, {"{n} जैसा है तेरा रूप", "{n} jaisa hai tera roop", "your beauty is like the {n}"}, {"प्यार है तुझसे {t}", "pyaar hai tujhse {t}", "I am in love with you {t}"}};
constexpr Word longing_words[] = {{'m', {"इंतज़ार", "intazaar", "waiting"}}, {'m', {"दर्द", "dard", "pain"}}, {'m', {"पैगाम", "paigaam", "message"}}, {'m', {"विरह", "virah", "separation"}}, {'f', {"याद", "yaad", "memory"}}, {'f', {"चिट्ठी", "chitthi", "letter"}}, {'f', {"प्यास", "pyaas", "thirst"}}};
constexpr Text longing_lines[] = {{"कब लौटोगे, पूछे {n}", "kab lautoge, poochhe {n}", "when will you return, asks the {n}"}, {"तेरी {f} सताए {t}", "teri {f} sataaye {t}", "the {f} of you torments me {t}"}, {"आँखों में बस {n} है", "aankhon mein bas {n} hai", "in my eyes there is only the {n}"}, {"सूना है घर, सूना {m}", "soona hai ghar, soona {m}", "empty is the house, empty the {m}"}, {"तुम न आए, आई {f}", "tum na aaye, aai {f}", "you did not come, the {f} came"}};
constexpr Word night_words[] = {{'m', {"चाँद", "chaand", "moon"}}, {'m', {"आकाश", "aakaash", "sky"}}, {'m', {"दीप", "deep", "lamp"}}, {'m', {"जुगनू", "jugnoo", "firefly"}}, {'f', {"रात", "raat", "night"}}, {'f', {"नींद", "neend", "sleep"}}, {'f', {"चाँदनी", "chaandni", "moonlight"}}};
constexpr Text night_lines[] = {{"{m} जागे, सोए संसार", "{m} jaage, soye sansaar", "the {m} is awake, the world sleeps"}, {"{n} में हम {v}", "{n} mein ham {v}", "in the {n} let us {v}"}, {"आई {f}, लाई सपने", "aai {f}, laai sapne", "the {f} came and brought dreams"}, {"{d} चमके {n}", "{d} chamke {n}", "the {n} shines {d}"}, {"ओ {m}, मत जा अभी", "o {m}, mat ja abhi", "O {m}, do not go yet"}};
constexpr Word rain_words[] = {{'m', {"सावन", "saavan", "monsoon"}}, {'m', {"बादल", "baadal", "cloud"}}, {'m', {"मेघ", "megh", "rain cloud"}}, {'m', {"मोर", "mor", "peacock"}}, {'f', {"बारिश", "baarish", "rain"}}, {'f', {"बूँद", "boond", "drop"}}, {'f', {"बिजली", "bijli", "lightning"}}};
constexpr Text rain_lines[] = {{"बरसे {m}, भीगे तन मन", "barse {m}, bheege tan man", "the {m} pours, body and heart get wet"}, {"आई {f} {d}", "aai {f} {d}", "the {f} has come {d}"}, {"{n} बोले, आओ {v}", "{n} bole, aao {v}", "the {n} says, come, let us {v}"}, {"काला {m} गरजे {t}", "kaala {m} garje {t}", "the dark {m} rumbles {t}"}, {"{f} में भीगें, {v} हम", "{f} mein bheegen, {v} ham", "let us get wet in the {f}, let us {v}"}};
constexpr Word sea_words[] = {{'m', {"सागर", "saagar", "sea"}}, {'m', {"तूफ़ान", "toofaan", "storm"}}, {'m', {"माँझी", "maanjhi", "boatman"}}, {'m', {"साहिल", "saahil", "shore"}}, {'f', {"लहर", "lahar", "wave"}}, {'f', {"नाव", "naav", "boat"}}, {'f', {"रेत", "ret", "sand"}}};
constexpr Text sea_lines[] = {{"{m} गहरा, {f} अकेली", "{m} gahra, {f} akeli", "the {m} is deep, the {f} is alone"}, {"ले चल {m}, उस पार मुझे", "le chal {m}, us paar mujhe", "take me, O {m}, to the other side"}, {"{n} पर लिखा तेरा नाम", "{n} par likha tera naam", "your name is written on the {n}"}, {"{f} आए, {f} जाए", "{f} aaye, {f} jaaye", "the {f} comes, the {f} goes"}, {"{n} के संग हम {v}", "{n} ke sang ham {v}", "along with the {n} let us {v}"}};
constexpr Word journey_words[] = {{'m', {"सफ़र", "safar", "journey"}}, {'m', {"पहाड़", "pahaad", "mountain"}}, {'m', {"मुसाफ़िर", "musaafir", "traveller"}}, {'m', {"मील", "meel", "mile"}}, {'f', {"राह", "raah", "path"}}, {'f', {"मंज़िल", "manzil", "destination"}}, {'f', {"धूल", "dhool", "dust"}}};
constexpr Text journey_lines[] = {{"मुझे बुलाए दूर की {f}", "mujhe bulaaye door ki {f}", "the far {f} calls me"}, {"{n} के पार नया सवेरा", "{n} ke paar naya savera", "beyond the {n} is a new morning"}, {"पाँव थके पर {m} न हारा", "paanv thake par {m} na haara", "the feet are tired but the {m} is not beaten"}, {"मेरा साथी है यह {n}", "mera saathi hai yah {n}", "this {n} is my companion"}, {"चल रे {m}, चल अब {d}", "chal re {m}, chal ab {d}", "go, O {m}, go now, {d}"}};
constexpr Word home_words[] = {{'m', {"घर", "ghar", "house"}}, {'m', {"गाँव", "gaanv", "village"}}, {'m', {"आँगन", "aangan", "courtyard"}}, {'m', {"देश", "desh", "country"}}, {'f', {"माँ", "maan", "mother"}}, {'f', {"मिट्टी", "mitti", "soil"}}, {'f', {"रोटी", "roti", "bread"}}};
constexpr Text home_lines[] = {{"मेरा {m} मुझे बुलाए {t}", "mera {m} mujhe bulaaye {t}", "my {m} calls me {t}"}, {"{f} की खुशबू {d}", "{f} ki khushboo {d}", "the scent of the {f} is {d}"}, {"{m} में गूँजे बचपन मेरा", "{m} mein goonje bachpan mera", "my childhood echoes in the {m}"}, {"{f} के आँचल में हम {v}", "{f} ke aanchal mein ham {v}", "in the lap of the {f} let us {v}"}, {"अपना {m} है, अपनी {f}", "apna {m} hai, apni {f}", "the {m} is our own, our own the {f}"}};
constexpr Word celebration_words[] = {{'m', {"त्योहार", "tyohaar", "festival"}}, {'m', {"जश्न", "jashn", "party"}}, {'m', {"ढोल", "dhol", "drum"}}, {'m', {"रंग", "rang", "colour"}}, {'f', {"शादी", "shaadi", "wedding"}}, {'f', {"बारात", "baaraat", "wedding procession"}}, {'f', {"मिठाई", "mithaai", "sweet"}}};
constexpr Text celebration_lines[] = {{"आया {m}, नाचो गाओ", "aaya {m}, naacho gaao", "the {m} has come, dance and sing"}, {"{f} आई {d}", "{f} aai {d}", "the {f} has come {d}"}, {"सबके घर में {n} {t}", "sabke ghar mein {n} {t}", "in every house the {n}, {t}"}, {"{m} के संग हम {v}", "{m} ke sang ham {v}", "along with the {m} let us {v}"}, {"दीप जलाओ, {v} {t}", "deep jalaao, {v} {t}", "light the lamps, let us {v} {t}"}};
constexpr Word dance_words[] = {{'m', {"नाच", "naach", "dance"}}, {'m', {"घुँघरू", "ghunghroo", "ankle bell"}}, {'m', {"सुर", "sur", "note"}}, {'m', {"पाँव", "paanv", "foot"}}, {'f', {"ताल", "taal", "beat"}}, {'f', {"धुन", "dhun", "tune"}}, {'f', {"थिरकन", "thirkan", "quiver"}}};
constexpr Text dance_lines[] = {{"{n} पे {n}, आओ {v}", "{n} pe {n}, aao {v}", "{n} upon {n}, come, let us {v}"}, {"बजे {n}, झूमे संसार", "baje {n}, jhoome sansaar", "the {n} sounds and the world sways"}, {"मेरा {m} न रुके {t}", "mera {m} na ruke {t}", "my {m} does not stop {t}"}, {"{f} में खोकर हम {v}", "{f} mein khokar ham {v}", "lost in the {f} let us {v}"}, {"छम छम बोले {m} मेरा", "chham chham bole {m} mera", "tinkle, tinkle, says my {m}"}};
constexpr Word memory_words[] = {{'m', {"बचपन", "bachpan", "childhood"}}, {'m', {"खत", "khat", "old letter"}}, {'m', {"झूलाघर", "jhoolaaghar", "playground"}}, {'m', {"स्कूल", "skool", "school"}}, {'f', {"तस्वीर", "tasveer", "picture"}}, {'f', {"कहानी", "kahaani", "story"}}, {'f', {"दादी", "daadi", "grandmother"}}};
constexpr Text memory_lines[] = {{"याद है मुझको {n} {t}", "yaad hai mujhko {n} {t}", "I remember the {n} {t}"}, {"कहाँ गया वह {m} मेरा", "kahaan gaya vah {m} mera", "where did it go, that {m} of mine"}, {"{f} में हम तुम साथ थे", "{f} mein ham tum saath the", "in the {f} you and I were together"}, {"पुरानी {f}, पुराना {m}", "puraani {f}, puraana {m}", "old the {f}, old the {m}"}, {"लौटा दो मेरा {m} {t}", "lauta do mera {m} {t}", "give me back my {m} {t}"}};
constexpr Word city_words[] = {{'m', {"शहर", "shahar", "city"}}, {'m', {"बाज़ार", "baazaar", "market"}}, {'m', {"शोर", "shor", "noise"}}, {'m', {"मकान", "makaan", "building"}}, {'f', {"सड़क", "sadak", "street"}}, {'f', {"भीड़", "bheed", "crowd"}}, {'f', {"रोशनी", "roshni", "light"}}};
constexpr Text city_lines[] = {{"इस {m} में कौन है मेरा", "is {m} mein kaun hai mera", "in this {m} who is mine"}, {"{f} भागे, {m} जागे", "{f} bhaage, {m} jaage", "the {f} runs, the {m} wakes"}, {"{f} में खोई मेरी आवाज़", "{f} mein khoi meri aavaaz", "in the {f} my voice was lost"}, {"{m} यह मेरा, {f} यह मेरी", "{m} yah mera, {f} yah meri", "this {m} is mine, this {f} is mine"}, {"{n} न सोए {t}", "{n} na soye {t}", "the {n} does not sleep {t}"}};
constexpr Word dream_words[] = {{'m', {"ख़्वाब", "khvaab", "dream"}}, {'m', {"पंख", "pankh", "wing"}}, {'m', {"आसमान", "aasmaan", "sky"}}, {'m', {"दर्पण", "darpan", "mirror"}}, {'f', {"परी", "pari", "fairy"}}, {'f', {"उड़ान", "udaan", "flight"}}, {'f', {"पतंग", "patang", "kite"}}};
constexpr Text dream_lines[] = {{"देखा मैंने {n} {t}", "dekha maine {n} {t}", "I saw the {n} {t}"}, {"{m} मेरा छू ले आकाश", "{m} mera chhoo le aakaash", "may my {m} touch the sky"}, {"{f} बनकर {v} हम", "{f} bankar {v} ham", "having become the {f} let us {v}"}, {"मत तोड़ो यह {n} {t}", "mat todo yah {n} {t}", "do not break this {n} {t}"}, {"आँखें मूँदे, {n} आए", "aankhen moonde, {n} aaye", "eyes closed, the {n} comes"}};

constexpr Theme themes[] = {
    {"love", love_words, love_lines}, {"longing", longing_words, longing_lines}, {"night", night_words, night_lines}, {"rain", rain_words, rain_lines},
    {"sea", sea_words, sea_lines}, {"journey", journey_words, journey_lines}, {"home", home_words, home_lines}, {"celebration", celebration_words, celebration_lines},
    {"dance", dance_words, dance_lines}, {"memory", memory_words, memory_lines}, {"city", city_words, city_lines}, {"dream", dream_words, dream_lines},
};
constexpr Vocabulary vocabulary = {"hindi", common, lines, themes};
// clang-format on

}  // namespace

const Vocabulary& hindi_vocabulary() { return vocabulary; }

}  // namespace chorale::data::synth

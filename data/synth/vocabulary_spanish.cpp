// SPDX-License-Identifier: MIT
// Spanish words and lines, written for the demo corpus. Kinds: n noun with its article, p plural noun with
// its article, a adjective of one form for both genders, v infinitive without object, t when, d where. `de
// el` and `a el` contract when a line is filled.
#include "data/synth/vocabulary.h"

namespace chorale::data::synth {
namespace {

// clang-format off
constexpr Word common[] = {
    {'t', {"esta noche", "", "tonight"}}, {'t', {"al amanecer", "", "at dawn"}}, {'t', {"todo el verano", "", "all summer"}}, {'t', {"cada domingo", "", "every Sunday"}},
    {'t', {"otra vez", "", "once again"}}, {'t', {"en abril", "", "in April"}}, {'t', {"hasta mañana", "", "until tomorrow"}}, {'t', {"sin parar", "", "without stopping"}},
    {'t', {"algún día", "", "someday"}}, {'t', {"cuando sale el sol", "", "when the sun comes up"}}, {'t', {"a medianoche", "", "at midnight"}}, {'t', {"desde ayer", "", "since yesterday"}},
    {'d', {"en la orilla", "", "on the shore"}}, {'d', {"junto al fuego", "", "beside the fire"}}, {'d', {"bajo el puente", "", "under the bridge"}}, {'d', {"en mi ventana", "", "at my window"}},
    {'d', {"lejos de aquí", "", "far from here"}}, {'d', {"en la plaza", "", "in the square"}}, {'d', {"detrás del cerro", "", "behind the hill"}}, {'d', {"por la vereda", "", "along the path"}},
    {'d', {"en tus brazos", "", "in your arms"}}, {'d', {"frente al río", "", "facing the river"}}, {'d', {"en el patio", "", "in the courtyard"}}, {'d', {"dentro de mí", "", "inside me"}},
    {'a', {"libre", "", "free"}}, {'a', {"triste", "", "sad"}}, {'a', {"fuerte", "", "strong"}}, {'a', {"feliz", "", "happy"}}, {'a', {"fiel", "", "faithful"}}, {'a', {"dulce", "", "sweet"}},
    {'a', {"valiente", "", "brave"}}, {'a', {"alegre", "", "cheerful"}}, {'a', {"salvaje", "", "wild"}}, {'a', {"suave", "", "gentle"}}, {'a', {"humilde", "", "humble"}}, {'a', {"ardiente", "", "burning"}},
    {'v', {"cantar", "", "sing"}}, {'v', {"soñar", "", "dream"}}, {'v', {"volver", "", "return"}}, {'v', {"volar", "", "fly"}}, {'v', {"correr", "", "run"}}, {'v', {"esperar", "", "wait"}}, {'v', {"vivir", "", "live"}},
    {'v', {"llorar", "", "cry"}}, {'v', {"reír", "", "laugh"}}, {'v', {"caminar", "", "walk"}}, {'v', {"despertar", "", "wake up"}}, {'v', {"temblar", "", "tremble"}}, {'v', {"callar", "", "be silent"}}, {'v', {"brillar", "", "shine"}},
    {'n', {"el corazón", "", "the heart"}}, {'n', {"la vida", "", "life"}}, {'n', {"el alma", "", "the soul"}}, {'n', {"el cielo", "", "the sky"}}, {'n', {"la sombra", "", "the shadow"}}, {'n', {"el silencio", "", "the silence"}},
    {'n', {"la voz", "", "the voice"}}, {'n', {"el tiempo", "", "time"}},
    {'p', {"las estrellas", "", "the stars"}}, {'p', {"los años", "", "the years"}}, {'p', {"las manos", "", "the hands"}}, {'p', {"las palabras", "", "the words"}}, {'p', {"los pájaros", "", "the birds"}}, {'p', {"los ojos", "", "the eyes"}},
};
constexpr Text lines[] = {
    {"Quiero {v} contigo {d}", "", "I want to {v} with you {d}"}, {"Ya no sé {v} sin {n}", "", "I no longer know how to {v} without {n}"}, {"Mi corazón es {a} {t}", "", "My heart is {a} {t}"},
    {"Aquí está {n} y aquí estoy yo", "", "Here is {n} and here am I"}, {"Voy a {v} y a {V} {t}", "", "I am going to {v} and to {V} {t}"}, {"Nadie conoce {n} como tú", "", "Nobody knows {n} like you"},
    {"Déjame {v} {d}", "", "Let me {v} {d}"}, {"Todo es {a} cuando estás {d}", "", "Everything is {a} when you are {d}"}, {"Pregúntale a {n} si te quiero", "", "Ask {n} if I love you"},
    {"Se fueron {p}, se quedó {n}", "", "Gone are {p}, what stayed is {n}"}, {"Dame {n}, toma {N}", "", "Give me {n}, take {N}"}, {"Entre {p} y {P} te busqué", "", "Among {p} and {P} I looked for you"},
    {"Ay, qué {a} es {v} {t}", "", "Oh, how {a} it is to {v} {t}"}, {"Vuelven {p} de {n}", "", "Back come {p} of {n}"}, {"Canta {n}, calla {N}", "", "{n} sings, {N} is silent"},
};

constexpr Word love_words[] = {{'n', {"el beso", "", "the kiss"}}, {'n', {"la caricia", "", "the caress"}}, {'n', {"la rosa", "", "the rose"}}, {'n', {"el abrazo", "", "the embrace"}}, {'n', {"la promesa", "", "the promise"}}, {'n', {"tu sonrisa", "", "your smile"}}, {'p', {"los besos", "", "the kisses"}}, {'p', {"las flores", "", "the flowers"}}};
constexpr Text love_lines[] = {{"Te quiero más que a {n}", "", "I love you more than {n}"}, {"Tu amor es {a} como {n}", "", "Your love is {a} like {n}"}, {"Guardo {n} para ti {t}", "", "I keep {n} for you {t}"}, {"Quédate {d}, amor mío", "", "Stay {d}, my love"}, {"Con {p} te digo que sí", "", "With {p} I tell you yes"}};
constexpr Word longing_words[] = {{'n', {"la carta", "", "the letter"}}, {'n', {"la distancia", "", "the distance"}}, {'n', {"el adiós", "", "the goodbye"}}, {'n', {"la herida", "", "the wound"}}, {'n', {"tu ausencia", "", "your absence"}}, {'n', {"el olvido", "", "oblivion"}}, {'p', {"las lágrimas", "", "the tears"}}, {'p', {"las noches sin ti", "", "the nights without you"}}};
constexpr Text longing_lines[] = {{"Me duele {n} {t}", "", "{n} hurts me {t}"}, {"¿Cuándo vas a {v} {d}?", "", "When are you going to {v} {d}?"}, {"Solo me queda {n}", "", "Only {n} is left to me"}, {"Escribí tu nombre en {n}", "", "I wrote your name in {n}"}, {"Cuento {p} y no llegas", "", "I count {p} and you do not come"}};
constexpr Word night_words[] = {{'n', {"la luna", "", "the moon"}}, {'n', {"la noche", "", "the night"}}, {'n', {"la vela", "", "the candle"}}, {'n', {"el lucero", "", "the morning star"}}, {'n', {"la penumbra", "", "the half-light"}}, {'n', {"el farol", "", "the street lamp"}}, {'p', {"las sombras", "", "the shadows"}}, {'p', {"los grillos", "", "the crickets"}}};
constexpr Text night_lines[] = {{"Sale {n} y nadie duerme", "", "{n} comes out and nobody sleeps"}, {"Bajo {n} te vi {v}", "", "Under {n} I saw you {v}"}, {"La noche es {a} como {n}", "", "The night is {a} like {n}"}, {"Despiertan {p} {d}", "", "Awake are {p} {d}"}, {"Que no se apague {n} {t}", "", "May {n} not go out {t}"}};
constexpr Word rain_words[] = {{'n', {"la lluvia", "", "the rain"}}, {'n', {"la tormenta", "", "the storm"}}, {'n', {"el trueno", "", "the thunder"}}, {'n', {"la nube", "", "the cloud"}}, {'n', {"el aguacero", "", "the downpour"}}, {'n', {"el paraguas", "", "the umbrella"}}, {'p', {"las gotas", "", "the drops"}}, {'p', {"los charcos", "", "the puddles"}}};
constexpr Text rain_lines[] = {{"Cae {n} y yo sin ti", "", "{n} falls and I am without you"}, {"Que llueva {t} {d}", "", "Let it rain {t} {d}"}, {"Escucho {n} en el tejado", "", "I hear {n} on the roof"}, {"Bailan {p} con {n}", "", "Dancing are {p} with {n}"}, {"Después de {n} vuelvo a {v}", "", "After {n} I {v} again"}};
constexpr Word sea_words[] = {{'n', {"el mar", "", "the sea"}}, {'n', {"la marea", "", "the tide"}}, {'n', {"el barco", "", "the boat"}}, {'n', {"el puerto", "", "the harbour"}}, {'n', {"la playa", "", "the beach"}}, {'n', {"el faro", "", "the lighthouse"}}, {'p', {"las olas", "", "the waves"}}, {'p', {"las gaviotas", "", "the gulls"}}};
constexpr Text sea_lines[] = {{"Llévame hasta {n}, marinero", "", "Take me as far as {n}, sailor"}, {"{p} me enseñaron a {v}", "", "{p} taught me to {v}"}, {"Hay sal en {n} y en mi voz", "", "There is salt in {n} and in my voice"}, {"Espero {d} mirando {n}", "", "I wait {d} looking at {n}"}, {"Vienen y van {p}", "", "Coming and going are {p}"}};
constexpr Word journey_words[] = {{'n', {"el camino", "", "the road"}}, {'n', {"la maleta", "", "the suitcase"}}, {'n', {"el tren", "", "the train"}}, {'n', {"la montaña", "", "the mountain"}}, {'n', {"la frontera", "", "the border"}}, {'n', {"el caballo", "", "the horse"}}, {'p', {"las huellas", "", "the footprints"}}, {'p', {"los pasos", "", "the steps"}}};
constexpr Text journey_lines[] = {{"Me voy por {n} {t}", "", "I am leaving by {n} {t}"}, {"Mi madre lloró junto a {n}", "", "My mother cried beside {n}"}, {"Sigo {p} de {n}", "", "I follow {p} of {n}"}, {"Lejos queda {n}, lejos estás tú", "", "Far away is {n}, far away are you"}, {"Para {v} nací, para {V} me voy", "", "To {v} I was born, to {V} I leave"}};
constexpr Word home_words[] = {{'n', {"la casa", "", "the house"}}, {'n', {"el pueblo", "", "the village"}}, {'n', {"la cocina", "", "the kitchen"}}, {'n', {"el jardín", "", "the garden"}}, {'n', {"mi madre", "", "my mother"}}, {'n', {"la puerta", "", "the door"}}, {'p', {"las campanas", "", "the bells"}}, {'p', {"los vecinos", "", "the neighbours"}}};
constexpr Text home_lines[] = {{"Vuelvo a {n} que me vio nacer", "", "I return to {n} that saw me born"}, {"Huele a pan en {n} {t}", "", "It smells of bread in {n} {t}"}, {"Me saludan {p} {d}", "", "Greeting me are {p} {d}"}, {"Mi tierra es {a}, mi gente también", "", "My land is {a}, my people too"}, {"Cuida {n} hasta que vuelva", "", "Look after {n} until I return"}};
constexpr Word celebration_words[] = {{'n', {"la fiesta", "", "the party"}}, {'n', {"la boda", "", "the wedding"}}, {'n', {"el carnaval", "", "the carnival"}}, {'n', {"la cosecha", "", "the harvest"}}, {'n', {"el brindis", "", "the toast"}}, {'n', {"la feria", "", "the fair"}}, {'p', {"los amigos", "", "the friends"}}, {'p', {"los tambores", "", "the drums"}}};
constexpr Text celebration_lines[] = {{"Que empiece {n} {t}", "", "Let {n} begin {t}"}, {"Vengan todos a {v} {d}", "", "Come all and {v} {d}"}, {"Suenan {p} por {n}", "", "Sounding are {p} for {n}"}, {"Hoy nadie llora en {n}", "", "Today nobody cries at {n}"}, {"Levanta la copa por {p}", "", "Raise your glass to {p}"}};
constexpr Word dance_words[] = {{'n', {"el ritmo", "", "the rhythm"}}, {'n', {"la cintura", "", "the waist"}}, {'n', {"el tambor", "", "the drum"}}, {'n', {"la pista", "", "the dance floor"}}, {'n', {"el son", "", "the tune"}}, {'n', {"la cadera", "", "the hip"}}, {'p', {"los pies", "", "the feet"}}, {'p', {"las palmas", "", "the palms"}}};
constexpr Text dance_lines[] = {{"Mueve {n}, mueve {N}", "", "Move {n}, move {N}"}, {"Baila conmigo {d}", "", "Dance with me {d}"}, {"Con {n} no puedo {v}", "", "With {n} I cannot {v}"}, {"Arriba {p}, que llega {n}", "", "Up with {p}, for here comes {n}"}, {"Dame tu mano, siente {n}", "", "Give me your hand, feel {n}"}};
constexpr Word memory_words[] = {{'n', {"el recuerdo", "", "the memory"}}, {'n', {"la foto", "", "the photograph"}}, {'n', {"la infancia", "", "childhood"}}, {'n', {"el ayer", "", "yesterday"}}, {'n', {"la escuela", "", "the school"}}, {'n', {"mi abuela", "", "my grandmother"}}, {'p', {"los recuerdos", "", "the memories"}}, {'p', {"los cuentos", "", "the tales"}}};
constexpr Text memory_lines[] = {{"Todavía veo {n} {d}", "", "I still see {n} {d}"}, {"{n} me enseñó a {v}", "", "{n} taught me to {v}"}, {"No se borran {p}", "", "Not erased are {p}"}, {"Éramos niños junto a {n}", "", "We were children beside {n}"}, {"Abro {n} y vuelvo a {v}", "", "I open {n} and I {v} again"}};
constexpr Word city_words[] = {{'n', {"la ciudad", "", "the city"}}, {'n', {"la calle", "", "the street"}}, {'n', {"el barrio", "", "the neighbourhood"}}, {'n', {"la esquina", "", "the corner"}}, {'n', {"el semáforo", "", "the traffic light"}}, {'n', {"el ruido", "", "the noise"}}, {'p', {"las luces", "", "the lights"}}, {'p', {"los balcones", "", "the balconies"}}};
constexpr Text city_lines[] = {{"Nací en {n}, no sé {v}", "", "I was born in {n}, I do not know how to {v}"}, {"Se encienden {p} {t}", "", "Lighting up are {p} {t}"}, {"Te vi pasar por {n}", "", "I saw you pass by {n}"}, {"{n} es {a} y nunca duerme", "", "{n} is {a} and never sleeps"}, {"En {n} nadie sabe mi nombre", "", "In {n} nobody knows my name"}};
constexpr Word dream_words[] = {{'n', {"el sueño", "", "the dream"}}, {'n', {"la pluma", "", "the feather"}}, {'n', {"el espejo", "", "the mirror"}}, {'n', {"el arcoíris", "", "the rainbow"}}, {'n', {"la cometa", "", "the kite"}}, {'n', {"el aire", "", "the air"}}, {'p', {"las alas", "", "the wings"}}, {'p', {"los planetas", "", "the planets"}}};
constexpr Text dream_lines[] = {{"Anoche soñé con {n}", "", "Last night I dreamt of {n}"}, {"Préstame {p} para {v}", "", "Lend me {p} to {v}"}, {"Cierro los ojos y llega {n}", "", "I close my eyes and {n} comes"}, {"No me despiertes de {n}", "", "Do not wake me from {n}"}, {"En mi sueño {p} saben {v}", "", "In my dream {p} know how to {v}"}};

constexpr Theme themes[] = {
    {"love", love_words, love_lines}, {"longing", longing_words, longing_lines}, {"night", night_words, night_lines}, {"rain", rain_words, rain_lines},
    {"sea", sea_words, sea_lines}, {"journey", journey_words, journey_lines}, {"home", home_words, home_lines}, {"celebration", celebration_words, celebration_lines},
    {"dance", dance_words, dance_lines}, {"memory", memory_words, memory_lines}, {"city", city_words, city_lines}, {"dream", dream_words, dream_lines},
};
constexpr Vocabulary vocabulary = {"spanish", common, lines, themes};
// clang-format on

}  // namespace

const Vocabulary& spanish_vocabulary() { return vocabulary; }

}  // namespace chorale::data::synth

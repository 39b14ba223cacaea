// SPDX-License-Identifier: MIT
// Spanish lines and nouns of the demo corpus, written for it.
#include "data/synth/lyrics.h"

namespace chorale::data::synth {

// clang-format off
const std::vector<Theme>& spanish_themes() {
  static const std::vector<Theme> themes = {
      {"love",
       {
           {"Tu risa suena como %", "", "your laughter sounds like the %"},
           {"No sueltes nunca mi mano", "", "never let go of my hand"},
           {"Te guardo entre % y mi voz", "", "I keep you between the % and my voice"},
           {"En tus ojos cabe mi casa", "", "my house fits inside your eyes"},
           {"Y % pregunta por ti", "", "and the % asks for you"},
           {"Todo lo mío lleva tu nombre", "", "all that is mine bears your name"},
       },
       {{"la luna", "", "moon"}, {"el mar", "", "sea"},
        {"la aurora", "", "dawn"}, {"el jazmín", "", "jasmine"},
        {"la lluvia", "", "rain"}}},
      {"longing",
       {
           {"Me quedé solo con %", "", "I stayed alone with the %"},
           {"Tu carta sigue sin abrir", "", "your letter is still unopened"},
           {"Nadie responde, solo %", "", "no one answers, only the %"},
           {"Dime cuándo vas a volver", "", "tell me when you will come back"},
           {"Se me hizo larga la madrugada", "", "the small hours grew long for me"},
           {"Tu sombra duerme sobre %", "", "your shadow sleeps upon the %"},
       },
       {{"la noche", "", "night"}, {"el silencio", "", "silence"},
        {"la ventana", "", "window"}, {"el invierno", "", "winter"},
        {"la estación", "", "station"}}},
      {"journey",
       {
           {"Más allá me espera %", "", "farther on the % waits for me"},
           {"Llevo polvo en los zapatos", "", "I carry dust on my shoes"},
           {"Miramos % cantando bajito", "", "we watch the %, singing softly"},
           {"Mi abuelo conoció %", "", "my grandfather knew the %"},
           {"Paso a paso se hace el día", "", "step by step the day is made"},
           {"No hay mapa para este sueño", "", "there is no map for this dream"},
       },
       {{"el camino", "", "road"}, {"la montaña", "", "mountain"},
        {"el río", "", "river"}, {"la frontera", "", "border"},
        {"el tren", "", "train"}}},
      {"celebration",
       {
           {"Que viva %, que viva la gente", "", "long live the %, long live the people"},
           {"Suban el son, abran la puerta", "", "turn the music up, open the door"},
           {"Esta noche nadie se duerme", "", "tonight nobody falls asleep"},
           {"Mueve los pies, levanta los brazos", "", "move your feet, raise your arms"},
           {"Toda la calle canta con %", "", "the whole street sings with the %"},
           {"Vino mi madre con pan y risas", "", "my mother came with bread and laughter"},
       },
       {{"la fiesta", "", "party"}, {"el barrio", "", "neighbourhood"},
        {"la plaza", "", "square"}, {"el tambor", "", "drum"},
        {"el verano", "", "summer"}}},
  };
  return themes;
}
// clang-format on

}  // namespace chorale::data::synth

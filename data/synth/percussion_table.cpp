// SPDX-License-Identifier: MIT
// The drums by name. Frequencies follow common tunings of the real ones; times are to -60 dB.
#include <string>

#include "data/synth/percussion.h"
#include "kernels/error.h"

namespace chorale::data::synth {
namespace {

using enum Body;

// clang-format off
//   name            body      start  end   sweep  tone   gain  over  noise  gain  low    high
constexpr Drum table[] = {
    // kits
    {"kick",         pure,     150,   50,   0.04f, 0.45f, 1.0f, 0.0f, 0.02f, 0.3f,  300,   4000},
    {"kick_soft",    membrane, 110,   55,   0.03f, 0.35f, 1.0f, 0.1f, 0.02f, 0.1f,  200,   1500},
    {"kick_hard",    pure,     230,   52,   0.03f, 0.38f, 1.0f, 0.0f, 0.03f, 0.7f,  800,   6000},
    {"kick_808",     pure,     120,   42,   0.08f, 1.30f, 1.0f, 0.0f, 0.01f, 0.2f,  500,   5000},
    {"snare",        membrane, 240,   180,  0.02f, 0.18f, 0.5f, 0.4f, 0.30f, 0.8f,  900,   8000},
    {"snare_fat",    membrane, 190,   150,  0.02f, 0.26f, 0.6f, 0.4f, 0.42f, 0.8f,  700,   7000},
    {"snare_tight",  membrane, 330,   260,  0.01f, 0.12f, 0.5f, 0.3f, 0.16f, 0.8f,  1500,  9500},
    {"snare_808",    pure,     210,   185,  0.01f, 0.14f, 0.7f, 0.0f, 0.20f, 0.8f,  2000,  9500},
    {"brush",        membrane, 200,   190,  0.01f, 0.05f, 0.1f, 0.0f, 0.35f, 0.8f,  1500,  6000},
    {"brush_swish",  membrane, 200,   190,  0.01f, 0.02f, 0.0f, 0.0f, 0.60f, 0.6f,  2500,  8000},
    {"march_snare",  membrane, 300,   240,  0.01f, 0.10f, 0.4f, 0.3f, 0.22f, 1.0f,  1800,  9000},
    {"rim",          bar,      820,   800,  0.01f, 0.06f, 0.8f, 0.6f, 0.02f, 0.4f,  1500,  6000},
    {"clap",         pure,     900,   900,  0.01f, 0.01f, 0.0f, 0.0f, 0.22f, 1.0f,  900,   5500, 4},
    {"snap",         pure,     2100,  2100, 0.01f, 0.03f, 0.4f, 0.0f, 0.08f, 1.0f,  1800,  6500, 2},
    {"hat",          metal,    5300,  5300, 0.01f, 0.05f, 0.2f, 0.6f, 0.07f, 1.0f,  6500,  10500},
    {"hat_808",      metal,    6100,  6100, 0.01f, 0.03f, 0.4f, 0.8f, 0.04f, 0.8f,  7500,  10800},
    {"hat_pedal",    metal,    4600,  4600, 0.01f, 0.04f, 0.2f, 0.5f, 0.06f, 0.8f,  4500,  9000},
    {"open_hat",     metal,    5100,  5100, 0.01f, 0.25f, 0.2f, 0.6f, 0.40f, 1.0f,  6000,  10500},
    {"ride",         metal,    3300,  3300, 0.01f, 0.70f, 0.4f, 0.7f, 0.70f, 0.5f,  5000,  10500},
    {"crash",        metal,    2900,  2900, 0.01f, 0.90f, 0.2f, 0.7f, 1.40f, 1.0f,  3500,  10500},
    {"tom",          membrane, 140,   95,   0.06f, 0.45f, 1.0f, 0.3f, 0.05f, 0.3f,  300,   2500},
    {"tom_high",     membrane, 210,   150,  0.05f, 0.36f, 1.0f, 0.3f, 0.05f, 0.3f,  400,   3000},
    {"electro_tom",  pure,     420,   120,  0.10f, 0.25f, 1.0f, 0.0f, 0.02f, 0.2f,  800,   6000},
    {"simmons",      pure,     600,   180,  0.16f, 0.35f, 1.0f, 0.0f, 0.05f, 0.4f,  800,   7000},
    // shaken, scraped, clapped
    {"shaker",       metal,    6000,  6000, 0.01f, 0.02f, 0.0f, 0.0f, 0.09f, 1.0f,  4500,  10000},
    {"maracas",      metal,    6500,  6500, 0.01f, 0.02f, 0.0f, 0.0f, 0.05f, 1.0f,  5500,  10500},
    {"guira",        metal,    5200,  5200, 0.01f, 0.04f, 0.1f, 0.3f, 0.11f, 1.0f,  3500,  9500},
    {"guiro",        metal,    2600,  2600, 0.01f, 0.05f, 0.2f, 0.3f, 0.14f, 1.0f,  1800,  6000, 5},
    {"guacharaca",   metal,    3400,  3400, 0.01f, 0.03f, 0.1f, 0.3f, 0.09f, 1.0f,  2600,  7500, 3},
    {"tambourine",   metal,    6900,  6900, 0.01f, 0.15f, 0.3f, 0.8f, 0.20f, 1.0f,  5500,  10500},
    {"palmas",       bar,      1300,  1300, 0.01f, 0.02f, 0.2f, 0.0f, 0.07f, 1.0f,  1200,  6500, 2},
    {"palmas_soft",  bar,      700,   700,  0.01f, 0.03f, 0.4f, 0.0f, 0.05f, 1.0f,  600,   2500},
    {"ghungroo",     metal,    4200,  4200, 0.01f, 0.16f, 0.4f, 0.9f, 0.14f, 0.7f,  4500,  9500, 3},
    // Latin
    {"cowbell",      metal,    560,   560,  0.01f, 0.16f, 1.0f, 0.9f, 0.02f, 0.2f,  1500,  7000},
    {"clave",        bar,      2450,  2450, 0.01f, 0.08f, 1.0f, 0.1f, 0.01f, 0.2f,  2000,  8000},
    {"conga_low",    membrane, 215,   190,  0.02f, 0.35f, 1.0f, 0.3f, 0.03f, 0.3f,  500,   3000},
    {"conga_high",   membrane, 330,   300,  0.02f, 0.22f, 1.0f, 0.3f, 0.03f, 0.4f,  800,   4500},
    {"conga_slap",   membrane, 420,   380,  0.01f, 0.08f, 0.7f, 0.4f, 0.06f, 0.8f,  1500,  7000},
    {"bongo_low",    membrane, 390,   360,  0.01f, 0.16f, 1.0f, 0.3f, 0.02f, 0.3f,  900,   5000},
    {"bongo_high",   membrane, 560,   530,  0.01f, 0.11f, 1.0f, 0.3f, 0.02f, 0.4f,  1200,  6500},
    {"timbale",      membrane, 480,   440,  0.02f, 0.28f, 0.9f, 0.6f, 0.06f, 0.4f,  1500,  8000},
    {"tambora",      membrane, 130,   100,  0.03f, 0.30f, 1.0f, 0.3f, 0.06f, 0.4f,  400,   3500},
    {"caja",         membrane, 290,   260,  0.02f, 0.14f, 1.0f, 0.4f, 0.04f, 0.5f,  900,   5000},
    {"bombo",        membrane, 85,    70,   0.04f, 0.60f, 1.0f, 0.3f, 0.04f, 0.3f,  200,   1500},
    {"cajon_low",    membrane, 105,   85,   0.03f, 0.22f, 1.0f, 0.2f, 0.04f, 0.4f,  200,   2500},
    {"cajon_high",   membrane, 280,   250,  0.01f, 0.10f, 0.6f, 0.3f, 0.12f, 0.8f,  1200,  7500},
    // Arab
    {"doum",         membrane, 125,   92,   0.03f, 0.30f, 1.0f, 0.3f, 0.03f, 0.3f,  300,   2500},
    {"tek",          membrane, 620,   580,  0.01f, 0.09f, 0.8f, 0.6f, 0.05f, 0.8f,  2200,  9000},
    {"ka",           membrane, 540,   510,  0.01f, 0.06f, 0.6f, 0.5f, 0.04f, 0.6f,  1800,  8000},
    {"riq",          metal,    900,   880,  0.01f, 0.05f, 0.3f, 0.4f, 0.16f, 0.9f,  4500,  10500},
    {"sagat",        metal,    3900,  3900, 0.01f, 0.30f, 0.6f, 0.9f, 0.10f, 0.3f,  5000,  10500},
    {"frame",        membrane, 105,   88,   0.03f, 0.45f, 1.0f, 0.5f, 0.08f, 0.3f,  250,   2500},
    {"tabl",         membrane, 82,    68,   0.04f, 0.50f, 1.0f, 0.4f, 0.05f, 0.6f,  250,   3000},
    {"tabl_stick",   membrane, 430,   410,  0.01f, 0.06f, 0.5f, 0.5f, 0.07f, 1.0f,  2000,  9000},
    {"bendir",       membrane, 120,   105,  0.02f, 0.40f, 0.9f, 0.5f, 0.40f, 0.5f,  500,   4500},
    {"mirwas",       membrane, 260,   235,  0.02f, 0.16f, 1.0f, 0.4f, 0.05f, 0.5f,  800,   4000},
    {"qraqeb",       metal,    2300,  2300, 0.01f, 0.09f, 0.7f, 0.8f, 0.05f, 0.8f,  2500,  9000},
    // South Asian
    {"tabla_ge",     loaded,   92,    118,  0.12f, 0.60f, 1.0f, 0.2f, 0.02f, 0.2f,  200,   1500},
    {"tabla_na",     loaded,   415,   412,  0.01f, 0.40f, 0.9f, 0.9f, 0.02f, 0.5f,  1500,  7000},
    {"tabla_tin",    loaded,   330,   328,  0.01f, 0.70f, 0.9f, 0.7f, 0.01f, 0.3f,  1200,  5000},
    {"tabla_te",     membrane, 500,   480,  0.01f, 0.05f, 0.5f, 0.4f, 0.04f, 0.9f,  1200,  6000},
    {"dholak_low",   membrane, 118,   95,   0.05f, 0.32f, 1.0f, 0.3f, 0.03f, 0.3f,  300,   2000},
    {"dholak_high",  loaded,   390,   370,  0.01f, 0.18f, 0.9f, 0.6f, 0.04f, 0.6f,  1500,  7000},
    {"dhol_low",     membrane, 75,    62,   0.05f, 0.55f, 1.0f, 0.4f, 0.04f, 0.5f,  200,   2200},
    {"dhol_high",    membrane, 340,   320,  0.01f, 0.10f, 0.6f, 0.6f, 0.07f, 1.0f,  1500,  8500},
    {"manjira",      metal,    3600,  3600, 0.01f, 0.60f, 0.8f, 0.9f, 0.03f, 0.2f,  5000,  10500},
    {"khol_low",     loaded,   105,   128,  0.09f, 0.40f, 1.0f, 0.3f, 0.02f, 0.3f,  250,   1800},
    {"khol_high",    loaded,   640,   630,  0.01f, 0.16f, 0.9f, 0.8f, 0.03f, 0.6f,  1800,  8000},
    {"khomok",       pure,     190,   330,  0.16f, 0.20f, 1.0f, 0.0f, 0.02f, 0.3f,  600,   4000},
};
// clang-format on

}  // namespace

int find_drum(std::string_view name) {
  for (std::size_t i = 0; i < std::size(table); ++i) {
    if (table[i].name == name) return static_cast<int>(i);
  }
  throw UsageError("drum: unknown name: " + std::string(name) + " (allowed those of the percussion table)");
}

const Drum& drum(int index) { return table[index]; }

}  // namespace chorale::data::synth

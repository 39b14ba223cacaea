// SPDX-License-Identifier: MIT
// The Spanish genres of the demo corpus; see styles.h for the notation.
#include "data/synth/grooves_spanish.h"
#include "data/synth/styles.h"

namespace chorale::data::synth {
namespace {

// clang-format off
constexpr GenreStyle table[] = {
    {.genre = "bachata", .language = "spanish", .energy = 0.54f, .brightness = 0.65f, .loose_s = 0.003f,
     .scales = "minor:4 major:2", .progressions = "1 7 6 5D|1 4 5D 1|6 4 1 5|1 1 5D 5D", .grooves = spanish::bachata, .fills = "bongo_high bongo_low", .basses = "electric_bass:3 baby_bass", .chords = "steel_guitar:3 muted_guitar nylon_guitar",
     .pads = "strings -:3", .riffs = "bachata_guitar:5", .leads = "bachata_guitar:6 requinto", .manners = "pop:3 crooner:3 soul", .sung = 0.97f, .density = 2.2f, .ornament = 0.3f, .syncopation = 0.4f, .backing = 0.4f, .form = "vrsvr",
     .intros = "lead:2 riff:3", .mix = {.tone = {1, -3, -3, 6, 8}, .room = 0.14f, .room_s = 1.0f, .echo = 0.15f}},
    {.genre = "banda", .language = "spanish", .energy = 0.79f, .brightness = 0.65f, .loose_s = 0.012f,
     .scales = "major:6 mixolydian", .progressions = "1 5D 5D 1|1 4 5D 1|1 1 5D 5D", .grooves = spanish::banda, .fills = "march_snare tambora", .basses = "tuba", .chords = "trombones:3 brass:3", .pads = "-", .riffs = "banda_clarinets:3 trumpet:2",
     .leads = "banda_clarinets:4 trumpet:3 trombones:2", .manners = "ranchera:4 belt:2", .sung = 0.8f, .density = 2.0f, .ornament = 0.25f, .syncopation = 0.2f, .backing = 0.3f, .form = "svrsvr", .intros = "lead band:3", .mix = {.tone = {4, 1, 6, 0, -6}, .room = 0.1f, .room_s = 0.8f, .low_hz = 50, .drive = 0.9f}},
    {.genre = "bolero", .language = "spanish", .energy = 0.24f, .brightness = 0.36f, .loose_s = 0.01f,
     .scales = "minor:2 major:3 harmonic_minor", .progressions = "1J 6k 2k 5D|1 4 5D 1|4k 1J 5D 1J|1 6D 2k 5D", .grooves = spanish::bolero, .fills = "bongo_high bongo_low", .basses = "upright_bass", .chords = "nylon_guitar:5 piano:2", .pads = "strings -",
     .riffs = "requinto:4 piano", .leads = "requinto:4 muted_trumpet violin strings", .manners = "crooner:6", .sung = 0.96f, .density = 1.6f, .ornament = 0.3f, .syncopation = 0.3f, .backing = 0.7f, .form = "vrsvr", .intros = "lead:4 chords",
     .mix = {.tone = {-4, 7, 3, -6, -7}, .room = 0.2f, .room_s = 1.4f, .low_hz = 80, .high_hz = 5500, .hiss = 0.006f}},
    {.genre = "corrido", .language = "spanish", .energy = 0.54f, .brightness = 0.55f, .loose_s = 0.008f,
     .scales = "major:5 mixolydian minor", .progressions = "1 1 5D 5D|1 4 5D 1|1 5D 5D 1", .grooves = spanish::corrido, .fills = "rim", .basses = "guitarron:2 tuba:2 bajo_sexto", .chords = "twelve_string:3 bajo_sexto:3 nylon_guitar", .pads = "-", .riffs = "requinto:4 twelve_string",
     .leads = "requinto:4 accordion_dry:2 twelve_string", .manners = "folk:4 ranchera", .sung = 0.95f, .density = 2.2f, .ornament = 0.15f, .syncopation = 0.15f, .backing = 0.5f, .form = "vvsvv", .intros = "lead:3 chords", .mix = {.tone = {-3, 4, 0, 1, 6}, .room = 0.05f, .room_s = 0.4f, .low_hz = 60}},
    {.genre = "flamenco", .language = "spanish", .energy = 0.50f, .brightness = 0.59f, .loose_s = 0.006f,
     .scales = "phrygian_dominant:4 phrygian:3", .progressions = "4m b3M b2M 1M|1M b2M b3M b2M|1M 1M b2M 1M", .grooves = spanish::flamenco, .fills = "palmas cajon_high", .basses = "-", .chords = "flamenco_guitar:6", .pads = "-", .riffs = "-",
     .leads = "flamenco_guitar:6", .manners = "cante:6", .sung = 0.65f, .density = 2.8f, .ornament = 0.6f, .syncopation = 0.6f, .form = "svsvs", .intros = "lead:2 free:2 drums", .mix = {.tone = {-6, 1, 0, 3, 7}, .room = 0.18f, .room_s = 1.1f}},
    {.genre = "flamenco_pop", .language = "spanish", .energy = 0.65f, .brightness = 0.62f, .swing = 0.02f,
     .scales = "phrygian_dominant:2 minor:2 harmonic_minor:2 phrygian", .progressions = "4m b3M b2M 1M|6 5 4 3M|1 4 7 3|1 7 6 5M", .grooves = spanish::flamenco_pop, .fills = "cajon_high palmas", .basses = "electric_bass:3 slap_bass", .chords = "flamenco_guitar:5 piano", .pads = "strings saw_pad -:2",
     .riffs = "flamenco_guitar:3 accordion_dry piano", .leads = "flamenco_guitar:5 flute violin", .manners = "cante:3 belt:3 pop:2", .sung = 0.96f, .density = 1.9f, .ornament = 0.45f, .syncopation = 0.5f, .backing = 0.6f, .form = "vrsvr", .intros = "lead:3 riff", .mix = {.tone = {2, 4, 1, -2, 1}, .room = 0.12f, .room_s = 1.0f, .drive = 0.5f}},
    {.genre = "latin_folk", .language = "spanish", .energy = 0.43f, .brightness = 0.50f, .loose_s = 0.012f,
     .scales = "minor:2 pentatonic_minor:4 major", .progressions = "1 7 3 1|1 4 7 3|6 3 5 1|1 3 7 1", .grooves = spanish::latin_folk, .fills = "bombo", .basses = "guitarron -:2 upright_bass", .chords = "charango:4 nylon_guitar:3", .pads = "-", .riffs = "charango panpipes:2 harp:2",
     .leads = "quena:5 panpipes:3 charango harp", .doubles = "-:3 quena", .manners = "folk:4 choir:2", .sung = 0.75f, .density = 1.6f, .ornament = 0.25f, .syncopation = 0.3f, .backing = 0.5f, .form = "svrsv", .intros = "lead:4 chords", .mix = {.tone = {-1, 4, -1, 4, 1}, .room = 0.2f, .room_s = 1.6f, .low_hz = 60}},
    {.genre = "latin_indie", .language = "spanish", .energy = 0.50f, .brightness = 0.53f,
     .scales = "major:3 minor:2 dorian", .progressions = "1 3 4 4m|6 4 1 5|1J 5 6 4J|2k 5D 1J 1J", .grooves = spanish::latin_indie, .fills = "tom_high tom", .basses = "electric_bass:4", .chords = "electric_guitar:4 electric_piano:2 nylon_guitar", .pads = "warm_pad combo_organ:2",
     .riffs = "electric_guitar:3 combo_organ bells", .leads = "electric_guitar:3 square_lead muted_trumpet combo_organ", .manners = "soft:5 pop:2", .sung = 0.93f, .density = 1.4f, .ornament = 0.12f, .syncopation = 0.4f, .backing = 0.5f, .form = "vrvrs", .intros = "riff:3 chords",
     .mix = {.tone = {1, 6, 0, -4, -4}, .room = 0.2f, .room_s = 1.5f, .high_hz = 8500, .drive = 0.7f, .hiss = 0.004f, .echo = 0.25f}},
    {.genre = "latin_pop", .language = "spanish", .energy = 0.65f, .brightness = 0.65f, .loose_s = 0.002f,
     .scales = "minor:3 major:3", .progressions = "6 4 1 5|1 7 6 7|1 5 6 4|1 4 6 5", .grooves = spanish::latin_pop, .fills = "crash timbale conga_high", .basses = "synth_bass:2 electric_bass:2", .chords = "nylon_guitar:3 piano:3 pluck_synth", .pads = "saw_pad strings",
     .riffs = "pluck_synth nylon_guitar:2 marimba brass", .leads = "nylon_guitar:3 synth_lead trumpet", .manners = "pop:5 belt:2", .sung = 0.97f, .density = 1.7f, .ornament = 0.2f, .syncopation = 0.6f, .backing = 0.6f, .form = "vrvrsr", .intros = "riff:2 chords:2", .mix = {.tone = {3, -1, -1, 3, 4}, .room = 0.1f, .room_s = 0.9f, .drive = 0.7f, .pump = 0.2f, .echo = 0.12f}},
    {.genre = "latin_rock", .language = "spanish", .energy = 0.82f, .brightness = 0.62f,
     .scales = "minor:2 dorian:4 blues", .progressions = "1k 4D 1k 4D|1 7 6 5M|1 4 5 4|1k 4D 1k 5k", .grooves = spanish::latin_rock, .fills = "crash timbale conga_slap tom", .basses = "picked_bass electric_bass:3", .chords = "electric_guitar:3 distorted_guitar:2 rock_organ:3", .pads = "rock_organ:4",
     .riffs = "electric_guitar:2 distorted_guitar piano", .leads = "overdriven_lead:6 rock_organ", .manners = "rock:3 belt:3", .sung = 0.85f, .density = 1.8f, .ornament = 0.35f, .syncopation = 0.5f, .backing = 0.4f, .form = "vrsvrs", .intros = "riff:2 drums:2 band", .mix = {.tone = {0, 3, 7, 1, -4}, .room = 0.1f, .room_s = 0.8f, .low_hz = 60, .drive = 1.6f}},
    {.genre = "latin_trap", .language = "spanish", .energy = 0.58f, .brightness = 0.33f, .loose_s = 0.0f,
     .scales = "minor:4 phrygian:2 harmonic_minor", .progressions = "1 1 6 7|1 6 1 5|1 1 1 1|1 2 1 2", .grooves = spanish::latin_trap, .fills = "snare_808 clap", .basses = "glide_808:5", .chords = "piano:2 electric_piano music_box nylon_guitar", .pads = "warm_pad:3 choir",
     .riffs = "music_box:2 bells:2 pluck_synth flute", .leads = "bells synth_lead flute", .manners = "autotune:4 rap:5", .sung = 0.96f, .density = 1.2f, .ornament = 0.15f, .syncopation = 0.7f, .form = "vvrvr", .intros = "riff:4", .mix = {.tone = {11, -1, -6, -1, 3}, .room = 0.1f, .room_s = 1.6f, .drive = 1.2f, .echo = 0.25f}},
    {.genre = "mariachi", .language = "spanish", .energy = 0.70f, .brightness = 0.65f, .loose_s = 0.01f,
     .scales = "major:5 harmonic_minor", .progressions = "1 4 5D 1|1 1 5D 5D|1 5D 5D 1", .grooves = spanish::mariachi, .fills = "", .basses = "guitarron", .chords = "vihuela:4 nylon_guitar:2", .pads = "mariachi_violins -:2", .riffs = "mariachi_trumpets:3 harp",
     .leads = "mariachi_trumpets:4 mariachi_violins:4", .manners = "ranchera:6", .sung = 0.88f, .density = 1.7f, .ornament = 0.3f, .syncopation = 0.2f, .backing = 0.4f, .form = "svrsvr", .intros = "lead:2 band:3", .mix = {.tone = {-3, 0, 7, 4, -1}, .room = 0.16f, .room_s = 1.3f}},
    {.genre = "norteno", .language = "spanish", .energy = 0.62f, .brightness = 0.62f, .loose_s = 0.006f,
     .scales = "major:6 mixolydian", .progressions = "1 1 5D 5D|1 4 5D 1|1 5D 1 5D", .grooves = spanish::norteno, .fills = "snare", .basses = "electric_bass:2 upright_bass:2 guitarron", .chords = "bajo_sexto:6", .pads = "-", .riffs = "accordion_dry:3 accordion",
     .leads = "accordion_dry:3 accordion:3 saxophone:2", .manners = "folk:3 ranchera:2 twang", .sung = 0.93f, .density = 2.3f, .ornament = 0.3f, .syncopation = 0.15f, .backing = 0.7f, .form = "svvsv", .intros = "lead:3 band:2", .mix = {.tone = {3, -2, 0, 6, 1}, .room = 0.05f, .room_s = 0.4f, .low_hz = 50}},
    {.genre = "reggaeton", .language = "spanish", .energy = 0.74f, .brightness = 0.50f, .loose_s = 0.0f,
     .scales = "minor:5 phrygian", .progressions = "6 4 1 5|1 6 3 7|1 1 6 7|1 6 7 5", .grooves = spanish::reggaeton, .fills = "timbale snare_808", .basses = "sub_bass:2 synth_bass:2 glide_808", .chords = "pluck_synth:3 saw_stab nylon_guitar piano", .pads = "saw_pad warm_pad",
     .riffs = "pluck_synth:2 bells marimba:2 saw_lead", .leads = "synth_lead pluck_synth marimba", .manners = "autotune:4 rap:4 pop", .sung = 0.97f, .density = 1.8f, .ornament = 0.1f, .syncopation = 0.8f, .backing = 0.4f, .form = "vrvrb", .intros = "riff:3 chords", .mix = {.tone = {8, -4, -1, 1, 4}, .room = 0.07f, .room_s = 0.8f, .drive = 1.5f, .pump = 0.3f, .echo = 0.2f}},
    {.genre = "salsa", .language = "spanish", .energy = 0.74f, .brightness = 0.62f, .loose_s = 0.006f,
     .scales = "minor:3 dorian:2 major:2", .progressions = "1 4D 5D 4D|1 7 6 5D|2k 5D 1 1|1 1 5D 5D", .grooves = spanish::salsa, .fills = "timbale conga_slap", .basses = "baby_bass:4 electric_bass", .chords = "piano:6", .pads = "-", .riffs = "trombones:3 brass:3 tres",
     .leads = "trombones:2 trumpet:3 brass:2 tres flute", .manners = "belt:4 pop:2 folk:2", .sung = 0.93f, .density = 0.9f, .ornament = 0.15f, .syncopation = 0.9f, .backing = 0.8f, .form = "vrsrr", .intros = "band:3 riff", .mix = {.tone = {0, -1, 4, 4, 3}, .room = 0.1f, .room_s = 0.8f, .drive = 0.5f}},
    {.genre = "tejano", .language = "spanish", .energy = 0.62f, .brightness = 0.65f, .loose_s = 0.003f,
     .scales = "major:4 minor:3", .progressions = "1 5D 5D 1|1 4 5D 1|6 4 5 1|1 7 6 5D", .grooves = spanish::tejano, .fills = "simmons tom", .basses = "synth_bass:3 electric_bass", .chords = "combo_organ:3 saw_stab:2 electric_guitar", .pads = "saw_pad:2 strings", .riffs = "accordion:2 saw_lead:2 brass",
     .leads = "accordion:4 saw_lead:2 brass electric_guitar", .manners = "belt:3 pop:3", .sung = 0.95f, .density = 1.7f, .ornament = 0.22f, .syncopation = 0.3f, .backing = 0.6f, .form = "vrsvr", .intros = "riff:2 lead:2 band", .mix = {.tone = {3, -3, 3, 1, 4}, .room = 0.15f, .room_s = 1.2f, .low_hz = 50, .drive = 0.8f}},
    {.genre = "vallenato", .language = "spanish", .energy = 0.60f, .brightness = 0.52f, .swing = 0.04f, .loose_s = 0.008f,
     .scales = "major:4 minor:3", .progressions = "1 5D 5D 1|1 4 5D 1|1 1 5D 5D", .grooves = spanish::vallenato, .fills = "caja", .basses = "electric_bass:3 baby_bass", .chords = "nylon_guitar:3 accordion", .pads = "-", .riffs = "accordion:5", .leads = "accordion:7",
     .manners = "folk:5 belt", .sung = 0.95f, .density = 2.3f, .ornament = 0.35f, .syncopation = 0.4f, .backing = 0.5f, .form = "svrsvr", .intros = "lead:4 band", .mix = {.tone = {4, 4, 2, -3, -5}, .room = 0.08f, .room_s = 0.6f, .low_hz = 50}},
};
// clang-format on

}  // namespace

std::span<const GenreStyle> spanish_styles() { return table; }

}  // namespace chorale::data::synth

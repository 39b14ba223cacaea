// SPDX-License-Identifier: MIT
#include <string>

#include "data/synth/instruments.h"
#include "data/synth/portable_math.h"
#include "kernels/error.h"

namespace chorale::data::synth {
namespace {

constexpr auto modulated = Synthesis::frequency_modulation;
constexpr auto plucked = Synthesis::plucked;

// clang-format off
constexpr Instrument table[] = {
    // keys and bars
    {.name = "piano", .rolloff = 1.3f, .attack_s = 0.003f, .decay_s = 2.2f, .sustain = 0.05f, .release_s = 0.15f, .fade_s = 0.5f, .detune_cents = 2},
    {.name = "honky_piano", .rolloff = 1.0f, .attack_s = 0.002f, .decay_s = 1.6f, .sustain = 0.03f, .release_s = 0.12f, .fade_s = 0.35f, .detune_cents = 11},
    {.name = "electric_piano", .synthesis = modulated, .attack_s = 0.003f, .decay_s = 2.0f, .sustain = 0.1f, .release_s = 0.15f, .detune_cents = 5, .ratio = 1.0f, .index = 1.6f},
    {.name = "clavinet", .synthesis = plucked, .rolloff = 0.2f, .decay_s = 0.8f, .release_s = 0.03f, .damping = 0.15f, .pick = 0.12f},
    {.name = "organ", .rolloff = 1.0f, .even = 0.8f, .attack_s = 0.01f, .decay_s = 1.0f, .sustain = 0.95f, .release_s = 0.05f, .vibrato_cents = 10, .detune_cents = 5},
    {.name = "rock_organ", .rolloff = 0.7f, .even = 0.6f, .attack_s = 0.006f, .decay_s = 1.0f, .sustain = 0.95f, .release_s = 0.05f, .vibrato_cents = 16, .detune_cents = 8, .drive = 3.0f},
    {.name = "combo_organ", .rolloff = 0.45f, .even = 0.3f, .attack_s = 0.004f, .decay_s = 1.0f, .sustain = 0.95f, .release_s = 0.03f, .vibrato_cents = 14},
    {.name = "harmonium", .rolloff = 0.8f, .attack_s = 0.05f, .decay_s = 1.0f, .sustain = 0.95f, .release_s = 0.1f, .detune_cents = 7, .resonance_hz = 620, .resonance2_hz = 1500},
    {.name = "accordion", .rolloff = 0.65f, .attack_s = 0.03f, .decay_s = 1.0f, .sustain = 0.95f, .release_s = 0.05f, .detune_cents = 17, .resonance_hz = 1300, .resonance2_hz = 2600},
    {.name = "accordion_dry", .rolloff = 0.55f, .attack_s = 0.02f, .decay_s = 1.0f, .sustain = 0.95f, .release_s = 0.04f, .detune_cents = 4, .resonance_hz = 1700},
    {.name = "bells", .synthesis = modulated, .register_shift = 1, .attack_s = 0.002f, .decay_s = 1.6f, .sustain = 0.0f, .release_s = 0.3f, .ratio = 3.51f, .index = 2.5f},
    {.name = "vibraphone", .synthesis = modulated, .attack_s = 0.002f, .decay_s = 2.4f, .sustain = 0.0f, .release_s = 0.4f, .vibrato_cents = 6, .ratio = 4.0f, .index = 0.6f},
    {.name = "marimba", .synthesis = modulated, .attack_s = 0.002f, .decay_s = 0.6f, .sustain = 0.0f, .release_s = 0.1f, .ratio = 4.0f, .index = 0.8f},
    {.name = "music_box", .synthesis = modulated, .register_shift = 1, .attack_s = 0.001f, .decay_s = 1.2f, .sustain = 0.0f, .release_s = 0.3f, .ratio = 5.2f, .index = 1.0f},
    // guitars and their kin
    {.name = "nylon_guitar", .synthesis = plucked, .rolloff = 1.0f, .decay_s = 2.0f, .release_s = 0.12f, .damping = 0.32f, .pick = 0.22f, .resonance_hz = 220},
    {.name = "flamenco_guitar", .synthesis = plucked, .rolloff = 0.45f, .decay_s = 1.2f, .release_s = 0.07f, .damping = 0.26f, .pick = 0.12f, .resonance_hz = 280, .resonance2_hz = 900, .tremolo_hz = 11},
    {.name = "steel_guitar", .synthesis = plucked, .rolloff = 0.35f, .decay_s = 3.0f, .release_s = 0.12f, .damping = 0.2f, .pick = 0.16f, .resonance_hz = 200, .resonance2_hz = 2600},
    {.name = "twelve_string", .synthesis = plucked, .rolloff = 0.25f, .decay_s = 2.8f, .release_s = 0.12f, .detune_cents = 9, .damping = 0.16f, .pick = 0.14f, .resonance_hz = 240, .resonance2_hz = 3000},
    {.name = "bajo_sexto", .synthesis = plucked, .rolloff = 0.4f, .decay_s = 1.2f, .release_s = 0.06f, .detune_cents = 10, .damping = 0.2f, .pick = 0.12f, .resonance_hz = 300, .resonance2_hz = 2200},
    {.name = "electric_guitar", .synthesis = plucked, .rolloff = 0.6f, .decay_s = 4.0f, .release_s = 0.1f, .damping = 0.24f, .pick = 0.2f, .drive = 1.2f},
    {.name = "muted_guitar", .synthesis = plucked, .rolloff = 0.8f, .decay_s = 0.35f, .release_s = 0.03f, .damping = 0.4f, .pick = 0.2f, .drive = 1.0f},
    {.name = "distorted_guitar", .synthesis = plucked, .rolloff = 0.3f, .decay_s = 6.0f, .release_s = 0.06f, .damping = 0.2f, .pick = 0.15f, .drive = 14.0f},
    {.name = "overdriven_lead", .rolloff = 0.6f, .even = 0.6f, .attack_s = 0.008f, .decay_s = 2.0f, .sustain = 0.8f, .release_s = 0.08f, .vibrato_cents = 22, .drive = 5.0f, .resonance_hz = 1400, .glide_s = 0.04f},
    {.name = "pedal_steel", .rolloff = 1.2f, .attack_s = 0.02f, .decay_s = 2.5f, .sustain = 0.5f, .release_s = 0.2f, .fade_s = 0.8f, .vibrato_cents = 12, .resonance_hz = 1500, .glide_s = 0.12f},
    {.name = "requinto", .synthesis = plucked, .register_shift = 1, .rolloff = 0.5f, .decay_s = 1.6f, .release_s = 0.08f, .damping = 0.25f, .pick = 0.15f, .resonance_hz = 600, .tremolo_hz = 10},
    {.name = "bachata_guitar", .synthesis = plucked, .register_shift = 1, .rolloff = 0.2f, .decay_s = 1.3f, .release_s = 0.06f, .damping = 0.18f, .pick = 0.1f, .drive = 0.6f, .resonance_hz = 1100, .resonance2_hz = 2800},
    {.name = "tres", .synthesis = plucked, .register_shift = 1, .rolloff = 0.3f, .decay_s = 0.9f, .release_s = 0.05f, .detune_cents = 8, .damping = 0.2f, .pick = 0.12f, .resonance_hz = 800},
    {.name = "vihuela", .synthesis = plucked, .register_shift = 1, .rolloff = 0.3f, .decay_s = 0.5f, .release_s = 0.04f, .damping = 0.34f, .pick = 0.2f, .resonance_hz = 500},
    {.name = "banjo", .synthesis = plucked, .register_shift = 1, .rolloff = 0.1f, .decay_s = 0.6f, .release_s = 0.06f, .damping = 0.22f, .pick = 0.1f, .resonance_hz = 900, .resonance2_hz = 2000},
    {.name = "mandolin", .synthesis = plucked, .register_shift = 1, .rolloff = 0.2f, .decay_s = 1.0f, .release_s = 0.08f, .detune_cents = 6, .damping = 0.22f, .pick = 0.12f, .resonance_hz = 500, .resonance2_hz = 1700, .tremolo_hz = 12},
    {.name = "charango", .synthesis = plucked, .register_shift = 1, .rolloff = 0.25f, .decay_s = 1.0f, .release_s = 0.08f, .detune_cents = 7, .damping = 0.24f, .pick = 0.18f, .resonance_hz = 800},
    {.name = "harp", .synthesis = plucked, .rolloff = 0.8f, .decay_s = 2.8f, .release_s = 0.5f, .damping = 0.3f, .pick = 0.45f, .resonance_hz = 260},
    // lutes, zithers and dulcimers of the east
    {.name = "oud", .synthesis = plucked, .rolloff = 0.8f, .decay_s = 1.1f, .release_s = 0.08f, .detune_cents = 4, .damping = 0.34f, .pick = 0.15f, .resonance_hz = 190, .resonance2_hz = 430, .tremolo_hz = 11},
    {.name = "buzuq", .synthesis = plucked, .rolloff = 0.2f, .decay_s = 1.0f, .release_s = 0.06f, .detune_cents = 7, .damping = 0.2f, .pick = 0.1f, .resonance_hz = 700, .resonance2_hz = 2200, .tremolo_hz = 12},
    {.name = "qanun", .synthesis = plucked, .register_shift = 1, .rolloff = 0.15f, .decay_s = 2.0f, .release_s = 0.2f, .detune_cents = 5, .damping = 0.2f, .pick = 0.08f, .resonance_hz = 1200, .tremolo_hz = 10},
    {.name = "guembri", .synthesis = plucked, .register_shift = -1, .rolloff = 1.2f, .decay_s = 0.7f, .release_s = 0.05f, .damping = 0.4f, .pick = 0.2f, .resonance_hz = 140, .resonance2_hz = 600},
    {.name = "sitar", .synthesis = plucked, .rolloff = 0.05f, .decay_s = 3.5f, .release_s = 0.3f, .damping = 0.12f, .pick = 0.06f, .buzz = 1.0f, .resonance_hz = 1500, .resonance2_hz = 3200},
    {.name = "sarod", .synthesis = plucked, .rolloff = 0.3f, .decay_s = 1.8f, .release_s = 0.2f, .damping = 0.2f, .pick = 0.1f, .buzz = 0.3f, .resonance_hz = 420, .resonance2_hz = 1100},
    {.name = "tanpura", .synthesis = plucked, .rolloff = 0.3f, .decay_s = 6.0f, .release_s = 0.8f, .damping = 0.08f, .pick = 0.5f, .buzz = 1.0f, .resonance_hz = 700, .resonance2_hz = 1800},
    {.name = "dotara", .synthesis = plucked, .rolloff = 0.4f, .decay_s = 0.6f, .release_s = 0.05f, .damping = 0.3f, .pick = 0.12f, .resonance_hz = 500, .tremolo_hz = 11},
    {.name = "ektara", .synthesis = plucked, .rolloff = 0.1f, .decay_s = 0.9f, .release_s = 0.1f, .damping = 0.14f, .pick = 0.3f, .buzz = 0.6f, .resonance_hz = 900},
    {.name = "santoor", .synthesis = plucked, .register_shift = 1, .rolloff = 0.2f, .decay_s = 2.5f, .release_s = 0.4f, .detune_cents = 7, .damping = 0.2f, .pick = 0.2f, .resonance_hz = 1800, .tremolo_hz = 12},
    // bowed strings
    {.name = "strings", .rolloff = 1.0f, .attack_s = 0.12f, .decay_s = 3.0f, .sustain = 0.9f, .release_s = 0.2f, .vibrato_cents = 12, .detune_cents = 12, .resonance_hz = 500, .glide_s = 0.05f},
    {.name = "arab_strings", .rolloff = 0.75f, .attack_s = 0.06f, .decay_s = 3.0f, .sustain = 0.9f, .release_s = 0.12f, .vibrato_cents = 18, .detune_cents = 16, .resonance_hz = 900, .resonance2_hz = 2500, .glide_s = 0.07f},
    {.name = "film_strings", .register_shift = 1, .rolloff = 0.8f, .attack_s = 0.07f, .decay_s = 3.0f, .sustain = 0.9f, .release_s = 0.15f, .vibrato_cents = 24, .detune_cents = 14, .resonance_hz = 1000, .resonance2_hz = 2800, .glide_s = 0.08f},
    {.name = "violin", .rolloff = 0.85f, .attack_s = 0.06f, .decay_s = 2.0f, .sustain = 0.85f, .release_s = 0.1f, .vibrato_cents = 24, .breath = 0.02f, .resonance_hz = 480, .resonance2_hz = 2700, .glide_s = 0.05f},
    {.name = "mariachi_violins", .register_shift = 1, .rolloff = 0.8f, .attack_s = 0.05f, .decay_s = 2.0f, .sustain = 0.85f, .release_s = 0.1f, .vibrato_cents = 20, .breath = 0.02f, .detune_cents = 13, .resonance_hz = 900, .resonance2_hz = 2700, .glide_s = 0.03f},
    {.name = "fiddle", .rolloff = 0.7f, .attack_s = 0.03f, .decay_s = 1.5f, .sustain = 0.8f, .release_s = 0.06f, .vibrato_cents = 12, .breath = 0.03f, .resonance_hz = 600, .resonance2_hz = 2900, .glide_s = 0.03f},
    {.name = "esraj", .rolloff = 0.75f, .attack_s = 0.08f, .decay_s = 2.0f, .sustain = 0.85f, .release_s = 0.12f, .vibrato_cents = 20, .breath = 0.03f, .resonance_hz = 750, .resonance2_hz = 1700, .glide_s = 0.1f},
    {.name = "rababa", .rolloff = 0.5f, .attack_s = 0.04f, .decay_s = 1.5f, .sustain = 0.8f, .release_s = 0.05f, .vibrato_cents = 26, .breath = 0.06f, .resonance_hz = 1200, .glide_s = 0.06f},
    // winds
    {.name = "flute", .rolloff = 2.2f, .attack_s = 0.06f, .decay_s = 1.5f, .sustain = 0.9f, .release_s = 0.08f, .vibrato_cents = 18, .breath = 0.06f, .glide_s = 0.02f},
    {.name = "quena", .register_shift = 1, .rolloff = 1.8f, .attack_s = 0.04f, .decay_s = 1.5f, .sustain = 0.9f, .release_s = 0.06f, .vibrato_cents = 26, .breath = 0.12f, .glide_s = 0.03f},
    {.name = "panpipes", .rolloff = 2.0f, .even = 0.4f, .attack_s = 0.03f, .decay_s = 0.8f, .sustain = 0.7f, .release_s = 0.06f, .breath = 0.26f},
    {.name = "ney", .rolloff = 1.9f, .even = 0.5f, .attack_s = 0.08f, .decay_s = 1.5f, .sustain = 0.9f, .release_s = 0.1f, .vibrato_cents = 22, .breath = 0.16f, .glide_s = 0.07f},
    {.name = "bansuri", .rolloff = 2.0f, .attack_s = 0.09f, .decay_s = 1.5f, .sustain = 0.9f, .release_s = 0.12f, .vibrato_cents = 26, .breath = 0.09f, .glide_s = 0.1f},
    {.name = "clarinet", .rolloff = 1.1f, .even = 0.12f, .attack_s = 0.04f, .decay_s = 1.5f, .sustain = 0.9f, .release_s = 0.06f, .vibrato_cents = 6, .breath = 0.02f, .glide_s = 0.02f},
    {.name = "banda_clarinets", .register_shift = 1, .rolloff = 0.9f, .even = 0.18f, .attack_s = 0.03f, .decay_s = 1.5f, .sustain = 0.9f, .release_s = 0.05f, .vibrato_cents = 10, .breath = 0.03f, .detune_cents = 18},
    {.name = "saxophone", .rolloff = 0.8f, .attack_s = 0.04f, .decay_s = 1.2f, .sustain = 0.8f, .release_s = 0.07f, .vibrato_cents = 22, .breath = 0.04f, .resonance_hz = 700, .glide_s = 0.03f},
    {.name = "trumpet", .rolloff = 0.6f, .attack_s = 0.03f, .decay_s = 1.0f, .sustain = 0.8f, .release_s = 0.05f, .vibrato_cents = 12, .resonance_hz = 1200, .glide_s = 0.01f},
    {.name = "mariachi_trumpets", .rolloff = 0.5f, .attack_s = 0.02f, .decay_s = 1.0f, .sustain = 0.85f, .release_s = 0.05f, .vibrato_cents = 20, .detune_cents = 9, .resonance_hz = 1300, .resonance2_hz = 2600, .glide_s = 0.01f},
    {.name = "muted_trumpet", .rolloff = 0.35f, .attack_s = 0.03f, .decay_s = 1.0f, .sustain = 0.75f, .release_s = 0.05f, .vibrato_cents = 14, .resonance_hz = 1700, .glide_s = 0.02f},
    {.name = "brass", .rolloff = 0.7f, .attack_s = 0.04f, .decay_s = 0.8f, .sustain = 0.75f, .release_s = 0.06f, .fade_s = 0.6f, .detune_cents = 10, .resonance_hz = 900},
    {.name = "trombones", .register_shift = -1, .rolloff = 0.65f, .attack_s = 0.04f, .decay_s = 0.9f, .sustain = 0.75f, .release_s = 0.06f, .fade_s = 0.7f, .detune_cents = 9, .resonance_hz = 520, .resonance2_hz = 1300, .glide_s = 0.03f},
    {.name = "mizmar", .rolloff = 0.25f, .attack_s = 0.02f, .decay_s = 1.0f, .sustain = 0.9f, .release_s = 0.04f, .vibrato_cents = 22, .resonance_hz = 1300, .resonance2_hz = 2900, .glide_s = 0.03f},
    {.name = "mijwiz", .rolloff = 0.3f, .even = 0.7f, .attack_s = 0.01f, .decay_s = 1.0f, .sustain = 0.95f, .release_s = 0.03f, .vibrato_cents = 10, .detune_cents = 22, .resonance_hz = 1000, .resonance2_hz = 2200, .glide_s = 0.015f},
    {.name = "shehnai", .rolloff = 0.35f, .attack_s = 0.04f, .decay_s = 1.0f, .sustain = 0.9f, .release_s = 0.06f, .vibrato_cents = 28, .resonance_hz = 1500, .glide_s = 0.09f},
    {.name = "gasba", .register_shift = -1, .rolloff = 1.2f, .attack_s = 0.05f, .decay_s = 1.0f, .sustain = 0.9f, .release_s = 0.06f, .vibrato_cents = 16, .breath = 0.3f, .resonance_hz = 900, .glide_s = 0.04f},
    {.name = "harmonica", .rolloff = 0.5f, .attack_s = 0.03f, .decay_s = 1.0f, .sustain = 0.9f, .release_s = 0.05f, .vibrato_cents = 16, .breath = 0.04f, .detune_cents = 5, .resonance_hz = 1900, .glide_s = 0.05f},
    // synthesisers and choirs
    {.name = "synth_lead", .rolloff = 0.9f, .even = 0.3f, .attack_s = 0.008f, .decay_s = 0.6f, .sustain = 0.7f, .release_s = 0.06f, .vibrato_cents = 8, .detune_cents = 6, .glide_s = 0.02f},
    {.name = "saw_lead", .rolloff = 0.8f, .attack_s = 0.006f, .decay_s = 0.6f, .sustain = 0.8f, .release_s = 0.06f, .vibrato_cents = 10, .detune_cents = 16, .glide_s = 0.03f},
    {.name = "arab_keyboard", .rolloff = 0.4f, .even = 0.5f, .attack_s = 0.01f, .decay_s = 1.0f, .sustain = 0.85f, .release_s = 0.04f, .vibrato_cents = 24, .resonance_hz = 1800, .glide_s = 0.05f},
    {.name = "square_lead", .rolloff = 1.0f, .even = 0.0f, .attack_s = 0.004f, .decay_s = 0.6f, .sustain = 0.7f, .release_s = 0.04f, .vibrato_cents = 12, .glide_s = 0.02f},
    {.name = "saw_pad", .rolloff = 1.0f, .attack_s = 0.2f, .decay_s = 3.0f, .sustain = 0.9f, .release_s = 0.3f, .detune_cents = 18},
    {.name = "warm_pad", .rolloff = 1.8f, .attack_s = 0.3f, .decay_s = 3.0f, .sustain = 0.9f, .release_s = 0.4f, .detune_cents = 10},
    {.name = "saw_stab", .rolloff = 0.9f, .attack_s = 0.004f, .decay_s = 0.35f, .sustain = 0.2f, .release_s = 0.08f, .fade_s = 0.15f, .detune_cents = 14},
    {.name = "super_saw", .rolloff = 0.75f, .attack_s = 0.006f, .decay_s = 1.0f, .sustain = 0.7f, .release_s = 0.1f, .detune_cents = 24},
    {.name = "pluck_synth", .rolloff = 0.9f, .even = 0.4f, .attack_s = 0.002f, .decay_s = 0.3f, .sustain = 0.05f, .release_s = 0.1f, .fade_s = 0.1f},
    {.name = "choir", .rolloff = 1.1f, .attack_s = 0.12f, .decay_s = 3.0f, .sustain = 0.9f, .release_s = 0.2f, .vibrato_cents = 14, .breath = 0.03f, .detune_cents = 16, .resonance_hz = 700, .resonance2_hz = 1150},
    // basses
    {.name = "electric_bass", .synthesis = plucked, .rolloff = 1.6f, .decay_s = 2.2f, .release_s = 0.06f, .damping = 0.3f, .drive = 0.5f},
    {.name = "picked_bass", .synthesis = plucked, .rolloff = 0.9f, .decay_s = 2.0f, .release_s = 0.05f, .damping = 0.22f, .pick = 0.1f, .drive = 1.5f},
    {.name = "slap_bass", .synthesis = plucked, .rolloff = 0.4f, .decay_s = 1.0f, .release_s = 0.04f, .damping = 0.25f, .pick = 0.05f, .drive = 1.0f},
    {.name = "upright_bass", .synthesis = plucked, .rolloff = 2.2f, .decay_s = 1.1f, .release_s = 0.08f, .damping = 0.4f, .pick = 0.3f, .resonance_hz = 110},
    {.name = "baby_bass", .synthesis = plucked, .rolloff = 2.0f, .decay_s = 0.6f, .release_s = 0.05f, .damping = 0.42f, .resonance_hz = 130},
    {.name = "guitarron", .synthesis = plucked, .rolloff = 1.7f, .decay_s = 0.9f, .release_s = 0.06f, .damping = 0.36f, .resonance_hz = 160},
    {.name = "synth_bass", .rolloff = 1.7f, .attack_s = 0.004f, .decay_s = 0.5f, .sustain = 0.4f, .release_s = 0.04f, .fade_s = 0.12f},
    {.name = "reese_bass", .rolloff = 1.5f, .attack_s = 0.01f, .decay_s = 1.0f, .sustain = 0.8f, .release_s = 0.05f, .detune_cents = 20, .drive = 1.0f},
    {.name = "sub_bass", .rolloff = 3.0f, .attack_s = 0.006f, .decay_s = 2.0f, .sustain = 0.4f, .release_s = 0.08f, .drive = 1.0f},
    {.name = "glide_808", .rolloff = 2.6f, .attack_s = 0.004f, .decay_s = 2.6f, .sustain = 0.2f, .release_s = 0.1f, .drive = 4.0f},
    {.name = "tuba", .rolloff = 1.5f, .attack_s = 0.03f, .decay_s = 0.6f, .sustain = 0.7f, .release_s = 0.06f, .resonance_hz = 240},
};
// clang-format on

}  // namespace

int find_instrument(std::string_view name) {
  for (std::size_t i = 0; i < std::size(table); ++i) {
    if (table[i].name == name) return static_cast<int>(i);
  }
  throw UsageError("instrument: unknown name: " + std::string(name) +
                   " (allowed those of the instrument table)");
}

const Instrument& instrument(int index) { return table[index]; }

double ornament_cents_at(Ornament ornament, double reach, double seconds, double length_s) {
  const double slide = seconds < 0.11 ? 1.0 - seconds / 0.11 : 0.0;
  switch (ornament) {
    case Ornament::none:
      return 0.0;
    case Ornament::slide_up:
      return -reach * slide * slide;
    case Ornament::slide_down:
      return reach * slide * slide;
    case Ornament::trill:
      return seconds < 0.30 && static_cast<int>(seconds / 0.05) % 2 == 1 ? reach : 0.0;
    case Ornament::shake:
      return 0.4 * reach * sine_of_turns(5.8 * seconds) * (seconds < 0.2 ? seconds / 0.2 : 1.0);
    case Ornament::turn:
      return seconds < 0.07 ? reach : seconds < 0.14 ? 0.0 : seconds < 0.21 ? -0.8 * reach : 0.0;
    case Ornament::fall_off: {
      const double end = seconds - (length_s - 0.12);
      return end > 0.0 ? -2.0 * reach * (end / 0.12) * (end / 0.12) : 0.0;
    }
  }
  return 0.0;
}

}  // namespace chorale::data::synth

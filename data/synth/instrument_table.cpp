// SPDX-License-Identifier: MIT
#include <string>

#include "data/synth/instruments.h"
#include "kernels/error.h"

namespace chorale::data::synth {
namespace {

constexpr auto voice = Synthesis::voice;
constexpr auto modulated = Synthesis::frequency_modulation;
constexpr auto plucked = Synthesis::plucked;

// clang-format off
constexpr Instrument table[] = {
    // voices
    {.name = "voice", .synthesis = voice, .rolloff = 1.1f, .attack_s = 0.05f, .decay_s = 1.5f, .sustain = 0.8f, .release_s = 0.09f, .vibrato_cents = 28, .breath = 0.02f},
    {.name = "low_voice", .synthesis = voice, .register_shift = -1, .rolloff = 1.0f, .attack_s = 0.04f, .decay_s = 1.2f, .sustain = 0.8f, .release_s = 0.08f, .vibrato_cents = 18, .breath = 0.02f},
    {.name = "rap_voice", .synthesis = voice, .register_shift = -1, .rolloff = 0.9f, .attack_s = 0.015f, .decay_s = 0.35f, .sustain = 0.3f, .release_s = 0.04f, .breath = 0.06f},
    {.name = "choir", .synthesis = voice, .rolloff = 1.3f, .attack_s = 0.15f, .decay_s = 3.0f, .sustain = 0.9f, .release_s = 0.25f, .vibrato_cents = 14, .breath = 0.03f, .detune_cents = 14},
    // keys
    {.name = "piano", .rolloff = 1.3f, .attack_s = 0.003f, .decay_s = 2.2f, .sustain = 0.05f, .release_s = 0.15f, .fade_s = 0.5f},
    {.name = "electric_piano", .synthesis = modulated, .attack_s = 0.003f, .decay_s = 2.0f, .sustain = 0.1f, .release_s = 0.15f, .ratio = 1.0f, .index = 1.6f},
    {.name = "organ", .rolloff = 1.0f, .even = 0.8f, .attack_s = 0.01f, .decay_s = 1.0f, .sustain = 0.95f, .release_s = 0.05f, .vibrato_cents = 8},
    {.name = "harmonium", .rolloff = 0.8f, .attack_s = 0.05f, .decay_s = 1.0f, .sustain = 0.95f, .release_s = 0.1f, .detune_cents = 9, .resonance_hz = 900},
    {.name = "accordion", .rolloff = 0.7f, .attack_s = 0.03f, .decay_s = 1.0f, .sustain = 0.95f, .release_s = 0.06f, .detune_cents = 15, .resonance_hz = 1400},
    {.name = "bells", .synthesis = modulated, .register_shift = 1, .attack_s = 0.002f, .decay_s = 1.6f, .sustain = 0.0f, .release_s = 0.3f, .ratio = 3.51f, .index = 2.5f},
    {.name = "marimba", .synthesis = modulated, .attack_s = 0.002f, .decay_s = 0.6f, .sustain = 0.0f, .release_s = 0.1f, .ratio = 4.0f, .index = 0.8f},
    // plucked strings
    {.name = "nylon_guitar", .synthesis = plucked, .rolloff = 1.0f, .decay_s = 2.0f, .release_s = 0.12f, .resonance_hz = 220},
    {.name = "steel_guitar", .synthesis = plucked, .rolloff = 0.35f, .decay_s = 3.0f, .release_s = 0.12f, .resonance_hz = 350},
    {.name = "electric_guitar", .synthesis = plucked, .rolloff = 0.6f, .decay_s = 4.0f, .release_s = 0.1f, .drive = 1.5f},
    {.name = "distorted_guitar", .synthesis = plucked, .rolloff = 0.3f, .decay_s = 6.0f, .release_s = 0.06f, .drive = 14.0f},
    {.name = "requinto", .synthesis = plucked, .register_shift = 1, .rolloff = 0.5f, .decay_s = 1.6f, .release_s = 0.08f, .resonance_hz = 600},
    {.name = "banjo", .synthesis = plucked, .register_shift = 1, .rolloff = 0.1f, .decay_s = 0.8f, .release_s = 0.06f, .resonance_hz = 900},
    {.name = "oud", .synthesis = plucked, .rolloff = 0.8f, .decay_s = 1.2f, .release_s = 0.08f, .resonance_hz = 300},
    {.name = "qanun", .synthesis = plucked, .register_shift = 1, .rolloff = 0.15f, .decay_s = 2.0f, .release_s = 0.2f, .resonance_hz = 1200},
    {.name = "sitar", .synthesis = plucked, .rolloff = 0.05f, .decay_s = 3.5f, .release_s = 0.3f, .drive = 4.0f, .resonance_hz = 1500},
    {.name = "dotara", .synthesis = plucked, .rolloff = 0.4f, .decay_s = 0.7f, .release_s = 0.05f, .resonance_hz = 500},
    {.name = "santoor", .synthesis = plucked, .register_shift = 1, .rolloff = 0.2f, .decay_s = 2.5f, .release_s = 0.4f, .resonance_hz = 1800},
    {.name = "charango", .synthesis = plucked, .register_shift = 1, .rolloff = 0.25f, .decay_s = 1.0f, .release_s = 0.08f, .resonance_hz = 800},
    // bowed strings and winds
    {.name = "strings", .rolloff = 1.0f, .attack_s = 0.12f, .decay_s = 3.0f, .sustain = 0.9f, .release_s = 0.2f, .vibrato_cents = 12, .detune_cents = 12},
    {.name = "violin", .rolloff = 0.85f, .attack_s = 0.06f, .decay_s = 2.0f, .sustain = 0.85f, .release_s = 0.1f, .vibrato_cents = 24, .breath = 0.01f, .resonance_hz = 1100},
    {.name = "fiddle", .rolloff = 0.7f, .attack_s = 0.03f, .decay_s = 1.5f, .sustain = 0.8f, .release_s = 0.06f, .vibrato_cents = 14, .breath = 0.02f, .resonance_hz = 1300},
    {.name = "esraj", .rolloff = 0.75f, .attack_s = 0.08f, .decay_s = 2.0f, .sustain = 0.85f, .release_s = 0.12f, .vibrato_cents = 20, .breath = 0.02f, .resonance_hz = 800},
    {.name = "flute", .rolloff = 2.2f, .attack_s = 0.06f, .decay_s = 1.5f, .sustain = 0.9f, .release_s = 0.08f, .vibrato_cents = 18, .breath = 0.06f},
    {.name = "ney", .rolloff = 1.9f, .even = 0.5f, .attack_s = 0.08f, .decay_s = 1.5f, .sustain = 0.9f, .release_s = 0.1f, .vibrato_cents = 22, .breath = 0.16f},
    {.name = "bansuri", .rolloff = 2.0f, .attack_s = 0.09f, .decay_s = 1.5f, .sustain = 0.9f, .release_s = 0.12f, .vibrato_cents = 26, .breath = 0.09f},
    {.name = "clarinet", .rolloff = 1.1f, .even = 0.12f, .attack_s = 0.04f, .decay_s = 1.5f, .sustain = 0.9f, .release_s = 0.06f, .vibrato_cents = 6, .breath = 0.02f},
    {.name = "saxophone", .rolloff = 0.8f, .attack_s = 0.04f, .decay_s = 1.2f, .sustain = 0.8f, .release_s = 0.07f, .vibrato_cents = 22, .breath = 0.04f, .resonance_hz = 700},
    {.name = "trumpet", .rolloff = 0.6f, .attack_s = 0.03f, .decay_s = 1.0f, .sustain = 0.8f, .release_s = 0.05f, .vibrato_cents = 12, .resonance_hz = 1200},
    {.name = "brass", .rolloff = 0.7f, .attack_s = 0.04f, .decay_s = 0.8f, .sustain = 0.75f, .release_s = 0.06f, .fade_s = 0.6f, .detune_cents = 10},
    {.name = "mizmar", .rolloff = 0.25f, .attack_s = 0.02f, .decay_s = 1.0f, .sustain = 0.9f, .release_s = 0.04f, .vibrato_cents = 26, .resonance_hz = 1900},
    {.name = "shehnai", .rolloff = 0.35f, .attack_s = 0.04f, .decay_s = 1.0f, .sustain = 0.9f, .release_s = 0.06f, .vibrato_cents = 30, .resonance_hz = 1500},
    // synthesisers
    {.name = "synth_lead", .rolloff = 0.9f, .even = 0.3f, .attack_s = 0.008f, .decay_s = 0.6f, .sustain = 0.7f, .release_s = 0.06f, .vibrato_cents = 8, .detune_cents = 6},
    {.name = "saw_pad", .rolloff = 1.0f, .attack_s = 0.2f, .decay_s = 3.0f, .sustain = 0.9f, .release_s = 0.3f, .detune_cents = 18},
    {.name = "saw_stab", .rolloff = 0.9f, .attack_s = 0.004f, .decay_s = 0.35f, .sustain = 0.2f, .release_s = 0.08f, .fade_s = 0.15f, .detune_cents = 14},
    {.name = "pluck_synth", .rolloff = 0.9f, .even = 0.4f, .attack_s = 0.002f, .decay_s = 0.3f, .sustain = 0.05f, .release_s = 0.1f, .fade_s = 0.1f},
    // basses
    {.name = "electric_bass", .synthesis = plucked, .rolloff = 1.6f, .decay_s = 2.2f, .release_s = 0.06f, .drive = 0.5f},
    {.name = "upright_bass", .synthesis = plucked, .rolloff = 2.2f, .decay_s = 1.1f, .release_s = 0.08f, .resonance_hz = 110},
    {.name = "guitarron", .synthesis = plucked, .rolloff = 1.9f, .decay_s = 0.9f, .release_s = 0.06f, .resonance_hz = 160},
    {.name = "synth_bass", .rolloff = 1.2f, .attack_s = 0.004f, .decay_s = 0.5f, .sustain = 0.5f, .release_s = 0.04f, .fade_s = 0.12f},
    {.name = "sub_bass", .rolloff = 3.0f, .attack_s = 0.006f, .decay_s = 2.0f, .sustain = 0.5f, .release_s = 0.08f, .drive = 1.0f},
    {.name = "tuba", .rolloff = 1.5f, .attack_s = 0.03f, .decay_s = 0.6f, .sustain = 0.7f, .release_s = 0.06f},
    {.name = "drone", .synthesis = plucked, .rolloff = 0.3f, .decay_s = 6.0f, .release_s = 0.8f, .drive = 3.0f, .resonance_hz = 700},
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

}  // namespace chorale::data::synth

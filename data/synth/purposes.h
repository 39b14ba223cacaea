// SPDX-License-Identifier: MIT
// The random streams of a song, one a decision, so that a change in one leaves the others alone.
#pragma once
#include <cstdint>

namespace chorale::data::synth {

enum Purpose : std::uint32_t {
  factors_draw = 1,
  mix_draw,
  styles_draw,
  form_draw,
  instruments_draw,
  singer_draw,
  words_draw,
  layout_draw,
  timing_draw,
  lead_draw,
  drums_draw = 100,    ///< + 0..31, a row each
  melody_draw = 200,   ///< + 0..., a line each
  noise_place = 1000,  ///< + a part
};

}  // namespace chorale::data::synth

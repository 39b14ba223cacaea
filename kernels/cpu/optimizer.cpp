// SPDX-License-Identifier: MIT
// optimizer_step: one pass over the flat buffers. Moved: p, m, v read and written and g read, 28 bytes a
// parameter for f32 gradients (24 of them for p, m, v), 2 more for a 16-bit shadow.
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/optimizer_update.h"
#include "kernels/cpu/parallel.h"

namespace chorale::cpu {

void optimizer_step(Context&, const StepState* state, OptimizerParams params, ConstView g, View p, View m,
                    View v, View shadow) {
  require_optimizer_views("optimizer_step", params, p, m, v, shadow);
  require_storage("optimizer_step", g);
  require(g.size() == p.size(), "optimizer_step", "g must have p's size", g, p);
  if (state->found_inf) return;
  const UpdateFactors factors(*state, params);
  const UpdateFunction update = update_function(params);
  parallel_blocks(p.size(), [&](std::int64_t begin, std::int64_t end) {
    alignas(64) float buffer[chunk];
    for (std::int64_t i = begin; i < end; i += chunk) {
      const std::int64_t count = std::min(chunk, end - i);
      float* const values = p.as<float>() + i;
      update(factors, load(g, i, count, buffer), values, m.as<float>() + i, v ? v.as<float>() + i : nullptr,
             count);
      if (shadow) write_shadow(shadow, i, values, count);
    }
  });
}

}  // namespace chorale::cpu

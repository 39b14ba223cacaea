// SPDX-License-Identifier: MIT
// One optimizer update over flat f32 buffers: unscale, clip, decay, update and 16-bit copy in one pass.
//
//   g = gradient gradient_multiplier, then the rule in kernels/cuda/optimizer.cuh
//
// Four parameters a thread and step, 16-byte accesses. f32. Bytes for adamw: 28 a parameter with f32
// gradients and no shadow, 28 with 16-bit gradients and shadow. Nothing is read or written when the step is
// skipped.
#include "kernels/cuda/optimizer.cuh"

namespace chorale::cuda {
namespace {

constexpr int block_threads = 256;

template <class G, class S>
__global__ void __launch_bounds__(block_threads)
    step_kernel(const StepState* state, OptimizerParams params, const G* g, Parameters<S> parameters,
                std::int64_t size, std::int64_t packs) {
  if (state->found_inf) return;
  const UpdateRule rule(*state, params);
  for (std::int64_t i = global_thread(); i < packs; i += global_threads()) {
    const Pack<G, 4> pack = load_pack<4>(g, i);
    float gradient[4];
    for (int j = 0; j < 4; ++j) gradient[j] = to_float(pack.value[j]);
    parameters.update_pack(rule, i, gradient);
  }
  for (std::int64_t i = packs * 4 + global_thread(); i < size; i += global_threads())
    parameters.update_one(rule, i, to_float(g[i]));
}

}  // namespace

void optimizer_step(Context& context, const StepState* state, OptimizerParams params, ConstView g, View p,
                    View m, View v, View shadow) {
  const char* op = "optimizer_step";
  const std::int64_t size = p.size();
  require_size(g, size, op, "g");
  if (size == 0) return;
  with_parameters(op, params, p, m, v, shadow, [&](auto copy) {
    using S = typename decltype(copy)::type;
    dispatch_floating(op, g.dtype, [&](auto type) {
      using G = typename decltype(type)::type;
      const Parameters<S> parameters = parameters_of<S>(params, p, m, v, shadow);
      const std::int64_t packs = parameters_packable(parameters) && packable<4>(g.as<G>()) ? size / 4 : 0;
      LAUNCH((step_kernel<G, S>), stride_grid(context, size, block_threads * 4), block_threads, 0,
             context.stream, state, params, g.as<G>(), parameters, size, packs);
    });
  });
}

}  // namespace chorale::cuda

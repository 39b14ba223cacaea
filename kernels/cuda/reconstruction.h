// SPDX-License-Identifier: MIT
// What linear_reconstruction shares with the reconstruction rows.
#pragma once
#include "kernels/context.h"
#include "kernels/params.h"
#include "kernels/view.h"

namespace chorale::cuda {

/// One pass over a decoder's output: nll f32 [n] as reconstruction_forward, and y [n, d] becomes d nll / d y,
/// as reconstruction_backward with dnll = 1.
void reconstruction_in_place(Context& context, View y, ConstView target, LikelihoodParams params, View nll);

}  // namespace chorale::cuda

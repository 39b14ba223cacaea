// SPDX-License-Identifier: MIT
#include "kernels/cuda/kernels.h"
#include "kernels/error.h"

namespace chorale::cuda {
void mixture_latent_forward(Context &, ConstView, ConstView, ConstView, ConstView, const StepState*, std::uint32_t, GaussianLatentParams, View, View, View) { throw ContractError("mixture_latent_forward: pending"); }
void mixture_latent_backward(Context &, ConstView, ConstView, ConstView, ConstView, ConstView, ConstView, ConstView, const StepState*, std::uint32_t, GaussianLatentParams, View, View, View, View) { throw ContractError("mixture_latent_backward: pending"); }
void aggregate_posterior_forward(Context &, ConstView, ConstView, double, GaussianLatentParams, View, View) { throw ContractError("aggregate_posterior_forward: pending"); }
void aggregate_posterior_backward(Context &, ConstView, ConstView, ConstView, ConstView, ConstView, ConstView, double, GaussianLatentParams, View, View) { throw ContractError("aggregate_posterior_backward: pending"); }
void permute_columns(Context &, ConstView, const StepState*, std::uint32_t, View) { throw ContractError("permute_columns: pending"); }
}  // namespace chorale::cuda

// SPDX-License-Identifier: MIT
#include "kernels/cpu/kernels.h"
#include "kernels/error.h"

namespace chorale::cpu {
void average_pool_forward(Context &, ConstView, View) { throw ContractError("average_pool_forward: pending"); }
void average_pool_backward(Context &, ConstView, View) { throw ContractError("average_pool_backward: pending"); }
void resize_bilinear_forward(Context &, ConstView, View) { throw ContractError("resize_bilinear_forward: pending"); }
void resize_bilinear_backward(Context &, ConstView, View) { throw ContractError("resize_bilinear_backward: pending"); }
void film_forward(Context &, ConstView, ConstView, View) { throw ContractError("film_forward: pending"); }
void film_backward(Context &, ConstView, ConstView, ConstView, View, View) { throw ContractError("film_backward: pending"); }
void place_columns(Context &, ConstView, std::int64_t, View) { throw ContractError("place_columns: pending"); }
void embedding_backward(Context &, ConstView, ConstView, View, float) { throw ContractError("embedding_backward: pending"); }
}  // namespace chorale::cpu

// SPDX-License-Identifier: MIT
// The graph of nearest neighbours on Thrust's CUDA backend; the algorithm stands in kernels/thrust. Runs on
// the context's stream, with the context's scratch memory; the host reads how many entries are one-sided.
#include "kernels/thrust/neighbour_graph.inl"

#include <thrust/system/cuda/execution_policy.h>

#include "kernels/cuda/check.h"
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/kernels.h"

namespace chorale::cuda {

void neighbour_graph(Context& context, ConstView neighbours, ConstView weights, double sum_factor,
                     double product_factor, View offsets, View columns, View values) {
  constexpr const char* op = "neighbour_graph";
  require(neighbours.rank == 2 && neighbours.size() > 0, op, "neighbours must be [n, k] and not empty");
  require_dtype(neighbours, DType::i32, op, "neighbours");
  require_dtype(weights, DType::f32, op, "weights");
  require_size(weights, neighbours.size(), op, "weights");
  require_dtype(offsets, DType::i64, op, "offsets");
  require_size(offsets, neighbours.shape[0] + 1, op, "offsets");
  require(columns.size() >= 2 * neighbours.size() && values.size() == columns.size(), op,
          "columns and values must have room for 2 n k entries");
  thrust_kmeans::ScratchAllocator allocator{context.scratch};
  try {
    thrust_graph::build(thrust::cuda::par_nosync(allocator).on(static_cast<cudaStream_t>(context.stream)),
                        context, neighbours, weights, sum_factor, product_factor, offsets, columns, values);
  } catch (const thrust::system_error& error) {  // Thrust reports a failed launch as an exception of its own
    throw DeviceError(std::string(op) + ": " + error.what());
  }
}

}  // namespace chorale::cuda

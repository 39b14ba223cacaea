// SPDX-License-Identifier: MIT
// Checks of the arguments that the kernels of t-SNE and UMAP share.
#pragma once
#include "kernels/cuda/dispatch.h"

namespace chorale::cuda {

/// Points f32 [n, 2] of a map.
inline void require_points(ConstView points, const char* op, const char* name = "points") {
  require(points.rank == 2 && points.shape[1] == 2 && points.size() > 0, op,
          (std::string(name) + " must be [n, 2]").c_str());
  require_dtype(points, DType::f32, op, name);
}

/// A graph of n points in CSR.
inline void require_graph(ConstView offsets, ConstView columns, ConstView values, std::int64_t n,
                          const char* op) {
  require_dtype(offsets, DType::i64, op, "offsets");
  require_size(offsets, n + 1, op, "offsets");
  require_dtype(columns, DType::i32, op, "columns");
  require_dtype(values, DType::f32, op, "values");
}

}  // namespace chorale::cuda

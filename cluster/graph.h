// SPDX-License-Identifier: MIT
// The symmetric graph of nearest neighbours that t-SNE and UMAP lay out.
#pragma once
#include "cluster/neighbours.h"
#include "tensor/tensor.h"

namespace chorale::cluster {

/// Row i holds the edges of point i: columns and values from offsets[i] to offsets[i + 1].
struct Graph {
  Tensor offsets;  ///< i64 (n + 1)
  Tensor columns;  ///< i32 (edges)
  Tensor values;   ///< f32 (edges)
  std::int64_t rows() const { return offsets.dim(0) - 1; }
};

/// Edges between points of which one is a neighbour of the other, with sum_factor (w_ij + w_ji) +
/// product_factor w_ij w_ji. weights f32 (n, k) are those of neighbours i32 (n, k).
Graph symmetric_graph(const Tensor& neighbours, const Tensor& weights, double sum_factor,
                      double product_factor);

}  // namespace chorale::cluster

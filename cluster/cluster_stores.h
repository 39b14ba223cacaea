// SPDX-License-Identifier: MIT
// What agglomeration keeps on the device: all distances between clusters, or the centers of the clusters.
#pragma once
#include <memory>

#include "cluster/reciprocal_merges.h"
#include "kernels/params.h"

namespace chorale::cluster {

/// The matrix of distances between the rows of x, f32 (n, s): s is n up to a whole block of columns. Squared
/// for all but average linkage.
Tensor linkage_distance_matrix(const Tensor& x, Linkage linkage);

/// Bytes of that matrix for n rows.
std::int64_t distance_matrix_bytes(std::int64_t n);

/// Ward, complete or average linkage of the rows of x on their distance matrix: 4 n^2 bytes.
std::unique_ptr<ClusterStore> make_matrix_store(const Tensor& x, Linkage linkage);

/// Ward's linkage on the clusters' centers: O(n d) bytes, and d times the arithmetic.
std::unique_ptr<ClusterStore> make_center_store(const Tensor& x);

}  // namespace chorale::cluster

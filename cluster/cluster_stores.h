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

/// Ward, complete or average linkage of the rows of x on their distance matrix: 4 n^2 bytes. Where a row has
/// columns near its smallest distance, Ward's neighbours are decided in f64 from the clusters' centers.
/// Updates add rounding to the matrix from merge to merge, without a useful bound; so near is within 8 times
/// the largest share by which the distance of merged clusters was seen to be off so far.
std::unique_ptr<ClusterStore> make_matrix_store(const Tensor& x, Linkage linkage);

/// Ward's linkage on the clusters' centers: O(n d) bytes, and d times the arithmetic. Neighbours are those of
/// f64.
std::unique_ptr<ClusterStore> make_center_store(const Tensor& x);

}  // namespace chorale::cluster

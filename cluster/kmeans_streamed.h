// SPDX-License-Identifier: MIT
// k-means (Lloyd's algorithm) of a matrix that lies in a file and may be larger than memory.
#pragma once
#include <cstdint>
#include <string>

#include "tensor/tensor.h"

namespace chorale::cluster {

/// As in KMeansOptions, but for one start only.
struct KMeansStreamedOptions {
  std::int64_t n_clusters = 8;
  std::string init = "k-means||";  ///< or "random"
  Tensor init_centers;             ///< f32 (n_clusters, d) to start from, which leaves `init` out
  std::int64_t max_iter = 300;
  double tol = 1e-4;
  std::uint64_t random_state = 0;
  std::string metric = "euclidean";  ///< or "cosine"
  /// Bytes that may be taken for groups of rows, 16 bytes of state a row, centers and candidates. Groups are
  /// 64 MiB of f32 at most, whatever is allowed.
  std::int64_t max_memory = std::int64_t{1} << 30;
};

struct KMeansStreamedResult {
  Tensor cluster_centers_;   ///< f32 (n_clusters, d)
  double inertia_ = 0;       ///< sum over the rows of the squared distance, or 1 - cos, to the nearest center
  std::int64_t n_iter_ = 0;  ///< passes that moved the centers
  std::int64_t n_groups_ = 0;  ///< groups of rows of a pass
};

/// Clusters the rows of the .npy file at `npy_path`, (n, d) of f4, f8, f2, i4, i8 or u1, little endian and C
/// order, on the current context's device, and writes labels i32 (n) to the .npy file `labels_path`. One pass
/// for the columns' means, four for k-means||, one for each iteration, one for the labels; while a group of
/// rows is worked on, a thread reads the next one. Elements are rounded to f32 before the mean is subtracted,
/// so columns far from 0 beside their range should lose it beforehand.
///
/// Same bits for the same options and any number of threads. From the same centers, labels are those of
/// kmeans() and inertia_ is the same to 1e-6, for sums (f64) are added up in another order. UsageError for
/// options out of range, a max_memory that is too small among them; InputError for a file that is not such a
/// matrix, elements that are not finite (named by row and column), rows of zeros where the metric is cosine.
KMeansStreamedResult kmeans_streamed(const std::string& npy_path, const std::string& labels_path,
                                     const KMeansStreamedOptions& options);

}  // namespace chorale::cluster

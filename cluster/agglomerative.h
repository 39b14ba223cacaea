// SPDX-License-Identifier: MIT
// Agglomerative (hierarchical) clustering with scikit-learn's names and semantics, Euclidean distances.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "cluster/linkage.h"
#include "kernels/params.h"

namespace chorale::cluster {

enum class AgglomerativeAlgorithm : std::uint8_t {
  automatic,        ///< the faster one of those that memory allows
  distance_matrix,  ///< all distances in 4 n^2 bytes; every linkage
  vectors,          ///< O(n d) bytes; Ward's method on centers, single linkage by a spanning tree
};

/// Parameters of sklearn.cluster.AgglomerativeClustering, with its meanings.
struct AgglomerativeOptions {
  std::int64_t n_clusters = 2;
  /// Clusters at this distance or above are not merged; n_clusters is then not looked at.
  std::optional<double> distance_threshold = {};
  Linkage linkage = Linkage::ward;
  AgglomerativeAlgorithm algorithm = AgglomerativeAlgorithm::automatic;
};

struct AgglomerativeResult {
  Tensor labels_;                ///< i32 (n), numbered as scikit-learn does but for single linkage
  std::int64_t n_clusters_ = 0;  ///< of labels_
  Tensor children_;              ///< i32 (n - 1, 2): clusters of each merge; point i is cluster i
  Tensor distances_;             ///< f64 (n - 1): the merges' heights, ascending
  Tensor linkage_;               ///< f64 (n - 1, 4): the tree as scipy.cluster.hierarchy.linkage gives it
};

/// Clusters the rows of x, f32 (n, d), on the current context's device. Same bits for the same options, on
/// the CPU for any number of threads; of equal distances the lowest index. Ward, complete and average linkage
/// merge reciprocal nearest neighbours (cluster/reciprocal_merges.h), single linkage takes a minimum spanning
/// tree. Heights are those of SciPy (Ward: sqrt(2 a b / (a + b)) |x_a - x_b|). Ward's tree is that of f64
/// arithmetic on the f32 rows, heights included: f32 finds what may be nearest, f64 decides (on the distance
/// matrix within a margin that follows the errors seen: cluster/cluster_stores.h). Where distances are equal
/// in f64 too, or but for its rounding, which pair is merged first may differ from other programs, and what
/// follows with it. Single linkage finds its tree in f32 and computes its heights in f64. Complete and
/// average linkage are f32: heights are within about 1e-6 of those of f64, pairs whose distances are as close
/// as that may be merged in another order, and what follows then differs too. `name` stands for x in errors.
/// UsageError for options out of range, or an algorithm that the linkage has not; InputError for x that is
/// empty, not finite or too large for squares in f32; DeviceError if the distance matrix is needed and does
/// not fit into memory.
AgglomerativeResult agglomerative(const Tensor& x, const AgglomerativeOptions& options = {},
                                  const std::string& name = "x");

}  // namespace chorale::cluster

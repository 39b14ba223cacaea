// SPDX-License-Identifier: MIT
// Points put in an order in which near ones stand together, so that kernels on pairs of points pass over
// whole blocks that are too far apart (kernels.def, "near points").
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "cluster/rows.h"

namespace chorale::cluster {

/// The first arguments of the kernels on near points.
struct OrderedPoints {
  Tensor x;          ///< f32 (n, d): the rows as they were given
  Tensor centered;   ///< f32 (n, d): row ids[i] less the mean
  Tensor norms;      ///< f32 (n): squared lengths of `centered`
  Tensor ids;        ///< i32 (n)
  Tensor low, high;  ///< f32 (ceil(n / neighbour_block), p): bounds of each block
};

/// A checked matrix, with each row's coordinates in a few orthonormal directions: all columns where there are
/// at most eight, else the first principal components of up to 1024 rows.
class PointSet {
 public:
  /// InputError as center_rows.
  PointSet(const Tensor& x, const std::string& name);

  /// Places of the rows by recursive bisection at the median of the widest direction (Bentley, 1975), so that
  /// each block of neighbour_block places is a leaf of the tree.
  std::vector<std::int32_t> bisection_order() const;
  /// The rows in the given order.
  OrderedPoints arrange(const std::vector<std::int32_t>& ids) const;

  std::int64_t size() const { return rows_.x.dim(0); }

 private:
  Tensor x_;
  CenteredRows rows_;
  std::int64_t directions_ = 0;
  std::vector<float> coordinates_;  ///< (n, directions)
  std::vector<float> slack_;        ///< (n): how far rounding may have moved a coordinate
};

}  // namespace chorale::cluster

// SPDX-License-Identifier: MIT
// Which rows of a matrix are copies of one another.
#pragma once
#include <cstdint>
#include <vector>

#include "cluster/point_order.h"

namespace chorale::cluster {

/// The rows, group by group of equal ones.
struct EqualRows {
  std::vector<std::int32_t> members;  ///< (n): each group ascending, groups by their lowest row
  std::vector<std::size_t> offsets;   ///< (groups + 1): where in `members` each group begins

  std::size_t count() const { return offsets.size() - 1; }
  std::int64_t size(std::size_t group) const {
    return static_cast<std::int64_t>(offsets[group + 1] - offsets[group]);
  }
  /// The lowest row of each group.
  std::vector<std::int64_t> firsts() const;
};

/// Groups the rows of p.x by value (0 and -0 are equal), on the host: only rows whose squared lengths are
/// equal are looked at.
EqualRows group_equal_rows(const OrderedPoints& p);

}  // namespace chorale::cluster

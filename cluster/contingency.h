// SPDX-License-Identifier: MIT
// What every metric against known labels needs of the table first.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "cluster/metrics.h"

namespace chorale::cluster {

/// A table, which must outlive it, with its sums.
struct TableSums {
  explicit TableSums(const Contingency& table);

  const Contingency& table;
  std::vector<std::int64_t> rows, columns;
  std::string undefined;  ///< why metrics against known labels do not exist, or empty
};

}  // namespace chorale::cluster

// SPDX-License-Identifier: MIT
// What the cases of t-SNE and UMAP share.
#pragma once
#include <vector>

#include "tests/cases/cluster_case.h"

namespace chorale::harness::maps {

using clustering::Index;
using clustering::real;
using clustering::vars;

/// Rows of 0 to 40 edges to anywhere.
struct Graph {
  std::vector<Index> offsets{0};
  std::vector<std::int32_t> columns;
  explicit Graph(Index n) {
    for (Index i = 0; i < n; ++i) {
      for (Index e = 0; e < i % 41; ++e)
        columns.push_back(static_cast<std::int32_t>((i * 31 + e * 17 + 5) % n));
      offsets.push_back(static_cast<Index>(columns.size()));
    }
    columns.push_back(0);  // one that no row has
  }
  Tensor device_offsets() const { return Tensor::from_host(offsets, {static_cast<Index>(offsets.size())}); }
  Tensor device_columns() const { return Tensor::from_host(columns, {static_cast<Index>(columns.size())}); }
  Index edges() const { return static_cast<Index>(columns.size()); }
};

/// Calls f(i, j, value) for every edge.
template <class F>
void each_edge(Index n, const Array& values, const F& f) {
  const Graph graph(n);
  for (Index i = 0; i < n; ++i)
    for (Index e = graph.offsets[static_cast<std::size_t>(i)];
         e < graph.offsets[static_cast<std::size_t>(i) + 1]; ++e)
      f(i, Index{graph.columns[static_cast<std::size_t>(e)]}, values[e]);
}

}  // namespace chorale::harness::maps

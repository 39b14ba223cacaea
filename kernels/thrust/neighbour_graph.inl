// SPDX-License-Identifier: MIT
// The symmetric graph of a nearest-neighbour list, written once for both backends on Thrust: included by
// kernels/cpu/cluster_neighbour_graph.cpp (OpenMP) and kernels/cuda/cluster_neighbour_graph_library.cu
// (CUDA).
//
// Entry e = i k + t of the list says that i has neighbour j with weight w_ij. Where i is among the neighbours
// of j as well, the edge has both weights and both rows list it already. The others, sorted by j (stably, so
// i ascends), are what row j needs besides its own k entries. Nothing is summed but the two weights of an
// edge, so no order matters. i32 [n, k] and f32 [n, k] are read k times, from a cache; at most n k entries
// are sorted; 8 bytes an edge are written.
#pragma once
#include <thrust/copy.h>
#include <thrust/transform.h>

#include "kernels/thrust/kmeans.inl"

namespace chorale::thrust_graph {

using Index = std::int64_t;

struct Neighbours {
  const std::int32_t* neighbours;
  const float* weights;
  Index k;
  float sum_factor, product_factor;

  /// Where i stands among the neighbours of j; -1 where it does not.
  CHORALE_HD Index entry(Index j, Index i) const {
    for (Index e = j * k; e < (j + 1) * k; ++e)
      if (neighbours[e] == static_cast<std::int32_t>(i)) return e;
    return -1;
  }
  CHORALE_HD float value(float forward, float backward) const {
    return sum_factor * (forward + backward) + product_factor * forward * backward;
  }
};

struct FindOneSided {
  Neighbours list;
  Index* mirrored;
  CHORALE_HD void operator()(Index e) const { mirrored[e] = list.entry(list.neighbours[e], e / list.k); }
};

struct IsOneSided {
  CHORALE_HD bool operator()(Index mirrored) const { return mirrored < 0; }
};

struct Head {
  const std::int32_t* neighbours;
  CHORALE_HD std::int32_t operator()(Index e) const { return neighbours[e]; }
};

/// first[i], how many one-sided entries point to points before i, becomes offsets[i].
struct AddOwn {
  Index k;
  Index* offsets;
  CHORALE_HD void operator()(Index i) const { offsets[i] += i * k; }
};

struct PlaceOwn {
  Neighbours list;
  const Index* mirrored;
  const Index* offsets;
  std::int32_t* columns;
  float* values;
  CHORALE_HD void operator()(Index e) const {
    const Index to = offsets[e / list.k] + e % list.k;
    columns[to] = list.neighbours[e];
    values[to] = list.value(list.weights[e], mirrored[e] < 0 ? 0.0f : list.weights[mirrored[e]]);
  }
};

struct PlaceOneSided {
  Neighbours list;
  const Index* entries;
  const Index* offsets;
  std::int32_t* columns;
  float* values;
  CHORALE_HD void operator()(Index place) const {
    const Index e = entries[place], head = list.neighbours[e];
    const Index to =
        (head + 1) * list.k + place;  // behind its own k and what comes before in the sorted list
    columns[to] = static_cast<std::int32_t>(e / list.k);
    values[to] = list.value(0.0f, list.weights[e]);
  }
};

template <class Policy>
void build(const Policy& policy, Context& context, ConstView neighbours, ConstView weights, double sum_factor,
           double product_factor, View offsets, View columns, View values) {
  const Index n = neighbours.shape[0], k = neighbours.shape[1], all = n * k;
  const Neighbours list{neighbours.as<std::int32_t>(), weights.as<float>(), k, static_cast<float>(sum_factor),
                        static_cast<float>(product_factor)};
  const Scratch indices(context, static_cast<std::size_t>(2 * all) * sizeof(Index));
  const Scratch heads(context, static_cast<std::size_t>(all) * sizeof(std::int32_t));
  Index* mirrored = indices.as<Index>();
  Index* entries = mirrored + all;
  std::int32_t* head = heads.as<std::int32_t>();
  const thrust::counting_iterator<Index> zero(0);
  thrust::for_each_n(policy, zero, all, FindOneSided{list, mirrored});
  const Index one_sided =
      thrust::copy_if(policy, zero, zero + all, mirrored, entries, IsOneSided{}) - entries;
  thrust::transform(policy, entries, entries + one_sided, head, Head{list.neighbours});
  thrust::stable_sort_by_key(policy, head, head + one_sided, entries);
  Index* offset = offsets.as<Index>();
  thrust::lower_bound(policy, head, head + one_sided, zero, zero + n + 1, offset);
  thrust::for_each_n(policy, zero, n + 1, AddOwn{k, offset});
  thrust::for_each_n(policy, zero, all,
                     PlaceOwn{list, mirrored, offset, columns.as<std::int32_t>(), values.as<float>()});
  thrust::for_each_n(policy, zero, one_sided,
                     PlaceOneSided{list, entries, offset, columns.as<std::int32_t>(), values.as<float>()});
}

}  // namespace chorale::thrust_graph

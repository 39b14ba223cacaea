// SPDX-License-Identifier: MIT
// The sorting, scanning and segmented parts of k-means, written once for both backends on Thrust: included by
// kernels/cpu/cluster_kmeans.cpp (OpenMP) and kernels/cuda/cluster_kmeans_library.cu (CUDA).
//
// Centers are not summed anew: only points that changed their cluster move, out of one f64 sum and into
// another. The moves are listed in point order, sorted by cluster (a stable sort, so the order within a
// cluster is that of the points), cut into chunks of `chunk_moves`, and added up chunk by chunk. No
// floating-point sum is left to a Thrust reduction or scan, whose order depends on threads or timing: same
// bits on every run.
//
// A System gives: run(work, f) calls f(policy) with an execution policy fit for that many steps of work;
// points_per_item and columns_per_item(d), how much of a row of labels or of a vector one item handles;
// and read(pointer), one value read back by the host.
#pragma once
#include <thrust/binary_search.h>
#include <thrust/execution_policy.h>
#include <thrust/for_each.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/iterator/transform_iterator.h>
#include <thrust/scan.h>
#include <thrust/sort.h>

#include <algorithm>
#include <cmath>

#include "kernels/context.h"
#include "kernels/params.h"
#include "kernels/view.h"

namespace chorale::thrust_kmeans {

using Index = std::int64_t;

/// Moves added up by one item.
constexpr Index chunk_moves = 256;
/// Restarts are handled together up to this many labels; bounds the scratch memory.
constexpr Index labels_per_pass = Index{1} << 25;

/// Scratch memory of the context as Thrust's temporary storage.
struct ScratchAllocator {
  using value_type = char;
  ScratchSource* source;
  char* allocate(std::ptrdiff_t bytes) {
    return static_cast<char*>(source->acquire(static_cast<std::size_t>(bytes)));
  }
  void deallocate(char* block, std::size_t) { source->release(block); }
};

template <class System, class Item>
void for_items(System& system, Index items, Index work, Item item) {
  if (items == 0) return;
  system.run(work, [&](const auto& policy) {
    thrust::for_each_n(policy, thrust::counting_iterator<Index>(0), items, item);
  });
}

// ---- moves between clusters ----

/// The labels of some restarts and what was last accounted for, cut into items of a fixed number of points.
struct Labels {
  const std::int32_t* restarts;
  const std::int32_t* labels;
  std::int32_t* accounted;
  Index n, k, items_per_restart, points_per_item;

  struct Range {
    Index slot, row, begin, end;  // row: where the restart's labels start
  };
  CHORALE_HD Range range(Index item) const {
    const Index slot = item / items_per_restart, begin = item % items_per_restart * points_per_item;
    const Index end = begin + points_per_item < n ? begin + points_per_item : n;
    return {slot, restarts[slot] * n, begin, end};
  }
};

struct CountMoves {
  Labels l;
  Index* moved;    // points whose cluster changed
  Index* entries;  // one for the cluster a point enters, one for that which it leaves
  CHORALE_HD void operator()(Index item) const {
    const Labels::Range r = l.range(item);
    Index points = 0, leaving = 0;
    for (Index i = r.begin; i < r.end; ++i) {
      const std::int32_t from = l.accounted[r.row + i], to = l.labels[r.row + i];
      points += from != to;
      leaving += (from != to) & (from >= 0);
    }
    moved[item] = points;
    entries[item] = points + leaving;
  }
};

struct ListMoves {
  Labels l;
  const Index* first;  // entries before each item
  std::int32_t* cluster;
  std::int32_t* point;  // ~point where it leaves
  CHORALE_HD void operator()(Index item) const {
    const Labels::Range r = l.range(item);
    Index at = first[item];
    for (Index i = r.begin; i < r.end; ++i) {
      const std::int32_t from = l.accounted[r.row + i], to = l.labels[r.row + i];
      if (from == to) continue;
      cluster[at] = static_cast<std::int32_t>(r.slot * l.k) + to;
      point[at++] = static_cast<std::int32_t>(i);
      if (from >= 0) {
        cluster[at] = static_cast<std::int32_t>(r.slot * l.k) + from;
        point[at++] = ~static_cast<std::int32_t>(i);
      }
      l.accounted[r.row + i] = to;
    }
  }
};

struct ChunkCount {
  const Index* offsets;
  Index clusters;
  CHORALE_HD Index operator()(Index cluster) const {
    return cluster < clusters ? (offsets[cluster + 1] - offsets[cluster] + chunk_moves - 1) / chunk_moves : 0;
  }
};

/// Sorted moves in chunks: cluster c owns moves offsets[c] to offsets[c + 1] and chunks first[c] to first[c +
/// 1].
struct Chunks {
  const Index* offsets;
  const Index* first;
  Index clusters, d, columns_per_item;
  double* sums;   // [chunk, d]
  Index* counts;  // [chunk]
  CHORALE_HD Index items_per_vector() const { return (d + columns_per_item - 1) / columns_per_item; }
};

struct SumChunk {
  Chunks c;
  const float* x;
  const std::int32_t* point;
  CHORALE_HD void operator()(Index item) const {
    const Index chunk = item / c.items_per_vector(),
                column = item % c.items_per_vector() * c.columns_per_item;
    if (chunk >= c.first[c.clusters]) return;
    Index low = 0, high = c.clusters;  // the last cluster whose first chunk is not after this one
    while (high - low > 1) {
      const Index middle = (low + high) / 2;
      if (c.first[middle] <= chunk) {
        low = middle;
      } else {
        high = middle;
      }
    }
    const Index begin = c.offsets[low] + (chunk - c.first[low]) * chunk_moves;
    const Index end = begin + chunk_moves < c.offsets[low + 1] ? begin + chunk_moves : c.offsets[low + 1];
    const Index width = column + c.columns_per_item < c.d ? c.columns_per_item : c.d - column;
    double* sum = c.sums + chunk * c.d + column;
    for (Index j = 0; j < width; ++j) sum[j] = 0;
    Index count = 0;
    for (Index m = begin; m < end; ++m) {
      const bool enters = point[m] >= 0;
      const float* row = x + static_cast<Index>(enters ? point[m] : ~point[m]) * c.d + column;
      const double sign = enters ? 1.0 : -1.0;
      for (Index j = 0; j < width; ++j) sum[j] += sign * static_cast<double>(row[j]);
      count += enters ? 1 : -1;
    }
    if (column == 0) c.counts[chunk] = count;
  }
};

struct AddChunks {
  Chunks c;
  const std::int32_t* restarts;
  Index k;
  double* sums;   // [r, k, d]
  Index* counts;  // [r, k]
  CHORALE_HD void operator()(Index item) const {
    const Index cluster = item / c.items_per_vector(),
                column = item % c.items_per_vector() * c.columns_per_item;
    const Index width = column + c.columns_per_item < c.d ? c.columns_per_item : c.d - column;
    const Index target = restarts[cluster / k] * k + cluster % k;
    for (Index chunk = c.first[cluster]; chunk < c.first[cluster + 1]; ++chunk) {
      for (Index j = 0; j < width; ++j) sums[target * c.d + column + j] += c.sums[chunk * c.d + column + j];
      if (column == 0) counts[target] += c.counts[chunk];
    }
  }
};

struct ReportMoves {
  Labels l;
  const Index* moved_before;  // points moved before each item
  const Index* counts;
  double* status;
  CHORALE_HD void operator()(Index slot) const {
    const Index restart = l.restarts[slot];
    const Index first = slot * l.items_per_restart;
    status[3 * restart] =
        static_cast<double>(moved_before[first + l.items_per_restart] - moved_before[first]);
    Index empty = 0;
    for (Index c = 0; c < l.k; ++c) empty += counts[restart * l.k + c] == 0;
    status[3 * restart + 1] = static_cast<double>(empty);
  }
};

template <class System>
void update(System& system, Context& context, ConstView x, ConstView restarts, ConstView labels,
            View accounted, View sums, View counts, View status) {
  const Index n = x.shape[0], d = x.shape[1], k = sums.shape[1];
  const Index per_pass = std::max<Index>(1, labels_per_pass / std::max<Index>(n, 1));
  for (Index start = 0; start < restarts.size(); start += per_pass) {
    const Index slots = std::min(per_pass, restarts.size() - start), clusters = slots * k;
    const Labels l{restarts.as<std::int32_t>() + start,
                   labels.as<std::int32_t>(),
                   accounted.as<std::int32_t>(),
                   n,
                   k,
                   (n + system.points_per_item - 1) / system.points_per_item,
                   system.points_per_item};
    const Index items = slots * l.items_per_restart;
    const Scratch item_counts(context, static_cast<std::size_t>(2 * (items + 1)) * sizeof(Index));
    Index* moved = item_counts.template as<Index>();
    Index* entries = moved + items + 1;
    for_items(system, items, slots * n, CountMoves{l, moved, entries});
    // The scans run one past the end, so that their last element is the total; what is read there is not
    // used.
    system.run(items, [&](const auto& policy) {
      thrust::exclusive_scan(policy, moved, moved + items + 1, moved);
      thrust::exclusive_scan(policy, entries, entries + items + 1, entries);
    });
    const Index total = system.read(entries + items);
    if (total > 0) {
      const Scratch moves(context, static_cast<std::size_t>(2 * total) * sizeof(std::int32_t));
      std::int32_t* cluster = moves.template as<std::int32_t>();
      std::int32_t* point = cluster + total;
      for_items(system, items, slots * n, ListMoves{l, entries, cluster, point});
      const Index most_chunks = total / chunk_moves + clusters;
      const Scratch segments(context,
                             static_cast<std::size_t>(2 * (clusters + 1) + most_chunks) * sizeof(Index));
      Index* offsets = segments.template as<Index>();
      Index* first = offsets + clusters + 1;
      const Scratch partial(context, static_cast<std::size_t>(most_chunks * d) * sizeof(double));
      system.run(total, [&](const auto& policy) {
        thrust::stable_sort_by_key(policy, cluster, cluster + total, point);
        const thrust::counting_iterator<Index> zero(0);
        thrust::lower_bound(policy, cluster, cluster + total, zero, zero + clusters + 1, offsets);
        const auto chunk_counts = thrust::make_transform_iterator(zero, ChunkCount{offsets, clusters});
        thrust::exclusive_scan(policy, chunk_counts, chunk_counts + clusters + 1, first);
      });
      const Chunks c{offsets,
                     first,
                     clusters,
                     d,
                     system.columns_per_item(d),
                     partial.template as<double>(),
                     first + clusters + 1};
      for_items(system, most_chunks * c.items_per_vector(), total * d, SumChunk{c, x.as<float>(), point});
      for_items(system, clusters * c.items_per_vector(), total * d / chunk_moves + clusters,
                AddChunks{c, l.restarts, k, sums.as<double>(), counts.as<Index>()});
    }
    for_items(system, slots, clusters, ReportMoves{l, moved, counts.as<Index>(), status.as<double>()});
  }
}

// ---- centers from sums ----

struct NewCenter {
  const std::int32_t* restarts;
  const double* sums;
  const Index* counts;
  Index k, d;
  CenterParams params;
  float* centers;
  float* half_norms;
  double* moved;  // [slot, k]: squared distance
  CHORALE_HD void operator()(Index item) const {
    const Index restart = restarts[item / k];
    const Index* count = counts + restart * k;
    Index empty = 0, largest = 0;
    for (Index c = 0; c < k; ++c) {
      empty += count[c] == 0;
      if (count[c] > count[largest]) largest = c;
    }
    moved[item] = 0;
    if (empty > 0 && params.empty == EmptyClusters::wait) return;
    const Index target = restart * k + item % k;
    const bool replaced = count[item % k] == 0 && params.empty == EmptyClusters::on_largest;
    const Index source = replaced ? restart * k + largest : target;
    double length = static_cast<double>(counts[source]);
    if (params.unit_length) {
      double square = 0;
      for (Index j = 0; j < d; ++j) square += sums[source * d + j] * sums[source * d + j];
      length = ::sqrt(square);
    }
    if (!(length > 1e-12 * static_cast<double>(counts[source]))) return;  // no points, or no direction
    const double scale = 1.0 / length;
    double norm = 0, square = 0;
    for (Index j = 0; j < d; ++j) {
      const float value = static_cast<float>(sums[source * d + j] * scale);
      const double difference = static_cast<double>(value) - static_cast<double>(centers[target * d + j]);
      norm += static_cast<double>(value) * static_cast<double>(value);
      square += difference * difference;
      centers[target * d + j] = value;
    }
    half_norms[target] = static_cast<float>(0.5 * norm);
    moved[item] = square;
  }
};

struct TotalShift {
  const std::int32_t* restarts;
  const double* moved;
  Index k;
  double* status;
  CHORALE_HD void operator()(Index slot) const {
    double sum = 0;
    for (Index c = 0; c < k; ++c) sum += moved[slot * k + c];
    status[3 * restarts[slot] + 2] = sum;
  }
};

template <class System>
void centers_from_sums(System& system, Context& context, ConstView restarts, ConstView sums, ConstView counts,
                       CenterParams params, View centers, View half_norms, View status) {
  const Index active = restarts.size(), k = sums.shape[1], d = sums.shape[2];
  const std::int32_t* list = restarts.as<std::int32_t>();
  const Scratch moved(context, static_cast<std::size_t>(active * k) * sizeof(double));
  for_items(system, active * k, active * k * d,
            NewCenter{list, sums.as<double>(), counts.as<Index>(), k, d, params, centers.as<float>(),
                      half_norms.as<float>(), moved.template as<double>()});
  for_items(system, active, active * k,
            TotalShift{list, moved.template as<double>(), k, status.as<double>()});
}

}  // namespace chorale::thrust_kmeans

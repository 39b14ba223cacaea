// SPDX-License-Identifier: MIT
// Merges and nearest neighbours on the matrix of distances between clusters (Lance & Williams 1967); formulas
// and the log of merges are those of kernels/cpu/cluster_linkage.cpp.
//
// A block works on one row of the matrix, or on the two rows of a merge, and writes nothing else. It first
// goes through the log: merges of one round share no column, so its threads take them side by side. Rows are
// read and written in whole lines. Explicit fused multiply-adds make the distance of two clusters the same to
// the bit in both of their rows. f32, but for the columns near the smallest distance of a row where Ward's
// centers are given: f64 decides among those (kernels/cuda/cluster_ward.cuh). A scan reads 4 m bytes, a merge
// reads and writes 12 m.
#include <cfloat>

#include "kernels/cuda/cluster_ward.cuh"
#include "kernels/cuda/dispatch.h"

namespace chorale::cuda {
namespace {

constexpr int row_threads = 256;

struct Log {
  const std::int32_t* rounds;
  const std::int32_t* pairs;
  const float* terms;
  std::int32_t count;  // of rounds
};

/// The matrix, and what belongs to each of its m columns.
struct Clusters {
  const std::int32_t* rows;
  const float* sizes;
  float* distances;
  std::int64_t stride, m;
  std::int32_t* seen;
  __device__ float* row(std::int64_t column) const { return distances + rows[column] * stride; }
};

struct Merge {
  std::int64_t first, second;
  float distance, first_size, second_size;
};

__device__ inline Merge merge_at(const Log& log, std::int64_t i) {
  return {log.pairs[2 * i], log.pairs[2 * i + 1], log.terms[3 * i], log.terms[3 * i + 1],
          log.terms[3 * i + 2]};
}

template <Linkage linkage>
__device__ inline float joined(float to_first, float to_second, const Merge& m, float size) {
  if constexpr (linkage == Linkage::complete) {
    return fmaxf(to_first, to_second);
  } else if constexpr (linkage == Linkage::average) {
    return fmaf(m.first_size, to_first, m.second_size * to_second) / (m.first_size + m.second_size);
  } else {
    const float sum =
        fmaf(m.first_size + size, to_first, fmaf(m.second_size + size, to_second, -size * m.distance));
    return fmaxf(sum / (m.first_size + m.second_size + size), 0.0f);
  }
}

/// The block does merges [begin, end) of one round in a row of a cluster of `size` points.
template <Linkage linkage>
__device__ inline void replay(const Log& log, std::int64_t begin, std::int64_t end, float size, float* row) {
  for (std::int64_t i = begin + threadIdx.x; i < end; i += row_threads) {
    const Merge m = merge_at(log, i);
    row[m.first] = joined<linkage>(row[m.first], row[m.second], m, size);
    row[m.second] = INFINITY;
  }
}

/// The row of a column, after all rounds before `rounds`. Its `seen` is left to the caller.
template <Linkage linkage>
__device__ inline float* current_row(const Log& log, const Clusters& c, std::int64_t column,
                                     std::int32_t rounds) {
  float* row = c.row(column);
  const float size = c.sizes[column];
  for (std::int32_t round = c.seen[column]; round < rounds; ++round) {
    replay<linkage>(log, log.rounds[round], log.rounds[round + 1], size, row);
    __syncthreads();
  }
  return row;
}

template <Linkage linkage>
__global__ void __launch_bounds__(row_threads)
    find_nearest(Log log, Clusters c, WardCenters centers, float band, const std::int32_t* listed,
                 std::int32_t* nearest, float* distances) {
  const std::int64_t column = listed[blockIdx.x];
  const float* row = current_row<linkage>(log, c, column, log.count);
  NearestColumn found;
  for (std::int64_t j = threadIdx.x; j < c.m; j += row_threads)
    see(found, row[j], static_cast<std::int32_t>(j));
  join_block<row_threads>(found);
  if (linkage == Linkage::ward && centers.centers && found.value < INFINITY) {
    const float limit = found.value * (1.0f + band) + FLT_MIN;
    found.column =
        nearest_of<row_threads>(centers, column, c.m, [=](std::int64_t j) { return row[j] <= limit; }).column;
    found.value = row[found.column];
  }
  if (threadIdx.x != 0) return;
  nearest[blockIdx.x] = found.column;
  distances[blockIdx.x] = found.value;
  c.seen[column] = log.count;
}

template <Linkage linkage>
__global__ void __launch_bounds__(row_threads) merge_rows(Log log, Clusters c) {
  const std::int32_t before = log.count - 1;
  const std::int64_t begin = log.rounds[before], end = log.rounds[log.count], at = begin + blockIdx.x;
  const Merge own = merge_at(log, at);
  float* first = current_row<linkage>(log, c, own.first, before);
  float* second = current_row<linkage>(log, c, own.second, before);
  __syncthreads();
  // Merges that come earlier in this round see the two clusters one by one. Their results wait in the second
  // row, whose column is no more, while all other columns are merged.
  for (std::int64_t i = begin + threadIdx.x; i < at; i += row_threads) {
    const Merge m = merge_at(log, i);
    const float to_first = joined<linkage>(first[m.first], first[m.second], m, own.first_size);
    const float to_second = joined<linkage>(second[m.first], second[m.second], m, own.second_size);
    second[m.second] = joined<linkage>(to_first, to_second, own, m.first_size + m.second_size);
  }
  __syncthreads();
  for (std::int64_t j = threadIdx.x; j < c.m; j += row_threads) {
    const float value = joined<linkage>(first[j], second[j], own, c.sizes[j]);
    first[j] = j == own.first || j == own.second ? INFINITY : value;
  }
  __syncthreads();
  for (std::int64_t i = begin + threadIdx.x; i < at; i += row_threads) {
    const Merge m = merge_at(log, i);
    first[m.first] = second[m.second];
    first[m.second] = INFINITY;
  }
  replay<linkage>(log, at + 1, end, own.first_size + own.second_size, first);
  if (threadIdx.x == 0) c.seen[own.first] = log.count;
}

// After merge_rows, whose blocks need the sizes before the round.
__global__ void add_sizes(Log log, float* sizes) {
  const std::int64_t begin = log.rounds[log.count - 1], end = log.rounds[log.count];
  for (std::int64_t i = begin + global_thread(); i < end; i += global_threads()) {
    const Merge m = merge_at(log, i);
    sizes[m.first] = m.first_size + m.second_size;
  }
}

template <Linkage linkage>
__global__ void __launch_bounds__(row_threads)
    move_columns(Log log, Clusters c, const std::int32_t* kept, std::int64_t count) {
  const std::int64_t column = kept[blockIdx.x];
  float* row = current_row<linkage>(log, c, column, log.count);
  for (std::int64_t base = 0; base < count; base += row_threads) {
    const std::int64_t j = base + threadIdx.x;
    const float value = j < count ? row[kept[j]] : 0.0f;
    __syncthreads();
    if (j < count) row[j] = value;
    __syncthreads();
  }
  if (threadIdx.x == 0) c.seen[column] = log.count;
}

Log make_log(const char* op, ConstView rounds, ConstView pairs, ConstView terms) {
  require(rounds.size() > 0 && pairs.size() * 3 == terms.size() * 2, op,
          "rounds must be [r + 1], pairs [., 2] and terms [., 3]");
  require_dtype(rounds, DType::i32, op, "rounds");
  require_dtype(pairs, DType::i32, op, "pairs");
  require_dtype(terms, DType::f32, op, "terms");
  return {rounds.as<std::int32_t>(), pairs.as<std::int32_t>(), terms.as<float>(),
          static_cast<std::int32_t>(rounds.size() - 1)};
}

Clusters make_clusters(const char* op, ConstView rows, ConstView sizes, View distances, View seen) {
  require(distances.rank == 2, op, "distances must be [n, s]");
  require_dtype(distances, DType::f32, op, "distances");
  require_dtype(rows, DType::i32, op, "rows");
  require_dtype(seen, DType::i32, op, "seen");
  require_size(sizes, rows.size(), op, "sizes");
  require_size(seen, rows.size(), op, "seen");
  return {rows.as<std::int32_t>(), sizes.as<float>(), distances.as<float>(),
          distances.shape[1],      rows.size(),       seen.as<std::int32_t>()};
}

template <Linkage value>
struct Constant {
  static constexpr Linkage linkage = value;
};

/// Calls f with the linkage as a constant.
template <class F>
void with_linkage(Linkage linkage, const F& f) {
  switch (linkage) {
    case Linkage::ward:
      return f(Constant<Linkage::ward>());
    case Linkage::complete:
      return f(Constant<Linkage::complete>());
    case Linkage::average:
      return f(Constant<Linkage::average>());
    case Linkage::single:
      throw ContractError("linkage: single linkage is a spanning tree, not a sequence of merges");
  }
}

}  // namespace

void linkage_nearest(Context& context, ConstView listed, ConstView rows, ConstView sizes, Linkage linkage,
                     ConstView centers, float band, ConstView rounds, ConstView pairs, ConstView terms,
                     View distances, View seen, View nearest, View nearest_distances) {
  const Log log = make_log("linkage_nearest", rounds, pairs, terms);
  const Clusters c = make_clusters("linkage_nearest", rows, sizes, distances, seen);
  require_dtype(nearest, DType::i32, "linkage_nearest", "nearest");
  require_size(nearest, listed.size(), "linkage_nearest", "nearest");
  require_size(nearest_distances, listed.size(), "linkage_nearest", "nearest_distances");
  if (centers) {
    require(linkage == Linkage::ward && centers.rank == 2 && centers.shape[0] == distances.shape[0],
            "linkage_nearest", "centers must be [n, d], and are for Ward's linkage only");
    require_dtype(centers, DType::f64, "linkage_nearest", "centers");
  }
  const WardCenters clusters{centers.as<double>(), rows.as<std::int32_t>(), sizes.as<float>(),
                             centers.columns()};
  if (listed.size() == 0) return;
  with_linkage(linkage, [&](auto kind) {
    LAUNCH((find_nearest<decltype(kind)::linkage>), static_cast<unsigned>(listed.size()), row_threads, 0,
           context.stream, log, c, clusters, band, listed.as<std::int32_t>(), nearest.as<std::int32_t>(),
           nearest_distances.as<float>());
  });
}

void linkage_merge(Context& context, std::int64_t merges, ConstView rows, Linkage linkage, ConstView rounds,
                   ConstView pairs, ConstView terms, View sizes, View distances, View seen) {
  const Log log = make_log("linkage_merge", rounds, pairs, terms);
  const Clusters c = make_clusters("linkage_merge", rows, sizes, distances, seen);
  require(log.count > 0 && merges <= pairs.size() / 2, "linkage_merge", "the log must have a round");
  if (merges == 0) return;
  with_linkage(linkage, [&](auto kind) {
    LAUNCH((merge_rows<decltype(kind)::linkage>), static_cast<unsigned>(merges), row_threads, 0,
           context.stream, log, c);
  });
  LAUNCH((add_sizes), stride_grid(context, merges, row_threads), row_threads, 0, context.stream, log,
         sizes.as<float>());
}

void linkage_compact(Context& context, ConstView kept, ConstView rows, ConstView sizes, Linkage linkage,
                     ConstView rounds, ConstView pairs, ConstView terms, View distances, View seen) {
  const Log log = make_log("linkage_compact", rounds, pairs, terms);
  const Clusters c = make_clusters("linkage_compact", rows, sizes, distances, seen);
  require_dtype(kept, DType::i32, "linkage_compact", "kept");
  if (kept.size() == 0) return;
  with_linkage(linkage, [&](auto kind) {
    LAUNCH((move_columns<decltype(kind)::linkage>), static_cast<unsigned>(kept.size()), row_threads, 0,
           context.stream, log, c, kept.as<std::int32_t>(), kept.size());
  });
}

}  // namespace chorale::cuda

// SPDX-License-Identifier: MIT
// Merges and nearest neighbours on the matrix of distances between clusters (Lance & Williams 1967):
//
//   Ward      d(ab, k)^2 = ((a + k) d(a, k)^2 + (b + k) d(b, k)^2 - k d(a, b)^2) / (a + b + k)   (sizes a, b,
//   k) complete  d(ab, k)   = max(d(a, k), d(b, k)) average   d(ab, k)   = (a d(a, k) + b d(b, k)) / (a + b)
//
// A merge touches its own two rows only. What it does to the columns of every other row stands in a log,
// which a row goes through when it is needed next: no strided column of the matrix is ever written, and each
// row is the work of one thread. The log is a sequence, so the distance of two clusters is the same to the
// bit in both of their rows, also if both were made in one round: such a pair of merges is done in the order
// of the log in either row. The compiler must not contract products here, for it might do so differently in
// the two places.
//
// f32. Where Ward's centers are given and the second distance of a row is near the smallest one, a second
// pass over the row, which is in the cache, finds the columns that are, and f64 decides among them. A scan
// reads 4 m bytes, a merge reads and writes 12 m, a logged merge touches two elements of a row.
#include <bit>
#include <cmath>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/cluster_blocks.h"
#include "kernels/cpu/cluster_ward.h"
#include "kernels/cpu/kernels.h"
#include "kernels/params.h"

namespace chorale::cpu {
namespace {

using tile::ivec;
using tile::lanes;
using tile::vec;

constexpr float infinity = std::numeric_limits<float>::infinity();
/// Logged merges between asking for elements of a row and using them: rows come from memory.
constexpr std::int64_t ahead = 32;

struct Merge {
  std::int64_t first, second;
  float distance, first_size, second_size;
};

struct Log {
  const std::int32_t* rounds;
  const std::int32_t* pairs;
  const float* terms;
  std::int32_t count;  // of rounds
  Merge operator[](std::int64_t i) const {
    return {pairs[2 * i], pairs[2 * i + 1], terms[3 * i], terms[3 * i + 1], terms[3 * i + 2]};
  }
};

template <Linkage linkage>
float joined(float to_first, float to_second, const Merge& m, float size) {
  if constexpr (linkage == Linkage::complete) {
    return to_first > to_second ? to_first : to_second;
  } else if constexpr (linkage == Linkage::average) {
    return (m.first_size * to_first + m.second_size * to_second) / (m.first_size + m.second_size);
  } else {
    const float sum =
        (m.first_size + size) * to_first + (m.second_size + size) * to_second - size * m.distance;
    const float square = sum / (m.first_size + m.second_size + size);
    return square > 0.0f ? square : 0.0f;
  }
}

/// Merges [begin, end) of the log in the columns of one row, which belongs to a cluster of `size` points.
template <Linkage linkage>
void replay(const Log& log, std::int64_t begin, std::int64_t end, float size, float* row) {
  for (std::int64_t i = begin; i < end; ++i) {
    if (i + ahead < end) {
      __builtin_prefetch(row + log.pairs[2 * (i + ahead)]);
      __builtin_prefetch(row + log.pairs[2 * (i + ahead) + 1]);
    }
    const Merge m = log[i];
    row[m.first] = joined<linkage>(row[m.first], row[m.second], m, size);
    row[m.second] = infinity;
  }
}

/// The row of a column, after all rounds before `rounds`.
template <Linkage linkage>
float* current_row(const Log& log, const std::int32_t* rows, const float* sizes, std::int64_t column,
                   std::int32_t rounds, View distances, View seen) {
  float* row = distances.as<float>() + rows[column] * distances.shape[1];
  std::int32_t& done = seen.as<std::int32_t>()[column];
  replay<linkage>(log, log.rounds[done], log.rounds[rounds], sizes[column], row);
  done = rounds;
  return row;
}

struct Nearest {
  float distance;
  std::int32_t column;
  float second;  // the next distance, or an equal one
};

/// The lowest column of the smallest of row[0, columns).
Nearest smallest(const float* row, std::int64_t columns) {
  constexpr int chains = 4;  // as many comparisons as hide the latency of one
  vec best[chains], second[chains];
  ivec where[chains], lane;
  for (int l = 0; l < lanes; ++l) lane[l] = l;
  for (int c = 0; c < chains; ++c) {
    best[c] = second[c] = tile::broadcast(infinity);
    where[c] = ivec{} + std::numeric_limits<std::int32_t>::max();
  }
  std::int64_t j = 0;
  for (; j + chains * lanes <= columns; j += chains * lanes)
    for (int c = 0; c < chains; ++c) {
      const vec value = tile::load(row + j + c * lanes);
      const auto closer = value < best[c];
      second[c] = tile::minimum(second[c], tile::maximum(value, best[c]));
      best[c] = closer ? value : best[c];
      where[c] = closer ? lane + static_cast<std::int32_t>(j + c * lanes) : where[c];
    }
  Nearest nearest{infinity, std::numeric_limits<std::int32_t>::max(), infinity};
  const auto see = [&](float value, std::int32_t column) {
    nearest.second = std::min(nearest.second, std::max(value, nearest.distance));
    if (value < nearest.distance || (value == nearest.distance && column < nearest.column)) {
      nearest.distance = value;
      nearest.column = column;
    }
  };
  for (int c = 0; c < chains; ++c)
    for (int l = 0; l < lanes; ++l) {
      see(best[c][l], where[c][l]);
      nearest.second = std::min(nearest.second, second[c][l]);
    }
  for (; j < columns; ++j) see(row[j], static_cast<std::int32_t>(j));
  return nearest;
}

/// The columns of row[0, columns) that are at most `limit`, ascending.
std::vector<std::int32_t> find_within(const float* row, std::int64_t columns, float limit) {
  std::vector<std::int32_t> found;
  std::int64_t j = 0;
  for (; j + lanes <= columns; j += lanes)
    for (unsigned hits = blocks::bits(tile::load(row + j) <= tile::broadcast(limit)); hits; hits &= hits - 1)
      found.push_back(static_cast<std::int32_t>(j + std::countr_zero(hits)));
  for (; j < columns; ++j)
    if (row[j] <= limit) found.push_back(static_cast<std::int32_t>(j));
  return found;
}

/// Merge `at` of the last round: its two rows become that of the merged cluster.
template <Linkage linkage>
void merge_rows(const Log& log, std::int64_t at, const std::int32_t* rows, const float* sizes,
                std::int64_t columns, View distances, View seen) {
  const std::int32_t before = log.count - 1;
  const std::int64_t begin = log.rounds[before], end = log.rounds[log.count];
  const Merge own = log[at];
  float* __restrict first = current_row<linkage>(log, rows, sizes, own.first, before, distances, seen);
  float* __restrict second = current_row<linkage>(log, rows, sizes, own.second, before, distances, seen);
  // Merges that come earlier in this round see the two clusters one by one. Their results wait in the second
  // row, whose column is no more, while all other columns are merged.
  for (std::int64_t i = begin; i < at; ++i) {
    const Merge m = log[i];
    const float to_first = joined<linkage>(first[m.first], first[m.second], m, own.first_size);
    const float to_second = joined<linkage>(second[m.first], second[m.second], m, own.second_size);
    second[m.second] = joined<linkage>(to_first, to_second, own, m.first_size + m.second_size);
  }
  for (std::int64_t j = 0; j < columns; ++j) first[j] = joined<linkage>(first[j], second[j], own, sizes[j]);
  for (std::int64_t i = begin; i < at; ++i) {
    first[log[i].first] = second[log[i].second];
    first[log[i].second] = infinity;
  }
  first[own.first] = first[own.second] = infinity;
  replay<linkage>(log, at + 1, end, own.first_size + own.second_size, first);
  seen.as<std::int32_t>()[own.first] = log.count;
}

Log make_log(const char* kernel, ConstView rounds, ConstView pairs, ConstView terms, ConstView distances) {
  require(rounds.dtype == DType::i32 && rounds.size() > 0 && pairs.dtype == DType::i32 &&
              terms.dtype == DType::f32 && pairs.size() * 3 == terms.size() * 2 &&
              distances.dtype == DType::f32 && distances.rank == 2,
          kernel, "rounds i32 [r + 1], pairs i32 [., 2], terms f32 [., 3], distances f32 [n, s]", rounds,
          pairs, terms, distances);
  return {rounds.as<std::int32_t>(), pairs.as<std::int32_t>(), terms.as<float>(),
          static_cast<std::int32_t>(rounds.size() - 1)};
}

/// Calls f with the linkage as a constant.
template <class F>
void with_linkage(Linkage linkage, const F& f) {
  switch (linkage) {
    case Linkage::ward:
      return f(std::integral_constant<Linkage, Linkage::ward>());
    case Linkage::complete:
      return f(std::integral_constant<Linkage, Linkage::complete>());
    case Linkage::average:
      return f(std::integral_constant<Linkage, Linkage::average>());
    case Linkage::single:
      throw ContractError("linkage: single linkage is a spanning tree, not a sequence of merges");
  }
}

}  // namespace

void linkage_nearest(Context&, ConstView listed, ConstView rows, ConstView sizes, Linkage linkage,
                     ConstView centers, float band, ConstView rounds, ConstView pairs, ConstView terms,
                     View distances, View seen, View nearest, View nearest_distances) {
  const Log log = make_log("linkage_nearest", rounds, pairs, terms, distances);
  require(listed.dtype == DType::i32 && nearest.dtype == DType::i32 && nearest.size() == listed.size() &&
              nearest_distances.dtype == DType::f32 && nearest_distances.size() == listed.size() &&
              rows.dtype == DType::i32 && sizes.size() == rows.size() && seen.size() == rows.size(),
          "linkage_nearest", "listed, nearest i32 [l], nearest_distances f32 [l], rows, sizes, seen [m]",
          listed, nearest, nearest_distances, rows, sizes, seen);
  require(!centers || (linkage == Linkage::ward && centers.dtype == DType::f64 && centers.rank == 2 &&
                       centers.shape[0] == distances.shape[0]),
          "linkage_nearest", "centers f64 [n, d], with Ward's linkage only", centers);
  const std::int64_t m = rows.size();
  const ward::Centers clusters{centers.as<double>(), rows.as<std::int32_t>(), sizes.as<float>(),
                               centers.columns()};
  with_linkage(linkage, [&](auto kind) {
#pragma omp parallel for schedule(dynamic) if (listed.size() > 1 && listed.size() * m > 16384)
    for (std::int64_t l = 0; l < listed.size(); ++l) {
      const std::int32_t column = listed.as<std::int32_t>()[l];
      const float* row = current_row<kind()>(log, rows.as<std::int32_t>(), sizes.as<float>(), column,
                                             log.count, distances, seen);
      Nearest found = smallest(row, m);
      const float limit = found.distance * (1.0f + band) + std::numeric_limits<float>::min();
      if (centers && found.second <= limit && limit < infinity) {
        found.column = ward::nearest_of(clusters, column, find_within(row, m, limit)).column;
        found.distance = row[found.column];
      }
      nearest.as<std::int32_t>()[l] = found.column;
      nearest_distances.as<float>()[l] = found.distance;
    }
  });
}

void linkage_merge(Context&, std::int64_t merges, ConstView rows, Linkage linkage, ConstView rounds,
                   ConstView pairs, ConstView terms, View sizes, View distances, View seen) {
  const Log log = make_log("linkage_merge", rounds, pairs, terms, distances);
  require(log.count > 0 && log.rounds[log.count] - log.rounds[log.count - 1] == merges &&
              rows.dtype == DType::i32 && sizes.dtype == DType::f32 && sizes.size() == rows.size() &&
              seen.size() == rows.size(),
          "linkage_merge", "a round of `merges` merges, rows i32, sizes f32, seen i32 [m]", rows, sizes,
          seen);
  const std::int64_t m = rows.size(), begin = log.rounds[log.count - 1], end = log.rounds[log.count];
  with_linkage(linkage, [&](auto kind) {
#pragma omp parallel for schedule(dynamic) if (end - begin > 1 && (end - begin) * m > 8192)
    for (std::int64_t at = begin; at < end; ++at)
      merge_rows<kind()>(log, at, rows.as<std::int32_t>(), sizes.as<float>(), m, distances, seen);
  });
  for (std::int64_t at = begin; at < end; ++at) {
    const Merge own = log[at];
    sizes.as<float>()[own.first] = own.first_size + own.second_size;
  }
}

void linkage_compact(Context&, ConstView kept, ConstView rows, ConstView sizes, Linkage linkage,
                     ConstView rounds, ConstView pairs, ConstView terms, View distances, View seen) {
  const Log log = make_log("linkage_compact", rounds, pairs, terms, distances);
  require(kept.dtype == DType::i32 && kept.size() <= rows.size() && rows.dtype == DType::i32 &&
              sizes.size() == rows.size() && seen.size() == rows.size(),
          "linkage_compact", "kept i32 [k], rows, sizes, seen [m]", kept, rows, sizes, seen);
  const std::int32_t* columns = kept.as<std::int32_t>();
  with_linkage(linkage, [&](auto kind) {
#pragma omp parallel for schedule(dynamic, 16) if (kept.size() * rows.size() > 65536)
    for (std::int64_t k = 0; k < kept.size(); ++k) {
      float* row = current_row<kind()>(log, rows.as<std::int32_t>(), sizes.as<float>(), columns[k], log.count,
                                       distances, seen);
      for (std::int64_t j = 0; j < kept.size(); ++j) row[j] = row[columns[j]];
    }
  });
}

}  // namespace chorale::cpu

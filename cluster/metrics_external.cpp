// SPDX-License-Identifier: MIT
// The contingency table, and the metrics that count points or pairs of points in it.
#include <algorithm>
#include <cmath>
#include <limits>

#include "cluster/contingency.h"

namespace chorale::cluster {
namespace {

std::vector<std::int32_t> distinct(Labels labels) {
  std::vector<std::int32_t> values(labels.begin(), labels.end());
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

std::size_t position(const std::vector<std::int32_t>& values, std::int32_t value) {
  return static_cast<std::size_t>(std::lower_bound(values.begin(), values.end(), value) - values.begin());
}

double square_sum(const std::vector<std::int64_t>& counts) {
  double sum = 0;
  for (const std::int64_t count : counts) sum += static_cast<double>(count) * static_cast<double>(count);
  return sum;
}

/// Ordered pairs of points.
struct Pairs {
  double both, neither, class_only, cluster_only;  ///< that share

  explicit Pairs(const TableSums& sums) {
    const double n = static_cast<double>(sums.table.n);
    const double together = square_sum(sums.table.counts);
    both = together - n;
    class_only = square_sum(sums.rows) - together;
    cluster_only = square_sum(sums.columns) - together;
    neither = n * n - n - both - class_only - cluster_only;
  }
};

}  // namespace

TableSums::TableSums(const Contingency& of)
    : table(of), rows(of.classes.size()), columns(of.clusters.size()) {
  if (table.n == 0) undefined = "there are no points";
  if (table.clusters == std::vector<std::int32_t>{-1}) undefined = "all points are noise";
  for (std::size_t r = 0; r < rows.size(); ++r)
    for (std::size_t c = 0; c < columns.size(); ++c) {
      rows[r] += table.at(r, c);
      columns[c] += table.at(r, c);
    }
}

Contingency::Contingency(Labels truth, Labels predicted)
    : classes(distinct(truth)), clusters(distinct(predicted)), n(static_cast<std::int64_t>(truth.size())) {
  if (truth.size() != predicted.size())
    throw ContractError("contingency table: " + std::to_string(truth.size()) + " known labels for " +
                        std::to_string(predicted.size()) + " points");
  counts.assign(classes.size() * clusters.size(), 0);
  for (std::size_t i = 0; i < truth.size(); ++i)
    ++counts[position(classes, truth[i]) * clusters.size() + position(clusters, predicted[i])];
}

Metric adjusted_rand_index(const Contingency& table) {
  const TableSums sums(table);
  if (!sums.undefined.empty()) return {std::nullopt, sums.undefined};
  const Pairs p(sums);
  if (p.class_only == 0 && p.cluster_only == 0) return {1.0, ""};
  return {2.0 * (p.both * p.neither - p.class_only * p.cluster_only) /
              ((p.both + p.class_only) * (p.class_only + p.neither) +
               (p.both + p.cluster_only) * (p.cluster_only + p.neither)),
          ""};
}

Metric fowlkes_mallows_index(const Contingency& table) {
  const TableSums sums(table);
  if (!sums.undefined.empty()) return {std::nullopt, sums.undefined};
  const Pairs p(sums);
  if (p.both == 0) return {0.0, ""};
  return {std::sqrt(p.both / (p.both + p.class_only)) * std::sqrt(p.both / (p.both + p.cluster_only)), ""};
}

Metric cluster_purity(const Contingency& table) {
  const TableSums sums(table);
  if (!sums.undefined.empty()) return {std::nullopt, sums.undefined};
  std::int64_t right = 0;
  for (std::size_t k = 0; k < sums.columns.size(); ++k) {
    std::int64_t most = 0;
    for (std::size_t r = 0; r < sums.rows.size(); ++r) most = std::max(most, table.at(r, k));
    right += most;
  }
  return {static_cast<double>(right) / static_cast<double>(table.n), ""};
}

Metric cluster_accuracy(const Contingency& table) {
  const TableSums sums(table);
  if (!sums.undefined.empty()) return {std::nullopt, sums.undefined};
  const std::vector<std::int64_t> match =
      maximum_assignment(table.counts, table.classes.size(), table.clusters.size());
  std::int64_t right = 0;
  for (std::size_t r = 0; r < match.size(); ++r)
    if (match[r] >= 0) right += table.at(r, static_cast<std::size_t>(match[r]));
  return {static_cast<double>(right) / static_cast<double>(table.n), ""};
}

std::array<Metric, metric_names.size() - data_metrics> agreement(const Contingency& table) {
  return {adjusted_rand_index(table),
          normalized_mutual_info(table),
          cluster_purity(table),
          cluster_accuracy(table),
          adjusted_mutual_info(table),
          normalized_mutual_info(table, Average::minimum),
          normalized_mutual_info(table, Average::geometric),
          normalized_mutual_info(table, Average::maximum),
          homogeneity(table),
          completeness(table),
          v_measure(table),
          fowlkes_mallows_index(table)};
}

namespace {

/// For at most as many rows as columns: the column of each row. Rows enter one by one; each extends the
/// matching along a shortest augmenting path in reduced costs (cost = -weight). Index 0 stands for "none".
template <class Weight>
std::vector<std::int64_t> assign_rows(std::size_t rows, std::size_t columns, const Weight& weight) {
  constexpr std::int64_t infinity = std::numeric_limits<std::int64_t>::max() / 2;
  std::vector<std::int64_t> row_potential(rows + 1, 0), column_potential(columns + 1, 0);
  std::vector<std::size_t> row_of(columns + 1, 0), previous(columns + 1, 0);
  for (std::size_t row = 1; row <= rows; ++row) {
    std::vector<std::int64_t> distance(columns + 1, infinity);
    std::vector<bool> done(columns + 1, false);
    row_of[0] = row;
    std::size_t column = 0;
    do {
      done[column] = true;
      const std::size_t from = row_of[column];
      std::int64_t step = infinity;
      std::size_t next = 0;
      for (std::size_t c = 1; c <= columns; ++c) {
        if (done[c]) continue;
        const std::int64_t reduced = -weight(from - 1, c - 1) - row_potential[from] - column_potential[c];
        if (reduced < distance[c]) {
          distance[c] = reduced;
          previous[c] = column;
        }
        if (distance[c] < step) {
          step = distance[c];
          next = c;
        }
      }
      for (std::size_t c = 0; c <= columns; ++c) {
        if (done[c]) {
          row_potential[row_of[c]] += step;
          column_potential[c] -= step;
        } else {
          distance[c] -= step;
        }
      }
      column = next;
    } while (row_of[column] != 0);
    while (column != 0) {
      row_of[column] = row_of[previous[column]];
      column = previous[column];
    }
  }
  std::vector<std::int64_t> match(rows, -1);
  for (std::size_t c = 1; c <= columns; ++c)
    if (row_of[c] > 0) match[row_of[c] - 1] = static_cast<std::int64_t>(c - 1);
  return match;
}

}  // namespace

std::vector<std::int64_t> maximum_assignment(std::span<const std::int64_t> weights, std::size_t rows,
                                             std::size_t columns) {
  if (rows <= columns)
    return assign_rows(rows, columns, [&](std::size_t r, std::size_t c) { return weights[r * columns + c]; });
  const std::vector<std::int64_t> row_of =
      assign_rows(columns, rows, [&](std::size_t c, std::size_t r) { return weights[r * columns + c]; });
  std::vector<std::int64_t> match(rows, -1);
  for (std::size_t c = 0; c < columns; ++c)
    match[static_cast<std::size_t>(row_of[c])] = static_cast<std::int64_t>(c);
  return match;
}

}  // namespace chorale::cluster

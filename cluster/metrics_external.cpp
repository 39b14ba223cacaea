// SPDX-License-Identifier: MIT
// Metrics of a clustering against known labels; all follow from the contingency table.
#include <algorithm>
#include <cmath>
#include <limits>

#include "cluster/metrics.h"

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

/// The table with its sums, or why metrics against labels do not exist.
struct Comparison {
  Contingency table;
  std::vector<std::int64_t> rows, columns;
  std::string undefined;

  Comparison(Labels truth, Labels predicted) : table(contingency_table(truth, predicted)) {
    if (table.n == 0) undefined = "there are no points";
    if (table.clusters == std::vector<std::int32_t>{-1}) undefined = "all points are noise";
    rows.assign(table.classes.size(), 0);
    columns.assign(table.clusters.size(), 0);
    for (std::size_t r = 0; r < rows.size(); ++r)
      for (std::size_t c = 0; c < columns.size(); ++c) {
        rows[r] += table.at(r, c);
        columns[c] += table.at(r, c);
      }
  }
};

double entropy(const std::vector<std::int64_t>& counts, std::int64_t n) {
  double h = 0;
  for (const std::int64_t count : counts) {
    const double p = static_cast<double>(count) / static_cast<double>(n);
    if (count > 0) h -= p * std::log(p);
  }
  return h;
}

double square_sum(const std::vector<std::int64_t>& counts) {
  double sum = 0;
  for (const std::int64_t count : counts) sum += static_cast<double>(count) * static_cast<double>(count);
  return sum;
}

}  // namespace

Contingency contingency_table(Labels truth, Labels predicted) {
  if (truth.size() != predicted.size())
    throw ContractError("contingency_table: " + std::to_string(truth.size()) + " known labels for " +
                        std::to_string(predicted.size()) + " points");
  Contingency t{distinct(truth), distinct(predicted), {}, static_cast<std::int64_t>(truth.size())};
  t.counts.assign(t.classes.size() * t.clusters.size(), 0);
  for (std::size_t i = 0; i < truth.size(); ++i)
    ++t.counts[position(t.classes, truth[i]) * t.clusters.size() + position(t.clusters, predicted[i])];
  return t;
}

Metric adjusted_rand_index(Labels truth, Labels predicted) {
  const Comparison c(truth, predicted);
  if (!c.undefined.empty()) return {std::nullopt, c.undefined};
  const double n = static_cast<double>(c.table.n);
  const double together = square_sum(c.table.counts), rows = square_sum(c.rows),
               columns = square_sum(c.columns);
  // Ordered pairs: in one class and one cluster, in neither, in one class only, in one cluster only.
  const double tp = together - n, fp = columns - together, fn = rows - together;
  const double tn = n * n - n - tp - fp - fn;
  if (fn == 0 && fp == 0) return {1.0, ""};
  return {2.0 * (tp * tn - fn * fp) / ((tp + fn) * (fn + tn) + (tp + fp) * (fp + tn)), ""};
}

Metric normalized_mutual_info(Labels truth, Labels predicted) {
  const Comparison c(truth, predicted);
  if (!c.undefined.empty()) return {std::nullopt, c.undefined};
  if (c.rows.size() == 1 && c.columns.size() == 1) return {1.0, ""};
  const double n = static_cast<double>(c.table.n);
  double information = 0;
  for (std::size_t r = 0; r < c.rows.size(); ++r)
    for (std::size_t k = 0; k < c.columns.size(); ++k) {
      const double count = static_cast<double>(c.table.at(r, k));
      if (count == 0) continue;
      information += count / n *
                     (std::log(count) - std::log(static_cast<double>(c.rows[r])) -
                      std::log(static_cast<double>(c.columns[k])) + std::log(n));
    }
  if (information <= std::numeric_limits<double>::epsilon()) return {0.0, ""};
  return {information / (0.5 * (entropy(c.rows, c.table.n) + entropy(c.columns, c.table.n))), ""};
}

Metric cluster_purity(Labels truth, Labels predicted) {
  const Comparison c(truth, predicted);
  if (!c.undefined.empty()) return {std::nullopt, c.undefined};
  std::int64_t right = 0;
  for (std::size_t k = 0; k < c.columns.size(); ++k) {
    std::int64_t most = 0;
    for (std::size_t r = 0; r < c.rows.size(); ++r) most = std::max(most, c.table.at(r, k));
    right += most;
  }
  return {static_cast<double>(right) / static_cast<double>(c.table.n), ""};
}

Metric cluster_accuracy(Labels truth, Labels predicted) {
  const Comparison c(truth, predicted);
  if (!c.undefined.empty()) return {std::nullopt, c.undefined};
  const std::vector<std::int64_t> match = maximum_assignment(c.table.counts, c.rows.size(), c.columns.size());
  std::int64_t right = 0;
  for (std::size_t r = 0; r < match.size(); ++r)
    if (match[r] >= 0) right += c.table.at(r, static_cast<std::size_t>(match[r]));
  return {static_cast<double>(right) / static_cast<double>(c.table.n), ""};
}

std::vector<std::int64_t> maximum_assignment(std::span<const std::int64_t> weights, std::size_t rows,
                                             std::size_t columns) {
  // Minimises cost = -weight on a square padded with zeros. Rows enter one by one; each extends the matching
  // along a shortest augmenting path in reduced costs. Index 0 of the square stands for "none".
  const std::size_t size = std::max(rows, columns);
  const auto cost = [&](std::size_t r, std::size_t c) {
    return r <= rows && c <= columns ? -weights[(r - 1) * columns + (c - 1)] : 0;
  };
  constexpr std::int64_t infinity = std::numeric_limits<std::int64_t>::max() / 2;
  std::vector<std::int64_t> row_potential(size + 1, 0), column_potential(size + 1, 0);
  std::vector<std::size_t> row_of(size + 1, 0), previous(size + 1, 0);
  for (std::size_t row = 1; row <= size; ++row) {
    std::vector<std::int64_t> distance(size + 1, infinity);
    std::vector<bool> done(size + 1, false);
    row_of[0] = row;
    std::size_t column = 0;
    do {
      done[column] = true;
      const std::size_t from = row_of[column];
      std::int64_t step = infinity;
      std::size_t next = 0;
      for (std::size_t c = 1; c <= size; ++c) {
        if (done[c]) continue;
        const std::int64_t reduced = cost(from, c) - row_potential[from] - column_potential[c];
        if (reduced < distance[c]) {
          distance[c] = reduced;
          previous[c] = column;
        }
        if (distance[c] < step) {
          step = distance[c];
          next = c;
        }
      }
      for (std::size_t c = 0; c <= size; ++c) {
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
    if (row_of[c] >= 1 && row_of[c] <= rows) match[row_of[c] - 1] = static_cast<std::int64_t>(c - 1);
  return match;
}

}  // namespace chorale::cluster

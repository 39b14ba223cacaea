// SPDX-License-Identifier: MIT
// Metrics against known labels from the information that classes and clusters share; in nats.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "cluster/contingency.h"

namespace chorale::cluster {
namespace {

double entropy(const std::vector<std::int64_t>& counts, std::int64_t n) {
  double h = 0;
  for (const std::int64_t count : counts) {
    const double p = static_cast<double>(count) / static_cast<double>(n);
    if (count > 0) h -= p * std::log(p);
  }
  return h;
}

/// The table's sums with what follows from them.
struct Information {
  TableSums sums;
  double classes = 0, clusters = 0, shared = 0;

  explicit Information(const Contingency& table) : sums(table) {
    if (!sums.undefined.empty()) return;
    classes = entropy(sums.rows, table.n);
    clusters = entropy(sums.columns, table.n);
    if (sums.rows.size() == 1 || sums.columns.size() == 1) return;
    const double n = static_cast<double>(table.n);
    for (std::size_t r = 0; r < sums.rows.size(); ++r)
      for (std::size_t c = 0; c < sums.columns.size(); ++c) {
        const double count = static_cast<double>(table.at(r, c));
        if (count == 0) continue;
        shared += count / n *
                  (std::log(count) - std::log(static_cast<double>(sums.rows[r])) -
                   std::log(static_cast<double>(sums.columns[c])) + std::log(n));
      }
    if (shared <= std::numeric_limits<double>::epsilon()) shared = 0;
  }

  double average(Average average) const {
    switch (average) {
      case Average::minimum:
        return std::min(classes, clusters);
      case Average::geometric:
        return std::sqrt(classes * clusters);
      case Average::arithmetic:
        return 0.5 * (classes + clusters);
      case Average::maximum:
        return std::max(classes, clusters);
    }
    throw ContractError("mutual information: unknown average");
  }
  bool is_single() const { return sums.rows.size() == 1 && sums.columns.size() == 1; }
};

/// What one cell of row sum a and column sum b is expected to give to the mutual information of n points, if
/// the labels were shuffled: its count k is hypergeometric. Probabilities follow from that of the mode by
/// their ratios, on both sides until they are negligible, and are scaled by their sum.
double expected_information(double a, double b, double n) {
  const double lowest = std::max(0.0, a + b - n), highest = std::min(a, b);
  const double mode = std::clamp(std::floor((a + 1) * (b + 1) / (n + 2)), lowest, highest);
  constexpr double negligible = 1e-20;
  double total = 0, information = 0;
  const auto add = [&](double k, double p) {
    total += p;
    if (k > 0) information += p * k / n * std::log(n * k / (a * b));
  };
  double p = 1;
  for (double k = mode; k <= highest && p > negligible; ++k) {
    add(k, p);
    p *= (a - k) * (b - k) / ((k + 1) * (n - a - b + k + 1));
  }
  p = 1;
  for (double k = mode; k > lowest;) {
    p *= k * (n - a - b + k) / ((a - k + 1) * (b - k + 1));
    --k;
    if (p <= negligible) break;
    add(k, p);
  }
  return information / total;
}

/// Each value that occurs, and how often: many clusters of a few points cost no more than a few.
std::map<std::int64_t, double> with_multiplicity(const std::vector<std::int64_t>& counts) {
  std::map<std::int64_t, double> values;
  for (const std::int64_t count : counts) values[count] += 1;
  return values;
}

}  // namespace

Metric mutual_info(const Contingency& table) {
  const Information i(table);
  if (!i.sums.undefined.empty()) return {std::nullopt, i.sums.undefined};
  return {i.shared, ""};
}

Metric normalized_mutual_info(const Contingency& table, Average average) {
  const Information i(table);
  if (!i.sums.undefined.empty()) return {std::nullopt, i.sums.undefined};
  if (i.is_single()) return {1.0, ""};
  if (i.shared == 0) return {0.0, ""};
  return {i.shared / i.average(average), ""};
}

Metric adjusted_mutual_info(const Contingency& table, Average average) {
  const Information i(table);
  if (!i.sums.undefined.empty()) return {std::nullopt, i.sums.undefined};
  if (i.is_single()) return {1.0, ""};
  if (i.sums.rows.size() == 1 || i.sums.columns.size() == 1) return {0.0, ""};
  double expected = 0;
  for (const auto& [row, rows] : with_multiplicity(i.sums.rows))
    for (const auto& [column, columns] : with_multiplicity(i.sums.columns))
      expected += rows * columns *
                  expected_information(static_cast<double>(row), static_cast<double>(column),
                                       static_cast<double>(table.n));
  // Where the expectation is the maximum, both differences are rounding: as scikit-learn, they keep their
  // signs and are no smaller than epsilon.
  const auto away_from_zero = [](double x) {
    return std::copysign(std::max(std::fabs(x), std::numeric_limits<double>::epsilon()), x);
  };
  return {away_from_zero(i.shared - expected) / away_from_zero(i.average(average) - expected), ""};
}

Metric homogeneity(const Contingency& table) {
  const Information i(table);
  if (!i.sums.undefined.empty()) return {std::nullopt, i.sums.undefined};
  return {i.classes > 0 ? i.shared / i.classes : 1.0, ""};
}

Metric completeness(const Contingency& table) {
  const Information i(table);
  if (!i.sums.undefined.empty()) return {std::nullopt, i.sums.undefined};
  return {i.clusters > 0 ? i.shared / i.clusters : 1.0, ""};
}

Metric v_measure(const Contingency& table, double beta) {
  const Metric h = homogeneity(table), c = completeness(table);
  if (!h.value || !c.value) return h;
  if (*h.value + *c.value == 0) return {0.0, ""};
  return {(1 + beta) * *h.value * *c.value / (beta * *h.value + *c.value), ""};
}

}  // namespace chorale::cluster

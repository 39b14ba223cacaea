// SPDX-License-Identifier: MIT
#include "cluster/equal_rows.h"

#include <algorithm>
#include <numeric>

namespace chorale::cluster {
namespace {

using Ids = std::vector<std::int32_t>;

/// Lowest equal row of each, themselves included.
Ids lowest_equals(const OrderedPoints& p) {
  const std::vector<float> norms = p.norms.to_host<float>();
  const Ids ids = p.ids.to_host<std::int32_t>();
  std::vector<std::size_t> places(ids.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) { return norms[a] < norms[b]; });

  std::vector<std::int64_t> suspects;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const float norm = norms[places[i]];
    if ((i > 0 && norms[places[i - 1]] == norm) || (i + 1 < places.size() && norms[places[i + 1]] == norm))
      suspects.push_back(ids[places[i]]);
  }
  Ids lowest(ids.size());
  std::iota(lowest.begin(), lowest.end(), 0);
  if (suspects.empty()) return lowest;

  const std::vector<float> values = p.x.gather_rows(suspects).to_host<float>();
  const auto d = static_cast<std::ptrdiff_t>(p.x.dim(1));
  std::vector<std::ptrdiff_t> order(suspects.size());
  std::iota(order.begin(), order.end(), std::ptrdiff_t{0});
  const auto row = [&](std::ptrdiff_t i) { return values.begin() + i * d; };
  const auto id = [&](std::ptrdiff_t i) { return suspects[static_cast<std::size_t>(i)]; };
  std::sort(order.begin(), order.end(), [&](std::ptrdiff_t a, std::ptrdiff_t b) {
    const auto [x, y] = std::mismatch(row(a), row(a) + d, row(b));
    return x != row(a) + d ? *x < *y : id(a) < id(b);
  });
  for (std::size_t i = 1; i < order.size(); ++i)
    if (std::equal(row(order[i]), row(order[i]) + d, row(order[i - 1])))
      lowest[static_cast<std::size_t>(id(order[i]))] = lowest[static_cast<std::size_t>(id(order[i - 1]))];
  return lowest;
}

}  // namespace

std::vector<std::int64_t> EqualRows::firsts() const {
  std::vector<std::int64_t> rows(count());
  for (std::size_t g = 0; g < rows.size(); ++g) rows[g] = members[offsets[g]];
  return rows;
}

EqualRows group_equal_rows(const OrderedPoints& p) {
  const Ids lowest = lowest_equals(p);
  EqualRows groups{Ids(lowest.size()), {}};
  std::iota(groups.members.begin(), groups.members.end(), 0);
  const auto key = [&](std::int32_t i) { return lowest[static_cast<std::size_t>(i)]; };
  std::stable_sort(groups.members.begin(), groups.members.end(),
                   [&](std::int32_t a, std::int32_t b) { return key(a) < key(b); });
  for (std::size_t i = 0; i < groups.members.size(); ++i)
    if (key(groups.members[i]) == groups.members[i]) groups.offsets.push_back(i);
  groups.offsets.push_back(groups.members.size());
  return groups;
}

}  // namespace chorale::cluster

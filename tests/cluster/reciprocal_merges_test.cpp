// SPDX-License-Identifier: MIT
#include "cluster/reciprocal_merges.h"

#include <gtest/gtest.h>

namespace chorale::cluster {
namespace {

/// Clusters that each prefer the next one, the last one the first: no order of distances has that.
class CircleStore : public ClusterStore {
 public:
  explicit CircleStore(std::int32_t count) : alive_(static_cast<std::size_t>(count), true) {}

  void nearest(std::span<const std::int32_t> listed, std::vector<std::int32_t>& columns,
               std::vector<float>& distances) override {
    ++searches;
    columns.clear();
    distances.clear();
    for (std::int32_t column : listed) {
      // The second side is the shortest.
      distances.push_back(column == 1 ? 1.0f : 2.0f);
      do column = (column + 1) % static_cast<std::int32_t>(alive_.size());
      while (!alive_[static_cast<std::size_t>(column)]);
      columns.push_back(column);
    }
  }

  std::vector<double> merge(std::span<const Pair> pairs) override {
    for (const Pair& pair : pairs) alive_[static_cast<std::size_t>(pair.second)] = false;
    return std::vector<double>(pairs.size(), 1.0);
  }

  void compact(std::span<const std::int32_t>) override { FAIL() << "of so few?"; }

  int searches = 0;

 private:
  std::vector<bool> alive_;
};

TEST(ReciprocalMerges, CirclesAreMergedAtTheirShortestSide) {
  for (const std::int32_t count : {3, 4, 17}) {
    CircleStore store(count);
    const std::vector<Merge> merges = merge_reciprocal_neighbours(store, count);
    ASSERT_EQ(merges.size(), static_cast<std::size_t>(count - 1));
    EXPECT_EQ(merges[0].first, 1);
    EXPECT_EQ(merges[0].second, 2);
    EXPECT_LE(store.searches, 3 * count);
  }
}

}  // namespace
}  // namespace chorale::cluster

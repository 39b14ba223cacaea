// SPDX-License-Identifier: MIT
#include "data/split.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/error.h"

namespace chorale::data {
namespace {

std::pair<std::vector<std::string>, std::vector<std::string>> songs(int n) {
  std::vector<std::string> ids, languages;
  for (int i = 0; i < n; ++i) {
    ids.push_back("xx_" + std::to_string(1000 + i));
    languages.push_back(i % 4 == 0 ? "hindi" : "english");
  }
  return {ids, languages};
}

TEST(Split, EachLanguageGivesItsShare) {
  const auto [ids, languages] = songs(200);
  const Split split = split_songs(ids, languages, 0.2, 1);
  EXPECT_EQ(split.train.size(), 160u);
  EXPECT_EQ(split.validation.size(), 40u);
  const auto hindi = std::count_if(
      split.validation.begin(), split.validation.end(),
      [&languages = languages](auto i) { return languages[static_cast<std::size_t>(i)] == "hindi"; });
  EXPECT_EQ(hindi, 10);
  std::vector<std::int64_t> all = split.train;
  all.insert(all.end(), split.validation.begin(), split.validation.end());
  std::sort(all.begin(), all.end());
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], static_cast<std::int64_t>(i));
}

TEST(Split, DependsOnTheSeedAndNotOnTheOrder) {
  auto [ids, languages] = songs(100);
  const auto names = [&ids = ids](const Split& split) {
    std::vector<std::string> v;
    for (auto i : split.validation) v.push_back(ids[static_cast<std::size_t>(i)]);
    std::sort(v.begin(), v.end());
    return v;
  };
  const auto first = names(split_songs(ids, languages, 0.2, 1));
  EXPECT_NE(first, names(split_songs(ids, languages, 0.2, 2)));
  std::reverse(ids.begin(), ids.end());
  std::reverse(languages.begin(), languages.end());
  EXPECT_EQ(first, names(split_songs(ids, languages, 0.2, 1)));
}

TEST(Split, NewSongsMoveFewOldOnes) {
  const auto [ids, languages] = songs(400);
  const auto [more_ids, more_languages] = songs(420);
  const Split before = split_songs(ids, languages, 0.2, 3),
              after = split_songs(more_ids, more_languages, 0.2, 3);
  std::int64_t moved = 0;
  for (auto i : before.validation)
    moved += !std::binary_search(after.validation.begin(), after.validation.end(), i);
  EXPECT_LE(moved, 8);
}

TEST(Split, EveryLanguageKeepsASongToTrainOn) {
  const Split split = split_songs({"a_1", "b_1"}, {"a", "b"}, 0.9, 0);
  EXPECT_EQ(split.train.size(), 2u);
  EXPECT_TRUE(split.validation.empty());
  EXPECT_THROW(split_songs({"a_1"}, {"a"}, 1.0, 0), UsageError);
  EXPECT_THROW(split_songs({"a_1"}, {"a"}, -0.1, 0), UsageError);
}

}  // namespace
}  // namespace chorale::data

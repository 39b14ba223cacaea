// SPDX-License-Identifier: MIT
#include "data/split.h"

#include <algorithm>
#include <cmath>
#include <map>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "kernels/error.h"

namespace chorale::data {

Split split_songs(const std::vector<std::string>& song_ids, const std::vector<std::string>& groups,
                  double fraction, std::uint64_t seed) {
  if (!(fraction >= 0 && fraction < 1))
    throw UsageError("training.validation_fraction: out of range: " + std::to_string(fraction) +
                     " (allowed [0, 1))");
  if (song_ids.size() != groups.size()) throw ContractError("split: ids and groups differ in length");
  std::map<std::string, std::vector<std::pair<std::uint64_t, std::int64_t>>> by_group;
  for (std::size_t i = 0; i < song_ids.size(); ++i)
    by_group[groups[i]].emplace_back(XXH3_64bits_withSeed(song_ids[i].data(), song_ids[i].size(), seed),
                                     static_cast<std::int64_t>(i));
  Split split;
  for (auto& [group, songs] : by_group) {
    std::sort(songs.begin(), songs.end());
    const auto n = static_cast<std::int64_t>(songs.size());
    const std::int64_t held_out =
        std::min<std::int64_t>(std::llround(fraction * static_cast<double>(n)), n - 1);
    for (std::int64_t i = 0; i < n; ++i)
      (i < held_out ? split.validation : split.train).push_back(songs[static_cast<std::size_t>(i)].second);
  }
  std::sort(split.train.begin(), split.train.end());
  std::sort(split.validation.begin(), split.validation.end());
  return split;
}

}  // namespace chorale::data

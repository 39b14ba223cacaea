// SPDX-License-Identifier: MIT
// Training and validation songs. A song's side depends on its id, the seed and its language alone as far as
// the fractions allow, so that adding songs moves few others; every clip of a song goes with it.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace chorale::data {

struct Split {
  std::vector<std::int64_t> train, validation;  ///< indices into the songs, ascending
};

/// Within each group (language) the songs with the smallest hash of (id, seed) validate: round(fraction * n)
/// of them, at most n - 1. UsageError unless 0 <= fraction < 1; ContractError if the lengths differ.
Split split_songs(const std::vector<std::string>& song_ids, const std::vector<std::string>& groups,
                  double fraction, std::uint64_t seed);

}  // namespace chorale::data

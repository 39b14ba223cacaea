// SPDX-License-Identifier: MIT
// Songs of several clips: a model sees clips, songs are split, labelled and clustered.
#pragma once
#include <cstdint>
#include <vector>

#include "tensor/tensor.h"

namespace chorale::tools {

/// The rows that belong to some songs. `song_of_row` and `songs` are ascending, so are the rows.
std::vector<std::int64_t> clips_of(const std::vector<std::int64_t>& songs,
                                   const std::vector<std::int64_t>& song_of_row);

/// A song's value for each of its rows; empty if there is none.
std::vector<std::int64_t> by_clip(const std::vector<std::int64_t>& by_song,
                                  const std::vector<std::int64_t>& song_of_row);

/// Means of each song's rows of f32 (n, d), added in f64: f32 (songs, d). Every song has a row at least.
Tensor song_means(const Tensor& clips, const std::vector<std::int64_t>& song_of_row);

}  // namespace chorale::tools

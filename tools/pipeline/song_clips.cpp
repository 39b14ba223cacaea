// SPDX-License-Identifier: MIT
#include "tools/pipeline/song_clips.h"

#include <algorithm>

#include "kernels/error.h"

namespace chorale::tools {

std::vector<std::int64_t> clips_of(const std::vector<std::int64_t>& songs,
                                   const std::vector<std::int64_t>& song_of_row) {
  std::vector<std::int64_t> rows;
  for (std::size_t row = 0; row < song_of_row.size(); ++row)
    if (std::binary_search(songs.begin(), songs.end(), song_of_row[row]))
      rows.push_back(static_cast<std::int64_t>(row));
  return rows;
}

std::vector<std::int64_t> by_clip(const std::vector<std::int64_t>& by_song,
                                  const std::vector<std::int64_t>& song_of_row) {
  if (by_song.empty()) return {};
  std::vector<std::int64_t> values;
  values.reserve(song_of_row.size());
  for (const std::int64_t song : song_of_row) values.push_back(by_song[static_cast<std::size_t>(song)]);
  return values;
}

Tensor song_means(const Tensor& clips, const std::vector<std::int64_t>& song_of_row) {
  if (clips.dim(0) != static_cast<std::int64_t>(song_of_row.size()))
    throw ContractError("song_means: " + std::to_string(song_of_row.size()) + " songs for " +
                        std::to_string(clips.dim(0)) + " rows");
  const std::int64_t songs = song_of_row.empty() ? 0 : song_of_row.back() + 1;
  if (songs == clips.dim(0)) return clips;
  const auto columns = static_cast<std::size_t>(clips.dim(1));
  const std::vector<float> values = clips.to_host<float>();
  std::vector<float> means;
  means.reserve(static_cast<std::size_t>(songs) * columns);
  std::vector<double> sum(columns);
  for (std::size_t row = 0; row < song_of_row.size();) {
    const std::size_t begin = row;
    std::fill(sum.begin(), sum.end(), 0.0);
    for (; row < song_of_row.size() && song_of_row[row] == song_of_row[begin]; ++row)
      for (std::size_t c = 0; c < columns; ++c) sum[c] += double{values[row * columns + c]};
    for (const double s : sum) means.push_back(static_cast<float>(s / static_cast<double>(row - begin)));
  }
  return Tensor::from_host(means, {songs, clips.dim(1)});
}

}  // namespace chorale::tools

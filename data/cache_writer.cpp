// SPDX-License-Identifier: MIT
#include "data/cache_writer.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "data/csv.h"

namespace chorale::data {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t shard_rows = 64;  ///< but for the last

}  // namespace

CacheWriter::CacheWriter(const Corpus& corpus, const FeatureSettings& settings, bool verify)
    : folder_(cache_folder(corpus, settings)), extract_(settings) {
  create_directories(folder_);
  lock_.emplace(folder_);
  remove_stale_temporaries(folder_);
  take_up(settings, verify);
}

void CacheWriter::take_up(const FeatureSettings& settings, bool verify) {
  const std::string path = folder_ + "/index.json";
  if (auto index = FeatureIndex::read(path, &rebuilt_)) {
    if (index->settings != settings.text())
      rebuilt_ = "of other settings: " + printable(index->settings);
    else if (!index->shards.empty() && index->row_shape != feature_shape(settings))
      rebuilt_ = "rows of shape " + to_string(index->row_shape) + ", these settings give " +
                 to_string(feature_shape(settings));
    else
      index_ = std::move(*index);
  }
  index_.settings = settings.text();
  index_.row_shape = feature_shape(settings);
  drop_damaged_shards(verify);
}

bool CacheWriter::needs(const Song& song, const FileStamp& stamp) {
  const auto found = index_.songs.find(song.song_id);
  if (found == index_.songs.end()) return true;
  if (found->second.stamp == stamp && found->second.audio_path == song.audio_path.string()) return false;
  index_.songs.erase(found);
  return true;
}

const IndexedSong* CacheWriter::find(const std::string& song_id) const {
  const auto found = index_.songs.find(song_id);
  return found == index_.songs.end() ? nullptr : &found->second;
}

void CacheWriter::add_bad(const Song& song, const FileStamp& stamp, const std::string& reason) {
  index_.songs[song.song_id] = {song.audio_path.string(), stamp, -1, 0, 0, reason};
  changed_ = true;
}

void CacheWriter::add(const std::vector<ClipOrigin>& origins, const Tensor& clips,
                      const std::vector<std::int64_t>& lengths) {
  const std::vector<Tensor> parts = extract_(clips, Tensor::from_host(lengths, {clips.dim(0)}));
  const std::int64_t row_size = element_count(index_.row_shape), n = clips.dim(0);
  std::int64_t size = 0;
  for (const Tensor& part : parts) size += part.size();
  if (size != n * row_size)
    throw ContractError("feature cache: rows of another shape than feature_shape() says");
  for (std::int64_t i = 0; i < n;) {
    if (shard_ && shard_->room() == 0) close_shard();
    if (!shard_) shard_.emplace(folder_ + "/" + shard_name(next_shard()), index_.row_shape, shard_rows);
    const std::int64_t row = shard_->rows(), end = std::min(n, i + shard_->room());
    shard_->append(parts, i, end);
    for (std::int64_t at = i; at < end; ++at) note(origins[static_cast<std::size_t>(at)], row + at - i);
    i = end;
  }
  if (changed_ && Clock::now() >= index_due_) write_index();
}

/// A clip is row `row` of the shard that is open.
void CacheWriter::note(const ClipOrigin& origin, std::int64_t row) {
  if (origin.first) open_ = {origin.song->audio_path.string(), origin.stamp, next_shard(), row, 0, ""};
  ++open_.count;
  if (origin.last) closed_.emplace_back(origin.song->song_id, open_);
}

void CacheWriter::flush() {
  if (shard_) close_shard();
  if (changed_) write_index();
}

void CacheWriter::close_shard() {
  const int number = next_shard();
  index_.shards[number] = shard_->commit();
  shard_.reset();
  for (const auto& [song_id, song] : closed_) index_.songs[song_id] = song;
  closed_.clear();
  changed_ = true;
}

/// The index of a large collection takes long to write: it is written less often then, so that it never takes
/// more than a twentieth of the time. What a kill costs is the shards since.
void CacheWriter::write_index() {
  const auto start = Clock::now();
  index_.write(folder_ + "/index.json");
  changed_ = false;
  const auto end = Clock::now();
  index_due_ = end + 20 * (end - start);
}

void CacheWriter::remove_unused_shards() {
  std::set<int> used;
  for (const auto& [song_id, song] : index_.songs)
    for (const RowRange& range : index_.ranges(song)) used.insert(range.shard);
  changed_ |=
      std::erase_if(index_.shards, [&](const auto& shard) { return !used.contains(shard.first); }) > 0;
  flush();
  std::set<std::string> known;
  for (const auto& [number, shard] : index_.shards) known.insert(shard_name(number));
  for (const auto& entry : fs::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    std::error_code ignored;
    if (name.starts_with("shard_") && !known.contains(name)) fs::remove(entry.path(), ignored);
  }
}

std::string CacheWriter::list_skipped(const std::vector<SkippedSong>& skipped) const {
  const std::string path = folder_ + "/skipped.csv";
  if (skipped.empty()) {
    std::error_code ignored;
    fs::remove(path, ignored);
    return {};
  }
  const std::vector<std::string> header{"song_id", "audio_path", "reason"};
  std::string text = format_csv_row(header);
  for (const SkippedSong& song : skipped)
    text += format_csv_row(std::vector{song.song_id, song.path, song.reason});
  write_file(path, text, Durability::fast);
  return path;
}

void CacheWriter::drop_damaged_shards(bool verify) {
  std::set<int> damaged;
  for (auto& [number, shard] : index_.shards) {
    const std::string path = folder_ + "/" + shard_name(number);
    const auto stamp = file_stamp(path);
    if (stamp == shard.stamp && !verify) continue;
    if (!stamp || file_hash(path) != shard.hash) {
      damaged.insert(number);
    } else if (stamp != shard.stamp) {
      shard.stamp = *stamp;
      changed_ = true;
    }
  }
  std::erase_if(index_.songs, [&](const auto& song) {
    const std::vector<RowRange> ranges = index_.ranges(song.second);
    return std::any_of(ranges.begin(), ranges.end(),
                       [&](const RowRange& range) { return damaged.contains(range.shard); });
  });
  changed_ |=
      std::erase_if(index_.shards, [&](const auto& shard) { return damaged.contains(shard.first); }) > 0;
}

}  // namespace chorale::data

// SPDX-License-Identifier: MIT
#include "data/feature_index.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <nlohmann/json.hpp>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tensor/file.h"
#include "tensor/json.h"

namespace chorale::data {
namespace {

constexpr int index_version = 2;
constexpr std::uint64_t largest_index = 1u << 30;

std::string hex(std::uint64_t value) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016" PRIx64, value);
  return text.data();
}

}  // namespace

std::optional<FileStamp> file_stamp(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return FileStamp{static_cast<std::uint64_t>(info.st_size),
                   std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec};
}

std::string shard_name(int shard) {
  std::array<char, 32> name{};
  std::snprintf(name.data(), name.size(), "shard_%05d.npy", shard);
  return name.data();
}

std::string text_hash(const std::string& text) { return hex(XXH3_64bits(text.data(), text.size())); }

std::string file_hash(const std::string& path) {
  const InputFile file(path);
  std::vector<std::byte> block(1u << 20);
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  for (std::uint64_t offset = 0;;) {
    const std::size_t n = file.read_some(offset, block);
    if (n == 0) break;
    XXH3_64bits_update(&state, block.data(), n);
    offset += n;
  }
  return hex(XXH3_64bits_digest(&state));
}

std::optional<FeatureIndex> FeatureIndex::read(const std::string& path) {
  try {
    const nlohmann::json json = parse_json(read_file_bounded(path, largest_index), path);
    if (json.at("version") != index_version) return std::nullopt;
    FeatureIndex index;
    index.settings = json.at("settings");
    index.row_shape = json.at("row_shape").get<Shape>();
    for (const auto& [key, shard] : json.at("shards").items())
      index.shards[std::stoi(key)] = {shard.at("rows"), shard.at("hash")};
    for (const auto& [id, song] : json.at("songs").items()) {
      IndexedSong& s = index.songs[id];
      s.audio_path = song.at("audio_path");
      s.stamp = {song.at("size"), song.at("modified_ns")};
      s.shard = song.at("shard");
      s.row = song.at("row");
      s.count = song.at("count");
      s.reason = song.at("reason");
      if (s.shard >= 0 && index.ranges(s).empty()) return std::nullopt;
    }
    return index;
  } catch (const Error&) {
    return std::nullopt;
  } catch (const std::exception&) {  // a value of another type
    return std::nullopt;
  }
}

void FeatureIndex::write(const std::string& path) const {
  nlohmann::json json = {{"version", index_version}, {"settings", settings}, {"row_shape", row_shape}};
  json["shards"] = nlohmann::json::object();
  for (const auto& [number, shard] : shards)
    json["shards"][std::to_string(number)] = {{"rows", shard.rows}, {"hash", shard.hash}};
  json["songs"] = nlohmann::json::object();
  for (const auto& [id, song] : songs)
    json["songs"][id] = {
        {"audio_path", song.audio_path}, {"size", song.stamp.size}, {"modified_ns", song.stamp.modified_ns},
        {"shard", song.shard},           {"row", song.row},         {"count", song.count},
        {"reason", song.reason}};
  write_file(path, json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n",
             Durability::fast);
}

std::vector<RowRange> FeatureIndex::ranges(const IndexedSong& song) const {
  std::vector<RowRange> ranges;
  if (song.shard < 0) return {};
  std::int64_t row = song.row, left = song.count;
  for (int number = song.shard; left > 0; ++number, row = 0) {
    const auto shard = shards.find(number);
    if (shard == shards.end() || row < 0 || row >= shard->second.rows) return {};
    ranges.push_back({number, row, std::min(left, shard->second.rows - row)});
    left -= ranges.back().count;
  }
  return ranges;
}

}  // namespace chorale::data

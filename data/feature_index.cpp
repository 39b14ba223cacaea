// SPDX-License-Identifier: MIT
#include "data/feature_index.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
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
constexpr int largest_shard = 1 << 30;

std::string hex(std::uint64_t value) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016" PRIx64, value);
  return text.data();
}

FeatureIndex from_json(const nlohmann::json& json) {
  FeatureIndex index;
  index.settings = json.at("settings");
  index.row_shape = json.at("row_shape").get<Shape>();
  for (const auto& [key, shard] : json.at("shards").items()) {
    int number = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), number);
    if (error != std::errc{} || end != key.data() + key.size() || number < 0 || number > largest_shard)
      throw InputError("damaged: a shard without a number");
    index.shards[number] = {
        shard.at("rows"),
        shard.at("hash"),
        {shard.value("size", std::uint64_t{0}), shard.value("modified_ns", std::int64_t{0})}};
  }
  for (const auto& [id, song] : json.at("songs").items()) {
    IndexedSong& s = index.songs[id];
    s.audio_path = song.at("audio_path");
    s.stamp = {song.at("size"), song.at("modified_ns")};
    s.shard = song.at("shard");
    s.row = song.at("row");
    s.count = song.at("count");
    s.reason = song.at("reason");
    if (s.shard >= 0 && index.ranges(s).empty()) throw InputError("damaged: a song whose rows are not there");
  }
  return index;
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

struct ContentHash::State {
  XXH3_state_t xxh3;
};

ContentHash::ContentHash() : state_(std::make_unique<State>()) { XXH3_64bits_reset(&state_->xxh3); }
ContentHash::~ContentHash() = default;
void ContentHash::add(std::span<const std::byte> bytes) {
  XXH3_64bits_update(&state_->xxh3, bytes.data(), bytes.size());
}
std::string ContentHash::text() const { return hex(XXH3_64bits_digest(&state_->xxh3)); }

std::string file_hash(const std::string& path) {
  const InputFile file(path);
  std::vector<std::byte> block(1u << 20);
  ContentHash hash;
  for (std::uint64_t offset = 0;;) {
    const std::size_t n = file.read_some(offset, block);
    if (n == 0) break;
    hash.add(std::span(block).first(n));
    offset += n;
  }
  return hash.text();
}

std::string file_hash(const std::string& path, std::span<const std::byte> tail) {
  const InputFile file(path);
  std::vector<std::byte> head(file.size() - std::min<std::uint64_t>(file.size(), tail.size()));
  file.read_at(0, head);
  ContentHash hash;
  hash.add(head);
  hash.add(tail);
  return hash.text();
}

std::optional<FeatureIndex> FeatureIndex::read(const std::string& path, std::string* why) {
  std::string reason;
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0 || errno != ENOENT) {
    try {
      const nlohmann::json json = parse_json(read_file_bounded(path, largest_index), path);
      const std::int64_t version = json.at("version");
      if (version == index_version) return from_json(json);
      reason = "written as version " + std::to_string(version) + ", this is version " +
               std::to_string(index_version);
    } catch (const Error& error) {
      reason = error.what();
    } catch (const nlohmann::json::exception&) {
      reason = "damaged: a value is missing or of another type";
    }
  }
  if (why) *why = reason;
  return std::nullopt;
}

void FeatureIndex::write(const std::string& path) const {
  nlohmann::json json = {{"version", index_version}, {"settings", settings}, {"row_shape", row_shape}};
  json["shards"] = nlohmann::json::object();
  for (const auto& [number, shard] : shards)
    json["shards"][std::to_string(number)] = {{"rows", shard.rows},
                                              {"hash", shard.hash},
                                              {"size", shard.stamp.size},
                                              {"modified_ns", shard.stamp.modified_ns}};
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
  std::int64_t row = song.row, left = song.count;
  for (auto shard = shards.find(song.shard); left > 0; ++shard, row = 0) {
    const bool next = ranges.empty() || (shard != shards.end() && shard->first == ranges.back().shard + 1);
    if (!next || shard == shards.end() || row < 0 || row >= shard->second.rows) return {};
    ranges.push_back({shard->first, row, std::min(left, shard->second.rows - row)});
    left -= ranges.back().count;
  }
  return ranges;
}

}  // namespace chorale::data

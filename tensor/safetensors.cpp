// SPDX-License-Identifier: MIT
#include "tensor/safetensors.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "tensor/json.h"
#include "tensor/safetensors_layout.h"
#include "tensor/transfer.h"

namespace chorale {
namespace {

using nlohmann::json;
using safetensors::max_header;
using safetensors::NamedType;
using safetensors::types;

constexpr std::size_t max_tensors = 100'000;
constexpr std::size_t chunk_bytes = std::size_t{1} << 20;

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw InputError(printable(path) + ": not a readable safetensors file: " + what);
}

struct HeaderEntry {
  std::string name;
  TensorInfo info;
  std::uint64_t begin = 0, end = 0;
};

class HeaderReader {
 public:
  HeaderReader(const std::string& path, std::uint64_t data_bytes) : path_(path), data_bytes_(data_bytes) {}

  std::vector<HeaderEntry> tensors;
  std::map<std::string, std::string> metadata;

  void read(const json& header) {
    if (!header.is_object()) fail(path_, "header is no JSON object");
    if (header.size() > max_tensors) {
      fail(path_,
           std::to_string(header.size()) + " tensors (allowed at most " + std::to_string(max_tensors) + ")");
    }
    for (const auto& [name, value] : header.items()) {
      if (name == "__metadata__") {
        read_metadata(value);
      } else {
        tensors.push_back(read_tensor(name, value));
      }
    }
    check_layout();
  }

 private:
  [[noreturn]] void fail_tensor(const std::string& name, const std::string& what) const {
    fail(path_, "tensor '" + printable(name, 100) + "': " + what);
  }

  void read_metadata(const json& value) {
    if (!value.is_object()) fail(path_, "__metadata__ is no object");
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) fail(path_, "__metadata__: '" + printable(key, 100) + "' is no string");
      metadata[key] = text.get<std::string>();
    }
  }

  HeaderEntry read_tensor(const std::string& name, const json& value) const {
    if (!value.is_object()) fail_tensor(name, "no JSON object");
    for (const auto& [key, ignored] : value.items()) {
      if (key != "dtype" && key != "shape" && key != "data_offsets") {
        fail_tensor(name, "unknown key '" + printable(key, 40) + "' (allowed dtype, shape, data_offsets)");
      }
    }
    const auto member = [&](const char* key) -> const json& {
      const auto found = value.find(key);
      if (found == value.end()) fail_tensor(name, std::string("lacks ") + key);
      return *found;
    };
    HeaderEntry entry;
    entry.name = name;
    entry.info.dtype = read_dtype(name, member("dtype"));
    entry.info.bytes = read_shape(name, member("shape"), entry.info);
    const json& offsets = member("data_offsets");
    if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
        !offsets[1].is_number_unsigned()) {
      fail_tensor(name, "data_offsets are not two whole numbers");
    }
    entry.begin = offsets[0].get<std::uint64_t>();
    entry.end = offsets[1].get<std::uint64_t>();
    const std::string span = "[" + std::to_string(entry.begin) + ", " + std::to_string(entry.end) + "]";
    if (entry.end < entry.begin) fail_tensor(name, "reversed data_offsets " + span);
    if (entry.end > data_bytes_) {
      fail_tensor(name, "data_offsets " + span + " beyond the file's " + std::to_string(data_bytes_) +
                            " bytes of data");
    }
    if (entry.end - entry.begin != entry.info.bytes) {
      fail_tensor(name, "shape " + to_string(entry.info.shape) + " needs " +
                            std::to_string(entry.info.bytes) + " bytes, data_offsets " + span + " give " +
                            std::to_string(entry.end - entry.begin));
    }
    return entry;
  }

  DType read_dtype(const std::string& name, const json& value) const {
    if (!value.is_string()) fail_tensor(name, "dtype is no string");
    const std::string text = value.get<std::string>();
    if (text == "BOOL") return DType::u8;
    for (const NamedType& type : types) {
      if (text == type.name) return type.dtype;
    }
    fail_tensor(name, "dtype " + printable(text, 40) + " (allowed F64 F32 F16 BF16 I64 I32 I16 U8 BOOL)");
  }

  std::uint64_t read_shape(const std::string& name, const json& value, TensorInfo& info) const {
    if (!value.is_array()) fail_tensor(name, "shape is no array");
    if (value.size() > max_rank) {
      fail_tensor(name, std::to_string(value.size()) + " dimensions (allowed at most " +
                            std::to_string(max_rank) + ")");
    }
    std::int64_t bytes = static_cast<std::int64_t>(dtype_size(info.dtype));
    bool empty = false;
    for (const json& dimension : value) {
      constexpr auto largest = std::numeric_limits<std::int64_t>::max();
      if (!dimension.is_number_unsigned() ||
          dimension.get<std::uint64_t>() > static_cast<std::uint64_t>(largest)) {
        fail_tensor(name, "dimension is no whole number of 63 bits: " + printable(dimension.dump(), 40));
      }
      const auto d = dimension.get<std::int64_t>();
      info.shape.push_back(d);
      empty |= d == 0;
      if (d == 0) continue;
      if (bytes > largest / d) fail_tensor(name, "shape overflows: " + printable(value.dump(), 100));
      bytes *= d;
    }
    return empty ? 0 : static_cast<std::uint64_t>(bytes);
  }

  // The tensors must tile the data: no overlap, no hole, nothing behind the last.
  void check_layout() {
    const auto order = [](const HeaderEntry& e) { return std::tie(e.begin, e.end, e.name); };
    std::sort(tensors.begin(), tensors.end(),
              [&](const HeaderEntry& a, const HeaderEntry& b) { return order(a) < order(b); });
    std::uint64_t expected = 0;
    for (const HeaderEntry& entry : tensors) {
      if (entry.begin < expected) fail_tensor(entry.name, "overlaps the tensor before it");
      if (entry.begin > expected) {
        fail_tensor(entry.name, "hole of " + std::to_string(entry.begin - expected) + " bytes before it");
      }
      expected = entry.end;
    }
    if (expected != data_bytes_) fail(path_, std::to_string(data_bytes_ - expected) + " trailing bytes");
  }

  const std::string& path_;
  std::uint64_t data_bytes_;
};

template <class T>
std::int64_t count_non_finite_in(std::span<const std::byte> data) {
  std::int64_t count = 0;
  for (std::size_t i = 0; i + sizeof(T) <= data.size(); i += sizeof(T)) {
    T value;
    std::memcpy(&value, data.data() + i, sizeof(T));
    if constexpr (std::is_same_v<T, double>) {
      count += !std::isfinite(value);
    } else {
      count += !std::isfinite(to_float(value));
    }
  }
  return count;
}

std::string joined(const std::vector<std::string>& items) {
  constexpr std::size_t shown = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(items.size(), shown); ++i) text += (i ? ", " : "") + items[i];
  if (items.size() > shown) text += " and " + std::to_string(items.size() - shown) + " more";
  return text;
}

std::string describe(DType dtype, const Shape& shape) {
  return std::string(dtype_name(dtype)) + " " + to_string(shape);
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::string& path) : path_(path) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    const std::string single = path + "/model.safetensors", index = single + ".index.json";
    if (fs::exists(single, ignored)) {
      add_file(single);
    } else if (fs::exists(index, ignored)) {
      read_index(index);
    } else {
      throw InputError(printable(path) +
                       ": holds neither model.safetensors nor model.safetensors.index.json");
    }
  } else if (path.ends_with(".json")) {
    read_index(path);
  } else {
    add_file(path);
  }
}

void SafetensorsFile::add_file(const std::string& path) {
  InputFile file(path);
  std::array<unsigned char, 8> start{};
  const std::size_t n = file.read_some(0, std::as_writable_bytes(std::span(start)));
  if (n < start.size()) fail(path, n == 0 ? "empty" : "shorter than 8 bytes");
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < start.size(); ++i) length |= std::uint64_t{start[i]} << (8 * i);
  const auto refuse_length = [&](const std::string& allowed) {
    fail(path, "header of " + std::to_string(length) + " bytes (allowed " + allowed + ")");
  };
  if (length < 2) refuse_length("at least 2");
  if (length > max_header) refuse_length("at most " + std::to_string(max_header));
  if (length > file.size() - std::min<std::uint64_t>(file.size(), start.size()))
    refuse_length("what the file holds");
  std::string text(length, '\0');
  file.read_at(start.size(), std::as_writable_bytes(std::span(text)));
  if (text[0] != '{') fail(path, "header does not start with '{'");
  const std::uint64_t data_offset = start.size() + length;
  HeaderReader header(path, file.size() - data_offset);
  header.read(parse_json(text, path));
  for (HeaderEntry& tensor : header.tensors) {
    const auto [position, added] = entries_.try_emplace(
        tensor.name, Entry{std::move(tensor.info), data_offset + tensor.begin, files_.size()});
    if (!added) fail(path, "tensor '" + printable(tensor.name, 100) + "' is in another shard too");
    names_.push_back(std::move(tensor.name));
  }
  metadata_.merge(header.metadata);
  files_.push_back(std::move(file));
}

void SafetensorsFile::read_index(const std::string& path) {
  const json index = parse_json(read_file_bounded(path, max_header), path);
  const auto refuse = [&](const std::string& what) { fail(path, what); };
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object()) {
    refuse("index has no weight_map");
  }
  std::set<std::string> shards;
  for (const auto& [name, value] : index["weight_map"].items()) {
    if (!value.is_string()) refuse("weight_map: '" + printable(name, 100) + "' is no string");
    const std::string shard = value.get<std::string>();
    if (shard.empty() || shard == "." || shard == ".." ||
        shard.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos) {
      refuse("weight_map names a file outside its folder: '" + printable(shard, 100) +
             "' (allowed: plain file names)");
    }
    shards.insert(shard);
  }
  if (shards.empty()) refuse("weight_map is empty");
  if (shards.size() > 1000) refuse(std::to_string(shards.size()) + " shards (allowed at most 1000)");
  const std::string folder = path.substr(0, path.rfind('/') + 1);
  std::map<std::string, std::size_t> number;
  for (const std::string& shard : shards) {
    number[shard] = files_.size();
    add_file(folder + shard);
  }
  for (const auto& [name, value] : index["weight_map"].items()) {
    const auto found = entries_.find(name);
    if (found == entries_.end() || found->second.file != number[value.get<std::string>()]) {
      refuse("tensor '" + printable(name, 100) + "' is not in " + printable(value.get<std::string>(), 100));
    }
  }
  for (const std::string& name : names_) {
    if (!index["weight_map"].contains(name)) refuse("weight_map lacks tensor '" + printable(name, 100) + "'");
  }
}

const SafetensorsFile::Entry& SafetensorsFile::entry(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end())
    throw InputError(printable(path_) + ": has no tensor '" + printable(name, 100) + "'");
  return found->second;
}

const TensorInfo& SafetensorsFile::info(const std::string& name) const { return entry(name).info; }

void SafetensorsFile::require(const std::string& name, DType dtype) const {
  const TensorInfo& found = info(name);
  if (found.dtype == dtype) return;
  throw InputError(printable(path_) + ": tensor '" + printable(name, 100) + "': dtype " +
                   std::string(dtype_name(found.dtype)) + " (allowed " + std::string(dtype_name(dtype)) +
                   ")");
}

void SafetensorsFile::read_bytes(const std::string& name, std::uint64_t offset,
                                 std::span<std::byte> target) const {
  const Entry& e = entry(name);
  files_[e.file].read_at(e.offset + offset, target);
}

Tensor SafetensorsFile::load(const std::string& name) const {
  const Entry& e = entry(name);
  Tensor tensor(e.info.shape, e.info.dtype);
  read_into(files_[e.file], e.offset, tensor);
  return tensor;
}

void SafetensorsFile::load_into(const std::string& name, const Tensor& target) const {
  const Entry& e = entry(name);
  if (e.info.dtype != target.dtype() || e.info.shape != target.shape()) {
    throw InputError(printable(path_) + ": tensor '" + printable(name, 100) + "': is " +
                     describe(e.info.dtype, e.info.shape) + " (allowed " +
                     describe(target.dtype(), target.shape()) + ")");
  }
  read_into(files_[e.file], e.offset, target);
}

std::int64_t SafetensorsFile::count_non_finite(const std::string& name) const {
  const TensorInfo& found = info(name);
  std::vector<std::byte> chunk(std::min<std::uint64_t>(found.bytes, chunk_bytes));
  std::int64_t count = 0;
  for (std::uint64_t done = 0; done < found.bytes; done += chunk.size()) {
    const std::span part = std::span(chunk).first(std::min<std::uint64_t>(chunk.size(), found.bytes - done));
    read_bytes(name, done, part);
    switch (found.dtype) {
      case DType::f64:
        count += count_non_finite_in<double>(part);
        break;
      case DType::f32:
        count += count_non_finite_in<float>(part);
        break;
      case DType::f16:
        count += count_non_finite_in<half>(part);
        break;
      case DType::bf16:
        count += count_non_finite_in<bf16>(part);
        break;
      case DType::i64:
      case DType::i32:
      case DType::u8:
      case DType::i16:
        return 0;
    }
  }
  return count;
}

void check_tensors(const SafetensorsFile& file, const std::vector<ExpectedTensor>& expected,
                   ExtraTensors extra) {
  std::vector<std::string> missing, wrong, unknown;
  std::set<std::string> wanted;
  for (const ExpectedTensor& tensor : expected) {
    wanted.insert(tensor.name);
    if (!file.contains(tensor.name)) {
      missing.push_back(printable(tensor.name, 100));
      continue;
    }
    const TensorInfo& found = file.info(tensor.name);
    const bool dtype_fits =
        std::find(tensor.dtypes.begin(), tensor.dtypes.end(), found.dtype) != tensor.dtypes.end();
    if (dtype_fits && found.shape == tensor.shape) continue;
    const DType dtype = dtype_fits ? found.dtype : tensor.dtypes.at(0);
    wrong.push_back(printable(tensor.name, 100) + " is " + describe(found.dtype, found.shape) + ", not " +
                    describe(dtype, tensor.shape));
  }
  if (extra == ExtraTensors::refuse) {
    for (const std::string& name : file.names()) {
      if (!wanted.contains(name)) unknown.push_back(printable(name, 100));
    }
  }
  std::string problem;
  const auto list = [&](const char* what, const std::vector<std::string>& items) {
    if (!items.empty()) problem += (problem.empty() ? "" : "; ") + std::string(what) + ": " + joined(items);
  };
  list("missing tensors", missing);
  list("wrong tensors", wrong);
  list("unknown tensors", unknown);
  if (!problem.empty()) throw InputError(printable(file.path()) + ": does not fit this model: " + problem);
}

}  // namespace chorale

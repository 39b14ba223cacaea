// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "tensor/safetensors.h"
#include "tensor/safetensors_layout.h"
#include "tensor/transfer.h"

namespace chorale {

using nlohmann::json;
using safetensors::layout_rank;
using safetensors::max_header;
using safetensors::types;

SafetensorsWriter::SafetensorsWriter(const std::string& path, Durability durability)
    : file_(path, durability) {}

void SafetensorsWriter::set_metadata(const std::string& key, const std::string& value) {
  metadata_[key] = value;
}

void SafetensorsWriter::add(const std::string& name, const Tensor& tensor) {
  add_entry(name, {tensor.dtype(), tensor.shape(), tensor, {}});
}

void SafetensorsWriter::add_host(const std::string& name, DType dtype, std::span<const std::byte> values,
                                 Shape shape) {
  add_entry(name, {dtype, std::move(shape), {}, {values.begin(), values.end()}});
}

void SafetensorsWriter::add_entry(const std::string& name, Entry entry) {
  if (name == "__metadata__" || !entries_.try_emplace(name, std::move(entry)).second) {
    throw ContractError("SafetensorsWriter: name taken: " + printable(name, 100));
  }
}

void SafetensorsWriter::commit() {
  std::vector<decltype(entries_)::const_iterator> order;
  for (auto it = entries_.cbegin(); it != entries_.cend(); ++it) order.push_back(it);
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return layout_rank(a->second.dtype) < layout_rank(b->second.dtype);
  });
  // An ordered object would lose the layout's order, so the header is put together from its parts.
  std::string header = "{";
  try {
    if (!metadata_.empty()) header += "\"__metadata__\":" + json(metadata_).dump() + ",";
    std::uint64_t offset = 0;
    for (const auto& it : order) {
      const Entry& entry = it->second;
      const std::uint64_t end =
          offset + static_cast<std::uint64_t>(element_count(entry.shape)) * dtype_size(entry.dtype);
      header += json(it->first).dump() + ":{\"dtype\":\"" +
                std::string(types[layout_rank(entry.dtype)].name) +
                "\",\"shape\":" + json(entry.shape).dump() +
                ",\"data_offsets\":" + json({offset, end}).dump() + "},";
      offset = end;
    }
  } catch (const json::exception&) {
    throw ContractError("SafetensorsWriter: a name or metadata is not valid UTF-8");
  }
  if (header.size() > 1) header.pop_back();
  header += '}';
  header.append((8 - header.size() % 8) % 8, ' ');
  if (header.size() > max_header) throw ContractError("SafetensorsWriter: header above 100,000,000 bytes");
  std::array<char, 8> length{};
  for (std::size_t i = 0; i < length.size(); ++i)
    length[i] = static_cast<char>(header.size() >> (8 * i) & 0xff);
  file_.write(length.data(), length.size());
  file_.write(header);
  for (const auto& it : order) {
    const Entry& entry = it->second;
    if (entry.tensor.defined()) {
      append_to(file_, entry.tensor);
    } else if (!entry.host.empty()) {
      file_.write(entry.host.data(), entry.host.size());
    }
  }
  file_.commit();
}

}  // namespace chorale

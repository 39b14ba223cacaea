// SPDX-License-Identifier: MIT
#include "report/event_file.h"

#include <unistd.h>

#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "tensor/file.h"

namespace chorale::report {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value & 1 ? value >> 1 ^ 0x82f63b78u : value >> 1;
    table[i] = value;
  }
  return table;
}
constexpr std::array<std::uint32_t, 256> crc_table = make_crc_table();

template <class T>
std::string little_endian(T value) {
  static_assert(std::endian::native == std::endian::little);
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

// Fields of protocol buffers by wire type.
enum WireType : unsigned { varint_type = 0, fixed64 = 1, bytes_type = 2, fixed32 = 5 };
std::string key(unsigned field, WireType type) { return varint(field << 3 | type); }
std::string bytes_field(unsigned field, const std::string& content) {
  return key(field, bytes_type) + varint(content.size()) + content;
}

double seconds_since_epoch() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string wall_time() { return key(1, fixed64) + little_endian(seconds_since_epoch()); }

void remove_event_files(const std::string& folder) {
  std::error_code error;
  std::vector<fs::path> old;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.path().filename().string().starts_with("events.out.tfevents.")) old.push_back(entry.path());
  for (const fs::path& path : old) fs::remove(path, error);
}

std::string cell(const std::string& text) {
  std::string out;
  for (char c : text) out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  return out;
}

}  // namespace

std::uint32_t masked_crc32c(const std::string& bytes) {
  std::uint32_t crc = ~0u;
  for (char c : bytes) crc = crc_table[(crc ^ static_cast<unsigned char>(c)) & 0xff] ^ crc >> 8;
  crc = ~crc;
  return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

EventFile::EventFile(const std::string& folder) {
  remove_event_files(folder);
  std::array<char, 64> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) std::strcpy(host.data(), "localhost");
  path_ = folder + "/events.out.tfevents." +
          std::to_string(static_cast<std::int64_t>(seconds_since_epoch())) + "." + host.data() + "." +
          std::to_string(::getpid());
  file_ = std::fopen(path_.c_str(), "wb");
  if (!file_) throw InputError(path_ + ": cannot be written: " + std::strerror(errno));
  append(wall_time() + bytes_field(3, "brain.Event:2"));
}

EventFile::~EventFile() { std::fclose(file_); }

void EventFile::write(std::int64_t step, const std::vector<Scalar>& scalars) {
  std::string summary;
  for (const Scalar& scalar : scalars)
    if (std::isfinite(scalar.value))
      summary += bytes_field(
          1, bytes_field(1, scalar.tag) + key(2, fixed32) + little_endian(static_cast<float>(scalar.value)));
  append(wall_time() + key(2, varint_type) + varint(static_cast<std::uint64_t>(step)) +
         bytes_field(5, summary));
}

void EventFile::append(const std::string& event) {
  const std::string length = little_endian(static_cast<std::uint64_t>(event.size()));
  const std::string record =
      length + little_endian(masked_crc32c(length)) + event + little_endian(masked_crc32c(event));
  if (std::fwrite(record.data(), 1, record.size(), file_) != record.size() || std::fflush(file_) != 0)
    throw InputError(path_ + ": cannot be written: " + std::strerror(errno));
}

void write_projector(const std::string& folder, const Tensor& codes,
                     const std::vector<std::string>& column_names,
                     const std::vector<std::vector<std::string>>& columns) {
  const auto values = codes.to_host<float>();
  const auto n = static_cast<std::size_t>(codes.dim(0)), d = static_cast<std::size_t>(codes.dim(1));
  std::string vectors, metadata;
  for (std::size_t j = 0; j < column_names.size(); ++j) metadata += (j ? "\t" : "") + cell(column_names[j]);
  metadata += "\n";
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < d; ++j) {
      char text[32];
      const auto end = std::to_chars(text, text + sizeof text, values[i * d + j]);
      vectors += (j ? "\t" : "") + std::string(text, end.ptr);
    }
    vectors += "\n";
    for (std::size_t j = 0; j < columns.size(); ++j) metadata += (j ? "\t" : "") + cell(columns[j].at(i));
    metadata += "\n";
  }
  write_file(folder + "/latents.tsv", vectors);
  write_file(folder + "/latents_metadata.tsv", metadata);
  write_file(folder + "/projector_config.pbtxt",
             "embeddings {\n  tensor_name: \"latents\"\n  tensor_path: \"latents.tsv\"\n"
             "  metadata_path: \"latents_metadata.tsv\"\n}\n");
}

}  // namespace chorale::report

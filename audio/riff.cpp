// SPDX-License-Identifier: MIT
#include "audio/riff.h"

#include <array>
#include <cctype>
#include <cstring>
#include <string_view>

#include "audio/decode.h"

namespace chorale::audio {
namespace {

class Reader {
 public:
  Reader(const InputFile& file) : file_(file) {}

  template <std::size_t N>
  bool read(std::uint64_t at, std::array<unsigned char, N>& out) const {
    return file_.read_some(at, std::as_writable_bytes(std::span(out))) == N;
  }
  std::uint64_t number(const unsigned char* p, int bytes) const {
    std::uint64_t value = 0;
    for (int i = 0; i < bytes; ++i)
      value |= static_cast<std::uint64_t>(p[big_endian ? bytes - 1 - i : i]) << (8 * i);
    return value;
  }
  bool big_endian = false;

 private:
  const InputFile& file_;
};

std::string_view name_of(const unsigned char* p) { return {reinterpret_cast<const char*>(p), 4}; }

bool looks_like_name(const unsigned char* p) {
  for (int i = 0; i < 4; ++i)
    if (p[i] < 0x20 || p[i] > 0x7e) return false;
  return std::isalnum(p[0]) != 0;
}

[[noreturn]] void fail(const InputFile& file, const std::string& what) {
  throw InputError(printable(file.path()) + ": " + what);
}

void check_format(const InputFile& file, const Reader& reader, const unsigned char* p) {
  const std::uint64_t tag = reader.number(p, 2), channels = reader.number(p + 2, 2),
                      rate = reader.number(p + 4, 4), block = reader.number(p + 12, 2),
                      bits = reader.number(p + 14, 2);
  check_layout(file.path(), static_cast<std::int64_t>(rate), static_cast<std::int64_t>(channels));
  constexpr std::uint64_t pcm = 1, ieee_float = 3, extensible = 0xfffe;
  if (tag != pcm && tag != ieee_float && tag != extensible) return;  // compressed: the decoder knows better
  const bool known = tag == ieee_float ? bits == 32 || bits == 64 : bits >= 8 && bits <= 64 && bits % 8 == 0;
  if (!known)
    fail(file,
         "wrong bits per sample: " + std::to_string(bits) + " (allowed 8, 16, 24, 32; 32 or 64 for floats)");
  if (block != channels * bits / 8)
    fail(file, "wrong block size: " + std::to_string(block) + " (allowed " +
                   std::to_string(channels * bits / 8) + " for " + std::to_string(channels) +
                   " channels of " + std::to_string(bits) + " bits)");
}

}  // namespace

RiffReport check_riff(const InputFile& file) {
  RiffReport report;
  Reader reader(file);
  std::array<unsigned char, 12> head{};
  if (!reader.read(0, head) || name_of(head.data() + 8) != "WAVE") return report;
  const std::string_view form = name_of(head.data());
  if (form != "RIFF" && form != "RIFX" && form != "RF64") return report;
  report.is_wave = true;
  reader.big_endian = form == "RIFX";

  constexpr int most_chunks = 4096;
  std::uint64_t at = 12, wide_data_size = 0;
  bool have_format = false, have_data = false;
  for (int chunk = 0; chunk < most_chunks && at + 8 <= file.size(); ++chunk) {
    std::array<unsigned char, 8> header{};
    if (!reader.read(at, header)) break;
    const std::string_view name = name_of(header.data());
    std::uint64_t size = reader.number(header.data() + 4, 4);
    const std::uint64_t body = at + 8, left = file.size() - body;
    if (name == "ds64") {
      std::array<unsigned char, 16> sizes{};
      if (size < 28 || !reader.read(body, sizes))
        fail(file, "broken ds64 chunk: " + std::to_string(size) + " bytes");
      wide_data_size = reader.number(sizes.data() + 8, 8);
    } else if (name == "fmt ") {
      std::array<unsigned char, 16> format{};
      if (have_format) fail(file, "second fmt chunk at byte " + std::to_string(at) + " (allowed one)");
      if (have_data) fail(file, "fmt chunk after the data, at byte " + std::to_string(at));
      if (size < 16 || !reader.read(body, format))
        fail(file, "broken fmt chunk: " + std::to_string(size) + " bytes (allowed 16 or more)");
      check_format(file, reader, format.data());
      have_format = true;
    } else if (name == "data") {
      if (!have_format) fail(file, "no fmt chunk before the data, at byte " + std::to_string(at));
      if (have_data) {
        report.warnings.push_back("second data chunk at byte " + std::to_string(at) + " ignored");
      } else if (form == "RF64" && size == 0xffffffffu) {
        size = wide_data_size;
      }
      if (!have_data && size > left) {
        report.truncated = true;
        report.warnings.push_back("data chunk claims " + std::to_string(size) + " bytes, the file holds " +
                                  std::to_string(left));
      }
      have_data = true;
    }
    if (size > left) break;
    at = body + size;
    // An odd chunk is followed by a pad byte; some writers forget it.
    if (size % 2 != 0) {
      std::array<unsigned char, 5> next{};
      const bool forgotten =
          reader.read(at, next) && looks_like_name(next.data()) && !looks_like_name(next.data() + 1);
      if (!forgotten) ++at;
    }
  }
  if (!have_format) fail(file, "no fmt chunk");
  if (!have_data) fail(file, "no data chunk");
  return report;
}

}  // namespace chorale::audio

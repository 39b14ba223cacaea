// SPDX-License-Identifier: MIT
#include "data/audio_writer.h"

#include <sndfile.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "kernels/error.h"
#include "tensor/file.h"

namespace chorale::data {
namespace {

struct Format {
  std::string_view name;
  int code;
};

constexpr Format formats[] = {
    {"wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16},
    {"flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16},
    {"ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS},
    {"mp3", 0x230000 | 0x0082},  // SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, unknown to older headers
};

SF_INFO info_of(int code, int sample_rate, int channels = 1) {
  SF_INFO info{};
  info.samplerate = sample_rate;
  info.channels = channels;
  info.format = code;
  return info;
}

/// A file in memory, for libsndfile to write to and seek in.
struct Buffer {
  std::string bytes;
  sf_count_t position = 0;

  static Buffer& of(void* user) { return *static_cast<Buffer*>(user); }
  static sf_count_t length(void* user) { return static_cast<sf_count_t>(of(user).bytes.size()); }
  static sf_count_t tell(void* user) { return of(user).position; }
  static sf_count_t seek(sf_count_t offset, int whence, void* user) {
    const sf_count_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? tell(user) : length(user);
    return of(user).position = std::max<sf_count_t>(0, base + offset);
  }
  static sf_count_t read(void* target, sf_count_t count, void* user) {
    Buffer& buffer = of(user);
    const sf_count_t available = std::max<sf_count_t>(0, length(user) - buffer.position);
    count = std::min(count, available);
    if (count > 0)
      std::memcpy(target, buffer.bytes.data() + buffer.position, static_cast<std::size_t>(count));
    buffer.position += count;
    return count;
  }
  static sf_count_t write(const void* source, sf_count_t count, void* user) {
    Buffer& buffer = of(user);
    const auto end = static_cast<std::size_t>(buffer.position + count);
    if (end > buffer.bytes.size()) buffer.bytes.resize(end);
    std::memcpy(buffer.bytes.data() + buffer.position, source, static_cast<std::size_t>(count));
    buffer.position += count;
    return count;
  }
};

}  // namespace

std::vector<std::string> audio_formats() {
  std::vector<std::string> names;
  for (const Format& format : formats) {
    const SF_INFO info = info_of(format.code, 22050);
    if (sf_format_check(&info)) names.emplace_back(format.name);
  }
  return names;
}

std::string encode_audio(std::span<const float> samples, int sample_rate, std::string_view format,
                         int channels) {
  const auto* found = std::find_if(std::begin(formats), std::end(formats),
                                   [&](const Format& candidate) { return candidate.name == format; });
  SF_INFO info = info_of(found == std::end(formats) ? 0 : found->code, sample_rate, channels);
  if (!sf_format_check(&info)) {
    std::string names;
    for (const std::string& name : audio_formats()) names += (names.empty() ? "" : ", ") + name;
    throw UsageError("--format: cannot be written by this libsndfile: " + std::string(format) + " at " +
                     std::to_string(sample_rate) + " Hz with " + std::to_string(channels) +
                     " channels (allowed " + names + ")");
  }
  Buffer buffer;
  SF_VIRTUAL_IO io{Buffer::length, Buffer::seek, Buffer::read, Buffer::write, Buffer::tell};
  const auto close = [](SNDFILE* file) { sf_close(file); };
  std::unique_ptr<SNDFILE, decltype(close)> file(sf_open_virtual(&io, SFM_WRITE, &info, &buffer), close);
  if (!file) throw Error("encode_audio: libsndfile: " + std::string(sf_strerror(nullptr)));
  sf_command(file.get(), SFC_SET_CLIPPING, nullptr, SF_TRUE);
  // Long single writes overflow the stack of the Vorbis encoder.
  const std::size_t block = 8192 / static_cast<std::size_t>(channels) * static_cast<std::size_t>(channels);
  for (std::size_t i = 0; i < samples.size(); i += block) {
    const auto count = static_cast<sf_count_t>(std::min(block, samples.size() - i));
    if (sf_write_float(file.get(), samples.data() + i, count) != count) {
      throw Error("encode_audio: libsndfile: " + std::string(sf_strerror(file.get())));
    }
  }
  file.reset();
  return std::move(buffer.bytes);
}

void write_audio(const std::filesystem::path& path, std::span<const float> samples, int sample_rate,
                 std::string_view format, int channels) {
  write_file(path.native(), encode_audio(samples, sample_rate, format, channels), Durability::fast);
}

}  // namespace chorale::data

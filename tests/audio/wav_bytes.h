// SPDX-License-Identifier: MIT
// WAV files byte by byte, so that a test can break any field; and other formats through libsndfile.
#pragma once
#include <sndfile.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

namespace chorale::testing {

inline std::string little(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xff);
  return text;
}

inline std::string chunk(const std::string& name, const std::string& body, std::int64_t size = -1) {
  return name + little(size < 0 ? body.size() : static_cast<std::uint64_t>(size), 4) + body;
}

struct WavFormat {
  int tag = 1, channels = 1;
  std::uint32_t rate = 22050;
  int bits = 16;
  int block = -1;  ///< -1: what channels and bits give
};

inline std::string format_chunk(const WavFormat& f) {
  const int block = f.block < 0 ? f.channels * f.bits / 8 : f.block;
  return chunk("fmt ", little(static_cast<std::uint64_t>(f.tag), 2) +
                           little(static_cast<std::uint64_t>(f.channels), 2) + little(f.rate, 4) +
                           little(f.rate * static_cast<std::uint64_t>(block), 4) +
                           little(static_cast<std::uint64_t>(block), 2) +
                           little(static_cast<std::uint64_t>(f.bits), 2));
}

inline std::string riff(const std::string& chunks) {
  return "RIFF" + little(chunks.size() + 4, 4) + "WAVE" + chunks;
}

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

inline std::vector<std::int16_t> sine16(int samples) {
  std::vector<std::int16_t> values(static_cast<std::size_t>(samples));
  for (int i = 0; i < samples; ++i)
    values[static_cast<std::size_t>(i)] = static_cast<std::int16_t>(std::lround(12000 * std::sin(0.05 * i)));
  return values;
}

inline std::string wav16(int samples, const WavFormat& f = {}) {
  return riff(format_chunk(f) + chunk("data", bytes_of(sine16(samples))));
}

/// Writes float samples (interleaved) in any format of libsndfile.
inline void write_sound(const std::string& path, int format, int rate, int channels,
                        const std::vector<float>& samples) {
  SF_INFO info{};
  info.samplerate = rate, info.channels = channels, info.format = format;
  SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
  if (!file) throw std::runtime_error(path + ": " + sf_strerror(nullptr));
  const auto frames = static_cast<sf_count_t>(samples.size()) / channels;
  const bool whole = sf_writef_float(file, samples.data(), frames) == frames;
  sf_close(file);
  if (!whole) throw std::runtime_error(path + ": not written");
}

}  // namespace chorale::testing

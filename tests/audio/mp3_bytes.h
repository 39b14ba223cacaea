// SPDX-License-Identifier: MIT
// MP3 files made by libsndfile's encoder (LAME), and their frames, so that a test can take them apart.
#pragma once
#include "tests/audio/wav_bytes.h"
#include "tests/harness/temporary_folder.h"

namespace chorale::testing {

struct Mp3Options {
  int rate = 44100, channels = 1;
  int mode = SF_BITRATE_MODE_CONSTANT;
};

/// Encodes interleaved samples; the file begins with an Info or Xing frame.
inline std::string mp3(const std::vector<float>& samples, const Mp3Options& options = {}) {
  const TemporaryFolder folder;
  SF_INFO info{};
  info.samplerate = options.rate, info.channels = options.channels;
  info.format = SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III;
  SNDFILE* file = sf_open((folder / "x.mp3").c_str(), SFM_WRITE, &info);
  if (!file) throw std::runtime_error(sf_strerror(nullptr));
  int mode = options.mode;
  sf_command(file, SFC_SET_BITRATE_MODE, &mode, sizeof mode);
  sf_writef_float(file, samples.data(), static_cast<sf_count_t>(samples.size()) / options.channels);
  sf_close(file);
  return slurp(folder / "x.mp3");
}

/// Bytes of the layer III frame whose header stands at `at`; 0 if none does.
inline std::size_t mp3_frame_size(const std::string& bytes, std::size_t at) {
  if (at + 4 > bytes.size()) return 0;
  const auto byte = [&](std::size_t i) { return int{static_cast<unsigned char>(bytes[at + i])}; };
  const int sync = byte(1), layout = byte(2);
  const int version = sync >> 3 & 3;  // 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
  const int rate_code = layout >> 2 & 3, bitrate_code = layout >> 4;
  if (byte(0) != 0xff || sync < 0xe0 || rate_code == 3 || bitrate_code == 15) return 0;
  constexpr int rates[] = {44100, 48000, 32000};
  constexpr int first[] = {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320};
  constexpr int second[] = {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160};
  const int rate = rates[rate_code] / (version == 3 ? 1 : version == 2 ? 2 : 4);
  const int kilobits = version == 3 ? first[bitrate_code] : second[bitrate_code];
  return static_cast<std::size_t>((version == 3 ? 144 : 72) * kilobits * 1000 / rate + (layout >> 1 & 1));
}

/// Where the frames begin, the Info or Xing frame first.
inline std::vector<std::size_t> mp3_frames(const std::string& bytes) {
  std::vector<std::size_t> frames;
  for (std::size_t at = 0; const std::size_t size = mp3_frame_size(bytes, at); at += size)
    frames.push_back(at);
  return frames;
}

inline std::string without_info_frame(const std::string& bytes) {
  return bytes.substr(mp3_frames(bytes).at(1));
}

}  // namespace chorale::testing

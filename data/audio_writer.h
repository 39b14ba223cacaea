// SPDX-License-Identifier: MIT
// Writing of audio files through libsndfile.
#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chorale::data {

/// "wav", "flac", "ogg", and "mp3" where libsndfile is 1.1 or later.
std::vector<std::string> audio_formats();

/// Encodes interleaved samples: 16-bit WAV or FLAC, OGG Vorbis, MP3. UsageError on a format that cannot be
/// written here, or not at this rate or with so many channels.
std::string encode_audio(std::span<const float> samples, int sample_rate, std::string_view format,
                         int channels = 1);

/// encode_audio to a file that appears when it is complete. A power cut may lose it, as it can be made again.
void write_audio(const std::filesystem::path& path, std::span<const float> samples, int sample_rate,
                 std::string_view format, int channels = 1);

}  // namespace chorale::data

// SPDX-License-Identifier: MIT
// Audio files to mono samples: WAV, RF64, WAVE64, AIFF, AU, FLAC, OGG Vorbis and Opus through libsndfile, MP3
// through libmpg123.
//
// Nothing a header claims is trusted: samples are read in blocks until they end, and what was read counts.
// What can be saved of a damaged file is read, with a warning that says what was lost and where. A file is an
// InputError when it is empty, not a regular file, of an unknown format or of another format than its name
// says, has other than 1 to 32 channels or 1 kHz to 768 kHz, or holds NaN, infinities or absurd values.
#pragma once
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace chorale::audio {

constexpr int max_channels = 32;
constexpr int min_sample_rate = 1000, max_sample_rate = 768000;
/// Larger float samples are taken for damage; full scale is 1.
constexpr float max_sample = 1e10f;
/// The longest clip that is ever held in memory, in seconds of its own sample rate.
constexpr double max_clip_seconds = 6 * 3600.0;

/// InputError unless the numbers are within the limits above.
void check_layout(const std::string& path, std::int64_t sample_rate, std::int64_t channels);

struct DecodeOptions {
  double offset = 0;       ///< seconds to skip
  double duration = 30;    ///< seconds to read at most; no more than that is decoded
  bool strict = false;     ///< damage that would be a warning is an InputError
  bool check_name = true;  ///< a known extension must agree with the content
};
constexpr double whole_file = std::numeric_limits<double>::infinity();  ///< as DecodeOptions::duration

struct AudioClip {
  std::vector<float> samples;  ///< mono: the mean of the channels, as librosa.to_mono
  int sample_rate = 0;         ///< Hz
  double seconds = 0;          ///< samples / sample_rate
  std::vector<std::string> warnings;
};

/// A file read block by block; memory does not grow with its length. Not thread-safe.
class AudioReader {
 public:
  /// Opens the file and skips `offset`. InputError naming the path on any fault.
  explicit AudioReader(const std::string& path, const DecodeOptions& options = {});
  ~AudioReader();
  AudioReader(AudioReader&&) noexcept;
  AudioReader& operator=(AudioReader&&) noexcept;

  int sample_rate() const;
  int channels() const;
  /// Samples are whole numbers of 2^-15: 16-bit integers hold them exactly.
  bool is_16_bit() const;
  /// Fills `mono` from the front and returns how many samples there were; 0 at the end of the file or of
  /// `duration`. InputError "non-finite sample at n" (n counts from the start of the file), or on damage if
  /// strict.
  std::size_t read(std::span<float> mono);
  /// The same of all channels, interleaved: fills whole sample frames and returns how many there were. Do not
  /// mix with read().
  std::size_t read_interleaved(std::span<float> samples);
  /// What was noticed: the header's faults at once; truncation and damage when read() has come to the end of
  /// the file or of `duration`.
  const std::vector<std::string>& warnings() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Decodes `options.duration` seconds at the file's own rate. InputError when there is no sample, or more
/// than max_clip_seconds.
AudioClip decode(const std::string& path, const DecodeOptions& options = {});

/// The same, resampled to `sample_rate` on the way: librosa.load(path, sr=sample_rate, offset=, duration=).
AudioClip load(const std::string& path, int sample_rate, const DecodeOptions& options = {});

/// A clip whose channels are kept apart.
struct MultichannelClip {
  std::vector<std::vector<float>> channels;  ///< of equal length
  int sample_rate = 0;                       ///< Hz
  std::vector<std::string> warnings;
};

/// load() of every channel (librosa.load with mono=False), or with `mono` of their mean alone. sample_rate 0:
/// the file's own.
MultichannelClip load_channels(const std::string& path, int sample_rate, const DecodeOptions& options = {},
                               bool mono = false);

}  // namespace chorale::audio

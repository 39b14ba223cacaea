// SPDX-License-Identifier: MIT
// The clips of a song: one from its beginning, or windows that start at equal distances as long as they end
// within it. A song is read in blocks, so memory grows with the clip, not with the song.
#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "audio/decode.h"
#include "audio/resample.h"

namespace chorale::data {

/// How a song is cut, in samples at `sample_rate`.
struct ClipPlan {
  static constexpr std::int64_t one_clip = std::numeric_limits<std::int64_t>::max();  ///< as `hop`

  int sample_rate = 22050;
  std::int64_t length = 30 * 22050;
  std::int64_t hop = one_clip;  ///< between the starts of clips
  audio::DecodeOptions decode;  ///< its duration bounds what is read of a song
  /// The only clip of a song stays as its file has it, where PolyphaseResampler takes its rate and `decode`
  /// lets no more than raw_limit bytes be read.
  bool raw = false;
};
constexpr std::int64_t raw_limit = 64 << 20;

/// Interleaved samples at a file's own rate; of the two, the one that holds them without loss.
struct RawSamples {
  int rate = 0, channels = 0;
  std::vector<std::int16_t> integers;  ///< full scale 2^15
  std::vector<float> floats;
};

struct Clip {
  std::vector<float> samples;  ///< peak 1 (silence stays silent), zeros after the first `own`
  RawSamples raw;              ///< instead of `samples`, if it has a rate; clip_resampler.h makes them of it
  std::int64_t own = 0;        ///< samples that are the song's
  bool first = true, last = true;
};

class ClipReader {
 public:
  /// Opens the file. InputError naming the path on any fault, here and in next().
  ClipReader(const std::string& path, const ClipPlan& plan);

  /// The next clip; false after the last. A song shorter than a clip gives one, padded with zeros.
  bool next(Clip& clip);

  /// What has been read of the song so far.
  double seconds() const { return static_cast<double>(samples_read_) / plan_.sample_rate; }
  const std::vector<std::string>& warnings() const { return reader_.warnings(); }

 private:
  bool fill();
  bool can_stay_raw() const;
  void read_raw(Clip& clip);
  [[noreturn]] void fail_empty() const;

  std::string path_;
  ClipPlan plan_;
  audio::AudioReader reader_;
  std::optional<audio::Resampler> resampler_;  ///< unless the clip stays raw
  std::vector<float> block_;
  std::vector<float> ahead_;       ///< samples from the start of the next clip on
  std::int64_t skip_ = 0;          ///< samples before that start that are still to come
  std::int64_t samples_read_ = 0;  ///< at the plan's rate
  bool at_end_ = false, begun_ = false, done_ = false;
};

}  // namespace chorale::data

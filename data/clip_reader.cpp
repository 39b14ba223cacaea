// SPDX-License-Identifier: MIT
#include "data/clip_reader.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "audio/polyphase.h"
#include "kernels/error.h"
#include "tensor/file.h"

namespace chorale::data {
namespace {

void scale_to_peak(std::span<float> samples) {
  float peak = 0;
  // The reader refuses NaN, so the order of the comparisons does not matter and they may be shared out.
#pragma omp simd reduction(max : peak)
  for (std::size_t i = 0; i < samples.size(); ++i) peak = std::max(peak, std::abs(samples[i]));
  if (peak > 0)
    for (float& v : samples) v /= peak;
}

constexpr std::int64_t most_reserved = 1 << 22;  ///< samples; a longer clip grows as it comes

}  // namespace

ClipReader::ClipReader(const std::string& path, const ClipPlan& plan)
    : path_(path), plan_(plan), reader_(path, plan.decode), block_(1 << 15) {
  if (plan.length < 1 || plan.hop < 1)
    throw ContractError("clips: " + std::to_string(plan.length) + " samples every " +
                        std::to_string(plan.hop));
  if (can_stay_raw()) return;
  resampler_.emplace(reader_.sample_rate(), plan.sample_rate);
  ahead_.reserve(static_cast<std::size_t>(std::min(plan.length, most_reserved)) + block_.size());
}

void ClipReader::fail_empty() const {
  throw InputError(printable(path_) + ": no samples" + (warnings().empty() ? "" : ": " + warnings().back()));
}

/// Reads on until there is a whole clip ahead; false if the song ends before.
bool ClipReader::fill() {
  while (static_cast<std::int64_t>(ahead_.size()) < plan_.length && !at_end_) {
    const auto before = static_cast<std::int64_t>(ahead_.size());
    if (const std::size_t got = reader_.read(block_)) {
      resampler_->process(std::span<const float>(block_).first(got), ahead_);
      begun_ = true;
    } else {
      if (!begun_) fail_empty();
      resampler_->finish(ahead_);
      at_end_ = true;
    }
    const std::int64_t more = static_cast<std::int64_t>(ahead_.size()) - before,
                       dropped = std::min(skip_, more);
    samples_read_ += more;
    ahead_.erase(ahead_.begin() + before, ahead_.begin() + before + dropped);
    skip_ -= dropped;
  }
  return static_cast<std::int64_t>(ahead_.size()) >= plan_.length;
}

bool ClipReader::can_stay_raw() const {
  const std::int64_t rate = reader_.sample_rate(), bytes = reader_.is_16_bit() ? 2 : 4;
  return plan_.raw && plan_.hop == ClipPlan::one_clip &&
         plan_.decode.duration * static_cast<double>(rate * reader_.channels() * bytes) <= raw_limit &&
         audio::PolyphaseResampler::supports(reader_.sample_rate(), plan_.sample_rate);
}

/// All that the reader gives, which the plan's duration bounds.
void ClipReader::read_raw(Clip& clip) {
  clip.raw.rate = reader_.sample_rate();
  clip.raw.channels = reader_.channels();
  const auto channels = static_cast<std::size_t>(clip.raw.channels);
  std::int64_t frames = 0;
  while (const std::size_t got = reader_.read_interleaved(block_)) {
    frames += static_cast<std::int64_t>(got);
    const auto samples = std::span<const float>(block_).first(got * channels);
    if (reader_.is_16_bit()) {
      for (const float x : samples) clip.raw.integers.push_back(static_cast<std::int16_t>(x * 32768.0f));
    } else {
      clip.raw.floats.insert(clip.raw.floats.end(), samples.begin(), samples.end());
    }
  }
  if (frames == 0) fail_empty();
  samples_read_ = audio::resampled_length(frames, clip.raw.rate, plan_.sample_rate);
  clip.own = std::min(plan_.length, samples_read_);
  clip.first = clip.last = done_ = true;
}

bool ClipReader::next(Clip& clip) {
  if (done_) return false;
  if (!resampler_) {
    read_raw(clip);
    return true;
  }
  clip.first = samples_read_ == 0;
  fill();  // a song's later clips are known to be whole
  const std::int64_t own = std::min(plan_.length, static_cast<std::int64_t>(ahead_.size()));
  clip.own = own;
  if (const auto ahead = static_cast<std::int64_t>(ahead_.size()); plan_.hop >= ahead) {
    skip_ = plan_.hop - ahead;  // the next clip has none of these samples: they need no copy
    clip.samples = std::exchange(ahead_, {});
    clip.samples.resize(static_cast<std::size_t>(own));
  } else {
    clip.samples.assign(ahead_.begin(), ahead_.begin() + own);
    ahead_.erase(ahead_.begin(), ahead_.begin() + plan_.hop);
    skip_ = 0;
  }
  scale_to_peak(clip.samples);
  clip.samples.resize(static_cast<std::size_t>(plan_.length), 0.0f);
  clip.last = done_ = !fill();  // only the next clip's end tells
  return true;
}

}  // namespace chorale::data

// SPDX-License-Identifier: MIT
#include "data/clip_reader.h"

#include <algorithm>
#include <cmath>

#include "kernels/error.h"
#include "tensor/file.h"

namespace chorale::data {
namespace {

void scale_to_peak(std::vector<float>& samples) {
  float peak = 0;
  for (float v : samples) peak = std::max(peak, std::abs(v));
  if (peak > 0)
    for (float& v : samples) v /= peak;
}

}  // namespace

ClipReader::ClipReader(const std::string& path, const ClipPlan& plan)
    : path_(path),
      plan_(plan),
      reader_(path, plan.decode),
      resampler_(reader_.sample_rate(), plan.sample_rate),
      block_(1 << 15) {
  if (plan.length < 1 || plan.hop < 1)
    throw ContractError("clips: " + std::to_string(plan.length) + " samples every " +
                        std::to_string(plan.hop));
}

/// Reads on until there is a whole clip ahead; false if the song ends before.
bool ClipReader::fill() {
  while (static_cast<std::int64_t>(ahead_.size()) < plan_.length && !at_end_) {
    const auto before = static_cast<std::int64_t>(ahead_.size());
    if (const std::size_t got = reader_.read(block_)) {
      resampler_.process(std::span<const float>(block_).first(got), ahead_);
      begun_ = true;
    } else {
      if (!begun_)
        throw InputError(printable(path_) + ": no samples" +
                         (warnings().empty() ? "" : ": " + warnings().back()));
      resampler_.finish(ahead_);
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

/// From the start of one clip to that of the next.
void ClipReader::advance() {
  const std::int64_t dropped = std::min(plan_.hop, static_cast<std::int64_t>(ahead_.size()));
  ahead_.erase(ahead_.begin(), ahead_.begin() + dropped);
  skip_ = plan_.hop - dropped;
}

bool ClipReader::next(Clip& clip) {
  if (done_) return false;
  clip.first = samples_read_ == 0;
  fill();  // a song's later clips are known to be whole
  const std::int64_t own = std::min(plan_.length, static_cast<std::int64_t>(ahead_.size()));
  clip.own = own;
  clip.samples.assign(ahead_.begin(), ahead_.begin() + own);
  clip.samples.resize(static_cast<std::size_t>(plan_.length), 0.0f);
  scale_to_peak(clip.samples);
  advance();
  clip.last = done_ = !fill();  // only the next clip's end tells
  return true;
}

}  // namespace chorale::data

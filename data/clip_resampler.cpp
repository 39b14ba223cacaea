// SPDX-License-Identifier: MIT
#include "data/clip_resampler.h"

#include <cfloat>
#include <limits>

#include "kernels/launch.h"

namespace chorale::data {
namespace {

/// [1, frames, channels], i16 where the file is of no more bits.
Tensor upload(const RawSamples& raw) {
  const auto size = raw.integers.empty() ? raw.floats.size() : raw.integers.size();
  const Shape shape{1, static_cast<std::int64_t>(size) / raw.channels, raw.channels};
  return raw.integers.empty() ? Tensor::from_host(raw.floats, shape) : Tensor::from_host(raw.integers, shape);
}

/// y = x / max |x|, both [n]; silence stays silent.
void scale_to_peak(const Tensor& x, const Tensor& y) {
  Context& context = current_context();
  const Tensor magnitude({1, x.size(), 1}, DType::f32), peak({1, 1}, DType::f32);
  kernel::abs_forward(context, x.reshape({1, -1, 1}), magnitude, 0.0f, 0.0f);
  kernel::reduce_max(context, magnitude, peak);
  const Tensor divisor({1}, DType::f32);
  kernel::clamp_forward(context, peak.reshape({1}), divisor, FLT_MIN, std::numeric_limits<float>::max());
  kernel::div_forward(context, x, divisor, y);
}

}  // namespace

void ClipResampler::place(const Clip& clip, Tensor target) {
  if (clip.raw.rate == 0) {
    target.upload(clip.samples.data(), DType::f32);
    return;
  }
  auto found = resamplers_.find(clip.raw.rate);
  if (found == resamplers_.end())
    found = resamplers_.emplace(clip.raw.rate, audio::PolyphaseResampler(clip.raw.rate, sample_rate_)).first;
  const Tensor resampled = found->second(upload(clip.raw))[0];
  target.fill(0);
  scale_to_peak(resampled.slice(0, 0, clip.own), target.slice(0, 0, clip.own));
}

}  // namespace chorale::data

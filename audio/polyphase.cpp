// SPDX-License-Identifier: MIT
#include "audio/polyphase.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <string>
#include <vector>

#include "audio/resample.h"
#include "kernels/launch.h"

namespace chorale::audio {
namespace {

constexpr double attenuation = 120;        // dB
constexpr double pass = 0.45, stop = 0.5;  // of the lower rate
constexpr std::int64_t most_taps = 1 << 22, most_width = 8192;

/// Both rates by their greatest common divisor.
struct Ratio {
  std::int64_t up, down;
  Ratio(int from, int to) : up(to / std::gcd(from, to)), down(from / std::gcd(from, to)) {}
};

/// Input samples under one filter, even; one where nothing changes. Kaiser's estimate.
std::int64_t filter_width(const Ratio& ratio) {
  if (ratio.up == ratio.down) return 1;
  const double scale = std::min(1.0, static_cast<double>(ratio.up) / static_cast<double>(ratio.down));
  const double transition = 2 * std::numbers::pi * (stop - pass) * scale;  // radians a sample
  const auto width = static_cast<std::int64_t>(std::ceil((attenuation - 7.95) / (2.285 * transition))) + 1;
  return (width + 15) / 16 * 16;
}

/// taps[j, r]: tap j of the filter of outputs r, r + up, ..., whose place is a fraction of a sample behind
/// the sample under tap (width - 1) / 2. Each filter's taps sum to 1.
std::vector<float> filter_bank(const Ratio& ratio, std::int64_t width) {
  const double scale = std::min(1.0, static_cast<double>(ratio.up) / static_cast<double>(ratio.down));
  const double cutoff = (pass + stop) * scale;  // of half the input's rate
  const double beta = 0.1102 * (attenuation - 8.7), half = static_cast<double>(width) / 2;
  std::vector<float> taps(static_cast<std::size_t>(width * ratio.up));
  std::vector<double> filter(static_cast<std::size_t>(width));
  for (std::int64_t r = 0; r < ratio.up; ++r) {
    const double fraction = static_cast<double>(r * ratio.down % ratio.up) / static_cast<double>(ratio.up);
    double sum = 0;
    for (std::int64_t j = 0; j < width; ++j) {
      const double t = static_cast<double>(j - (width - 1) / 2) - fraction;
      const double inside = std::max(0.0, 1 - t * t / (half * half)), angle = std::numbers::pi * cutoff * t;
      const double sinc = t == 0 ? 1.0 : std::sin(angle) / angle;
      sum += filter[static_cast<std::size_t>(j)] = sinc * std::cyl_bessel_i(0.0, beta * std::sqrt(inside));
    }
    for (std::int64_t j = 0; j < width; ++j)
      taps[static_cast<std::size_t>(j * ratio.up + r)] =
          static_cast<float>(filter[static_cast<std::size_t>(j)] / sum);
  }
  return taps;
}

}  // namespace

bool PolyphaseResampler::supports(int from, int to) {
  if (from < 1 || to < 1) return false;
  const Ratio ratio(from, to);
  const std::int64_t width = filter_width(ratio);
  return width <= most_width && width * ratio.up <= most_taps;
}

PolyphaseResampler::PolyphaseResampler(int from, int to) : from_(from), to_(to) {
  if (!supports(from, to))
    throw UsageError(
        "sample rate: cannot be resampled by filters of reasonable size: " + std::to_string(from) +
        " Hz to " + std::to_string(to) + " Hz (allowed rates of small ratios)");
  const Ratio ratio(from, to);
  const std::int64_t width = filter_width(ratio);
  taps_ = Tensor::from_host(filter_bank(ratio, width), {width, ratio.up});
}

Tensor PolyphaseResampler::operator()(const Tensor& samples) const {
  if (samples.rank() != 3) throw ContractError("resample: samples [n, length, channels] are wanted");
  Tensor y({samples.dim(0), resampled_length(samples.dim(1), from_, to_)}, DType::f32);
  kernel::resample_polyphase(current_context(), samples, taps_, Ratio(from_, to_).down, y);
  return y;
}

}  // namespace chorale::audio

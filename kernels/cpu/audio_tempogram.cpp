// SPDX-License-Identifier: MIT
// The tempogram of an onset envelope, averaged over its frames: how much the envelope resembles itself at
// each lag.
//
//   z_t[i] = window[i] e[t - w / 2 + i],  i < w;   r_t[lag] = sum over i of z_t[i] z_t[i + lag]
//   y[lag] = mean over t of r_t[lag] / r_t[0]
//
// e beyond its ends falls to 0 on a line, w / 2 values long. The autocorrelation is summed directly, in f32
// over ascending i, 64 lags at a time in registers: w^2 / 2 products a frame, 59,000 for 8 s at 43 frames a
// second; the transforms that would do it faster only pay for longer windows. Means are f64 sums over blocks
// of 64 frames, then over the blocks. An envelope is a few KB and stays in the first-level cache.
#include <algorithm>
#include <cfloat>
#include <vector>

#include "kernels/cpu/audio_simd.h"
#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"

namespace chorale::cpu {
namespace {

using simd::lanes;
using simd::Vector;

constexpr std::int64_t block_frames = 64;
constexpr int group = 64 / lanes;  // vectors of lags

/// Element i of the envelope e [frames], continued to both sides.
float continued(const float* e, std::int64_t frames, std::int64_t ramp, std::int64_t i) {
  if (i < 0) return i < -ramp ? 0.0f : e[0] * (static_cast<float>(ramp + i) / static_cast<float>(ramp));
  if (i < frames) return e[i];
  const std::int64_t beyond = i - frames + 1;
  return beyond > ramp ? 0.0f
                       : e[frames - 1] * (static_cast<float>(ramp - beyond) / static_cast<float>(ramp));
}

/// r[lag] for lag < w, and beyond to a multiple of 64; z [w] is followed by as many zeros and 64 more.
void autocorrelate(const float* z, std::int64_t w, float* r) {
  for (std::int64_t lag = 0; lag < w; lag += group * lanes) {
    Vector sum[group] = {};
    for (std::int64_t i = 0; i + lag < w; ++i)
      for (int g = 0; g < group; ++g) sum[g] += simd::load(z + i + lag + g * lanes) * z[i];
    for (int g = 0; g < group; ++g) simd::store(r + lag + g * lanes, sum[g]);
  }
}

}  // namespace

void tempogram_mean(Context& context, ConstView onset, ConstView window, View y) {
  const std::int64_t n = onset.shape[0], frames = onset.shape[1], w = window.size();
  require(onset.dtype == DType::f32 && onset.rank == 2 && frames > 0 && present(onset) &&
              window.dtype == DType::f32 && w > 0 && w <= 6144 && y.dtype == DType::f32 && y.rank == 2 &&
              y.shape[0] == n && y.shape[1] == w,
          "tempogram_mean", "onset [n, frames], window [w], w up to 6144, and y [n, w] are f32", onset,
          window, y);
  const std::int64_t blocks = block_count(frames, block_frames);
  const Scratch partial(context, static_cast<std::size_t>(n * blocks * w) * sizeof(double));
  parallel_tasks(n * blocks, n * frames * w, [&](std::int64_t task) {
    const std::int64_t clip = task / blocks, begin = task % blocks * block_frames;
    const float* e = onset.as<float>() + clip * frames;
    double* sum = partial.as<double>() + task * w;
    std::fill(sum, sum + w, 0.0);
    std::vector<float> z(static_cast<std::size_t>(w + 2 * group * lanes)), r(z.size());
    for (std::int64_t t = begin; t < std::min(frames, begin + block_frames); ++t) {
      for (std::int64_t i = 0; i < w; ++i)
        z[static_cast<std::size_t>(i)] = window.as<float>()[i] * continued(e, frames, w / 2, t - w / 2 + i);
      autocorrelate(z.data(), w, r.data());
      const float scale = r[0] <= FLT_MIN ? 1.0f : 1.0f / r[0];
      for (std::int64_t lag = 0; lag < w; ++lag)
        sum[lag] += static_cast<double>(r[static_cast<std::size_t>(lag)] * scale);
    }
  });
  parallel_tasks(n, n * blocks * w, [&](std::int64_t clip) {
    const double* sums = partial.as<double>() + clip * blocks * w;
    for (std::int64_t lag = 0; lag < w; ++lag) {
      double total = 0;
      for (std::int64_t block = 0; block < blocks; ++block) total += sums[block * w + lag];
      y.as<float>()[clip * w + lag] = static_cast<float>(total / static_cast<double>(frames));
    }
  });
}

}  // namespace chorale::cpu

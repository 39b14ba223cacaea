// SPDX-License-Identifier: MIT
// The parts of a clip's fixed-length descriptor: moments of every row over the frames, spectral flux, and the
// autocorrelation of an envelope at chosen lags.
//
//   mean_r = 1/c sum x[r, t],  deviation_r = sqrt(1/c sum (x[r, t] - mean_r)^2),           t < c = count
//   onset[t] = 1/bands sum over b of max(0, db[b, t - delay] - max over b' near b of db[b', t - delay - lag])
//   a(lag) = sum over t of (x[t] - mean)(x[t + lag] - mean) / sum over t of (x[t] - mean)^2
//
// Sums over frames are f64 in ascending order, so results do not depend on the thread count.
#include <algorithm>
#include <cmath>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"

namespace chorale::cpu {
namespace {

/// The larger one; NaN if either is.
float larger(float a, float b) { return a > b || a != a ? a : b; }

bool f32(const ConstView& v) { return v.dtype == DType::f32 && present(v); }

bool counts_of(const ConstView& counts, std::int64_t n) {
  return counts.dtype == DType::i64 && present(counts) && counts.size() == n;
}

std::int64_t count_of(const ConstView& counts, std::int64_t clip, std::int64_t frames) {
  return std::clamp<std::int64_t>(counts.as<std::int64_t>()[clip], 1, frames);
}

}  // namespace

void frame_moments(Context&, ConstView x, ConstView counts, View moments) {
  const std::int64_t n = x.shape[0], rows = x.shape[1], frames = x.shape[2];
  require(f32(x) && f32(moments) && x.rank == 3 && frames > 0 && moments.rank == 3 && moments.shape[0] == n &&
              moments.shape[1] == 2 && moments.shape[2] == rows && counts_of(counts, n),
          "frame_moments", "x [n, rows, frames] and moments [n, 2, rows] are f32, counts i64 [n]", x, counts,
          moments);
  parallel_tasks(n * rows, x.size(), [&](std::int64_t task) {
    const std::int64_t clip = task / rows, row = task % rows, count = count_of(counts, clip, frames);
    const float* in = x.as<float>() + task * frames;
    double sum = 0, square = 0;
    for (std::int64_t t = 0; t < count; ++t) sum += in[t];
    const double mean = sum / static_cast<double>(count);
    for (std::int64_t t = 0; t < count; ++t) square += (in[t] - mean) * (in[t] - mean);
    float* out = moments.as<float>() + clip * 2 * rows + row;
    out[0] = static_cast<float>(mean);
    out[rows] = static_cast<float>(std::sqrt(square / static_cast<double>(count)));
  });
}

void onset_strength(Context&, ConstView db, std::int64_t lag, std::int64_t max_size, std::int64_t delay,
                    View onset) {
  const std::int64_t bands = db.shape[1], frames = db.shape[2];
  require(
      f32(db) && f32(onset) && db.rank == 3 && bands > 0 && onset.rank == 2 &&
          onset.shape[0] == db.shape[0] && onset.shape[1] == frames && lag > 0 && max_size > 0 && delay >= 0,
      "onset_strength",
      "db [n, bands, frames] and onset [n, frames] are f32, lag and max_size positive, delay not negative",
      db, onset);
  constexpr std::int64_t tile = 256;  // frames
  const std::int64_t tiles = block_count(frames, tile);
  parallel_tasks(db.shape[0] * tiles, db.size(), [&](std::int64_t task) {
    const std::int64_t clip = task / tiles, begin = task % tiles * tile, end = std::min(begin + tile, frames);
    const std::int64_t first = std::max(begin, lag + delay), count = end - first;
    float sum[tile] = {};
    for (std::int64_t b = 0; b < bands && count > 0; ++b) {
      const float* in = db.as<float>() + (clip * bands + b) * frames + first - delay;
      float before[tile];
      std::copy(in - lag, in - lag + count, before);
      const std::int64_t low = std::max<std::int64_t>(b - max_size / 2, 0);
      const std::int64_t high = std::min(b + (max_size - 1) / 2, bands - 1);
      for (std::int64_t other = low; other <= high; ++other)
        for (std::int64_t t = 0; t < count; ++t)
          before[t] = larger(in[(other - b) * frames - lag + t], before[t]);
      for (std::int64_t t = 0; t < count; ++t) {
        const float rise = in[t] - before[t];
        sum[t] += rise < 0 ? 0.0f : rise;
      }
    }
    float* out = onset.as<float>() + clip * frames;
    std::fill(out + begin, out + std::max(begin, std::min(first, end)), 0.0f);
    for (std::int64_t t = 0; t < count; ++t) out[first + t] = sum[t] / static_cast<float>(bands);
  });
}

void autocorrelation(Context&, ConstView x, ConstView counts, ConstView lags, View y) {
  const std::int64_t n = x.shape[0], frames = x.shape[1], number = lags.size();
  require(f32(x) && f32(lags) && f32(y) && x.rank == 2 && frames > 0 && y.rank == 2 && y.shape[0] == n &&
              y.shape[1] == number && counts_of(counts, n),
          "autocorrelation", "x [n, frames], lags [k] and y [n, k] are f32, counts i64 [n]", x, counts, lags,
          y);
  parallel_tasks(n, x.size() * number, [&](std::int64_t clip) {
    const float* in = x.as<float>() + clip * frames;
    const std::int64_t count = count_of(counts, clip, frames);
    double mean = 0;
    for (std::int64_t t = 0; t < count; ++t) mean += in[t];
    mean /= static_cast<double>(count);
    const auto at = [&](std::int64_t lag) {
      double sum = 0;
      for (std::int64_t t = 0; t + lag < count; ++t) sum += (in[t] - mean) * (in[t + lag] - mean);
      return sum;
    };
    const double energy = at(0);
    for (std::int64_t k = 0; k < number; ++k) {
      const float lag = lags.as<float>()[k];
      const std::int64_t whole = static_cast<std::int64_t>(lag);
      const double part = static_cast<double>(lag) - static_cast<double>(whole);
      const bool inside = lag >= 0 && lag <= static_cast<float>(count - 2) && energy > 0;
      y.as<float>()[clip * number + k] =
          inside ? static_cast<float>(((1 - part) * at(whole) + part * at(whole + 1)) / energy) : 0.0f;
    }
  });
}

}  // namespace chorale::cpu

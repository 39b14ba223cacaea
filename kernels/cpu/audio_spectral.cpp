// SPDX-License-Identifier: MIT
// Numbers that describe single frames: their level, the centre and the peaks of their spectra, and spectra of
// norm 1.
//
//   rms[f] = sqrt(1 / n_fft sum over m of x[f hop - lead + m]^2)
//   centroid[f] = sum over k of frequency[k] x[k, f] / sum over k of x[k, f]
//   y[r, f] = x[r, f] / (sum over r of |x[r, f]|^p)^(1/p)
//   place = k - b / a, height = x[k] - b^2 / (2 a),  a = x[k+1] + x[k-1] - 2 x[k],  b = (x[k+1] - x[k-1]) / 2
//
// Spectra are [n, rows, frames]: loops run over tiles of frames, so vectors hold consecutive frames. Sums are
// f64 in ascending order. Each kernel reads its input once (the peaks twice: a frame's maximum comes first).
#include <algorithm>
#include <cfloat>
#include <cmath>

#include "kernels/audio_frames.h"
#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"

namespace chorale::cpu {
namespace {

constexpr std::int64_t tile = 64;  // frames

bool f32(const ConstView& v) { return v.dtype == DType::f32 && present(v); }

/// Calls body(clip, first frame, count) for the tiles of x [n, rows, frames].
template <class Body>
void for_tiles(const ConstView& x, const Body& body) {
  const std::int64_t frames = x.shape[2], tiles = block_count(frames, tile);
  parallel_tasks(x.shape[0] * tiles, x.size(), [&](std::int64_t task) {
    const std::int64_t first = task % tiles * tile;
    body(task / tiles, first, std::min(tile, frames - first));
  });
}

/// The larger one; NaN if either is.
float larger(float a, float b) { return a > b || a != a ? a : b; }

}  // namespace

void frame_rms(Context&, ConstView samples, FrameParams params, View rms) {
  require(f32(samples) && f32(rms) && samples.rank == 2 && rms.rank == 2 && params.n_fft > 0 &&
              params.hop_length > 0 && rms.shape[0] == samples.shape[0] &&
              rms.shape[1] == frame_count(params, samples.shape[1]),
          "frame_rms", "samples [n, length] and rms [n, frames of samples] are f32", samples, rms);
  const std::int64_t length = samples.shape[1], frames = rms.shape[1], n_fft = params.n_fft;
  parallel_tasks(rms.size(), rms.size() * n_fft, [&](std::int64_t task) {
    const float* x = samples.as<float>() + task / frames * length;
    const std::int64_t begin = task % frames * params.hop_length - frame_lead(params);
    double part[8] = {};
    const auto add = [&](std::int64_t m, float value) { part[m % 8] += static_cast<double>(value) * value; };
    std::int64_t m = 0;
    if (begin >= 0 && begin + n_fft <= length)
      for (; m + 8 <= n_fft; m += 8)
        for (int j = 0; j < 8; ++j) part[j] += static_cast<double>(x[begin + m + j]) * x[begin + m + j];
    for (; m < n_fft; ++m) {
      const std::int64_t at = padded_index(begin + m, length, params.pad_mode);
      if (at >= 0) add(m, x[at]);
    }
    const double sum =
        ((part[0] + part[4]) + (part[1] + part[5])) + ((part[2] + part[6]) + (part[3] + part[7]));
    rms.as<float>()[task] = static_cast<float>(std::sqrt(sum / static_cast<double>(n_fft)));
  });
}

void spectral_centroid(Context&, ConstView x, ConstView frequency, View centroid) {
  require(f32(x) && f32(frequency) && f32(centroid) && x.rank == 3 && centroid.rank == 2 &&
              frequency.size() == x.shape[1] && centroid.shape[0] == x.shape[0] &&
              centroid.shape[1] == x.shape[2],
          "spectral_centroid", "x [n, bins, frames], frequency [bins] and centroid [n, frames] are f32", x,
          frequency, centroid);
  const std::int64_t bins = x.shape[1], frames = x.shape[2];
  for_tiles(x, [&](std::int64_t clip, std::int64_t first, std::int64_t count) {
    double weighted[tile] = {}, total[tile] = {};
    for (std::int64_t k = 0; k < bins; ++k) {
      const float* in = x.as<float>() + (clip * bins + k) * frames + first;
      const double f = static_cast<double>(frequency.as<float>()[k]);
      for (std::int64_t t = 0; t < count; ++t) {
        weighted[t] += f * static_cast<double>(in[t]);
        total[t] += static_cast<double>(in[t]);
      }
    }
    float* out = centroid.as<float>() + clip * frames + first;
    for (std::int64_t t = 0; t < count; ++t)
      out[t] =
          static_cast<float>(total[t] <= static_cast<double>(FLT_MIN) ? weighted[t] : weighted[t] / total[t]);
  });
}

void normalize_frames(Context&, ConstView x, float p, View y) {
  require(f32(x) && f32(y) && x.rank == 3 && same_shape(x, y) && (p == 1 || p == 2 || p == INFINITY),
          "normalize_frames", "x and y must be f32 [n, rows, frames], p 1, 2 or infinity", x, y);
  const std::int64_t rows = x.shape[1], frames = x.shape[2];
  for_tiles(x, [&](std::int64_t clip, std::int64_t first, std::int64_t count) {
    double norm[tile] = {};
    const std::int64_t start = clip * rows * frames + first;
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t t = 0; t < count; ++t) {
        const double value = std::fabs(static_cast<double>(x.as<float>()[start + r * frames + t]));
        norm[t] = p == INFINITY ? (value > norm[t] || value != value ? value : norm[t])
                                : norm[t] + (p == 1 ? value : value * value);
      }
    for (std::int64_t t = 0; t < count; ++t) {
      if (p == 2) norm[t] = std::sqrt(norm[t]);
      if (norm[t] < static_cast<double>(FLT_MIN)) norm[t] = 1;
    }
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t t = 0; t < count; ++t) {
        const std::int64_t i = start + r * frames + t;
        y.as<float>()[i] = static_cast<float>(static_cast<double>(x.as<float>()[i]) / norm[t]);
      }
  });
}

void spectral_peaks(Context&, ConstView x, std::int64_t first_bin, float threshold, View place, View height) {
  const std::int64_t bins = x.shape[1], frames = x.shape[2], rows = place.shape[1];
  require(f32(x) && f32(place) && f32(height) && x.rank == 3 && place.rank == 3 &&
              same_shape(place, height) && place.shape[0] == x.shape[0] && place.shape[2] == frames &&
              first_bin > 0 && first_bin + rows < bins,
          "spectral_peaks",
          "x [n, bins, frames], place and height [n, rows, frames] are f32, rows inner bins", x, place,
          height);
  for_tiles(x, [&](std::int64_t clip, std::int64_t first, std::int64_t count) {
    const float* in = x.as<float>() + clip * bins * frames + first;
    float most[tile];
    std::copy(in, in + count, most);
    for (std::int64_t k = 1; k < bins; ++k)
      for (std::int64_t t = 0; t < count; ++t) most[t] = larger(in[k * frames + t], most[t]);
    for (std::int64_t r = 0; r < rows; ++r) {
      const float* at = in + (first_bin + r) * frames;
      const std::int64_t out = (clip * rows + r) * frames + first;
      for (std::int64_t t = 0; t < count; ++t) {
        const float value = at[t], below = at[t - frames], above = at[t + frames];
        const bool peak = value > threshold * most[t] && value > below && value >= above;
        const float a = above + below - 2 * value, b = (above - below) / 2;
        const float shift = std::fabs(b) >= std::fabs(a) ? 0.0f : -b / a;
        place.as<float>()[out + t] = peak ? static_cast<float>(first_bin + r) + shift : 0.0f;
        height.as<float>()[out + t] = peak ? value + 0.5f * b * shift : 0.0f;
      }
    }
  });
}

}  // namespace chorale::cpu

// SPDX-License-Identifier: MIT
// Numbers that describe single frames: their level, the centre and the peaks of their spectra, and spectra of
// norm 1 (the formulas stand in kernels/cpu/audio_spectral.cpp).
//
// A warp per frame for the level, whose samples lie side by side and, frames overlapping, mostly in the
// cache; a thread per frame for the others, as frames are the last dimension: neighbouring threads read
// neighbouring values of each row. Sums are f64 in a fixed order. Spectra are read once (for peaks and norms
// twice, the second time largely from the second-level cache): 4 bins bytes a frame.
#include <cfloat>
#include <cmath>

#include "kernels/audio_frames.h"
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/reduction.cuh"

namespace chorale::cuda {
namespace {

constexpr int threads = 256;

__global__ void __launch_bounds__(threads)
    rms_kernel(const float* samples, std::int64_t length, FrameParams params, std::int64_t frames,
               std::int64_t all, float* rms) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * (threads / warp_size);
  for (std::int64_t item =
           static_cast<std::int64_t>(blockIdx.x) * (threads / warp_size) + threadIdx.x / warp_size;
       item < all; item += step) {
    const float* x = samples + item / frames * length;
    const std::int64_t begin = item % frames * params.hop_length - frame_lead(params);
    double sum = 0;
    for (std::int64_t m = lane; m < params.n_fft; m += warp_size) {
      const std::int64_t at = padded_index(begin + m, length, params.pad_mode);
      const double value = at < 0 ? 0.0 : static_cast<double>(x[at]);
      sum += value * value;
    }
    sum = warp_reduce<Sum>(sum);
    if (lane == 0) rms[item] = static_cast<float>(sqrt(sum / params.n_fft));
  }
}

__global__ void __launch_bounds__(threads)
    centroid_kernel(const float* x, const float* frequency, std::int64_t bins, std::int64_t frames,
                    std::int64_t all, float* centroid) {
  for (std::int64_t item = global_thread(); item < all; item += global_threads()) {
    const float* in = x + item / frames * bins * frames + item % frames;
    double weighted = 0, total = 0;
    for (std::int64_t k = 0; k < bins; ++k) {
      const double value = static_cast<double>(in[k * frames]);
      weighted += static_cast<double>(frequency[k]) * value;
      total += value;
    }
    centroid[item] = static_cast<float>(total <= static_cast<double>(FLT_MIN) ? weighted : weighted / total);
  }
}

__global__ void __launch_bounds__(threads) normalize_kernel(const float* x, float p, std::int64_t rows,
                                                            std::int64_t frames, std::int64_t all, float* y) {
  for (std::int64_t item = global_thread(); item < all; item += global_threads()) {
    const std::int64_t start = item / frames * rows * frames + item % frames;
    double norm = 0;
    for (std::int64_t r = 0; r < rows; ++r) {
      const double value = fabs(static_cast<double>(x[start + r * frames]));
      norm = p == 1.0f ? norm + value : p == 2.0f ? norm + value * value : Max::combine(value, norm);
    }
    if (p == 2.0f) norm = sqrt(norm);
    if (norm < static_cast<double>(FLT_MIN)) norm = 1;
    for (std::int64_t r = 0; r < rows; ++r)
      y[start + r * frames] = static_cast<float>(static_cast<double>(x[start + r * frames]) / norm);
  }
}

__global__ void __launch_bounds__(threads)
    peaks_kernel(const float* x, std::int64_t bins, std::int64_t frames, std::int64_t first_bin,
                 std::int64_t rows, float threshold, std::int64_t all, float* place, float* height) {
  for (std::int64_t item = global_thread(); item < all; item += global_threads()) {
    const std::int64_t clip = item / frames, frame = item % frames;
    const float* in = x + clip * bins * frames + frame;
    float most = in[0];
    for (std::int64_t k = 1; k < bins; ++k) most = Max::combine(in[k * frames], most);
    float below = in[(first_bin - 1) * frames], value = in[first_bin * frames];
    for (std::int64_t r = 0; r < rows; ++r) {
      const float above = in[(first_bin + r + 1) * frames];
      const bool peak = value > threshold * most && value > below && value >= above;
      const float a = above + below - 2 * value, b = (above - below) / 2;
      const float shift = fabsf(b) >= fabsf(a) ? 0.0f : -b / a;
      const std::int64_t out = (clip * rows + r) * frames + frame;
      place[out] = peak ? static_cast<float>(first_bin + r) + shift : 0.0f;
      height[out] = peak ? value + 0.5f * b * shift : 0.0f;
      below = value;
      value = above;
    }
  }
}

}  // namespace

void frame_rms(Context& context, ConstView samples, FrameParams params, View rms) {
  constexpr const char* op = "frame_rms";
  require_dtype(samples, DType::f32, op, "samples");
  require_dtype(rms, DType::f32, op, "rms");
  require(samples.rank == 2 && rms.rank == 2 && params.n_fft > 0 && params.hop_length > 0 &&
              rms.shape[0] == samples.shape[0] && rms.shape[1] == frame_count(params, samples.shape[1]),
          op, "samples [n, length] and rms [n, frames of samples] are wanted");
  if (rms.size() == 0) return;
  LAUNCH((rms_kernel), stride_grid(context, rms.size(), threads / warp_size), threads, 0, context.stream,
         samples.as<float>(), samples.shape[1], params, rms.shape[1], rms.size(), rms.as<float>());
}

void spectral_centroid(Context& context, ConstView x, ConstView frequency, View centroid) {
  constexpr const char* op = "spectral_centroid";
  require_dtype(x, DType::f32, op, "x");
  require_dtype(frequency, DType::f32, op, "frequency");
  require_dtype(centroid, DType::f32, op, "centroid");
  require(x.rank == 3, op, "x [n, bins, frames] is wanted");
  require_size(frequency, x.shape[1], op, "frequency");
  const std::int64_t all = x.shape[0] * x.shape[2];
  require_size(centroid, all, op, "centroid");
  if (all == 0) return;
  LAUNCH((centroid_kernel), stride_grid(context, all, threads), threads, 0, context.stream, x.as<float>(),
         frequency.as<float>(), x.shape[1], x.shape[2], all, centroid.as<float>());
}

void normalize_frames(Context& context, ConstView x, float p, View y) {
  constexpr const char* op = "normalize_frames";
  require_dtype(x, DType::f32, op, "x");
  require_dtype(y, DType::f32, op, "y");
  require(x.rank == 3 && (p == 1 || p == 2 || p == INFINITY), op,
          "x [n, rows, frames] and p of 1, 2 or infinity are wanted");
  require_size(y, x.size(), op, "y");
  if (x.size() == 0) return;
  const std::int64_t all = x.shape[0] * x.shape[2];
  LAUNCH((normalize_kernel), stride_grid(context, all, threads), threads, 0, context.stream, x.as<float>(), p,
         x.shape[1], x.shape[2], all, y.as<float>());
}

void spectral_peaks(Context& context, ConstView x, std::int64_t first_bin, float threshold, View place,
                    View height) {
  constexpr const char* op = "spectral_peaks";
  require_dtype(x, DType::f32, op, "x");
  require_dtype(place, DType::f32, op, "place");
  require_dtype(height, DType::f32, op, "height");
  require(x.rank == 3 && place.rank == 3 && place.shape[0] == x.shape[0] && place.shape[2] == x.shape[2] &&
              first_bin > 0 && first_bin + place.shape[1] < x.shape[1],
          op, "x [n, bins, frames] and place [n, rows, frames], rows inner bins, are wanted");
  require_size(height, place.size(), op, "height");
  const std::int64_t all = x.shape[0] * x.shape[2];
  if (all == 0) return;
  LAUNCH((peaks_kernel), stride_grid(context, all, threads), threads, 0, context.stream, x.as<float>(),
         x.shape[1], x.shape[2], first_bin, place.shape[1], threshold, all, place.as<float>(),
         height.as<float>());
}

}  // namespace chorale::cuda

// SPDX-License-Identifier: MIT
// Short-time Fourier transform and its inverse.
//
//   X_f[k] = sum over m < n_fft of window[m] x[f hop - lead + m] exp(-2 pi i m k / n_fft),    k <= n_fft / 2
//   y[t] = sum over f of window[m] x_f[m] / sum over f of window[m]^2,   m = t + lead - f hop in [0, n_fft)
//
// x_f is the inverse transform of X_f. f32 throughout. Forward is one kernel (audio_fft.cuh): a frame reads 4
// hop bytes and writes 8 bins, to addresses `frames` apart; neighbouring frames are at work at the same time,
// so their pieces meet in the second-level cache: 10.2 KB a frame at n_fft 2048, hop 512. The inverse is two:
// the windowed frames go to scratch memory, then every sample adds those that hold it, in ascending order: 8
// bins read, 4 n_fft written and read, 4 hop written, 26.6 KB. Clips are taken in slices whose frames fill at
// most `most_scratch`.
#include <cfloat>

#include "kernels/cuda/audio_fft.cuh"

namespace chorale::cuda {
namespace {

constexpr std::int64_t most_scratch = std::int64_t{256} << 20;  // bytes

template <class Transform>
__global__ void __launch_bounds__(block_threads<Transform>, blocks_wanted<Transform>)
    forward_kernel(Transform transform, ClipFrames clips, float* spectrum) {
  const int M = transform.size();
  FrameTurn<Transform> turn(clips.frames, clips.all_frames);
  float* workspace = transform.workspace(turn.group);
  for (; turn.any(); turn.next()) {
    const bool active = turn.active();
    const std::int64_t clip = turn.clip(), frame = turn.frame(), frames = clips.frames;
    float* out = spectrum + 2 * (clip * (M + 1) * frames + frame);
    transform.run(
        clips.source(clip, frame), workspace, turn.t, [&](int k, float zr, float zi, float mr, float mi) {
          float low[2], high[2];
          join_spectrum(zr, zi, mr, mi, transform.twiddles[2 * k], transform.twiddles[2 * k + 1], low, high);
          if (!active) return;
          out[2 * k * frames] = low[0];
          out[2 * k * frames + 1] = low[1];
          out[2 * (M - k) * frames] = high[0];
          out[2 * (M - k) * frames + 1] = high[1];
        });
  }
}

/// in_time [all_frames, n_fft] = window times the inverse transform of each frame of spectrum [n, bins,
/// frames, 2].
template <class Transform>
__global__ void __launch_bounds__(block_threads<Transform>, blocks_wanted<Transform>)
    inverse_kernel(Transform transform, const float* spectrum, const float* window, std::int64_t frames,
                   std::int64_t all_frames, float* in_time) {
  const int M = transform.size();
  const float scale = 0.5f / static_cast<float>(M);
  FrameTurn<Transform> turn(frames, all_frames);
  float* workspace = transform.workspace(turn.group);
  for (; turn.any(); turn.next()) {
    const bool active = turn.active();
    const float* in = spectrum + 2 * (turn.clip() * (M + 1) * frames + turn.frame());
    float* out = in_time + turn.number() * 2 * M;
    // Z = (X[k] + conj X[M - k]) + i conj(w) (X[k] - conj X[M - k]), its parts exchanged.
    const auto load = [&](int k, float& re, float& im) {
      const float ar = in[2 * k * frames], ai = k ? in[2 * k * frames + 1] : 0.0f;
      const float br = in[2 * (M - k) * frames], bi = k ? in[2 * (M - k) * frames + 1] : 0.0f;
      const float wr = transform.twiddles[2 * k], wi = transform.twiddles[2 * k + 1];
      const float odd_re = ar - br, odd_im = ai + bi;
      im = ar + br + (odd_re * wi - odd_im * wr);
      re = ai - bi + (odd_re * wr + odd_im * wi);
    };
    const auto store = [&](int j, float re, float im) {  // point j is samples 2 j and 2 j + 1, exchanged
      out[2 * j] = im * scale * window[2 * j];
      out[2 * j + 1] = re * scale * window[2 * j + 1];
    };
    transform.run(load, workspace, turn.t, [&](int k, float zr, float zi, float mr, float mi) {
      if (!active) return;
      store(k, zr, zi);
      if (k && 2 * k != M) store(M - k, mr, mi);
    });
  }
}

__global__ void __launch_bounds__(256)
    overlap_kernel(const float* in_time, const float* window, FrameParams params, std::int64_t frames,
                   std::int64_t length, std::int64_t all, float* samples) {
  const std::int64_t n_fft = params.n_fft, hop = params.hop_length;
  for (std::int64_t item = global_thread(); item < all; item += global_threads()) {
    const std::int64_t clip = item / length, place = item % length + frame_lead(params);
    const std::int64_t first = place < n_fft ? 0 : (place - n_fft) / hop + 1;
    const std::int64_t last = place / hop < frames ? place / hop : frames - 1;
    float sum = 0, weight = 0;
    for (std::int64_t frame = first; frame <= last; ++frame) {
      const std::int64_t m = place - frame * hop;
      sum += in_time[(clip * frames + frame) * n_fft + m];
      weight += window[m] * window[m];
    }
    samples[item] = weight > FLT_MIN ? sum / weight : sum;
  }
}

}  // namespace

void stft_forward(Context& context, ConstView samples, ConstView window, FrameParams params, View spectrum) {
  constexpr const char* op = "stft_forward";
  require_frames(samples, window, params, op);
  require_dtype(spectrum, DType::f32, op, "spectrum");
  const std::int64_t n = samples.shape[0], length = samples.shape[1], frames = frame_count(params, length);
  require(spectrum.rank == 4 && spectrum.shape[0] == n && spectrum.shape[1] == params.n_fft / 2 + 1 &&
              spectrum.shape[2] == frames && spectrum.shape[3] == 2,
          op, "spectrum must be [n, 1 + n_fft / 2, frames of samples, 2]");
  if (spectrum.size() == 0) return;
  with_transform(
      context, params.n_fft, n * frames,
      [&](auto transform, unsigned blocks, int threads, std::size_t shared_bytes) {
        LAUNCH((forward_kernel<decltype(transform)>), blocks, threads, shared_bytes, context.stream,
               transform,
               ClipFrames{samples.as<float>(), length, params, window.as<float>(), frames, n * frames},
               spectrum.as<float>());
      });
}

void stft_inverse(Context& context, ConstView spectrum, ConstView window, FrameParams params, View samples) {
  constexpr const char* op = "stft_inverse";
  require_frames(samples, window, params, op);
  require_dtype(spectrum, DType::f32, op, "spectrum");
  const std::int64_t n = samples.shape[0], length = samples.shape[1], bins = params.n_fft / 2 + 1;
  require(spectrum.rank == 4 && spectrum.shape[0] == n && spectrum.shape[1] == bins && spectrum.shape[3] == 2,
          op, "spectrum must be [n, 1 + n_fft / 2, frames, 2]");
  if (samples.size() == 0) return;
  const std::int64_t frames = spectrum.shape[2], clip_bytes = frames * params.n_fft * 4;
  const std::int64_t slice = clip_bytes > 0 && most_scratch / clip_bytes > 1 ? most_scratch / clip_bytes : 1;
  for (std::int64_t first = 0; first < n; first += slice) {
    const std::int64_t clips = n - first < slice ? n - first : slice;
    const Scratch in_time(context, static_cast<std::size_t>(clips * clip_bytes));
    if (frames > 0)
      with_transform(context, params.n_fft, clips * frames,
                     [&](auto transform, unsigned blocks, int threads, std::size_t shared_bytes) {
                       LAUNCH((inverse_kernel<decltype(transform)>), blocks, threads, shared_bytes,
                              context.stream, transform, spectrum.as<float>() + first * bins * frames * 2,
                              window.as<float>(), frames, clips * frames, in_time.as<float>());
                     });
    LAUNCH((overlap_kernel), stride_grid(context, clips * length, 256), 256, 0, context.stream,
           in_time.as<float>(), window.as<float>(), params, frames, length, clips * length,
           samples.as<float>() + first * length);
  }
}

}  // namespace chorale::cuda

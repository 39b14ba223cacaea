// SPDX-License-Identifier: MIT
// Mel spectrogram in one kernel: frame, window, real FFT, power, sparse bands.
//
//   X_f[k] = sum over m < n_fft of window[m] x[f hop - lead + m] exp(-2 pi i m k / n_fft)
//   mel[b, f] = sum over k of weight[b, k] |X_f[k]|^power
//
// The threads of a frame transform it (audio_fft.cuh), leave |X_f[k]|^power in the memory that the transform
// no longer needs, and each sums bands over ascending bins. f32 throughout. From memory a frame reads 4 hop
// bytes (frames overlap in the cache) and writes 4 bands bytes: 2.5 KB at the defaults, 0.6 ns at the 4.3
// TB/s that an H200 copies.
#include <cmath>

#include "kernels/cuda/audio_fft.cuh"

namespace chorale::cuda {
namespace {

__device__ inline float raised(float square, float power) {
  return power == 1.0f ? sqrtf(square) : powf(square, power / 2);
}

template <class Transform>
__global__ void __launch_bounds__(block_threads<Transform>, blocks_wanted<Transform>)
    mel_kernel(Transform transform, ClipFrames clips, const std::int32_t* first_bin,
               const std::int32_t* offset, const float* weight, int bands, float power, float* mel) {
  constexpr int T = Transform::threads;
  const int M = transform.size();
  FrameTurn<Transform> turn(clips.frames, clips.all_frames);
  float* workspace = transform.workspace(turn.group);
  float* spectrum = transform.spare(workspace);
  for (; turn.any(); turn.next()) {
    const int t = turn.t;
    const std::int64_t clip = turn.clip(), frame = turn.frame();
    transform.run(
        clips.source(clip, frame), workspace, t, [&](int k, float zr, float zi, float mr, float mi) {
          float low[2], high[2];
          join_spectrum(zr, zi, mr, mi, transform.twiddles[2 * k], transform.twiddles[2 * k + 1], low, high);
          spectrum[slot(k)] = low[0] * low[0] + low[1] * low[1];
          spectrum[slot(M - k)] = high[0] * high[0] + high[1] * high[1];
        });
    __syncthreads();
    if (power != 2.0f) {  // apart, for powf takes as many registers as the transform
      for (int k = t; k <= M; k += T) spectrum[slot(k)] = raised(spectrum[slot(k)], power);
      __syncthreads();
    }
    float* out = mel + clip * bands * clips.frames + frame;
    for (int b = t; turn.active() && b < bands; b += T) {
      const int bin = first_bin[b], start = offset[b], count = offset[b + 1] - start;
      float sum = 0;
      for (int i = 0; i < count; ++i) sum += weight[start + i] * spectrum[slot(bin + i)];
      out[b * clips.frames] = sum;
    }
  }
}

}  // namespace

void mel_spectrogram_forward(Context& context, ConstView samples, ConstView window, ConstView first_bin,
                             ConstView offset, ConstView weight, FrameParams params, float power, View mel) {
  constexpr const char* op = "mel_spectrogram_forward";
  require_frames(samples, window, params, op);
  require_dtype(first_bin, DType::i32, op, "first_bin");
  require_dtype(offset, DType::i32, op, "offset");
  require_dtype(weight, DType::f32, op, "weight");
  require_dtype(mel, DType::f32, op, "mel");
  const std::int64_t n = samples.shape[0], length = samples.shape[1], bands = first_bin.size();
  const std::int64_t frames = frame_count(params, length);
  require_size(offset, bands + 1, op, "offset");
  require(mel.rank == 3 && mel.shape[0] == n && mel.shape[1] == bands && mel.shape[2] == frames, op,
          "mel must be [n, bands, frames of samples]");
  if (mel.size() == 0) return;
  with_transform(
      context, params.n_fft, n * frames,
      [&](auto transform, unsigned blocks, int threads, std::size_t shared_bytes) {
        LAUNCH((mel_kernel<decltype(transform)>), blocks, threads, shared_bytes, context.stream, transform,
               ClipFrames{samples.as<float>(), length, params, window.as<float>(), frames, n * frames},
               first_bin.as<std::int32_t>(), offset.as<std::int32_t>(), weight.as<float>(),
               static_cast<int>(bands), power, mel.as<float>());
      });
}

}  // namespace chorale::cuda

// SPDX-License-Identifier: MIT
// Short-time Fourier transform and its inverse, for clips of real samples.
//
//   X_f[k] = sum over m < n_fft of window[m] x[f hop - lead + m] exp(-2 pi i m k / n_fft),    k <= n_fft / 2
//   y[t] = sum over f of window[m] x_f[m] / sum over f of window[m]^2,   m = t + lead - f hop in [0, n_fft)
//
// x_f is the inverse transform of X_f. Spectra are [bins, frames] of (re, im): a vector of frames is one
// stretch of memory. Forward works on blocks of `lanes` frames (audio_frames.h): 4 hop bytes a frame are
// read, 8 bins written. The inverse works on tiles of output samples: it transforms every frame that reaches
// into the tile (those of the border twice, n_fft / hop of them for tile_frames), transposes the result back
// to one frame after the other, and adds in ascending order of frames, so the sums are the same however the
// clip is cut.
#include <cfloat>
#include <cstring>

#include "kernels/cpu/audio_fft_mixed.h"
#include "kernels/cpu/audio_frames.h"
#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"

namespace chorale::cpu {
namespace {

using simd::Complex;
using simd::lanes;
using simd::Vector;

constexpr std::int64_t tile_frames = 64;  // at least; a tile is no shorter than four frames

void store_spectrum(float* to, Complex x, std::int64_t valid) {
  simd::store_some(to, simd::zip<false>(x.re, x.im), 2 * valid);
  simd::store_some(to + lanes, simd::zip<true>(x.re, x.im), 2 * valid - lanes);
}

Complex load_spectrum(const float* from, std::int64_t valid) {
  const Vector low = simd::load_some(from, 2 * valid),
               high = simd::load_some(from + lanes, 2 * valid - lanes);
  return {simd::unzip<0>(low, high), simd::unzip<1>(low, high)};
}

/// What one thread needs for the inverse: the spectra of a block, the transform's own memory, the block's
/// samples with one frame a lane, and the tile's sums.
struct InverseWork {
  std::int64_t padded_fft, spectrum, transform, frames, tile;  // floats

  InverseWork(const FrameParams& params, std::int64_t transform_floats)
      : padded_fft(block_count(params.n_fft, lanes) * lanes),
        spectrum((params.n_fft / 2 + 1) * simd::complex_floats),
        transform(block_count(transform_floats, 64) * 64),
        frames(padded_fft * lanes),
        tile(std::max<std::int64_t>(tile_frames * params.hop_length, 4 * params.n_fft)) {}

  /// The sums reach a frame beyond the tile on both sides.
  std::int64_t sums() const { return tile + 2 * padded_fft; }
  std::int64_t floats() const { return block_count(spectrum + transform + frames + sums(), 64) * 64; }
};

/// Adds the frames of one block, held one a lane in `in`, to sums; the first of them begins at sums[start].
void add_frames(const float* in, const float* window, std::int64_t n_fft, std::int64_t hop,
                std::int64_t start, std::int64_t valid, float* sums) {
  for (std::int64_t m = 0; m < n_fft; m += lanes) {
    Vector tile[lanes];
    for (int j = 0; j < lanes; ++j) tile[j] = simd::load(in + (m + j) * lanes);
    simd::interleave<lanes>(tile);
    const Vector scaled = simd::load_some(window + m, n_fft - m) * (1.0f / static_cast<float>(n_fft));
    for (std::int64_t frame = 0; frame < valid; ++frame) {
      float* sum = sums + start + frame * hop + m;
      simd::store(sum, simd::load(sum) + tile[frame] * scaled);
    }
  }
}

/// One over the sum of the squared windows at each place, counted from the beginning of frame 0.
class WindowSum {
 public:
  /// `steady` holds hop floats: the values where no frame is missing.
  WindowSum(const float* window, std::int64_t n_fft, std::int64_t hop, std::int64_t frames, float* steady)
      : window_(window), n_fft_(n_fft), hop_(hop), frames_(frames), steady_(steady) {
    for (std::int64_t phase = 0; phase < hop; ++phase)
      steady[phase] = inverse(phase + (n_fft - 1 - phase) / hop * hop, phase);
  }

  /// out[i] = sums[i] times the value at place + i, i < count.
  void apply(const float* sums, std::int64_t place, std::int64_t count, float* out) const {
    for (std::int64_t i = 0; i < count;) {
      const std::int64_t at = place + i, newest = at / hop_, phase = at % hop_;
      const std::int64_t run = std::min(count - i, hop_ - phase);  // of one newest frame
      if (newest < frames_ && at + hop_ >= n_fft_) {
        for (std::int64_t j = 0; j < run; ++j) out[i + j] = sums[i + j] * steady_[phase + j];
      } else {
        for (std::int64_t j = 0; j < run; ++j) {
          const std::int64_t missing = newest < frames_ ? 0 : newest - frames_ + 1;
          out[i + j] = sums[i + j] * inverse(std::min(at + j, n_fft_ - 1 - (n_fft_ - 1 - phase - j) % hop_),
                                             phase + j + missing * hop_);
        }
      }
      i += run;
    }
  }

 private:
  /// For frames that hold the place as their sample `from`, from - hop, ... down to `to`: in the order of the
  /// frames.
  float inverse(std::int64_t from, std::int64_t to) const {
    float sum = 0;
    if (from >= n_fft_) from -= hop_;  // frames that leave gaps
    for (std::int64_t m = from; m >= to; m -= hop_) sum += window_[m] * window_[m];
    return sum > FLT_MIN ? 1 / sum : 1;
  }

  const float* window_;
  std::int64_t n_fft_, hop_, frames_;
  float* steady_;
};

}  // namespace

void stft_forward(Context& context, ConstView samples, ConstView window, FrameParams params, View spectrum) {
  constexpr const char* name = "stft_forward";
  require_frames(name, samples, window, params);
  const std::int64_t bins = params.n_fft / 2 + 1, frames = frame_count(params, samples.shape[1]);
  require(spectrum.dtype == DType::f32 && spectrum.rank == 4 && spectrum.shape[0] == samples.shape[0] &&
              spectrum.shape[1] == bins && spectrum.shape[2] == frames && spectrum.shape[3] == 2,
          name, "spectrum must be f32 [n, 1 + n_fft / 2, frames of samples, 2]", samples, spectrum);
  simd::with_transform(params.n_fft, [&](const auto& transform) {
    for_frame_blocks(context, samples, window.as<float>(), params, frames, transform.work_floats(),
                     [&](const FrameBlock& block, const auto& sample, float* work) {
                       float* out = spectrum.as<float>() + 2 * (block.clip * bins * frames + block.frame);
                       transform.forward(sample, work, [=](int k, Complex x) {
                         store_spectrum(out + 2 * k * frames, x, block.valid);
                       });
                     });
  });
}

void stft_inverse(Context& context, ConstView spectrum, ConstView window, FrameParams params, View samples) {
  constexpr const char* name = "stft_inverse";
  require_frames(name, samples, window, params);
  const std::int64_t bins = params.n_fft / 2 + 1;
  require(spectrum.dtype == DType::f32 && spectrum.rank == 4 && present(spectrum) &&
              spectrum.shape[0] == samples.shape[0] && spectrum.shape[1] == bins && spectrum.shape[3] == 2,
          name, "spectrum must be f32 [n, 1 + n_fft / 2, frames, 2], samples f32 [n, length]", spectrum,
          samples);
  const std::int64_t n = samples.shape[0], length = samples.shape[1], frames = spectrum.shape[2],
                     hop = params.hop_length, lead = frame_lead(params);
  simd::with_transform(params.n_fft, [&](const auto& transform) {
    const InverseWork sizes(params, transform.work_floats());
    const std::int64_t tiles = block_count(length, sizes.tile);
    const std::int64_t half = params.n_fft / 2;
    const Scratch steady(context, static_cast<std::size_t>(hop) * sizeof(float));
    const WindowSum window_sum(window.as<float>(), params.n_fft, hop, frames, steady.as<float>());
    const bool parallel = n * tiles > 1 && samples.size() >= parallel_threshold;
    const int threads = parallel ? omp_get_max_threads() : 1;
    const Scratch scratch(context, static_cast<std::size_t>(threads * sizes.floats()) * sizeof(float));
#pragma omp parallel num_threads(threads)
    {
      float* block = scratch.as<float>() + omp_get_thread_num() * sizes.floats();
      float* work = block + sizes.spectrum;
      float* in_time = work + sizes.transform;
      float* sums = in_time + sizes.frames;
      std::memset(in_time, 0, static_cast<std::size_t>(sizes.frames) * sizeof(float));
#pragma omp for schedule(dynamic)
      for (std::int64_t task = 0; task < n * tiles; ++task) {
        const std::int64_t clip = task / tiles, begin = task % tiles * sizes.tile;
        const std::int64_t end = std::min(length, begin + sizes.tile);
        std::memset(sums, 0, static_cast<std::size_t>(sizes.sums()) * sizeof(float));
        // Frames with f hop - lead < end and f hop - lead + n_fft > begin; sums[padded_fft] is sample
        // `begin`.
        const std::int64_t before = begin + lead - params.n_fft;
        const std::int64_t first = before < 0 ? 0 : before / hop + 1;
        const std::int64_t last = std::min(frames, block_count(end + lead, hop));
        for (std::int64_t frame = first; frame < last; frame += lanes) {
          const std::int64_t valid = std::min<std::int64_t>(lanes, last - frame);
          const float* from = spectrum.as<float>() + 2 * (clip * bins * frames + frame);
          for (std::int64_t k = 0; k < bins; ++k) {
            Complex x = load_spectrum(from + 2 * k * frames, valid);
            if (k == 0 || k == half) x.im = Vector{};
            simd::store_complex(block + simd::complex_floats * k, x);
          }
          transform.inverse([&](int k) { return simd::load_complex(block + simd::complex_floats * k); }, work,
                            [&](int m, Vector x) { simd::store(in_time + m * lanes, x); });
          add_frames(in_time, window.as<float>(), params.n_fft, hop,
                     sizes.padded_fft + frame * hop - lead - begin, valid, sums);
        }
        window_sum.apply(sums + sizes.padded_fft, begin + lead, end - begin,
                         samples.as<float>() + clip * length + begin);
      }
    }
  });
}

}  // namespace chorale::cpu

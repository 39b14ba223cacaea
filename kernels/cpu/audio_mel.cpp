// SPDX-License-Identifier: MIT
// Mel spectrogram in one pass over the samples: frame, window, real FFT, power, sparse bands.
//
//   X_f[k] = sum over m < n_fft of window[m] x[f hop - n_fft / 2 + m] exp(-2 pi i m k / n_fft)
//   mel[b, f] = sum over k of weight[b, k] |X_f[k]|^power
//
// Works on blocks of `lanes` consecutive frames, one frame a lane (audio_fft.h). Frames overlap: sample m of
// frame f is element (m mod hop) of the stretch f + m / hop, so each sample is transposed once into table[m
// mod hop][stretch] and an unaligned load at column m / hop yields it for all frames of the block. f32
// throughout; every band is summed over ascending bins. Bytes from memory: 4 hop a frame read, 4 bands
// written; table, points and power of a block stay in the second-level cache.
#include <omp.h>

#include <algorithm>
#include <cmath>

#include "kernels/cpu/audio_fft.h"
#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"

namespace chorale::cpu {
namespace {

using simd::lanes;
using simd::Vector;

struct Bands {
  const std::int32_t *first_bin, *offset;
  const float* weight;
  std::int64_t count;
};

/// The transposed samples of a block: rows of stretches, `columns` of them in each.
struct Table {
  std::int64_t hop, rows, columns, stride;

  Table(std::int64_t n_fft, std::int64_t hop)
      : hop(hop),
        rows(block_count(std::min(hop, n_fft), lanes) * lanes),
        columns(lanes + (n_fft - 1) / hop),
        stride(block_count(columns, lanes) * lanes) {}

  std::int64_t floats() const { return rows * stride; }

  /// From samples [0, length), zero outside; stretch 0 begins at `begin`.
  void fill(const float* samples, std::int64_t length, std::int64_t begin, float* table) const {
    const auto piece = [&](std::int64_t at) {
      if (at >= 0 && at + lanes <= length) return simd::load(samples + at);
      alignas(Vector) float buffer[lanes];
      for (int i = 0; i < lanes; ++i) buffer[i] = at + i >= 0 && at + i < length ? samples[at + i] : 0.0f;
      return simd::load(buffer);
    };
    for (std::int64_t column = 0; column < columns; column += lanes)
      for (std::int64_t row = 0; row < rows; row += lanes) {
        Vector tile[lanes];
        for (int j = 0; j < lanes; ++j)
          tile[j] = column + j < columns ? piece(begin + (column + j) * hop + row) : Vector{};
        simd::interleave<lanes>(tile);
        for (int j = 0; j < lanes; ++j) simd::store(table + (row + j) * stride + column, tile[j]);
      }
  }
};

/// Sums the bands of one block into mel [bands, frames] at frame 0 of the block.
void sum_bands(const Bands& bands, const float* power, std::int64_t frames, std::int64_t valid, float* mel) {
  for (std::int64_t b = 0; b < bands.count; ++b) {
    const float* p = power + static_cast<std::int64_t>(bands.first_bin[b]) * lanes;
    const float* w = bands.weight + bands.offset[b];
    const std::int64_t bins = bands.offset[b + 1] - bands.offset[b];
    Vector sum[4] = {};
    std::int64_t i = 0;
    for (; i + 4 <= bins; i += 4)
      for (int j = 0; j < 4; ++j) sum[j] += simd::load(p + (i + j) * lanes) * w[i + j];
    for (; i < bins; ++i) sum[0] += simd::load(p + i * lanes) * w[i];
    simd::store_some(mel + b * frames, (sum[0] + sum[1]) + (sum[2] + sum[3]), valid);
  }
}

void apply_exponent(float* power, std::int64_t n, float exponent) {
  if (exponent == 2.0f) return;
  if (exponent == 1.0f) {
    for (std::int64_t i = 0; i < n; ++i) power[i] = std::sqrt(power[i]);
  } else {
    for (std::int64_t i = 0; i < n; ++i) power[i] = std::pow(power[i], exponent / 2);
  }
}

template <int A, int B>
void mel_spectrogram(Context& context, const ConstView& samples, const float* window, const Bands& bands,
                     const MelParams& params, const View& mel) {
  constexpr std::int64_t M = A * B, n_fft = 2 * M;
  static const simd::Twiddles twiddles(n_fft, A, B);
  const std::int64_t n = samples.shape[0], length = samples.shape[1], frames = mel.shape[2];
  const Table table(n_fft, params.hop_length);
  const std::int64_t work_floats = A * (B + 1) * simd::complex_floats, power_floats = (M + 1) * lanes;
  const std::int64_t block_floats = block_count(table.floats() + work_floats + power_floats, 64) * 64;
  const std::int64_t blocks = block_count(frames, lanes), tasks = n * blocks;
  const std::int64_t share = std::clamp<std::int64_t>(tasks / 64, 1, 8);  // blocks of one task

  const Scratch constants(context, static_cast<std::size_t>(n_fft) * (sizeof(float) + sizeof(std::int32_t)));
  float* half_window = constants.as<float>();
  std::int32_t* where = reinterpret_cast<std::int32_t*>(half_window + n_fft);
  for (std::int64_t m = 0, row = 0, column = 0; m < n_fft; ++m) {
    half_window[m] = 0.5f * window[m];
    where[m] = static_cast<std::int32_t>(row * table.stride + column);
    if (++row == params.hop_length) row = 0, ++column;
  }

  const std::int64_t parts = block_count(tasks, share);
  const bool parallel = parts > 1 && tasks * lanes * n_fft >= parallel_threshold;
  const int threads = parallel ? omp_get_max_threads() : 1;
  const Scratch scratch(context, static_cast<std::size_t>(threads * block_floats) * sizeof(float));
#pragma omp parallel num_threads(threads)
  {
    float* transposed = scratch.as<float>() + omp_get_thread_num() * block_floats;
    float* work = transposed + table.floats();
    float* power = work + work_floats;
#pragma omp for schedule(dynamic)
    for (std::int64_t part = 0; part < parts; ++part)
      for (std::int64_t task = part * share; task < std::min(tasks, (part + 1) * share); ++task) {
        const std::int64_t clip = task / blocks, frame = task % blocks * lanes;
        table.fill(samples.as<float>() + clip * length, length, frame * params.hop_length - M, transposed);
        const auto sample = [&](int m) { return simd::load(transposed + where[m]) * half_window[m]; };
        simd::power_spectra<A, B>(sample, twiddles, work, power);
        apply_exponent(power, power_floats, params.power);
        sum_bands(bands, power, frames, std::min<std::int64_t>(lanes, frames - frame),
                  mel.as<float>() + clip * bands.count * frames + frame);
      }
  }
}

}  // namespace

void mel_spectrogram_forward(Context& context, ConstView samples, ConstView window, ConstView first_bin,
                             ConstView offset, ConstView weight, MelParams params, View mel) {
  constexpr const char* name = "mel_spectrogram_forward";
  require(samples.dtype == DType::f32 && samples.rank == 2 && mel.dtype == DType::f32 && mel.rank == 3 &&
              mel.shape[0] == samples.shape[0] && mel.shape[1] == first_bin.size() && params.hop_length > 0 &&
              mel.shape[2] == 1 + samples.shape[1] / params.hop_length,
          name, "samples [n, length] and mel [n, bands, 1 + length / hop] must be f32", samples, mel);
  require(window.dtype == DType::f32 && window.size() == params.n_fft && first_bin.dtype == DType::i32 &&
              offset.dtype == DType::i32 && offset.size() == first_bin.size() + 1 &&
              weight.dtype == DType::f32,
          name, "window f32 [n_fft], first_bin i32 [bands], offset i32 [bands + 1] and weight f32 are wanted",
          window, first_bin, offset, weight);
  const Bands bands{first_bin.as<std::int32_t>(), offset.as<std::int32_t>(), weight.as<float>(),
                    first_bin.size()};
  const auto run = [&]<int A, int B>() {
    mel_spectrogram<A, B>(context, samples, window.as<float>(), bands, params, mel);
  };
  switch (params.n_fft) {
    case 64:
      return run.operator()<8, 4>();
    case 128:
      return run.operator()<8, 8>();
    case 256:
      return run.operator()<16, 8>();
    case 512:
      return run.operator()<16, 16>();
    case 1024:
      return run.operator()<32, 16>();
    case 2048:
      return run.operator()<32, 32>();
    case 4096:
      return run.operator()<64, 32>();
    case 8192:
      return run.operator()<64, 64>();
    case 16384:
      return run.operator()<128, 64>();
    default:
      fail(name, "n_fft must be a power of two from 64 to 16384; window", window);
  }
}

}  // namespace chorale::cpu

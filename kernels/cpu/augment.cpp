// SPDX-License-Identifier: MIT
// Random changes of clips: what is drawn for each, noise and gain, masks.
//
//   noise   y = gain (x + sigma e),  sigma^2 = mean(x^2) / 10^(snr / 10),  e the Philox normals of the stream
//   masks   y = mean of the clip where a mask lies, else x (SpecAugment)
//
// The power of a clip and the mean of a matrix are f64 sums over blocks of 16384 elements, added in their
// order; the rest is f32. Noise reads a clip twice and writes it once, 12 bytes a sample, under the ten
// Philox rounds per four; a clip that gets none is copied, 8 bytes. Masks: 12 bytes an element. The draws are
// a few numbers a clip (kernels/augmentation_draws.h).
#include <algorithm>
#include <cmath>

#include "kernels/audio_frames.h"
#include "kernels/augmentation_draws.h"
#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/random.h"
#include "kernels/cpu/storage.h"

namespace chorale::cpu {
namespace {

/// The mean of term(x) over each of the n rows of x [n, size]: f64 [n] in `means`.
template <class Term>
void row_means(Context& context, const float* x, std::int64_t n, std::int64_t size, double* means,
               const Term& term) {
  const std::int64_t blocks = block_count(size, block_size);
  const Scratch scratch(context, static_cast<std::size_t>(n * blocks) * sizeof(double));
  double* parts = scratch.as<double>();
  parallel_tasks(n * blocks, n * size, [&](std::int64_t task) {
    const float* row = x + task / blocks * size;
    const std::int64_t begin = task % blocks * block_size, end = std::min(size, begin + block_size);
    double part[8] = {};
    std::int64_t i = begin;
    for (; i + 8 <= end; i += 8)
      for (int j = 0; j < 8; ++j) part[j] += term(static_cast<double>(row[i + j]));
    for (; i < end; ++i) part[i % 8] += term(static_cast<double>(row[i]));
    parts[task] = ((part[0] + part[4]) + (part[1] + part[5])) + ((part[2] + part[6]) + (part[3] + part[7]));
  });
  for (std::int64_t row = 0; row < n; ++row) {
    double sum = 0;
    for (std::int64_t i = 0; i < blocks; ++i) sum += parts[row * blocks + i];
    means[row] = sum / static_cast<double>(size);
  }
}

bool is(const ConstView& v, DType dtype, std::int64_t size) {
  return v.dtype == dtype && present(v) && v.size() == size;
}

}  // namespace

void draw_augmentation(Context&, const StepState* state, std::uint32_t stream, AugmentationRanges ranges,
                       ConstView lengths, std::int64_t clip_length, View rates, View steps, View noise_snr_db,
                       View gains, View stretched_lengths) {
  const std::int64_t n = lengths.size();
  require(is(lengths, DType::i64, n) && is(rates, DType::f64, n) && is(steps, DType::f64, n) &&
              is(noise_snr_db, DType::f32, n) && is(gains, DType::f32, n) &&
              is(stretched_lengths, DType::i64, n),
          "draw_augmentation", "lengths i64, rates, steps f64, noise_snr_db, gains f32 must be of one size",
          lengths, rates, steps, noise_snr_db, gains, stretched_lengths);
  for (std::int64_t i = 0; i < n; ++i) {
    const augmentation::ClipDraw draw = augmentation::draw_clip(ranges, *state, stream, i);
    rates.as<double>()[i] = draw.tempo / draw.pitch;
    steps.as<double>()[i] = draw.pitch;
    noise_snr_db.as<float>()[i] = draw.noise_snr_db;
    gains.as<float>()[i] = draw.gain;
    stretched_lengths.as<std::int64_t>()[i] =
        augmentation::stretched(lengths.as<std::int64_t>()[i], draw.tempo, clip_length);
  }
}

void clip_frames(Context&, ConstView lengths, FrameParams params, std::int64_t less, View counts) {
  require(is(lengths, DType::i64, lengths.size()) && is(counts, DType::i64, lengths.size()), "clip_frames",
          "lengths and counts are i64 [n]", lengths, counts);
  for (std::int64_t i = 0; i < counts.size(); ++i)
    counts.as<std::int64_t>()[i] = frame_count(params, lengths.as<std::int64_t>()[i]) - less;
}

void add_noise(Context& context, ConstView x, ConstView noise_snr_db, ConstView gains, const StepState* state,
               std::uint32_t stream, View y) {
  require(x.dtype == DType::f32 && y.dtype == DType::f32 && present(x) && present(y) && x.rank == 2 &&
              same_shape(x, y),
          "add_noise", "x and y must be f32 [n, length]", x, y);
  const std::int64_t n = x.shape[0], length = x.shape[1];
  require(is(noise_snr_db, DType::f32, n) && is(gains, DType::f32, n), "add_noise",
          "noise_snr_db and gains must be f32 [n]", noise_snr_db, gains);
  if (x.size() == 0) return;
  const Scratch scratch(context, static_cast<std::size_t>(n) * sizeof(double));
  double* power = scratch.as<double>();
  row_means(context, x.as<float>(), n, length, power, [](double v) { return v * v; });
  const std::int64_t blocks = block_count(length, block_size);
  parallel_tasks(n * blocks, x.size(), [&](std::int64_t task) {
    const std::int64_t clip = task / blocks, begin = task % blocks * block_size,
                       end = std::min(length, begin + block_size);
    const double snr = static_cast<double>(noise_snr_db.as<float>()[clip]);
    const float sigma = static_cast<float>(std::sqrt(power[clip] * std::pow(10.0, -snr / 10))),
                gain = gains.as<float>()[clip];
    for (std::int64_t i = begin; i < end; i += chunk) {
      const std::int64_t count = std::min(chunk, end - i), at = clip * length + i;
      const float* from = x.as<float>() + at;
      float* to = y.as<float>() + at;
      alignas(64) float noise[chunk] = {};
      if (sigma != 0) normals(*state, stream, at, count, noise);
#pragma omp simd
      for (std::int64_t j = 0; j < count; ++j) to[j] = gain * (from[j] + sigma * noise[j]);
    }
  });
}

void mask_features(Context& context, ConstView x, MaskParams params, const StepState* state,
                   std::uint32_t stream, View y) {
  require(x.dtype == DType::f32 && y.dtype == DType::f32 && present(x) && present(y) && x.rank == 3 &&
              same_shape(x, y),
          "mask_features", "x and y must be f32 [n, bands, frames]", x, y);
  require(params.time_masks >= 0 && params.time_width >= 0 && params.frequency_masks >= 0 &&
              params.frequency_width >= 0 && params.time_masks + params.frequency_masks <= 64,
          "mask_features", "masks and widths must not be negative, and not more than 64 masks", x);
  const std::int64_t n = x.shape[0], bands = x.shape[1], frames = x.shape[2];
  if (x.size() == 0) return;
  const Scratch scratch(context, static_cast<std::size_t>(n) * sizeof(double));
  double* means = scratch.as<double>();
  row_means(context, x.as<float>(), n, bands * frames, means, [](double v) { return v; });
  parallel_tasks(n, x.size(), [&](std::int64_t clip) {
    const float* from = x.as<float>() + clip * bands * frames;
    float* to = y.as<float>() + clip * bands * frames;
    if (to != from) std::copy_n(from, bands * frames, to);
    const float mean = static_cast<float>(means[clip]);
    for (std::int32_t mask = 0; mask < params.time_masks + params.frequency_masks; ++mask) {
      const auto [begin, end] = augmentation::draw_mask(params, *state, stream, clip, mask, bands, frames);
      if (mask < params.time_masks) {
        for (std::int64_t band = 0; band < bands; ++band)
          std::fill(to + band * frames + begin, to + band * frames + end, mean);
      } else {
        std::fill(to + begin * frames, to + end * frames, mean);
      }
    }
  });
}

}  // namespace chorale::cpu

// SPDX-License-Identifier: MIT
// Frames for the transforms, `lanes` consecutive ones at a time, one a lane.
//
// Frames overlap: sample m of frame f is element (m mod hop) of the stretch f + m / hop, so each sample is
// transposed once into table[m mod hop][stretch], and an unaligned load at column m / hop yields it for all
// frames of the block. The table stays in the second-level cache.
#pragma once
#include <omp.h>

#include <algorithm>

#include "kernels/audio_frames.h"
#include "kernels/context.h"
#include "kernels/cpu/audio_simd.h"
#include "kernels/cpu/checks.h"
#include "kernels/cpu/parallel.h"
#include "kernels/view.h"

namespace chorale::cpu {

/// ContractError unless samples [n, length] can be cut into frames and transformed under window [n_fft].
inline void require_frames(const char* kernel, const ConstView& samples, const ConstView& window,
                           const FrameParams& params) {
  require(samples.dtype == DType::f32 && samples.rank == 2 && present(samples), kernel,
          "samples must be f32 [n, length]", samples);
  require(window.dtype == DType::f32 && transform_size(params.n_fft) && window.size() == params.n_fft &&
              params.hop_length > 0,
          kernel, "window must be f32 [n_fft], n_fft even, 16 to 16384, of factors 2, 3 and 5", window);
}

/// The transposed samples of a block: rows of stretches, `columns` of them in each.
class SampleTable {
 public:
  explicit SampleTable(const FrameParams& params)
      : hop_(params.hop_length),
        pad_mode_(params.pad_mode),
        rows_(block_count(std::min<std::int64_t>(hop_, params.n_fft), simd::lanes) * simd::lanes),
        columns_(simd::lanes + (params.n_fft - 1) / hop_),
        stride_(block_count(columns_, simd::lanes) * simd::lanes) {}

  std::int64_t floats() const { return rows_ * stride_; }
  /// Where sample m of the block's frames lies.
  std::int64_t place(std::int64_t m) const { return m % hop_ * stride_ + m / hop_; }

  /// From samples [0, length) and their padding; stretch 0 begins at `begin`.
  void fill(const float* samples, std::int64_t length, std::int64_t begin, float* table) const {
    using simd::lanes;
    using simd::Vector;
    const auto piece = [&](std::int64_t at) {
      if (at >= 0 && at + lanes <= length) return simd::load(samples + at);
      alignas(Vector) float buffer[lanes];
      for (int i = 0; i < lanes; ++i) {
        const std::int64_t index = padded_index(at + i, length, pad_mode_);
        buffer[i] = index < 0 ? 0.0f : samples[index];
      }
      return simd::load(buffer);
    };
    for (std::int64_t column = 0; column < columns_; column += lanes)
      for (std::int64_t row = 0; row < rows_; row += lanes) {
        Vector tile[lanes];
        for (int j = 0; j < lanes; ++j)
          tile[j] = column + j < columns_ ? piece(begin + (column + j) * hop_ + row) : Vector{};
        simd::interleave<lanes>(tile);
        for (int j = 0; j < lanes; ++j) simd::store(table + (row + j) * stride_ + column, tile[j]);
      }
  }

 private:
  std::int64_t hop_;
  PadMode pad_mode_;
  std::int64_t rows_, columns_, stride_;
};

/// A block of frames of one clip, those beyond `valid` being padding.
struct FrameBlock {
  std::int64_t clip, frame, valid;
};

/// Calls body(block, sample, work) for all blocks of `frames` frames of each clip of samples [n, length]:
/// sample(m) is half the windowed sample m of every frame of the block, `work` `work_floats` floats of the
/// thread's own.
template <class Body>
void for_frame_blocks(Context& context, const ConstView& samples, const float* window,
                      const FrameParams& params, std::int64_t frames, std::int64_t work_floats,
                      const Body& body) {
  using simd::lanes;
  const std::int64_t n = samples.shape[0], length = samples.shape[1], n_fft = params.n_fft;
  const SampleTable table(params);
  const std::int64_t block_floats = block_count(table.floats() + work_floats, 64) * 64;
  const std::int64_t blocks = block_count(frames, lanes), tasks = n * blocks;
  const std::int64_t share = std::clamp<std::int64_t>(tasks / 64, 1, 8);  // blocks of one task

  const Scratch constants(context, static_cast<std::size_t>(n_fft) * (sizeof(float) + sizeof(std::int32_t)));
  float* half_window = constants.as<float>();
  std::int32_t* where = reinterpret_cast<std::int32_t*>(half_window + n_fft);
  for (std::int64_t m = 0; m < n_fft; ++m) {
    half_window[m] = 0.5f * window[m];
    where[m] = static_cast<std::int32_t>(table.place(m));
  }

  const std::int64_t parts = block_count(tasks, share);
  const bool parallel = parts > 1 && tasks * lanes * n_fft >= parallel_threshold;
  const int threads = parallel ? omp_get_max_threads() : 1;
  const Scratch scratch(context, static_cast<std::size_t>(threads * block_floats) * sizeof(float));
#pragma omp parallel num_threads(threads)
  {
    float* transposed = scratch.as<float>() + omp_get_thread_num() * block_floats;
    const auto sample = [=](int m) { return simd::load(transposed + where[m]) * half_window[m]; };
#pragma omp for schedule(dynamic)
    for (std::int64_t part = 0; part < parts; ++part)
      for (std::int64_t task = part * share; task < std::min(tasks, (part + 1) * share); ++task) {
        const std::int64_t clip = task / blocks, frame = task % blocks * lanes;
        table.fill(samples.as<float>() + clip * length, length,
                   frame * params.hop_length - frame_lead(params), transposed);
        body(FrameBlock{clip, frame, std::min<std::int64_t>(lanes, frames - frame)}, sample,
             transposed + table.floats());
      }
  }
}

}  // namespace chorale::cpu

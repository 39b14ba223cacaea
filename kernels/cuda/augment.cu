// SPDX-License-Identifier: MIT
// Random changes of clips: what is drawn for each, noise and gain, masks (the formulas stand in
// kernels/cpu/augment.cpp).
//
// Powers and means are f64: a block sums 16384 elements of a clip, and who needs the clip's sum adds these
// parts in their order, a few dozen that lie in the cache. Noise: one Philox block, four samples, a thread
// and step, 12 bytes a sample. Masks: an element a thread, 12 bytes; the few masks of a clip are drawn again
// by every block. All parameters are read from the device, so a captured graph draws anew.
#include <cmath>

#include "kernels/audio_frames.h"
#include "kernels/augmentation_draws.h"
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/reduction.cuh"

namespace chorale::cuda {
namespace {

constexpr int threads = 256;
constexpr std::int64_t part_size = 16384;

struct Identity {
  __device__ static double of(double v) { return v; }
};
struct Square {
  __device__ static double of(double v) { return v * v; }
};

/// parts [n, ceil(size / part_size)]: sums of Term over consecutive elements of x [n, size].
template <class Term>
__global__ void __launch_bounds__(threads)
    part_kernel(const float* x, std::int64_t size, std::int64_t parts_per_clip, std::int64_t all,
                double* parts) {
  for (std::int64_t item = blockIdx.x; item < all; item += gridDim.x) {
    const std::int64_t begin = item % parts_per_clip * part_size;
    const std::int64_t end = begin + part_size < size ? begin + part_size : size;
    const float* row = x + item / parts_per_clip * size;
    double sum = 0;
    for (std::int64_t i = begin + threadIdx.x; i < end; i += threads)
      sum += Term::of(static_cast<double>(row[i]));
    sum = block_reduce<Sum, threads>(sum);
    if (threadIdx.x == 0) parts[item] = sum;
  }
}

__device__ inline double total(const double* parts, std::int64_t count) {
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += parts[i];
  return sum;
}

/// Partial sums of x [n, size], to be added by `total`.
template <class Term>
struct PartialSums {
  std::int64_t per_clip;
  Scratch parts;

  PartialSums(Context& context, const float* x, std::int64_t n, std::int64_t size)
      : per_clip(ceil_div(size, part_size)), parts(context, static_cast<std::size_t>(n * per_clip) * 8) {
    LAUNCH((part_kernel<Term>), stride_grid(context, n * per_clip, 1), threads, 0, context.stream, x, size,
           per_clip, n * per_clip, parts.template as<double>());
  }
};

__global__ void __launch_bounds__(threads)
    draw_kernel(const StepState* state, std::uint32_t stream, AugmentationRanges ranges,
                const std::int64_t* lengths, std::int64_t clip_length, std::int64_t n, double* rates,
                double* steps, float* noise_snr_db, float* gains, std::int64_t* stretched_lengths) {
  for (std::int64_t i = global_thread(); i < n; i += global_threads()) {
    const augmentation::ClipDraw draw = augmentation::draw_clip(ranges, *state, stream, i);
    rates[i] = draw.tempo / draw.pitch;
    steps[i] = draw.pitch;
    noise_snr_db[i] = draw.noise_snr_db;
    gains[i] = draw.gain;
    stretched_lengths[i] = augmentation::stretched(lengths[i], draw.tempo, clip_length);
  }
}

__global__ void __launch_bounds__(threads)
    frames_kernel(const std::int64_t* lengths, FrameParams params, std::int64_t less, std::int64_t n,
                  std::int64_t* counts) {
  for (std::int64_t i = global_thread(); i < n; i += global_threads())
    counts[i] = frame_count(params, lengths[i]) - less;
}

__global__ void __launch_bounds__(threads)
    noise_kernel(const float* x, const double* parts, std::int64_t per_clip, const float* noise_snr_db,
                 const float* gains, const StepState* state, std::uint32_t stream, std::int64_t length,
                 float* y) {
  const std::int64_t clip = blockIdx.y;
  const double power = total(parts + clip * per_clip, per_clip) / static_cast<double>(length);
  const float sigma =
      static_cast<float>(sqrt(power * pow(10.0, -static_cast<double>(noise_snr_db[clip]) / 10)));
  const float gain = gains[clip];
  const std::int64_t first = clip * length, last = first + length;
  // Elements four by four as the stream counts them: a clip may begin within a Philox block.
  for (std::int64_t i = first / 4 + global_thread(); i * 4 < last; i += global_threads()) {
    float noise[4] = {0, 0, 0, 0};
    if (sigma != 0)
      philox::normals(philox::block(state->seed, state->rng_offset, stream, static_cast<std::uint64_t>(i)),
                      noise);
    for (int j = 0; j < 4; ++j) {
      const std::int64_t at = i * 4 + j;
      if (at >= first && at < last) y[at] = gain * (x[at] + sigma * noise[j]);
    }
  }
}

constexpr int most_masks = 64;

__global__ void __launch_bounds__(threads)
    mask_kernel(const float* x, const double* parts, std::int64_t per_clip, MaskParams params,
                const StepState* state, std::uint32_t stream, std::int64_t bands, std::int64_t frames,
                float* y) {
  SHARED(augmentation::Stripe, stripes, [most_masks]);
  const std::int64_t clip = blockIdx.y, size = bands * frames;
  const int masks = params.time_masks + params.frequency_masks, thread = static_cast<int>(threadIdx.x);
  if (thread < masks)
    stripes[thread] = augmentation::draw_mask(params, *state, stream, clip, thread, bands, frames);
  __syncthreads();
  const float mean = static_cast<float>(total(parts + clip * per_clip, per_clip) / static_cast<double>(size));
  for (std::int64_t i = global_thread(); i < size; i += global_threads()) {
    const std::int64_t band = i / frames, frame = i % frames;
    bool hidden = false;
    for (int m = 0; m < masks; ++m) {
      const std::int64_t place = m < params.time_masks ? frame : band;
      hidden = hidden || (place >= stripes[m].begin && place < stripes[m].end);
    }
    y[clip * size + i] = hidden ? mean : x[clip * size + i];
  }
}

/// Blocks over `items` of each of n clips, a row of the grid a clip.
dim3 clip_grid(const Context& context, std::int64_t items, std::int64_t n) {
  const std::int64_t across = ceil_div(items, threads), most = multiprocessors(context) * 16 / n + 1;
  return dim3(static_cast<unsigned>(across < most ? across : most), static_cast<unsigned>(n));
}

}  // namespace

void draw_augmentation(Context& context, const StepState* state, std::uint32_t stream,
                       AugmentationRanges ranges, ConstView lengths, std::int64_t clip_length, View rates,
                       View steps, View noise_snr_db, View gains, View stretched_lengths) {
  constexpr const char* op = "draw_augmentation";
  const std::int64_t n = lengths.size();
  require_dtype(lengths, DType::i64, op, "lengths");
  require_dtype(rates, DType::f64, op, "rates");
  require_dtype(steps, DType::f64, op, "steps");
  require_dtype(noise_snr_db, DType::f32, op, "noise_snr_db");
  require_dtype(gains, DType::f32, op, "gains");
  require_dtype(stretched_lengths, DType::i64, op, "stretched_lengths");
  for (const View& view : {rates, steps, noise_snr_db, gains, stretched_lengths})
    require_size(view, n, op, "a result");
  if (n == 0) return;
  LAUNCH((draw_kernel), stride_grid(context, n, threads), threads, 0, context.stream, state, stream, ranges,
         lengths.as<std::int64_t>(), clip_length, n, rates.as<double>(), steps.as<double>(),
         noise_snr_db.as<float>(), gains.as<float>(), stretched_lengths.as<std::int64_t>());
}

void clip_frames(Context& context, ConstView lengths, FrameParams params, std::int64_t less, View counts) {
  require_dtype(lengths, DType::i64, "clip_frames", "lengths");
  require_dtype(counts, DType::i64, "clip_frames", "counts");
  require_size(counts, lengths.size(), "clip_frames", "counts");
  if (counts.size() == 0) return;
  LAUNCH((frames_kernel), stride_grid(context, counts.size(), threads), threads, 0, context.stream,
         lengths.as<std::int64_t>(), params, less, counts.size(), counts.as<std::int64_t>());
}

void add_noise(Context& context, ConstView x, ConstView noise_snr_db, ConstView gains, const StepState* state,
               std::uint32_t stream, View y) {
  constexpr const char* op = "add_noise";
  require_dtype(x, DType::f32, op, "x");
  require_dtype(y, DType::f32, op, "y");
  require_dtype(noise_snr_db, DType::f32, op, "noise_snr_db");
  require_dtype(gains, DType::f32, op, "gains");
  require(x.rank == 2 && x.shape[0] <= 65535, op, "x [n, length], n up to 65535, is wanted");
  const std::int64_t n = x.shape[0], length = x.shape[1];
  require_size(y, x.size(), op, "y");
  require_size(noise_snr_db, n, op, "noise_snr_db");
  require_size(gains, n, op, "gains");
  if (x.size() == 0) return;
  const PartialSums<Square> sums(context, x.as<float>(), n, length);
  LAUNCH((noise_kernel), clip_grid(context, length / 4 + 2, n), threads, 0, context.stream, x.as<float>(),
         sums.parts.as<double>(), sums.per_clip, noise_snr_db.as<float>(), gains.as<float>(), state, stream,
         length, y.as<float>());
}

void mask_features(Context& context, ConstView x, MaskParams params, const StepState* state,
                   std::uint32_t stream, View y) {
  constexpr const char* op = "mask_features";
  require_dtype(x, DType::f32, op, "x");
  require_dtype(y, DType::f32, op, "y");
  require(x.rank == 3 && x.shape[0] <= 65535, op, "x [n, bands, frames], n up to 65535, is wanted");
  require(params.time_masks >= 0 && params.frequency_masks >= 0 && params.time_width >= 0 &&
              params.frequency_width >= 0 && params.time_masks + params.frequency_masks <= most_masks,
          op, "masks and widths must not be negative, and not more than 64 masks");
  const std::int64_t n = x.shape[0], bands = x.shape[1], frames = x.shape[2];
  require_size(y, x.size(), op, "y");
  if (x.size() == 0) return;
  const PartialSums<Identity> sums(context, x.as<float>(), n, bands * frames);
  LAUNCH((mask_kernel), clip_grid(context, bands * frames, n), threads, 0, context.stream, x.as<float>(),
         sums.parts.as<double>(), sums.per_clip, params, state, stream, bands, frames, y.as<float>());
}

}  // namespace chorale::cuda
